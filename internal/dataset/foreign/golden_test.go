package foreign

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what is read as what is wanted")

// TestGolden reads a few rows of each format and holds what they become against
// golden.json beside them. The rows of SWE-bench, GitBug-Java and SWE-rebench are
// real ones, with short texts in place of code and prose; the others are made after
// the documentation of their formats.
func TestGolden(t *testing.T) {
	dirs, err := filepath.Glob("testdata/*")
	if err != nil || len(dirs) == 0 {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			got := read(t, dir)
			golden := filepath.Join("testdata", filepath.Base(dir), "golden")
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("records differ (-want +got):\n%s", diff)
			}
		})
	}
}

// read returns the records of a dataset as text.
func read(t *testing.T, dir string) []byte {
	t.Helper()
	formatName := map[string]string{"swe-gym": "swe-gym"}[filepath.Base(dir)]
	source, err := Open(dir, formatName, Options{Dataset: "golden"})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	var b bytes.Buffer
	fmt.Fprintln(&b, source.Format)
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err = source.Each(func(r *Record) error {
		if r.Sample != nil {
			r.Sample.Task.Verifier.Command = listed(t, r.Sample.Task.Verifier.Command)
		}
		return enc.Encode(r)
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var packedFiles = regexp.MustCompile(`(?s)(<<'END_OF_FILES'[^\n]*\n)(.*?)END_OF_FILES\n`)

// listed puts the names and contents of packed files in the place of their bytes, which
// differ between versions of the compressor.
func listed(t *testing.T, command string) string {
	t.Helper()
	m := packedFiles.FindStringSubmatch(command)
	if m == nil {
		return command
	}
	packed, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, bytes.NewBufferString(m[2])))
	if err != nil {
		t.Fatal(err)
	}
	zr, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s: %q\n", h.Name, content)
	}
	at := packedFiles.FindStringSubmatchIndex(command)
	return command[:at[4]] + b.String() + command[at[5]:]
}
