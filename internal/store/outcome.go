package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"assay/internal/persist"
)

const (
	// settleStored makes a token that is not there that of a write which was not stored. It
	// waits for a transaction that has the token and has not ended; one that comes later
	// finds its token taken, and fails.
	settleStored = `INSERT INTO writes (id, affected) VALUES ($1, -1) ON CONFLICT (id) DO UPDATE SET affected = writes.affected RETURNING affected`
	dropWrites   = `DELETE FROM writes WHERE id < $1`
)

const (
	// settlePatience is how long a write whose connection was lost looks for what became of
	// it; after that it says that it does not know.
	settlePatience = 2 * time.Second
	// Tokens are kept for keepWrites, longer if somebody may still ask, and dropped by one
	// of dropEvery writes.
	keepWrites = time.Hour
	keepAsked  = 24 * time.Hour
	dropEvery  = 1000
)

// outcomes finds out whether writes were stored whose connection was lost before they were
// answered. Each takes a token of its own with it, into a row that is stored if and only if
// the write is.
type outcomes struct {
	db    *sql.DB // whose transactions are not serializable
	drawn atomic.Int64

	mu    sync.Mutex
	asked map[string]time.Time // tokens of which it is not known, since when
}

func newOutcomes(db *sql.DB) *outcomes { return &outcomes{db: db, asked: map[string]time.Time{}} }

// mark is the token of a write. The zero value, of databases in this process, marks nothing.
type mark struct {
	outcomes *outcomes
	token    string
	made     bool
}

// mark draws a token. Tokens sort by time.
func (o *outcomes) mark() *mark {
	if o == nil {
		return &mark{}
	}
	return &mark{outcomes: o, token: tokenAt(time.Now()) + rand.Text()}
}

func tokenAt(t time.Time) string { return fmt.Sprintf("%016x", t.UnixMicro()) }

// marks tells whether a statement is one that takes the token with it.
func (m *mark) marks(text string) bool {
	return m.outcomes != nil && (strings.HasPrefix(text, "INSERT") || strings.HasPrefix(text, "UPDATE") || strings.HasPrefix(text, "DELETE"))
}

// onto adds the token to the first statement of a transaction that writes.
func (m *mark) onto(text string, args []any) (string, []any) {
	if m.made || !m.marks(text) {
		return text, args
	}
	m.made = true
	return fmt.Sprintf(`WITH written AS (INSERT INTO writes (id, affected) VALUES ($%d, 0)) %s`, len(args)+1, text), m.with(args)
}

// around makes of a statement that is a transaction by itself a query whose one row says how
// many rows it affected.
func (m *mark) around(text string, args []any) (string, []any) {
	m.made = true
	return fmt.Sprintf(`WITH written AS (%s RETURNING 1) INSERT INTO writes (id, affected) SELECT $%d, count(*) FROM written RETURNING affected`, text, len(args)+1), m.with(args)
}

func (m *mark) with(args []any) []any { return append(args[:len(args):len(args)], m.token) }

// outcome tells of a write that failed with err whether it was stored nevertheless: then
// the error is nil. An error that is no persist.Unknown means that nothing was stored.
func (m *mark) outcome(ctx context.Context, err error) (affected int64, _ error) {
	if !m.made || !lost(err) {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settlePatience)
	defer cancel()
	for try := 1; ; try++ {
		n, failed := m.outcomes.settle(ctx, m.token)
		switch {
		case failed == nil && n >= 0:
			return n, nil
		case failed == nil:
			return 0, err
		case pause(ctx, try+5) != nil:
			m.outcomes.ask(m.token)
			return 0, &unknownError{err, m}
		}
	}
}

// lost tells whether err says that the answer to a write did not come, which may have been
// stored or not. What the driver calls safe to retry is not taken for that: it says so of a
// connection that it finds closed after it has sent a commit.
func lost(err error) bool {
	var (
		said    *pgconn.PgError
		connect *pgconn.ConnectError
	)
	switch {
	case err == nil, errors.As(err, &connect), errors.Is(err, driver.ErrBadConn), errors.Is(err, pgx.ErrTxCommitRollback):
		return false
	case errors.As(err, &said):
		return said.SeverityUnlocalized != "ERROR" // others end the connection, at whatever moment
	}
	return true
}

// settle returns how many rows a write affected; -1 when it was not stored, and never will be.
func (o *outcomes) settle(ctx context.Context, token string) (affected int64, err error) {
	err = o.db.QueryRowContext(ctx, settleStored, token).Scan(&affected)
	return affected, err
}

// ask notes that somebody may ask for the token later.
func (o *outcomes) ask(token string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked[token] = time.Now()
}

func (o *outcomes) answered(token string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.asked, token)
}

// sweep drops old tokens, now and then. That it fails is of no consequence.
func (o *outcomes) sweep(ctx context.Context) {
	if o == nil || o.drawn.Add(1)%dropEvery != 0 {
		return
	}
	now := time.Now()
	before := tokenAt(now.Add(-keepWrites))
	o.mu.Lock()
	for token, since := range o.asked {
		if now.Sub(since) > keepAsked {
			delete(o.asked, token)
		} else {
			before = min(before, token)
		}
	}
	o.mu.Unlock()
	o.db.ExecContext(ctx, dropWrites, before) //nolint:errcheck // the next sweep drops them
}

// unknownError is the error of a write that may have been stored.
type unknownError struct {
	err  error
	mark *mark
}

var _ persist.Unknown = (*unknownError)(nil)

func (e *unknownError) Error() string {
	return "it is not known whether this was stored: " + e.err.Error()
}
func (e *unknownError) Unwrap() error { return e.err }

// Settle implements persist.Unknown.
func (e *unknownError) Settle(ctx context.Context) (stored bool, err error) {
	affected, err := e.mark.outcomes.settle(ctx, e.mark.token)
	if err != nil {
		return false, doing(err, "find out what became of a write")
	}
	e.mark.outcomes.answered(e.mark.token)
	return affected >= 0, nil
}
