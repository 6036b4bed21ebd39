// Package store keeps everything that must outlive the process, in SQLite. It
// implements the ports that the services declare; rules and authorisation are
// theirs.
//
// The SQL is one text for SQLite and PostgreSQL: $1 placeholders, standard types,
// row values, ON CONFLICT. Writers go one at a time, through one connection, in
// transactions that take the write lock when they begin; readers have connections
// of their own and never wait for a writer.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"assay/internal/dataset"
	"assay/internal/identity"
	"assay/internal/session"
	"assay/internal/verification"
)

var (
	_ session.Store       = (*Store)(nil)
	_ verification.Store  = (*Store)(nil)
	_ dataset.Store       = (*Store)(nil)
	_ identity.Store      = (*Store)(nil)
	_ identity.LoginStore = (*Store)(nil)
)

// Options says how to open a store.
type Options struct {
	// Log hears of migrations. Defaults to none.
	Log *slog.Logger
	// Readers is the number of connections that read. Defaults to 4.
	Readers int
	// BusyTimeout is how long a statement waits for another process that holds the
	// write lock, such as an import from the command line. Defaults to 10 seconds.
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
	reader *pool
	writer *pool
}

// Open opens the SQLite database in the file path, which it makes (mode 0600) when
// absent, and brings its schema up to date. A database whose schema is newer than
// this program is refused and left as it is.
func Open(ctx context.Context, path string, opts Options) (_ *Store, err error) {
	opts = opts.withDefaults()
	defer func() {
		if err != nil {
			err = fmt.Errorf("open database %s: %w", path, err)
		}
	}()
	file, err := makeFile(path)
	if err != nil {
		return nil, err
	}
	s := &Store{now: opts.Now}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	s.writer, err = openPool(writerDSN(file, opts.BusyTimeout), 1)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, s.writer.db, opts.Log); err != nil {
		return nil, err
	}
	if err := s.writer.prepare(ctx, hotWrites); err != nil {
		return nil, err
	}
	s.reader, err = openPool(readerDSN(file, opts.BusyTimeout), opts.Readers)
	if err != nil {
		return nil, err
	}
	if err := s.reader.prepare(ctx, hotReads); err != nil {
		return nil, err
	}
	return s, nil
}

// Close closes the database. Calling it again does nothing.
func (s *Store) Close() error {
	var errs []error
	for _, p := range []*pool{s.reader, s.writer} { // the last connection to close folds the log into the file
		if p != nil {
			errs = append(errs, p.close())
		}
	}
	return errors.Join(errs...)
}

// Ping tells whether the database answers. It does not wait for a writer.
func (s *Store) Ping(ctx context.Context) error {
	return doing(s.reader.row(ctx, `SELECT count(*) FROM users WHERE id = ''`).Scan(new(int)), "ask the database")
}

// Writer returns the one connection that writes, for a queue that keeps its jobs in
// this database. The store owns it.
func (s *Store) Writer() *sql.DB { return s.writer.db }
