package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"assay"
	"assay/internal/billing"
)

const totalsColumns = `deposits, deposit_sum, usages, usage_sum, refunds, refund_sum, charges, charge_sum, usage_seconds`

const transactionColumns = `id, user_id, seq, type, amount, against, idem_key, created_at, description, session_id, deposit_id, seconds, ` + totalsColumns

const (
	selectTransactionByKey = `SELECT ` + transactionColumns + ` FROM ledger_transactions WHERE idem_key = $1`
	selectLastTransaction  = `SELECT ` + transactionColumns + ` FROM ledger_transactions WHERE user_id = $1 ORDER BY seq DESC LIMIT 1`
	selectLastOfType       = `SELECT created_at FROM ledger_transactions WHERE user_id = $1 AND type = $2 ORDER BY seq DESC LIMIT 1`

	insertTransaction = `INSERT INTO ledger_transactions (` + transactionColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`
	insertEntry  = `INSERT INTO ledger_entries (transaction_id, account_id, amount) VALUES ($1, $2, $3)`
	addToAccount = `INSERT INTO accounts (id, user_id, balance) VALUES ($1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + excluded.balance`

	selectBalance = `SELECT balance FROM accounts WHERE user_id = $1`
)

// totalsDest is where the columns of totals are read to.
func totalsDest(t *assay.Totals) []any {
	return []any{
		&t.Deposits.Count, &t.Deposits.Amount, &t.Usage.Count, &t.Usage.Amount,
		&t.Refunds.Count, &t.Refunds.Amount, &t.Charges.Count, &t.Charges.Amount, &t.Seconds,
	}
}

func scanTransaction(row scanner) (*assay.Transaction, error) {
	var (
		x                assay.Transaction
		created          int64
		session, deposit sql.NullString
	)
	dest := []any{&x.ID, &x.UserID, &x.Seq, &x.Type, &x.Amount, &x.Against, &x.Key, &created, &x.Description, &session, &deposit, &x.Seconds}
	if err := row.Scan(append(dest, totalsDest(&x.After)...)...); err != nil {
		return nil, err
	}
	x.CreatedAt, x.SessionID, x.DepositID = fromMicros(created), session.String, deposit.String
	return &x, nil
}

// lastTransaction returns the newest transaction of a user; one without an id when
// there is none.
func lastTransaction(row scanner) (*assay.Transaction, error) {
	last, err := scanTransaction(row)
	if errors.Is(err, sql.ErrNoRows) {
		return &assay.Transaction{}, nil
	}
	return last, err
}

// post adds a transaction to the ledger: its row, its two entries and the cached
// balance. When its key was posted before, nothing is added and the transaction of
// that time is returned, which must be the same movement: a key that stands for two
// is a fault of the program.
func (t txn) post(ctx context.Context, x assay.Transaction) (posted *assay.Transaction, added bool, err error) {
	earlier, err := scanTransaction(t.row(ctx, selectTransactionByKey, x.Key))
	switch {
	case err == nil && (earlier.UserID != x.UserID || earlier.Amount != x.Amount || earlier.Type != x.Type):
		return nil, false, fmt.Errorf("post %s %s of %s with the key %q, which was %s %s of %s before",
			x.Type, x.Amount, x.UserID, x.Key, earlier.Type, earlier.Amount, earlier.UserID)
	case err == nil:
		return earlier, false, nil
	case !errors.Is(err, sql.ErrNoRows):
		return nil, false, err
	}
	last, err := lastTransaction(t.row(ctx, selectLastTransaction, x.UserID))
	if err != nil {
		return nil, false, err
	}
	x.Seq = last.Seq + 1
	x.After = last.After.With(&x)
	if x.CreatedAt = stored(x.CreatedAt); x.CreatedAt.Before(last.CreatedAt) {
		x.CreatedAt = last.CreatedAt // a statement goes by time
	}
	if err := t.insertTransaction(ctx, &x); err != nil {
		return nil, false, err
	}
	return &x, true, nil
}

func (t txn) insertTransaction(ctx context.Context, x *assay.Transaction) error {
	account := assay.UserAccount(x.UserID)
	if _, err := t.exec(ctx, addToAccount, string(account), x.UserID, int64(x.Amount)); err != nil {
		return fmt.Errorf("add to account %s: %w", account, err)
	}
	args := []any{
		x.ID, x.UserID, x.Seq, string(x.Type), int64(x.Amount), string(x.Against), x.Key, toMicros(x.CreatedAt), x.Description,
		toNull(x.SessionID), toNull(x.DepositID), x.Seconds,
	}
	for _, kind := range assay.TransactionTypes {
		tally := x.After.Of(kind)
		args = append(args, tally.Count, int64(tally.Amount))
	}
	if _, err := t.exec(ctx, insertTransaction, append(args, x.After.Seconds)...); err != nil {
		return fmt.Errorf("insert transaction %s: %w", x.Key, err)
	}
	for _, entry := range []struct {
		account assay.Account
		amount  assay.MicroUSD
	}{{account, x.Amount}, {x.Against, -x.Amount}} {
		if _, err := t.exec(ctx, insertEntry, x.ID, string(entry.account), int64(entry.amount)); err != nil {
			return fmt.Errorf("insert the entry of %s for account %s: %w", x.Key, entry.account, err)
		}
	}
	return nil
}

// Post implements billing.Store.
func (s *Store) Post(ctx context.Context, x assay.Transaction, event assay.AuditEvent) (posted *assay.Transaction, added bool, err error) {
	err = s.write(ctx, func(ctx context.Context, w txn) error {
		posted, added, err = w.post(ctx, x)
		if err != nil || !added {
			return err
		}
		return w.audit(ctx, event)
	})
	if constraintOf(err).foreign {
		_, err = s.User(ctx, x.UserID)
	}
	if err != nil {
		return nil, false, doing(err, "post %s to the ledger", x.Key)
	}
	return posted, added, nil
}

// Wallet implements billing.Store.
func (s *Store) Wallet(ctx context.Context, userID string) (w billing.Wallet, err error) {
	err = s.read(ctx, func(ctx context.Context, r txn) (err error) {
		w, err = r.wallet(ctx, userID)
		return err
	})
	return w, doing(err, "read the account of %s", userID)
}

func (t txn) wallet(ctx context.Context, userID string) (w billing.Wallet, err error) {
	w.UserID = userID
	last, err := lastTransaction(t.row(ctx, selectLastTransaction, userID))
	if err != nil {
		return w, err
	}
	w.Totals, w.UpdatedAt = last.After, last.CreatedAt
	rows, err := t.rows(ctx, selectLiveOfUser, userID)
	if w.Live, err = collect(rows, err, scanSession); err != nil {
		return w, err
	}
	return w, orNothing(t.row(ctx, selectCustomer, userID).Scan(&w.CustomerID))
}

// orNothing forgives a query that found no row.
func orNothing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// funds is what a user has and what draws on it, within a transaction.
type funds struct {
	balance assay.MicroUSD // of the ledger
	live    []*assay.Session
}

func (t txn) funds(ctx context.Context, userID string) (f funds, err error) {
	if err := orNothing(t.row(ctx, selectBalance, userID).Scan(&f.balance)); err != nil {
		return f, fmt.Errorf("read the balance of %s: %w", userID, err)
	}
	rows, err := t.rows(ctx, selectLiveOfUser, userID)
	f.live, err = collect(rows, err, scanSession)
	return f, err
}

// checkFunds refuses a session whose first minute the user cannot pay for. The first
// minutes of the others that live are spoken for.
func (t txn) checkFunds(ctx context.Context, in *assay.Session) error {
	if in.Price == 0 {
		return nil
	}
	f, err := t.funds(ctx, in.UserID)
	if err != nil {
		return err
	}
	return billing.CheckFunds(in, f.balance, f.live)
}

// affordable returns the end of a session that wants to end at the time end: that, or
// before, when the balance was used up. What is beyond was nobody's wish and is
// not billed.
func (t txn) affordable(ctx context.Context, sess *assay.Session, end time.Time) (time.Time, error) {
	if sess.Price == 0 {
		return end, nil
	}
	f, err := t.funds(ctx, sess.UserID)
	if err != nil {
		return end, err
	}
	at, ok := billing.Exhaustion(f.balance, f.live)
	if !ok || !at.Before(end) {
		return end, nil
	}
	for _, kind := range []assay.TransactionType{assay.TransactionRefund, assay.TransactionCharge} {
		var withdrawn int64
		if err := orNothing(t.row(ctx, selectLastOfType, sess.UserID, string(kind)).Scan(&withdrawn)); err != nil {
			return end, err
		}
		if w := fromMicros(withdrawn); at.Before(w) {
			at = w // until then there was money
		}
	}
	if sess.ReadyAt != nil && at.Before(*sess.ReadyAt) {
		at = *sess.ReadyAt
	}
	if at.Before(end) {
		return at, nil
	}
	return end, nil
}

// Exhausted implements billing.Store.
func (s *Store) Exhausted(ctx context.Context, now time.Time) (ids []string, next time.Time, err error) {
	err = s.read(ctx, func(ctx context.Context, r txn) error {
		ids, next = nil, time.Time{}
		rows, err := r.rows(ctx, selectBilledUsers)
		users, err := collect(rows, err, func(row scanner) (id string, err error) { err = row.Scan(&id); return id, err })
		if err != nil {
			return err
		}
		for _, user := range users {
			f, err := r.funds(ctx, user)
			if err != nil {
				return err
			}
			at, ok := billing.Exhaustion(f.balance, f.live)
			switch {
			case !ok:
			case at.After(now):
				if next.IsZero() || at.Before(next) {
					next = at
				}
			default:
				for _, sess := range f.live {
					if sess.Price > 0 {
						ids = append(ids, sess.ID)
					}
				}
			}
		}
		return nil
	})
	return ids, next, doing(err, "look for balances that are used up")
}
