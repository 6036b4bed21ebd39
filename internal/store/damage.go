package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// CheckDamage looks through a SQLite file for pages that are damaged, and returns an error that
// says what it found. It changes nothing; its time grows with the file. A file that does not exist is
// whole, and so is PostgreSQL, which checks its own.
func CheckDamage(ctx context.Context, database string, opts Options) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("check database %s: %w", nameOf(database), told(err))
		}
	}()
	e, err := engineOf(database, opts.withDefaults())
	if err != nil {
		return err
	}
	if _, is := e.(*sqliteFile); !is {
		return nil
	}
	db, err := e.onlooker()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	const most = 3 // findings
	rows, err := db.QueryContext(ctx, fmt.Sprintf("PRAGMA quick_check(%d)", most))
	if err != nil {
		return err
	}
	defer rows.Close() // read to its end, or failed
	var found []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if text != "ok" {
			found = append(found, text)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if len(found) > 0 {
		return fmt.Errorf("it is damaged: %s", strings.Join(found, "; "))
	}
	return nil
}
