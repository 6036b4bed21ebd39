package store

import (
	"context"
	"database/sql"
)

// hotReads and hotWrites are the statements of the requests that come in thousands.
// They are prepared once; the others are compiled when they run.
var (
	hotReads  = []string{selectSession, selectInteraction, selectKeyByHash, selectLogin, selectVerification, selectSampleLatest, selectSample}
	hotWrites = []string{
		startInteraction, selectRoom, selectInteractionByKey, insertInteraction, finishInteraction,
		selectSessionAny, moveSession, touchKey, insertSample,
		seeSession, selectTransactionByKey, selectLastTransaction, insertTransaction, insertEntry, addToAccount,
	}
)

// A pool runs a statement by itself, a txn within a transaction. Both take the
// prepared form of its text when there is one.

// unwatched returns a context that does not end, unless ctx has ended already.
//
// For each statement whose context may end, database/sql and the driver of SQLite
// start a goroutine each that watches for it. That takes longer than most statements
// do: finding a row by its key. Nobody waits for those, since readers of a file wait
// for no writer, and a transaction that writes has the lock from its beginning.
func unwatched(ctx context.Context) context.Context {
	if ctx.Err() != nil {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// row reads one row. Its Scan must be called: it frees what the reading takes.
func (p *pool) row(ctx context.Context, text string, args ...any) scanner {
	if p.shut.Load() {
		return noRow{errUnclaimed}
	}
	if stmt := p.prepared[text]; stmt != nil {
		return stmt.QueryRowContext(unwatched(ctx), args...)
	}
	if p.patience == 0 {
		return p.db.QueryRowContext(ctx, text, args...)
	}
	own := patient(ctx, p.patience)
	return boundedRow{p.db.QueryRowContext(own.ctx, text, args...), own}
}

func (p *pool) rows(ctx context.Context, text string, args ...any) (cursor, error) {
	if p.shut.Load() {
		return nil, errUnclaimed
	}
	if err := checkText(args); err != nil {
		return nil, err
	}
	if stmt := p.prepared[text]; stmt != nil {
		return cursorOf(stmt.QueryContext(ctx, args...))
	}
	if p.patience == 0 {
		return cursorOf(p.db.QueryContext(ctx, text, args...))
	}
	own := patient(ctx, p.patience)
	rows, err := p.db.QueryContext(own.ctx, text, args...) //nolint:rowserrcheck // who reads them asks
	if err != nil {
		return nil, own.done(err)
	}
	return boundedRows{rows, own}, nil
}

func (p *pool) exec(ctx context.Context, text string, args ...any) (n int64, err error) {
	if err := checkText(args); err != nil {
		return 0, err
	}
	own := p.ofWrite(ctx)
	err = p.retried(own.ctx, func() (err error) {
		own.step()
		n, err = p.execOnce(own.ctx, text, args)
		return err
	})
	p.outcomes.sweep(own.ctx)
	return n, own.done(err)
}

// execOnce runs a statement that is a transaction by itself.
func (p *pool) execOnce(ctx context.Context, text string, args []any) (n int64, err error) {
	if p.shut.Load() {
		return 0, errUnclaimed
	}
	if stmt := p.prepared[text]; stmt != nil {
		return affected(stmt.ExecContext(ctx, args...))
	}
	m := p.outcomes.mark()
	if !m.marks(text) {
		return affected(p.db.ExecContext(ctx, text, args...))
	}
	text, args = m.around(text, args)
	if err := p.db.QueryRowContext(ctx, text, args...).Scan(&n); err != nil {
		return m.outcome(ctx, err)
	}
	return n, nil
}

// txn is a transaction.
type txn struct {
	tx       *sql.Tx
	prepared map[string]*sql.Stmt
	step     func() // is called before each statement
	mark     *mark  // goes with the first that writes
}

func (t txn) row(ctx context.Context, text string, args ...any) *sql.Row {
	t.step()
	if stmt := t.prepared[text]; stmt != nil {
		ctx := unwatched(ctx)
		return t.tx.StmtContext(ctx, stmt).QueryRowContext(ctx, args...) //nolint:sqlclosecheck // closed with the transaction
	}
	text, args = t.mark.onto(text, args)
	return t.tx.QueryRowContext(ctx, text, args...)
}

func (t txn) rows(ctx context.Context, text string, args ...any) (cursor, error) {
	if err := checkText(args); err != nil {
		return nil, err
	}
	t.step()
	if stmt := t.prepared[text]; stmt != nil {
		return cursorOf(t.tx.StmtContext(ctx, stmt).QueryContext(ctx, args...)) //nolint:sqlclosecheck // closed with the transaction
	}
	return cursorOf(t.tx.QueryContext(ctx, text, args...))
}

func (t txn) exec(ctx context.Context, text string, args ...any) (int64, error) {
	if err := checkText(args); err != nil {
		return 0, err
	}
	t.step()
	if stmt := t.prepared[text]; stmt != nil {
		ctx := unwatched(ctx)
		return affected(t.tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)) //nolint:sqlclosecheck // closed with the transaction
	}
	text, args = t.mark.onto(text, args)
	return affected(t.tx.ExecContext(ctx, text, args...))
}

func affected(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// write runs f in a transaction that nobody else writes beside, and commits it
// unless f fails. A reader sees all of it or nothing. It is done whether or not who asked
// for it still waits; f gets a context that says so.
//
// On PostgreSQL f may be called several times, until its transaction collides with no
// other. So it sets every variable that it leaves behind anew each time, does nothing
// outside of the transaction, and returns once a statement failed: none that
// follows would be answered. It reads by an index: who reads a whole table collides
// with everybody who writes to it.
func (s *Store) write(ctx context.Context, f func(context.Context, txn) error) error {
	own := s.writer.ofWrite(ctx)
	return own.done(s.writer.transact(own.ctx, nil, own.step, f))
}

// read runs f in a transaction that sees one state of the database. It must be
// short: while it is open, the log of later writes cannot be folded into the file.
func (s *Store) read(ctx context.Context, f func(context.Context, txn) error) error {
	if s.reader.patience == 0 {
		return s.readAtLength(ctx, f)
	}
	own := patient(ctx, s.reader.patience)
	return own.done(s.reader.transact(own.ctx, &sql.TxOptions{ReadOnly: true}, own.step, f))
}

// readAtLength is read for what takes as long as it takes.
func (s *Store) readAtLength(ctx context.Context, f func(context.Context, txn) error) error {
	return s.reader.transact(ctx, &sql.TxOptions{ReadOnly: true}, func() {}, f)
}

func (p *pool) transact(ctx context.Context, opts *sql.TxOptions, step func(), f func(context.Context, txn) error) error {
	return p.retried(ctx, func() error { return p.once(ctx, opts, step, f) })
}

func (p *pool) once(ctx context.Context, opts *sql.TxOptions, step func(), f func(context.Context, txn) error) error {
	step()
	if p.shut.Load() {
		return errUnclaimed
	}
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // goes back to the pool
	tx, err := conn.BeginTx(p.engine.watched(ctx), opts)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	m := p.outcomes.mark()
	if err := f(ctx, txn{tx, p.prepared, step, m}); err != nil {
		return err
	}
	step()
	if err := tx.Commit(); err != nil {
		_, err = m.outcome(ctx, err)
		return err
	}
	p.outcomes.sweep(ctx)
	return nil
}

// collect reads all rows of a query.
func collect[T any](rows cursor, err error, scan func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// scanner is a row: *sql.Row, *sql.Rows, or one of them that is bounded.
type scanner interface{ Scan(dest ...any) error }

// noRow is a row that was not asked for.
type noRow struct{ err error }

func (r noRow) Scan(...any) error { return r.err }

// cursor is rows: *sql.Rows, or bounded ones.
type cursor interface {
	scanner
	Next() bool
	Err() error
	Close() error
}

// cursorOf makes no rows a nil cursor.
func cursorOf(rows *sql.Rows, err error) (cursor, error) {
	if err != nil {
		return nil, err
	}
	return rows, nil
}
