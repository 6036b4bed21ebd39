package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Who reads a file while nobody serves makes the index of its log, which takes room.
func TestReadingOnAFullDiskSaysThatItIsFull(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Fatalf("a small disk cannot be made; run the tests as root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(dir, "assay.db")
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	err = os.WriteFile(filepath.Join(dir, "fill"), make([]byte, 8<<20), 0o600)
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("the disk takes 8 MiB: %v", err)
	}
	_, versions := CheckVersions(t.Context(), path, Options{})
	_, id := ReadDatabaseID(t.Context(), path, Options{})
	for who, err := range map[string]error{"its versions": versions, "its id": id, "its pages": CheckDamage(t.Context(), path, Options{})} {
		if err == nil || !strings.Contains(err.Error(), "is full") {
			t.Errorf("%s: %v", who, err)
		}
	}
}
