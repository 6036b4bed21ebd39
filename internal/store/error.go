package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"assay"
)

// doing says what was being done when err happened. Errors that are meant for the
// user are left as they are. A database that another process keeps locked is
// something to try again.
func doing(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	var known *assay.Error
	if errors.As(err, &known) {
		return err
	}
	err = fmt.Errorf(format+": %w", append(args, err)...)
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY {
		return assay.Wrap(err, assay.CodeUnavailable, "the database is busy; try again in a moment")
	}
	return err
}

// constraint is a rule of the schema that a statement broke.
type constraint struct {
	foreign bool   // a row that is referred to does not exist
	unique  string // the columns that must be unique, as "table.column, table.column"
}

// constraintOf returns the constraint that err is about; the zero value when it is
// about something else.
func constraintOf(err error) constraint {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return constraint{}
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return constraint{foreign: true}
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		// "constraint failed: UNIQUE constraint failed: api_keys.hash (2067)"
		_, columns, _ := strings.Cut(e.Error(), "UNIQUE constraint failed: ")
		columns, _, _ = strings.Cut(columns, " (")
		return constraint{unique: columns}
	}
	return constraint{}
}

// duplicate is the error for an id that is taken: ids are made by us, so the caller
// stored something twice.
func duplicate(what, id string) error {
	return assay.Errorf(assay.CodeConflict, "%s %s exists already", what, id)
}

// errKeyReused is the error for an idempotency key that came with another request before.
var errKeyReused = &assay.Error{Code: assay.CodeConflict, Message: "this Idempotency-Key was used for another request before; take a new key for a new request"}

// orNone replaces the error of a query that found no row.
func orNone(err error, code assay.Code, format string, args ...any) error {
	if errors.Is(err, sql.ErrNoRows) {
		return assay.Errorf(code, format, args...)
	}
	return err
}
