package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
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
	known, err := c.compareID(dir, id)
	if known || err != nil {
		return err
	}
	return dir.replace(databaseIDFile, id+"\n")
}

// compareID holds the id of a database against that which the data directory knows. Known is
// false when the directory is to learn it.
func (c Config) compareID(dir dataDir, id string) (known bool, err error) {
	text, err := os.ReadFile(dir.path(databaseIDFile))
	noted := strings.TrimSpace(string(text))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read which database the data directory belongs to: %w", err)
	case noted == id:
		return true, nil
	case c.NewDatabase:
		return false, nil
	case !databaseID.MatchString(noted):
		return false, fmt.Errorf("%s is damaged: it holds no id of a database; if %s is the database of this data directory, remove the file, and the next start writes it anew; "+
			"otherwise restore it from a backup", dir.path(databaseIDFile), c.databaseName(dir))
	}
	return false, fmt.Errorf("the data directory %s belongs to another database than %s; restore that, give the right --database-url or --data-dir, "+
		"or start assay serve --new-database if both are to go together from now on", dir, c.databaseName(dir))
}

// databaseID is what ids of databases look like, see rand.Text.
var databaseID = regexp.MustCompile("^[a-z2-7]{26}$")

// CheckBelonging refuses, and changes nothing, what Open would: a used data directory whose
// database is empty or missing, or is another's.
func CheckBelonging(ctx context.Context, cfg Config) error {
	cfg = cfg.WithDefaults()
	abs, err := filepath.Abs(cfg.DataDir)
	if err != nil {
		return fmt.Errorf("find the data directory %s: %w", cfg.DataDir, err)
	}
	dir := dataDir(abs)
	if err := cfg.checkDatabase(ctx, dir); err != nil || cfg.NewDatabase {
		return err
	}
	id, err := store.ReadDatabaseID(ctx, cfg.database(dir), cfg.storeOptions(nil))
	if err == nil && id != "" {
		_, err = cfg.compareID(dir, id)
	}
	return err
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
