package foreign

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxCommand is how long the command of a verifier may be, in bytes.
const maxCommand = 64 << 10

// unpackTo returns shell lines that make a directory of files, by their slash-separated
// names, fresh and only that. A verifier's command is all that a sample brings to a
// sandbox beside its patches, so that the files travel in it. The same files give the
// same lines.
func unpackTo(dir string, files map[string][]byte) (string, error) {
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	tw := tar.NewWriter(zw)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(files[name]))}
		if err := tw.WriteHeader(h); err != nil {
			return "", fmt.Errorf("pack %s: %w", name, err)
		}
		if _, err := tw.Write(files[name]); err != nil {
			return "", fmt.Errorf("pack %s: %w", name, err)
		}
	}
	if err := tw.Close(); err != nil {
		return "", fmt.Errorf("pack files: %w", err)
	}
	if err := zw.Close(); err != nil {
		return "", fmt.Errorf("pack files: %w", err)
	}
	text := base64.StdEncoding.EncodeToString(packed.Bytes())
	if len(text) > maxCommand-(4<<10) {
		return "", fmt.Errorf("they take %d bytes, packed, and the command of a verifier holds %d", len(text), maxCommand)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "rm -rf %[1]s && mkdir -p %[1]s && base64 -d <<'END_OF_FILES' | tar -xzf - -C %[1]s || exit 125\n", quoteShell(dir))
	for line := range slices.Chunk([]byte(text), 120) {
		b.Write(line)
		b.WriteByte('\n')
	}
	b.WriteString("END_OF_FILES\n")
	return b.String(), nil
}

// quoteShell quotes a word for a shell.
func quoteShell(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
