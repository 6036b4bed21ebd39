package oci

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// allocated is what a file takes on the host, in bytes.
func allocated(t *testing.T, name string) int64 {
	t.Helper()
	var st syscall.Stat_t
	if err := syscall.Stat(name, &st); err != nil {
		t.Fatal(err)
	}
	return st.Blocks * 512
}

func TestCopySparse(t *testing.T) {
	dir := t.TempDir()
	in, err := os.Create(filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for _, offset := range []int64{0, 5 << 20, 63 << 20} {
		if _, err := in.WriteAt([]byte("data"), offset); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Truncate(64 << 20); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := copySparse(out, in); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(in.Name())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(out.Name()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the copy differs, %v", err)
	}
	if used := allocated(t, out.Name()); used > 1<<20 {
		t.Errorf("the copy takes %d bytes", used)
	}
}
