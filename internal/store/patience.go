package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// writePatience is how long a step of a write may take: waiting for a connection, a
// statement, the commit. Locks are waited for less long.
const writePatience = 20 * time.Second

// readPatience is how long a step of a read may take in PostgreSQL. In a SQLite file nothing
// keeps a reader waiting.
const readPatience = 10 * time.Second

// errSlow is the error of a step that took too long.
var errSlow = errors.New("the database does not answer in time")

// patience is the context of some steps at the database. It ends when one of them takes too
// long, however many there are.
type patience struct {
	ctx   context.Context
	end   context.CancelCauseFunc
	timer *time.Timer
	most  time.Duration
}

// ofWrite is the patience of a write that ctx asked for. A write is done whether or not who
// asked still waits: a driver that is told to stop while it commits cannot say what it did,
// and who was to act on that has gone. So ctx lends its values and not its end.
func (p *pool) ofWrite(ctx context.Context) *patience {
	return patient(context.WithoutCancel(ctx), cmp.Or(p.patience, writePatience))
}

func patient(ctx context.Context, most time.Duration) *patience {
	p := &patience{most: most}
	p.ctx, p.end = context.WithCancelCause(ctx)
	p.timer = time.AfterFunc(most, func() { p.end(errSlow) })
	return p
}

// step begins the next step.
func (p *patience) step() { p.timer.Reset(p.most) }

// done frees what the patience takes, and is late of an error.
func (p *patience) done(err error) error {
	p.timer.Stop()
	err = p.late(err)
	p.end(nil)
	return err
}

// late tells of an error whether it is that of a step that took too long.
func (p *patience) late(err error) error {
	if err != nil && context.Cause(p.ctx) == errSlow { //nolint:errorlint // it is no other's
		return fmt.Errorf("%w: %v", errSlow, err) //nolint:errorlint // it would be taken for the end of who asked
	}
	return err
}

// boundedRow is a row that is read with patience.
type boundedRow struct {
	row *sql.Row
	own *patience
}

func (r boundedRow) Scan(dest ...any) error { return r.own.done(r.row.Scan(dest...)) }

// boundedRows are rows that are read with patience.
type boundedRows struct {
	*sql.Rows
	own *patience
}

func (r boundedRows) Next() bool {
	r.own.step()
	return r.Rows.Next()
}

func (r boundedRows) Err() error { return r.own.late(r.Rows.Err()) }

func (r boundedRows) Close() error {
	err := r.Rows.Close()
	return r.own.done(err)
}
