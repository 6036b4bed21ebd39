package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"assay"
	"assay/internal/persist"
)

// doing says what was being done when err happened. Errors that are meant for the
// user are left as they are. A database that is locked or away is something to try
// again; a text that it cannot hold is the user's.
func doing(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	var known *assay.Error
	if errors.As(err, &known) {
		return err
	}
	err = fmt.Errorf(format+": %w", append(args, err)...)
	switch {
	case persist.IsUnknown(err):
		return assay.Wrap(err, assay.CodeUnavailable, "the connection to the database was lost, and it is not known whether this was done; look before you try again")
	case errors.Is(err, errSlow):
		return assay.Wrap(err, assay.CodeUnavailable, "the database is busy; try again in a moment")
	case errors.Is(err, context.Canceled):
		return err
	case isBusy(err):
		return assay.Wrap(err, assay.CodeUnavailable, "the database is busy; try again in a moment")
	case isFull(err):
		return assay.Wrap(err, assay.CodeUnavailable, "the disk of the database is full; try again when the operator of the server has made room")
	case isAway(err) || errors.Is(err, errUnclaimed):
		return assay.Wrap(err, assay.CodeUnavailable, "the database is away; try again in a moment")
	case isUnfit(err):
		return assay.Wrap(err, assay.CodeInvalid, "%s", unfitText)
	}
	return err
}

// ErrUnfit says of a database that it cannot hold what this program stores.
var ErrUnfit = errors.New("the database cannot be used")

// told adds to an error what SQLite does not say: that the disk is full. Who only reads a file
// while nobody serves needs some room, too, for an index of its log.
func told(err error) error {
	if !isFull(err) {
		return err
	}
	return fmt.Errorf("the disk that it is on is full, and reading needs some room, too; make room and try again (%w)", err)
}

// isFull tells whether a SQLite file, or the index of its log, could not grow.
func isFull(err error) bool {
	var file *sqlite.Error
	if !errors.As(err, &file) {
		return false
	}
	return file.Code()&0xff == sqlite3.SQLITE_FULL || file.Code() == sqlite3.SQLITE_IOERR_SHMSIZE
}

// isBusy tells whether others hold the database for too long.
func isBusy(err error) bool {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()&0xff == sqlite3.SQLITE_BUSY
	}
	switch codeOf(err) {
	case "40001", "40P01", "55P03", "57014": // collisions without end, lock_timeout, statement_timeout
		return true
	}
	return false
}

// isAway tells whether the disk of a SQLite file is full or fails, or whether PostgreSQL
// cannot be reached, stops, starts, is full, or is a copy that takes no writes.
func isAway(err error) bool {
	var file *sqlite.Error
	if errors.As(err, &file) {
		switch file.Code() & 0xff {
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
			return true
		}
		return false
	}
	var (
		connect *pgconn.ConnectError
		network net.Error
	)
	if code := codeOf(err); code != "" {
		class := code[:2]
		return class == "08" || class == "53" || code == "25006" || strings.HasPrefix(code, "57P0") || errors.As(err, &connect)
	}
	return errors.As(err, &connect) || errors.As(err, &network) && !errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, pgconn.ErrConnClosed)
}

// unfitText says what a text must be like that is stored, or looked for.
const unfitText = "texts must be valid UTF-8 without NUL characters"

// isUnfit tells whether a text is none that PostgreSQL can hold.
func isUnfit(err error) bool { return codeOf(err) == "22021" } // character_not_in_repertoire

// checkText refuses to store or to list what PostgreSQL cannot hold, on both engines.
// Columns for any bytes take []byte.
func checkText(args []any) error {
	for _, arg := range args {
		text, ok := arg.(string)
		if null, isNull := arg.(sql.NullString); isNull {
			text, ok = null.String, true
		}
		if ok && (strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text)) {
			return assay.Errorf(assay.CodeInvalid, "%s", unfitText)
		}
	}
	return nil
}

// constraint is a rule of the schema that a statement broke.
type constraint struct {
	foreign bool   // a row that is referred to does not exist
	unique  string // the columns that must be unique, as "table.column, table.column"
}

// constraintOf returns the constraint that err is about; the zero value when it is
// about something else.
func constraintOf(err error) constraint {
	var inFile *sqlite.Error
	if errors.As(err, &inFile) {
		switch inFile.Code() {
		case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
			return constraint{foreign: true}
		case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
			// "constraint failed: UNIQUE constraint failed: api_keys.hash (2067)"
			_, columns, _ := strings.Cut(inFile.Error(), "UNIQUE constraint failed: ")
			columns, _, _ = strings.Cut(columns, " (")
			return constraint{unique: columns}
		}
	}
	var inServer *pgconn.PgError
	if errors.As(err, &inServer) {
		switch inServer.Code {
		case "23503": // foreign_key_violation
			return constraint{foreign: true}
		case "23505": // unique_violation
			return constraint{unique: uniqueColumns(inServer)}
		}
	}
	return constraint{}
}

// uniqueColumns reads the columns from "Key (user_id, idem_key)=(a, b) already
// exists.", which has these signs in whatever language the server speaks.
func uniqueColumns(e *pgconn.PgError) string {
	columns, _, _ := strings.Cut(e.Detail, ")=(")
	_, columns, _ = strings.Cut(columns, "(")
	return e.TableName + "." + strings.ReplaceAll(columns, ", ", ", "+e.TableName+".")
}

// duplicate is the error for an id that is taken: ids are made by us, so the caller
// stored something twice.
func duplicate(what, id string) error {
	return assay.Errorf(assay.CodeConflict, "%s %s exists already", what, id)
}

// errKeyReused is the error for an idempotency key that came with another request before.
var errKeyReused = &assay.Error{Code: assay.CodeConflict, Message: "this Idempotency-Key was used for another request before; take a new key for a new request"}

// isNone tells whether a query found no row. What cannot be stored is in none.
func isNone(err error) bool { return errors.Is(err, sql.ErrNoRows) || isUnfit(err) }

// orNone replaces the error of a query that found no row.
func orNone(err error, code assay.Code, format string, args ...any) error {
	if isNone(err) {
		return assay.Errorf(code, format, args...)
	}
	return err
}
