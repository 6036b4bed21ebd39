// Package app is the composition root: the one place that sees every package. The
// program and the end-to-end tests start the same value.
//
//	a, err := app.Open(ctx, cfg)   // database, images, services; nothing runs yet
//	defer a.Close()
//	err = a.Serve(ctx, ready)      // until ctx ends
//
// A data directory is served by one process at a time, and so is a database. The verbs
// of the command line open both beside a running server: they are made for that.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"assay/internal/billing"
	"assay/internal/dataset"
	"assay/internal/identity"
	"assay/internal/image"
	"assay/internal/session"
	"assay/internal/store"
	"assay/internal/stripe"
	"assay/internal/telemetry"
)

// Version is the version of the program; the linker sets it.
var Version = "unknown"

// App is an opened data directory with the services over it.
type App struct {
	Config   Config
	Log      *slog.Logger
	Datasets *dataset.Service
	Identity *identity.Service
	Billing  *billing.Service
	Images   *image.Store

	dir      dataDir
	clock    *session.Clock // that of sessions and of what they cost
	store    *store.Store
	stripe   *stripe.Client // nil without keys
	judge    *judge         // nil until Judge is called
	registry *prometheus.Registry
	metrics  *telemetry.Metrics
}

// OpenExisting is Open for who only reads: it makes no data directory and no database.
func OpenExisting(ctx context.Context, cfg Config) (*App, error) {
	cfg = cfg.WithDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := cfg.exists(ctx); err != nil {
		return nil, err
	}
	return Open(ctx, cfg)
}

// Open opens the data directory of cfg, making it when it is absent. It refuses a
// directory that others may read, one that was used and whose database is gone, and one that
// belongs to another database, unless NewDatabase says that this is meant.
func Open(ctx context.Context, cfg Config) (_ *App, err error) {
	cfg = cfg.WithDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	a := &App{Config: cfg, Log: newLogger(cfg, os.Stderr), clock: session.NewClock()}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if a.dir, err = openDataDir(cfg.DataDir); err != nil {
		return nil, err
	}
	if err := cfg.checkDatabase(ctx, a.dir); err != nil {
		return nil, err
	}
	if a.store, err = store.Open(ctx, cfg.database(a.dir), cfg.storeOptions(a.Log)); err != nil {
		return nil, err
	}
	if err := cfg.bind(ctx, a.dir, a.store); err != nil {
		return nil, err
	}
	if a.Images, err = image.Open(a.dir.path("images"), image.Options{Shift: cfg.idShift(), Log: a.Log}); err != nil {
		return nil, fmt.Errorf("open the image store: %w", err)
	}
	if err := a.openMetrics(); err != nil {
		return nil, err
	}
	a.Identity = identity.New(identity.Config{Store: a.store, Log: a.Log})
	if a.Billing, err = a.openBilling(); err != nil {
		return nil, err
	}
	trees := a.trees()
	a.Datasets, err = dataset.New(dataset.Config{
		Store:       a.store,
		Worktree:    trees.open,
		ImageDigest: trees.digest,
		BundleDir:   a.dir.path("bundles"),
		Log:         a.Log,
		Judging:     cfg.judging(),
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Close frees what Open took. It may be called after a failed Open, and again.
func (a *App) Close() error {
	var errs []error
	if a.judge != nil {
		errs = append(errs, a.judge.close())
		a.judge = nil
	}
	if a.Identity != nil {
		a.Identity.Close()
		a.Identity = nil
	}
	if a.stripe != nil {
		a.stripe.Close()
		a.stripe = nil
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
		a.store = nil
	}
	return errors.Join(errs...)
}

func (a *App) trees() *worktrees { return &worktrees{images: a.Images, dir: a.dir.path("mounts")} }

// dataDir is where the server keeps everything:
//
//	assay.db        the truth, unless it is in PostgreSQL
//	database.id     which database this directory belongs to
//	images/         layers, unpacked once and shared
//	sandboxes/      of sessions and verifications, see package oci
//	validation/     sandboxes of assay dataset validate
//	verifications/  changes that wait to be judged
//	bundles/        downloads, a cache
//	mounts/         work trees that are being read, for a moment
//	url.key         signs download URLs
//	tokens.keys     sign access tokens
//	verdicts.keys   sign verdicts
//	state.key       marks logins that began here
//	alterations.key seals what is known of alterations of tests
//	operator.sock   operators ask the running server there
//	*.lock          held by the process that serves, or validates
type dataDir string

func (d dataDir) path(name string) string { return filepath.Join(string(d), name) }

func newLogger(cfg Config, w *os.File) *slog.Logger {
	opts := &slog.HandlerOptions{Level: cfg.logLevel()}
	if cfg.LogFormat == "json" {
		return logged(slog.NewJSONHandler(w, opts))
	}
	return logged(slog.NewTextHandler(w, opts))
}
