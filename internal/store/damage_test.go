package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay"
)

func TestADamagedPageIsFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "assay.db")
	if err := CheckDamage(t.Context(), path, Options{}); err != nil {
		t.Errorf("a file that does not exist: %v", err)
	}
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 200 {
		u := &assay.User{ID: fmt.Sprint("usr_", n), Name: strings.Repeat("x", 200), CreatedAt: time.Now()}
		if err := s.InsertUser(t.Context(), u, assay.AuditEvent{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := CheckDamage(t.Context(), path, Options{}); err != nil {
		t.Errorf("while it is used: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	for at := info.Size()/2/page*page + page; at < info.Size(); at += page { // not the schema
		if _, err := f.WriteAt([]byte(strings.Repeat("\xee", page)), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := CheckDamage(t.Context(), path, Options{}); err == nil {
		t.Errorf("damaged pages: %v", err)
	}
}
