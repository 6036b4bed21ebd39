package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"github.com/pressly/goose/v3"
)

// migrate brings the schema up to date, each step in its own transaction.
func migrate(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, schema{"sqlite"},
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	has, knows, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if has > knows {
		return fmt.Errorf("its schema has version %d and this program knows versions up to %d: it was used by a newer assay; start that one, or restore a copy from before", has, knows)
	}
	done, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate from version %d to %d: %w", has, knows, err)
	}
	for _, step := range done {
		log.Info("database migrated", "version", step.Source.Version, "took", step.Duration)
	}
	return nil
}
