package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// postgresServer is a database in PostgreSQL.
type postgresServer struct {
	config *pgx.ConnConfig // never changed
	busy   time.Duration
}

func newPostgres(text string, opts Options) (*postgresServer, error) {
	config, err := parseURL(text)
	if err != nil {
		return nil, err
	}
	return &postgresServer{config, opts.BusyTimeout}, nil
}

func (*postgresServer) dialect() goose.Dialect { return goose.DialectPostgres }
func (*postgresServer) folder() string         { return "postgres" }

const (
	// statementTimeout is for statements of requests; none takes a second.
	statementTimeout = 30 * time.Second
	// idleInTransaction is how long a transaction may wait for its client, so that one
	// that hangs does not keep what it has locked.
	idleInTransaction = time.Minute
	// Connections are made anew now and then, so that the load follows a server that
	// moved, and freed when the load is over.
	maxLifetime = 30 * time.Minute
	maxIdleTime = 5 * time.Minute
)

// connect opens a pool whose connections have these settings, next to those of the URL.
func (e *postgresServer) connect(size int, settings map[string]string) *sql.DB {
	config := e.config.Copy()
	maps.Copy(config.RuntimeParams, settings)
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxLifetime(maxLifetime)
	db.SetConnMaxIdleTime(maxIdleTime)
	return db
}

// bounded are the settings of connections that answer requests.
func (e *postgresServer) bounded(more map[string]string) map[string]string {
	settings := map[string]string{
		"statement_timeout":                   milliseconds(statementTimeout),
		"lock_timeout":                        milliseconds(e.busy),
		"idle_in_transaction_session_timeout": milliseconds(idleInTransaction),
	}
	maps.Copy(settings, more)
	return settings
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// migrator has a connection for goose and one for the lock.
func (e *postgresServer) migrator() (*sql.DB, error) {
	return e.connect(2, map[string]string{"statement_timeout": "0", "lock_timeout": "0"}), nil
}

func (e *postgresServer) onlooker() (*sql.DB, error) {
	return e.connect(1, e.bounded(map[string]string{"default_transaction_read_only": "on"})), nil
}

func (*postgresServer) tableExists() string { return `SELECT to_regclass($1) IS NOT NULL` }

// open opens pools whose transactions are by default what the store needs: those that
// write are serializable, so that each is done as if nobody else wrote beside it; those
// that read see one state. The queue locks the rows that it changes itself, and passes over
// those that others have locked, which a serializable transaction cannot.
//
// A serializable transaction that reads a whole table collides with everybody who
// writes to it. The planner reads small tables whole, unless it is told not to.
func (e *postgresServer) open(opts Options) (*connections, error) {
	queue := max(2, opts.Connections/4)
	writers := max(1, (opts.Connections-queue)/2)
	readers := max(1, opts.Connections-queue-writers)
	all := &connections{
		reader: newPool(e.connect(readers, e.bounded(map[string]string{
			"default_transaction_isolation": "repeatable read",
			"default_transaction_read_only": "on",
		})), e),
		writer: newPool(e.connect(writers, e.bounded(map[string]string{
			"default_transaction_isolation": "serializable",
			"enable_seqscan":                "off",
		})), e),
		queue: newPool(e.connect(queue, e.bounded(nil)), e),
	}
	all.reader.patience = readPatience
	all.queue.outcomes = newOutcomes(all.queue.db)
	all.writer.outcomes = all.queue.outcomes
	return all, nil
}

// The advisory locks that this program takes in its database.
const (
	lockOfSchema = 0x61737361_79000001 // "assay", 1
	lockOfServer = 0x61737361_79000002
)

// lockSchema holds a lock of a session. It is freed when the connection ends in
// whatever way.
func (e *postgresServer) lockSchema(ctx context.Context, migrator *sql.DB) (unlock func() error, err error) {
	conn, err := migrator.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, int64(lockOfSchema)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return func() error {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(lockOfSchema))
		return errors.Join(err, conn.Close())
	}, nil
}

// fit refuses a server that is too old, and a database that cannot hold every text or
// does not sort by bytes as SQLite does. Rules of sorting that come from the system
// also change when it is upgraded, and damage indexes.
func (*postgresServer) fit(ctx context.Context, migrator *sql.DB) error {
	var (
		version  int
		encoding string
		bytes    bool
	)
	err := migrator.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),
		'B' < 'a' AND '-' < '1' AND 'a-c' < 'aB' AND 'Z' < '_'`).Scan(&version, &encoding, &bytes)
	switch {
	case err != nil:
		return err
	case version < 150000:
		return fmt.Errorf("%w: the server is PostgreSQL %d; 15 or newer is needed", ErrUnfit, version/10000)
	case encoding != "UTF8" || !bytes:
		return fmt.Errorf("%w: it must be in UTF-8 and sort by bytes; make it with: CREATE DATABASE ... TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'", ErrUnfit)
	}
	return nil
}

// watched is ctx: the server is another machine, perhaps.
func (*postgresServer) watched(ctx context.Context) context.Context { return ctx }

// again is always for transactions that PostgreSQL ended because of others. What must
// be unique may have been stored by another transaction after this one looked: the
// second try sees it, an idempotency key for example.
func (*postgresServer) again(err error) retry {
	switch codeOf(err) {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return always
	case "23505": // unique_violation
		return once
	}
	return never
}

// codeOf returns the SQLSTATE of an error of PostgreSQL; "" for any other.
func codeOf(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func (*postgresServer) clock() string {
	return `(extract(epoch FROM statement_timestamp()) * 1000000)::bigint`
}

func (*postgresServer) skipLocked(table string) string {
	return ` FOR UPDATE OF ` + table + ` SKIP LOCKED`
}
