package store

import (
	"context"
	"database/sql"
	"errors"

	"assay/internal/billing"
)

// Reader returns the connections that read.
func Reader(s *Store) *sql.DB { return s.reader.db }

// Writer returns the connections that write.
func Writer(s *Store) *sql.DB { return s.writer.db }

// BookRules returns what Books checks.
func BookRules() (names []string) {
	for _, rule := range bookRules {
		names = append(names, rule.name)
	}
	return names
}

// Forged returns what the books would say after a statement that the triggers of the
// ledger refuse. The statement is undone.
func Forged(ctx context.Context, s *Store, statement string) (b billing.Books, err error) {
	undo := errors.New("undo")
	err = s.write(ctx, func(ctx context.Context, w txn) error {
		for _, table := range []string{"ledger_transactions", "ledger_entries"} {
			guards := []string{"ALTER TABLE " + table + " DISABLE TRIGGER USER"}
			if s.engine.folder() == "sqlite" {
				guards = []string{"DROP TRIGGER " + table + "_no_update", "DROP TRIGGER " + table + "_no_delete"}
			}
			for _, guard := range guards {
				if _, err := w.exec(ctx, guard); err != nil {
					return err
				}
			}
		}
		if statement != "" {
			if _, err := w.exec(ctx, statement); err != nil {
				return err
			}
		}
		if b, err = w.books(ctx); err != nil {
			return err
		}
		return undo
	})
	if errors.Is(err, undo) {
		err = nil
	}
	return b, err
}

// LockSchema keeps everybody from migrating a database, as a process that migrates it does.
func LockSchema(ctx context.Context, database string) (unlock func() error, err error) {
	e, err := engineOf(database, Options{}.withDefaults())
	if err != nil {
		return nil, err
	}
	db, err := e.migrator()
	if err != nil {
		return nil, err
	}
	free, err := e.lockSchema(ctx, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return func() error { return errors.Join(free(), db.Close()) }, nil
}
