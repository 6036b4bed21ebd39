package store

import (
	"path/filepath"
	"testing"
	"time"
)

// The id is given once, and read while nobody can write.
func TestTheIDOfADatabaseIsReadWithoutAWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "assay.db")
	s, err := Open(t.Context(), path, Options{BusyTimeout: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if id, err := s.DatabaseID(t.Context(), "first"); id != "first" || err != nil {
		t.Fatalf("%q, %v", id, err)
	}
	other, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}()
	writing, err := other.Writer().BeginTx(t.Context(), nil) // holds the only lock
	if err != nil {
		t.Fatal(err)
	}
	defer writing.Rollback() // nothing was written
	if id, err := s.DatabaseID(t.Context(), "second"); id != "first" || err != nil {
		t.Errorf("while another writes: %q, %v", id, err)
	}
}
