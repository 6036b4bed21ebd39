package worktree

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"assay/internal/sandbox"
)

func layerOf(t *testing.T, headers ...tar.Header) *bytes.Buffer {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range headers {
		content := ""
		if h.Typeflag == tar.TypeReg {
			content = "content of " + h.Name
			h.Size = int64(len(content))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &buf
}

func namesIn(t *testing.T, layer io.Reader) []string {
	t.Helper()
	var names []string
	for r := tar.NewReader(layer); ; {
		hdr, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if hdr.Typeflag == tar.TypeReg && string(content) != "content of "+hdr.Name {
			t.Errorf("%s holds %q", hdr.Name, content)
		}
		names = append(names, hdr.Name)
	}
}

func TestFilterShowsWhatEntriesMean(t *testing.T) {
	src := layerOf(t,
		tar.Header{Name: "a/", Typeflag: tar.TypeDir},
		tar.Header{Name: "a/.wh..wh..opq", Typeflag: tar.TypeReg},
		tar.Header{Name: "a/.wh.gone", Typeflag: tar.TypeReg},
		tar.Header{Name: "./a/file", Typeflag: tar.TypeReg},
		tar.Header{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "a/file"},
	)
	var seen []Entry
	var dst bytes.Buffer
	if err := Filter(&dst, src, func(e Entry) bool { seen = append(seen, e); return true }); err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{Name: "a", Type: tar.TypeDir},
		{Name: "a", Type: tar.TypeReg, Replaces: true},
		{Name: "a/gone", Type: tar.TypeReg, Deletes: true},
		{Name: "a/file", Type: tar.TypeReg, Size: 19},
		{Name: "link", Type: tar.TypeSymlink, Target: "a/file"},
	}
	if !slices.Equal(seen, want) {
		t.Errorf("entries are\n%+v, want\n%+v", seen, want)
	}
	if got := namesIn(t, &dst); len(got) != 5 {
		t.Errorf("%d entries arrived: %q", len(got), got)
	}
}

func TestFilterDropsWhatIsNoWork(t *testing.T) {
	src := layerOf(t,
		tar.Header{Name: "kept", Typeflag: tar.TypeReg},
		tar.Header{Name: "k\xe9pt", Typeflag: tar.TypeReg, Format: tar.FormatPAX}, // Latin-1
		tar.Header{Name: "fifo", Typeflag: tar.TypeFifo},
		tar.Header{Name: "device", Typeflag: tar.TypeChar},
		tar.Header{Name: "hardlink", Typeflag: tar.TypeLink, Linkname: "kept"},
		tar.Header{Name: "../outside", Typeflag: tar.TypeReg},
		tar.Header{Name: "/absolute", Typeflag: tar.TypeReg},
		tar.Header{Name: "unwanted", Typeflag: tar.TypeReg},
	)
	var dst bytes.Buffer
	if err := Filter(&dst, src, func(e Entry) bool { return e.Name != "unwanted" }); err != nil {
		t.Fatal(err)
	}
	if got := namesIn(t, &dst); !slices.Equal(got, []string{"kept", "k\xe9pt"}) {
		t.Errorf("%q arrived, want what was kept alone", got)
	}
}

func TestFilterOfACutLayerIsAnError(t *testing.T) {
	src := layerOf(t, tar.Header{Name: "file", Typeflag: tar.TypeReg})
	cut := bytes.NewReader(src.Bytes()[:520]) // in the middle of the content
	if err := Filter(io.Discard, cut, func(Entry) bool { return true }); err == nil {
		t.Error("no error")
	}
}

func TestWithin(t *testing.T) {
	for _, tt := range []struct {
		name, dir string
		want      bool
	}{
		{"a", "a", true}, {"a/b", "a", true}, {"ab", "a", false}, {"a", "a/b", false},
	} {
		if got := Within(tt.name, tt.dir); got != tt.want {
			t.Errorf("Within(%q, %q) = %t", tt.name, tt.dir, got)
		}
	}
}

func TestOurFailureIsNotAPatchThatDoesNotFit(t *testing.T) {
	box := &failingBox{err: sandbox.ErrGone}
	_, err := ApplyPatch(t.Context(), box, "/testbed", "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n")
	var refused *PatchError
	if errors.As(err, &refused) || !errors.Is(err, sandbox.ErrGone) {
		t.Errorf("error is %v, want that the sandbox is gone", err)
	}
	_, err = ApplyPatch(t.Context(), box, "/testbed", strings.Repeat("no patch\n", 3))
	if !errors.As(err, &refused) {
		t.Errorf("error is %v, want a PatchError", err)
	}
}
