package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Open opens a database and brings its schema up to date. The database is the URL of
// one in PostgreSQL 15 or newer, which begins with postgres://, or the path of a
// SQLite file, which is made (mode 0600) when absent. A database whose schema is
// newer than this program is refused and left as it is. The password of the URL is in
// no error.
func Open(ctx context.Context, database string, opts Options) (_ *Store, err error) {
	opts = opts.withDefaults()
	defer func() {
		if err != nil {
			err = fmt.Errorf("open database %s: %w", nameOf(database), told(err))
		}
	}()
	e, err := engineOf(database, opts)
	if err != nil {
		return nil, err
	}
	if _, err := migrate(ctx, e, opts); err != nil {
		return nil, err
	}
	all, err := e.open(opts)
	if err != nil {
		return nil, err
	}
	s := &Store{now: opts.Now, log: opts.Log, shut: &atomic.Bool{}, engine: e, texts: newQueueTexts(e), connections: all}
	s.writer.shut, s.reader.shut, s.queue.shut = s.shut, s.shut, s.shut
	if err := errors.Join(s.writer.prepare(ctx, hotWrites), s.reader.prepare(ctx, hotReads)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// pool is some connections, and the statements that are prepared on them.
type pool struct {
	db       *sql.DB
	engine   engine
	prepared map[string]*sql.Stmt // by text; never changed once the store is open
	turn     chan struct{}        // holds one while a transaction has its turn: see retried
	patience time.Duration        // with a step; 0 is without end for a read, and usual for a write
	shut     *atomic.Bool         // nobody is answered: see Claim
	outcomes *outcomes            // of writes whose connection may be lost; nil elsewhere
}

func newPool(db *sql.DB, e engine) *pool {
	return &pool{db: db, engine: e, shut: &atomic.Bool{}, prepared: map[string]*sql.Stmt{}, turn: make(chan struct{}, 1)}
}

// prepare prepares statements, unless the driver does so by itself.
func (p *pool) prepare(ctx context.Context, texts []string) error {
	if _, itself := p.engine.(*postgresServer); itself {
		return nil
	}
	for _, text := range texts {
		stmt, err := p.db.PrepareContext(ctx, text) //nolint:sqlclosecheck // closed with the pool
		if err != nil {
			return fmt.Errorf("prepare %q: %w", text, err)
		}
		p.prepared[text] = stmt
	}
	return nil
}

func (p *pool) close() error { return p.db.Close() } // and with it the statements
