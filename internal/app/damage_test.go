package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/internal/identity"
)

// damagedDatabase is a data directory whose database has damaged pages of users.
func damagedDatabase(t *testing.T) Config {
	t.Helper()
	cfg := Config{DataDir: filepath.Join(t.TempDir(), "data")}
	a, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 400 {
		if _, err := a.Identity.CreateUser(t.Context(), identity.Operator, strings.Repeat("x", 100), fmt.Sprintf("%d@assay.invalid", n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(cfg.DataDir, "assay.db"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	for at := info.Size() - 20*page; at < info.Size(); at += page { // which hold the users
		if _, err := f.WriteAt([]byte(strings.Repeat("\xee", page)), at); err != nil {
			t.Fatal(err)
		}
	}
	return cfg
}

func TestAServerSaysThatItsDatabaseIsDamaged(t *testing.T) {
	cfg := damagedDatabase(t)
	a, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := a.CheckDamage(t.Context()); err == nil || !strings.Contains(err.Error(), "restore the last good backup") {
		t.Errorf("a check says %v", err)
	}
	s := &server{App: a, damage: a.lookForDamage()}
	defer s.damage.close()
	if err := s.damage.within(t.Context(), time.Minute); err == nil {
		t.Error("a start finds nothing")
	}
	var known *assay.Error
	if err := s.databaseHealth(t.Context()); !errors.As(err, &known) || !strings.Contains(known.Message, "the database is damaged") {
		t.Errorf("health says %v", err)
	}
	if err := a.Serve(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("it serves: %v", err)
	}
}

func TestAWholeDatabaseIsServed(t *testing.T) {
	a, err := Open(t.Context(), Config{DataDir: filepath.Join(t.TempDir(), "data")})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	d := a.lookForDamage()
	if err := errors.Join(d.within(t.Context(), time.Minute), d.found(), a.CheckDamage(t.Context())); err != nil {
		t.Error(err)
	}
	d.close()
	d.close()
	d = a.lookForDamage()
	d.close() // also at once
	if err := d.found(); err != nil {
		t.Error(err)
	}
}
