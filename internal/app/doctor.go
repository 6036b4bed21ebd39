package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"assay/internal/sandbox/oci"
	"assay/internal/store"
)

// The states of a Finding.
const (
	FindingOK       = "ok"
	FindingAdvice   = "advice"    // the server runs without it, and worse
	FindingMissing  = "missing"   // the server does not run without it
	FindingNotTried = "not tried" // something else comes first
)

// Finding is what a look at one need of a server told.
type Finding struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Text   string `json:"text"` // what is there; or what is missing, and the remedy
}

// databaseBound is how long the database may take to answer a doctor.
const databaseBound = 10 * time.Second

// Doctor looks at everything that Serve with cfg needs of this host, with the checks by
// which Serve refuses. It may be called beside a server; it changes nothing that lasts, and
// its trials are in a directory of their own. cfg is valid.
func Doctor(ctx context.Context, cfg Config) ([]Finding, error) {
	cfg = cfg.WithDefaults()
	dir, err := filepath.Abs(cfg.DataDir)
	if err != nil {
		return nil, fmt.Errorf("find the data directory %s: %w", cfg.DataDir, err)
	}
	found, err := doctorDataDir(dir)
	findings := []Finding{finding("data directory", found, err)}
	agent, err := cfg.agentPath()
	findings = append(findings, finding("guest agent", agent, err))
	found, err = doctorDatabase(ctx, cfg)
	findings = append(findings, finding("database", found, err))
	if err == nil {
		found, err = doctorDamage(ctx, cfg)
		findings = append(findings, finding("database pages", found, err))
	}
	return append(findings, doctorSandboxes(cfg, dir)...), ctx.Err()
}

func finding(name, found string, err error) Finding {
	if err != nil {
		return Finding{name, FindingMissing, err.Error()}
	}
	return Finding{name, FindingOK, found}
}

func doctorDataDir(dir string) (string, error) {
	err := checkDataDir(dir)
	if errors.Is(err, fs.ErrNotExist) && !isDir(filepath.Dir(dir)) {
		return "", noParent(dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return dir + " does not exist yet; assay serve makes it", nil
	}
	return dir, err
}

// doctorDatabase reaches the database, and looks whether this program can serve from it.
func doctorDatabase(ctx context.Context, cfg Config) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, databaseBound)
	defer cancel()
	kind := "SQLite"
	if cfg.DatabaseURL != "" {
		kind = "PostgreSQL"
	}
	schema, err := CheckSchema(ctx, cfg)
	switch {
	case errors.Is(err, store.ErrUnfit):
		return "", err
	case err != nil:
		return "", fmt.Errorf("%w; see that it runs, and that --database-url and its rights are right", err)
	case schema.Has > schema.Knows:
		return "", fmt.Errorf("the schema has version %d, and this program knows versions up to %d; run a newer assay", schema.Has, schema.Knows)
	}
	if err := CheckBelonging(ctx, cfg); err != nil {
		return "", err
	}
	switch {
	case schema.Has == 0:
		return kind + ", without a schema yet; assay serve makes it", nil
	case !schema.Current:
		return fmt.Sprintf("%s, schema version %d of %d; assay serve migrates it", kind, schema.Has, schema.Knows), nil
	}
	return fmt.Sprintf("%s, schema version %d", kind, schema.Has), nil
}

// damageBound is how long a database may be looked through; what is larger is not checked to
// its end.
const damageBound = 2 * time.Minute

// doctorDamage looks through the pages of the database.
func doctorDamage(ctx context.Context, cfg Config) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, damageBound)
	defer cancel()
	err := store.CheckDamage(ctx, cfg.database(dataDir(cfg.DataDir)), cfg.storeOptions(nil))
	switch {
	case ctx.Err() != nil:
		return fmt.Sprintf("not all of its pages were looked at in %s", damageBound), nil
	case err != nil:
		return "", fmt.Errorf("%w; %s", err, damagedRemedy)
	}
	return "no damaged page", nil
}

// doctorSandboxes tries what sandboxes need, on the file system of the data directory.
func doctorSandboxes(cfg Config, dir string) []Finding {
	place := dir
	for !isDir(place) {
		place = filepath.Dir(place)
	}
	trial, err := os.MkdirTemp(place, ".assay-doctor-")
	if err != nil {
		return []Finding{{"sandboxes", FindingNotTried, fmt.Sprintf("there is no place to try them: %s", roomFor(err))}}
	}
	defer os.RemoveAll(trial) // only a trial
	needs, err := oci.Probe(oci.Config{
		Dir: trial, Runtime: cfg.OCIRuntime, IDs: cfg.idShift(), Defaults: cfg.Resources.limits(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return []Finding{finding("sandboxes", "", roomFor(err))}
	}
	var findings []Finding
	for _, n := range needs {
		f := finding(n.Name, n.Found, n.Err)
		switch {
		case n.After != "":
			f.Status, f.Text = FindingNotTried, n.After+" comes first"
		case n.Advice && n.Err != nil:
			f.Status = FindingAdvice
		}
		findings = append(findings, f)
	}
	return findings
}

// roomFor says what to do when a disk is full.
func roomFor(err error) error {
	if errors.Is(err, unix.ENOSPC) {
		return fmt.Errorf("%w; the disk is full: make room", err)
	}
	return err
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
