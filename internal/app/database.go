package app

import (
	"context"
	"log/slog"
	"os"

	"assay/internal/store"
)

// database is where the truth is: in PostgreSQL, or in a file of the data directory.
func (c Config) database(dir dataDir) string {
	if c.DatabaseURL != "" {
		return c.DatabaseURL
	}
	return dir.path("assay.db")
}

func (c Config) storeOptions(log *slog.Logger) store.Options {
	return store.Options{
		Log:         log,
		Connections: c.DatabaseConnections,
	}
}

// Schema is the state of a database's schema.
type Schema struct {
	Has     int64 // its version; 0 when there is no schema
	Knows   int64 // the newest version that this program knows
	Current bool  // whether there is nothing to migrate
}

func schemaOf(v store.Versions) Schema { return Schema{v.Has, v.Knows, v.Current()} }

// CheckSchema looks at the schema of the database and changes nothing, on the disk
// neither.
func CheckSchema(ctx context.Context, cfg Config) (Schema, error) {
	cfg = cfg.WithDefaults()
	v, err := store.CheckVersions(ctx, cfg.database(dataDir(cfg.DataDir)), cfg.storeOptions(nil))
	return schemaOf(v), err
}

// MigrateSchema brings the schema of the database up to date, while no other process
// does, and returns what it was before. Open does so, too. Of a data directory that was used it
// makes no new file.
func MigrateSchema(ctx context.Context, cfg Config) (before Schema, err error) {
	cfg = cfg.WithDefaults()
	if err := cfg.Validate(); err != nil {
		return Schema{}, err
	}
	var dir dataDir
	if cfg.DatabaseURL == "" {
		if dir, err = openDataDir(cfg.DataDir); err != nil {
			return Schema{}, err
		}
		if err := CheckBelonging(ctx, cfg); err != nil {
			return Schema{}, err
		}
	}
	v, err := store.Migrate(ctx, cfg.database(dir), cfg.storeOptions(newLogger(cfg, os.Stderr)))
	return schemaOf(v), err
}
