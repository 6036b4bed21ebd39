package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"assay/internal/store"
)

// databaseIDFile has the id of the database that a data directory belongs to.
const databaseIDFile = "database.id"

// keyFiles are made when a data directory is first used. Where one is, a database was.
var keyFiles = []string{"url.key", "tokens.keys", "verdicts.keys", "state.key", "alterations.key"}

// checkDatabase refuses to make a new database for a data directory that was used: its
// sessions, users and money are in another, and a server that starts without them looks well.
// It is called before anything is made.
func (c Config) checkDatabase(ctx context.Context, dir dataDir) error {
	if c.NewDatabase {
		return nil
	}
	used, err := dir.used()
	if err != nil || used == "" {
		return err
	}
	schema, err := CheckSchema(ctx, c)
	if err != nil || schema.Has > 0 {
		return err
	}
	return fmt.Errorf("the data directory %s was used before (it holds %s), and its database (%s) is empty or missing; "+
		"restore the database, or begin without its users, sessions and money: assay serve --new-database", dir, used, c.databaseName(dir))
}

// exists refuses a data directory or a database that is not there.
func (c Config) exists(ctx context.Context) error {
	abs, err := filepath.Abs(c.DataDir)
	if err != nil {
		return fmt.Errorf("find the data directory %s: %w", c.DataDir, err)
	}
	if _, err := os.Stat(abs); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the data directory %s does not exist, so that there is nothing to show; give that of a server as --data-dir, or start assay serve first", abs)
	}
	if err := c.checkDatabase(ctx, dataDir(abs)); err != nil {
		return err
	}
	schema, err := CheckSchema(ctx, c)
	if err == nil && schema.Has == 0 {
		err = fmt.Errorf("the database (%s) is empty or missing, so that there is nothing to show; give the right --data-dir or --database-url, or start assay serve first", c.databaseName(dataDir(abs)))
	}
	return err
}

// used names a file that tells that a data directory was used; "" for none.
func (d dataDir) used() (string, error) {
	for _, name := range append([]string{databaseIDFile}, keyFiles...) {
		switch _, err := os.Lstat(d.path(name)); {
		case err == nil:
			return name, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("look at the data directory: %w", err)
		}
	}
	return "", nil
}

// databaseName is what a database is called in messages: without a password.
func (c Config) databaseName(dir dataDir) string {
	if c.DatabaseURL != "" {
		return "that of database_url"
	}
	return c.database(dir)
}

// bind notes in the data directory which database it belongs to, the first time, and refuses
// another later. Directories of earlier versions learn it now.
func (c Config) bind(ctx context.Context, dir dataDir, s *store.Store) error {
	id, err := s.DatabaseID(ctx, strings.ToLower(rand.Text()))
	if err != nil {
		return err
	}
	known, err := os.ReadFile(dir.path(databaseIDFile))
	switch {
	case err == nil && strings.TrimSpace(string(known)) == id:
		return nil
	case err == nil && !c.NewDatabase:
		return fmt.Errorf("the data directory %s belongs to another database than %s; restore that, give the right --database-url or --data-dir, "+
			"or start assay serve --new-database if both are to go together from now on", dir, c.databaseName(dir))
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read which database the data directory belongs to: %w", err)
	}
	return dir.replace(databaseIDFile, id+"\n")
}

// replace writes a file of the data directory such that it is there whole, or as it was.
func (d dataDir) replace(name, text string) error {
	tmp := d.path(name + "." + strings.ToLower(rand.Text()))
	err := os.WriteFile(tmp, []byte(text), 0o600)
	if err == nil {
		err = os.Rename(tmp, d.path(name))
	}
	if err != nil {
		return fmt.Errorf("store %s: %w", name, errors.Join(err, removed(tmp)))
	}
	return nil
}

func removed(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
