package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
	versiontable "github.com/pressly/goose/v3/database"
)

// Versions are those of a schema.
type Versions struct {
	Has   int64 // that of the database; 0 when it is empty
	Knows int64 // the newest that this program knows
}

// Current tells whether there is nothing to migrate.
func (v Versions) Current() bool { return v.Has == v.Knows }

// Migrate brings the schema of a database up to date, as Open does, and returns the
// versions from before.
func Migrate(ctx context.Context, database string, opts Options) (before Versions, err error) {
	opts = opts.withDefaults()
	e, err := engineOf(database, opts)
	if err == nil {
		before, err = migrate(ctx, e, opts)
	}
	if err != nil {
		return Versions{}, fmt.Errorf("migrate database %s: %w", nameOf(database), told(err))
	}
	return before, nil
}

// migrate brings the schema up to date, each step in its own transaction, while no
// other process does.
func migrate(ctx context.Context, e engine, opts Options) (before Versions, err error) {
	db, err := e.migrator()
	if err != nil {
		return before, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := e.fit(ctx, db); err != nil {
		return before, err
	}
	unlock, err := e.lockSchema(ctx, db)
	if err != nil {
		return before, fmt.Errorf("lock the schema: %w", err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if before, err = versions(ctx, e, db); err != nil {
		return before, err
	}
	if before.Has > before.Knows {
		return before, fmt.Errorf("its schema has version %d and this program knows versions up to %d: it was used by a newer assay; start that one, or restore a copy from before", before.Has, before.Knows)
	}
	if before.Has < before.Knows {
		if err := up(ctx, e, db, opts.Log); err != nil {
			return before, fmt.Errorf("migrate from version %d to %d: %w", before.Has, before.Knows, err)
		}
	}
	return before, nil
}

func newProvider(e engine, db *sql.DB) (*goose.Provider, error) {
	p, err := goose.NewProvider(e.dialect(), db, schema{e.folder()},
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return p, nil
}

func up(ctx context.Context, e engine, db *sql.DB, log *slog.Logger) error {
	provider, err := newProvider(e, db)
	if err != nil {
		return err
	}
	done, err := provider.Up(ctx)
	for _, step := range done {
		log.Info("database migrated", "version", step.Source.Version, "took", step.Duration)
	}
	return err
}

// CheckVersions returns the versions of a database, and changes nothing in it. One that Open
// would refuse for what it is, is ErrUnfit. A SQLite file that does not exist has version 0.
func CheckVersions(ctx context.Context, database string, opts Options) (v Versions, err error) {
	opts = opts.withDefaults()
	defer func() {
		if err != nil {
			err = fmt.Errorf("look at database %s: %w", nameOf(database), told(err))
		}
	}()
	e, err := engineOf(database, opts)
	if err != nil {
		return v, err
	}
	db, err := e.onlooker()
	if errors.Is(err, fs.ErrNotExist) {
		return Versions{Knows: schema{e.folder()}.newest()}, nil
	}
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := e.fit(ctx, db); err != nil {
		return v, err
	}
	return versions(ctx, e, db)
}

// versions reads them from the tables of goose, which it does not make when they are
// absent, as goose would.
func versions(ctx context.Context, e engine, db *sql.DB) (v Versions, err error) {
	v = Versions{Knows: schema{e.folder()}.newest()}
	table, err := versiontable.NewStore(e.dialect(), goose.DefaultTablename)
	if err != nil {
		return v, err
	}
	var exists bool
	if err := db.QueryRowContext(ctx, e.tableExists(), goose.DefaultTablename).Scan(&exists); err != nil {
		return v, fmt.Errorf("read the schema's version: %w", err)
	}
	if exists {
		if v.Has, err = table.GetLatestVersion(ctx, db); err != nil && !errors.Is(err, versiontable.ErrVersionNotFound) {
			return v, fmt.Errorf("read the schema's version: %w", err)
		}
	}
	return v, nil
}
