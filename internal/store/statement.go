package store

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sort"
	"time"

	"assay"
	"assay/internal/billing"
)

// A statement of a user with a million transactions costs some thirty look-ups in
// indexes: each row has the totals up to it, so that the sums of a time span are the
// difference of two rows, and the row that a page begins with is found by halving.
const (
	selectLastBefore = `SELECT ` + transactionColumns + ` FROM ledger_transactions
		WHERE user_id = $1 AND created_at < $2 ORDER BY created_at DESC, seq DESC LIMIT 1`
	selectLastBelow = `SELECT ` + transactionColumns + ` FROM ledger_transactions
		WHERE user_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT 1`
	selectTotalsAt = `SELECT ` + totalsColumns + ` FROM ledger_transactions WHERE user_id = $1 AND seq = $2`
	selectNewest   = `SELECT ` + transactionColumns + ` FROM ledger_transactions
		WHERE user_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq DESC LIMIT $4`
	selectNewestOfType = `SELECT ` + transactionColumns + ` FROM ledger_transactions
		WHERE user_id = $1 AND type = $2 AND seq > $3 AND seq <= $4 ORDER BY seq DESC LIMIT $5`
)

// Statement implements billing.Store.
func (s *Store) Statement(ctx context.Context, q billing.StatementQuery) (st billing.Statement, err error) {
	err = s.read(ctx, func(ctx context.Context, r txn) (err error) {
		st = billing.Statement{}
		if st.Wallet, err = r.wallet(ctx, q.UserID); err != nil {
			return err
		}
		if q.Pending {
			st.Pending = slices.DeleteFunc(slices.Clone(st.Wallet.Live), func(s *assay.Session) bool { return s.ReadyAt == nil })
			slices.Reverse(st.Pending)
		}
		skip, limit := q.Skip, int64(max(0, q.Limit))
		if n := int64(len(st.Pending)); skip < n {
			st.Lines = st.Pending[skip:min(n, skip+limit)]
		}
		limit -= int64(len(st.Lines))
		skip = max(0, skip-int64(len(st.Pending)))
		return r.statement(ctx, q, skip, limit, &st)
	})
	return st, doing(err, "read the statement of %s", q.UserID)
}

// statement reads the transactions of a statement, and the totals at its bounds.
func (t txn) statement(ctx context.Context, q billing.StatementQuery, skip, limit int64, st *billing.Statement) error {
	before, err := t.lastBefore(ctx, q.UserID, q.From, 0)
	if err != nil {
		return err
	}
	upto, err := t.lastBefore(ctx, q.UserID, q.Until, math.MaxInt64)
	if err != nil {
		return err
	}
	if q.Below > 0 && upto.Seq >= q.Below {
		if upto, err = lastTransaction(t.row(ctx, selectLastBelow, q.UserID, q.Below)); err != nil {
			return err
		}
	}
	if upto.Seq < before.Seq { // it ends before it begins
		upto = before
	}
	st.Before, st.Upto = before.After, upto.After
	nth := st.Upto.Count(q.Types) - skip
	if nth <= st.Before.Count(q.Types) || limit <= 0 {
		return nil
	}
	first, err := t.seqOf(ctx, q, before.Seq, upto.Seq, nth)
	if err != nil {
		return err
	}
	st.Transactions, err = t.newest(ctx, q, before.Seq, first, limit)
	return err
}

// lastBefore returns a user's last transaction before a time; before never when it is
// zero. There may be none.
func (t txn) lastBefore(ctx context.Context, userID string, at time.Time, never int64) (*assay.Transaction, error) {
	if !at.IsZero() {
		never = toMicros(at)
	}
	return lastTransaction(t.row(ctx, selectLastBefore, userID, never))
}

// seqOf returns the number of the transaction that is the nth of its types, between
// low (excluded) and high, which is the nth or comes after it.
func (t txn) seqOf(ctx context.Context, q billing.StatementQuery, low, high, nth int64) (int64, error) {
	if len(q.Types) == 0 {
		return nth, nil // they are numbered without a gap
	}
	var failed error
	i := sort.Search(int(high-low), func(i int) bool { // the smallest i for which it is true
		if failed != nil {
			return true
		}
		var totals assay.Totals
		failed = t.row(ctx, selectTotalsAt, q.UserID, low+1+int64(i)).Scan(totalsDest(&totals)...)
		return totals.Count(q.Types) >= nth
	})
	return low + 1 + int64(i), failed
}

// newest returns the transactions from number first down to above low.
func (t txn) newest(ctx context.Context, q billing.StatementQuery, low, first, limit int64) ([]*assay.Transaction, error) {
	if len(q.Types) == 0 {
		rows, err := t.rows(ctx, selectNewest, q.UserID, low, first, limit)
		return collect(rows, err, scanTransaction)
	}
	var all []*assay.Transaction
	for _, kind := range q.Types {
		rows, err := t.rows(ctx, selectNewestOfType, q.UserID, string(kind), low, first, limit)
		some, err := collect(rows, err, scanTransaction)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b *assay.Transaction) int { return cmp.Compare(b.Seq, a.Seq) })
	return all[:min(len(all), int(limit))], nil
}
