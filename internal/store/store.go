// Package store keeps everything that must outlive the process, in SQLite or in
// PostgreSQL. It implements the ports that the services declare; rules and
// authorisation are theirs.
//
// The SQL is one text for both: $1 placeholders, standard types, row values, ON
// CONFLICT. What the databases do differently is behind engine. A transaction that
// writes is done as if nobody else wrote beside it: in SQLite writers go one at a
// time, through one connection; in PostgreSQL transactions are serializable, and those
// that collide are done again. Readers have connections of their own, see one state
// and never wait for a writer.
package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"assay/internal/alteration/catalog"
	"assay/internal/billing"
	"assay/internal/dataset"
	"assay/internal/identity"
	"assay/internal/queue"
	"assay/internal/session"
	"assay/internal/verification"
)

var (
	_ session.Store       = (*Store)(nil)
	_ verification.Store  = (*Store)(nil)
	_ dataset.Store       = (*Store)(nil)
	_ identity.Store      = (*Store)(nil)
	_ identity.LoginStore = (*Store)(nil)
	_ billing.Store       = (*Store)(nil)
	_ catalog.Store       = (*Store)(nil)
	_ queue.Store         = (*Store)(nil)
)

// Options says how to open a store.
type Options struct {
	// Log hears of migrations. Defaults to none.
	Log *slog.Logger
	// Readers is the number of connections that read a SQLite file. Defaults to 4.
	Readers int
	// Connections bounds the connections to PostgreSQL, all in all; Claim, ListenToQueue and
	// Migrate have their own. Defaults to 16; less than 4 is 4.
	Connections int
	// BusyTimeout is how long a statement waits for another process that holds the
	// write lock of a file, such as an import from the command line, or a lock of
	// PostgreSQL. Defaults to 10 seconds.
	BusyTimeout time.Duration
	// Now is the clock, for rows that come without a time. Defaults to time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Readers == 0 {
		o.Readers = 4
	}
	if o.Connections == 0 {
		o.Connections = 16
	}
	o.Connections = max(o.Connections, 4)
	if o.BusyTimeout == 0 {
		o.BusyTimeout = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	now    func() time.Time
	log    *slog.Logger
	shut   *atomic.Bool // while a claim is lost
	engine engine
	texts  queueTexts
	*connections
}

// Close closes the database. Calling it again does nothing.
func (s *Store) Close() error {
	// Of a file, the last connection to close folds the log into it.
	return errors.Join(s.reader.close(), s.writer.close(), s.queue.close())
}

// Ping tells whether the database answers. It does not wait for a writer.
func (s *Store) Ping(ctx context.Context) error {
	return doing(s.reader.row(ctx, `SELECT count(*) FROM users WHERE id = ''`).Scan(new(int)), "ask the database")
}

// Writer returns connections for statements that are none of the store's. Of a SQLite file it
// is the one connection that writes. The store owns them.
func (s *Store) Writer() *sql.DB { return s.queue.db }
