package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/internal/store/pgtest"
)

func opened(ctx context.Context, cfg Config, open func(context.Context, Config) (*App, error)) error {
	a, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	return a.Close()
}

// A server that starts on an empty database looks well, and has lost everything: so a data
// directory that was used is served with its own database alone.
func TestADataDirectoryIsServedWithItsOwnDatabaseAlone(t *testing.T) {
	other := Config{DataDir: filepath.Join(t.TempDir(), "other")}
	if err := opened(t.Context(), other, Open); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func(t *testing.T, cfg *Config)
		want   string // of the error; "" for none
	}{
		"nothing changed": {func(*testing.T, *Config) {}, ""},
		"the file is gone": {func(t *testing.T, c *Config) {
			remove(t, c.DataDir, "assay.db", "assay.db-wal", "assay.db-shm")
		}, "its database"},
		"the file is empty": {func(t *testing.T, c *Config) {
			remove(t, c.DataDir, "assay.db-wal", "assay.db-shm")
			if err := os.Truncate(filepath.Join(c.DataDir, "assay.db"), 0); err != nil {
				t.Fatal(err)
			}
		}, "its database"},
		"of an earlier version, gone": {func(t *testing.T, c *Config) {
			remove(t, c.DataDir, "assay.db", "assay.db-wal", "assay.db-shm", databaseIDFile)
			if _, err := dataDir(c.DataDir).secret("url.key"); err != nil {
				t.Fatal(err)
			}
		}, "url.key"},
		"of an earlier version": {func(t *testing.T, c *Config) { remove(t, c.DataDir, databaseIDFile) }, ""},
		"another's": {func(t *testing.T, c *Config) {
			remove(t, c.DataDir, "assay.db-wal", "assay.db-shm")
			text, err := os.ReadFile(filepath.Join(other.DataDir, "assay.db"))
			if err == nil {
				err = os.WriteFile(filepath.Join(c.DataDir, "assay.db"), text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, "belongs to another database"},
		"the id is empty":            {func(t *testing.T, c *Config) { writeID(t, c, "") }, "database.id is damaged"},
		"the id is garbage":          {func(t *testing.T, c *Config) { writeID(t, c, "\x00\x01garbage") }, "database.id is damaged"},
		"the id is another's":        {func(t *testing.T, c *Config) { writeID(t, c, strings.Repeat("a", 26)) }, "belongs to another database"},
		"an empty one in PostgreSQL": {func(t *testing.T, c *Config) { c.DatabaseURL = pgtest.Database(t) }, "--new-database"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Config{DataDir: filepath.Join(t.TempDir(), "data")}
			if err := opened(t.Context(), cfg, Open); err != nil {
				t.Fatal(err)
			}
			tt.change(t, &cfg)
			err := opened(t.Context(), cfg, Open)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("opened: %v, want %q", err, tt.want)
			}
			if cfg.DatabaseURL == "" {
				_, doctor := doctorDatabase(t.Context(), cfg)
				_, migrate := MigrateSchema(t.Context(), cfg)
				for who, said := range map[string]error{"doctor": doctor, "migrate": migrate, "migrate --check": CheckBelonging(t.Context(), cfg)} {
					if (said == nil) != (tt.want == "") || said != nil && !strings.Contains(said.Error(), tt.want) {
						t.Errorf("%s: %v, want %q", who, said, tt.want)
					}
				}
			}
			cfg.NewDatabase = true
			if err := opened(t.Context(), cfg, Open); err != nil {
				t.Errorf("though a new database is meant: %v", err)
			}
			cfg.NewDatabase = false
			if err := opened(t.Context(), cfg, Open); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// Who only reads makes nothing.
func TestWhoReadsMakesNoDataDirectory(t *testing.T) {
	cfg := Config{DataDir: filepath.Join(t.TempDir(), "data")}
	if err := opened(t.Context(), cfg, OpenExisting); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("opened: %v", err)
	}
	if _, err := os.Lstat(cfg.DataDir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("made a data directory: %v", err)
	}
	if err := os.Mkdir(cfg.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := opened(t.Context(), cfg, OpenExisting); err == nil || !strings.Contains(err.Error(), "empty or missing") {
		t.Errorf("opened: %v", err)
	}
	if files, err := os.ReadDir(cfg.DataDir); err != nil || len(files) > 0 {
		t.Errorf("made %v, %v", files, err)
	}
	if err := errors.Join(opened(t.Context(), cfg, Open), opened(t.Context(), cfg, OpenExisting)); err != nil {
		t.Error(err)
	}
}

func writeID(t *testing.T, c *Config, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.DataDir, databaseIDFile), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestADataDirectoryIsMadeBesideOthersAlone(t *testing.T) {
	cfg := Config{DataDir: filepath.Join(t.TempDir(), "mistyped", "data")}
	if err := opened(t.Context(), cfg, Open); err == nil || !strings.Contains(err.Error(), "give the right --data-dir") {
		t.Errorf("opened: %v", err)
	}
	if _, err := doctorDataDir(cfg.DataDir); err == nil {
		t.Error("doctor finds nothing")
	}
}

func remove(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := removed(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}
