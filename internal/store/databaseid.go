package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
)

const (
	insertDatabaseID = `INSERT INTO database_ids (one, id) VALUES (1, $1) ON CONFLICT DO NOTHING`
	selectDatabaseID = `SELECT id FROM database_ids WHERE one = 1`
)

// DatabaseID returns what tells this database from all others: the given id if it has none
// yet. It writes then alone, so that who reads a database that takes no writes can ask.
func (s *Store) DatabaseID(ctx context.Context, given string) (id string, err error) {
	err = s.reader.row(ctx, selectDatabaseID).Scan(&id)
	if isNone(err) {
		err = s.write(ctx, func(ctx context.Context, t txn) error {
			if _, err := t.exec(ctx, insertDatabaseID, given); err != nil {
				return err
			}
			return t.row(ctx, selectDatabaseID).Scan(&id)
		})
	}
	return id, doing(err, "read the id of the database")
}

// ReadDatabaseID returns the id of a database that is not open, and changes nothing; "" for one
// that has none yet, or does not exist.
func ReadDatabaseID(ctx context.Context, database string, opts Options) (id string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("read the id of database %s: %w", nameOf(database), told(err))
		}
	}()
	e, err := engineOf(database, opts.withDefaults())
	if err != nil {
		return "", err
	}
	db, err := e.onlooker()
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var exists bool
	if err := db.QueryRowContext(ctx, e.tableExists(), "database_ids").Scan(&exists); err != nil || !exists {
		return "", err
	}
	err = db.QueryRowContext(ctx, selectDatabaseID).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return id, err
}
