package store

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"assay"
)

// A disk that is full may have room again: that is no fault of the program. What was
// there before can be read, and what was not stored is not there.
func TestAFullDiskIsSomethingToTryAgain(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "assay.db"))
	var pages int
	if err := s.writer.row(t.Context(), `PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(pages int) {
		t.Helper()
		if _, err := s.writer.exec(t.Context(), `PRAGMA max_page_count = `+strconv.Itoa(pages)); err != nil {
			t.Fatal(err)
		}
	}
	store := func(name string) error {
		_, err := s.ImportDataset(t.Context(), &assay.Dataset{Name: name, Description: strings.Repeat("much ", 10_000)}, nil)
		return err
	}
	if err := store("before"); err != nil {
		t.Fatal(err)
	}
	limit(pages)
	err := store("meanwhile")
	if assay.CodeOf(err) != assay.CodeUnavailable {
		t.Errorf("on a full disk: %v; want %s", err, assay.CodeUnavailable)
	}
	all, err := s.Datasets(t.Context())
	if err != nil || len(all) != 1 || all[0].Name != "before" {
		t.Errorf("there are %d datasets, %v", len(all), err)
	}
	limit(1 << 30)
	if err := store("after"); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
