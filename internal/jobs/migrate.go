package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"github.com/riverqueue/river/rivermigrate"
)

// Migrate makes the queue's own tables, or brings them up to date. Nobody else may do
// so meanwhile.
func Migrate(ctx context.Context, db *sql.DB) error {
	migrator, err := newMigrator(db)
	if err == nil {
		_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	if err != nil {
		return fmt.Errorf("migrate the job queue: %w", err)
	}
	return nil
}

// Current tells whether the queue's tables are up to date. It changes nothing.
func Current(ctx context.Context, db *sql.DB) (bool, error) {
	migrator, err := newMigrator(db)
	if err != nil {
		return false, fmt.Errorf("look at the job queue: %w", err)
	}
	result, err := migrator.Validate(ctx, nil)
	if err != nil {
		return false, fmt.Errorf("look at the job queue: %w", err)
	}
	return result.OK, nil
}

func newMigrator(db *sql.DB) (*rivermigrate.Migrator[*sql.Tx], error) {
	return rivermigrate.New(newDriver(db), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
}
