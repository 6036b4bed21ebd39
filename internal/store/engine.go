package store

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"

	"github.com/pressly/goose/v3"
)

// engine is a database, by what SQLite and PostgreSQL do differently. What they say
// differently about errors stands in error.go.
type engine interface {
	// dialect is what goose calls it; folder is where the migrations are that it has
	// for itself.
	dialect() goose.Dialect
	folder() string

	// migrator opens connections that may change the schema and take their time.
	migrator() (*sql.DB, error)
	// onlooker opens a connection that changes nothing. The error is fs.ErrNotExist when
	// there is no database.
	onlooker() (*sql.DB, error)
	// tableExists is the query that tells whether the table $1 exists.
	tableExists() string
	// lockSchema keeps every other process from migrating until it is unlocked.
	lockSchema(ctx context.Context, migrator *sql.DB) (unlock func() error, err error)
	// fit refuses a database that would not do what the store promises.
	fit(ctx context.Context, migrator *sql.DB) error

	// open opens the connections that read, those that write, and those for single statements
	// that lock what they change, which may be the same as those that write.
	open(opts Options) (*connections, error)
	// watched returns the context that a transaction ends with, once it has a connection.
	watched(ctx context.Context) context.Context
	// again tells whether a transaction that failed with err is worth another try.
	again(err error) retry
	// claim takes the database for the one process that serves from it, which is called
	// server. Again takes it for one that lost it. lost is called when it is lost.
	claim(ctx context.Context, server string, again bool, lost func()) (*hold, error)

	// clock is the time of a statement, in microseconds since 1970.
	clock() string
	// skipLocked ends a query of rows that are to be changed: of those of a table, it passes
	// over what others are changing.
	skipLocked(table string) string
	// tell is the statement that tells who listens, when its transaction is stored; "" where
	// nobody can. listen calls heard for each time, until ctx ends or nobody can tell.
	tell() string
	listen(ctx context.Context, log *slog.Logger, heard func())
}

// connections are the pools of a store. Each is bounded.
type connections struct {
	reader, writer, queue *pool
}

// engineOf tells which engine keeps a database: see Open. It does not reach for it.
func engineOf(database string, opts Options) (engine, error) {
	if isURL(database) {
		return newPostgres(database, opts)
	}
	return newSQLite(database, opts)
}

// nameOf is how a database is called in errors and logs: without its password.
func nameOf(database string) string {
	if strings.Contains(database, "://") {
		return urlName(database)
	}
	return database
}
