package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"assay"
	"assay/internal/billing"
)

const depositColumns = `id, user_id, amount_cents, status, created_at, expires_at, settled_at, checkout_id, checkout_url, payment_id, success_url, cancel_url`

const (
	selectDeposit          = `SELECT ` + depositColumns + ` FROM deposits WHERE id = $1`
	selectDepositOfPayment = `SELECT ` + depositColumns + ` FROM deposits WHERE payment_id = $1`
	selectDepositByKey     = `SELECT id, idem_hash FROM deposits WHERE user_id = $1 AND idem_key = $2`
	selectOpenDeposits     = `SELECT ` + depositColumns + ` FROM deposits WHERE status = 'open' AND asked_at < $1 ORDER BY asked_at, id LIMIT $2`

	insertDeposit = `INSERT INTO deposits (` + depositColumns + `, asked_at, idem_key, idem_hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`
	setCheckout = `UPDATE deposits SET checkout_id = $2, checkout_url = $3 WHERE id = $1`
	setPayment  = `UPDATE deposits SET payment_id = $2, checkout_id = coalesce(checkout_id, $3) WHERE id = $1`
	// What was paid is paid; nothing else becomes of it.
	settleDeposit = `UPDATE deposits SET status = $2, settled_at = $3 WHERE id = $1 AND (status = 'open' OR ($2 = 'paid' AND status <> 'paid'))`
	setAsked      = `UPDATE deposits SET asked_at = $2 WHERE id = $1`

	selectCustomer = `SELECT customer_id FROM payment_customers WHERE user_id = $1`
	insertCustomer = `INSERT INTO payment_customers (user_id, customer_id) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING`

	insertEvent   = `INSERT INTO payment_events (id, type, received_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING`
	upsertPayment = `INSERT INTO payments (id, refunded_cents) VALUES ($1, $2)
		ON CONFLICT (id) DO UPDATE SET refunded_cents = CASE WHEN excluded.refunded_cents > payments.refunded_cents
			THEN excluded.refunded_cents ELSE payments.refunded_cents END`
	selectRefunded = `SELECT refunded_cents FROM payments WHERE id = $1`
	upsertDispute  = `INSERT INTO disputes (id, payment_id, amount_cents, won) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET won = CASE WHEN excluded.won = 1 THEN 1 ELSE disputes.won END`
	selectDisputes = `SELECT id, amount_cents, won FROM disputes WHERE payment_id = $1 ORDER BY id`

	sumRefundsOfDeposit = `SELECT coalesce(sum(amount), 0) FROM ledger_transactions WHERE deposit_id = $1 AND type = 'refund'`
)

func scanDeposit(row scanner) (*billing.Deposit, error) {
	var (
		d                      billing.Deposit
		created, expires       int64
		settled                sql.NullInt64
		checkout, url, payment sql.NullString
	)
	if err := row.Scan(&d.ID, &d.UserID, &d.AmountCents, &d.Status, &created, &expires, &settled,
		&checkout, &url, &payment, &d.SuccessURL, &d.CancelURL); err != nil {
		return nil, err
	}
	d.CreatedAt, d.ExpiresAt, d.SettledAt = fromMicros(created), fromMicros(expires), fromMicrosOrNull(settled)
	d.CheckoutID, d.CheckoutURL, d.PaymentID = checkout.String, url.String, payment.String
	return &d, nil
}

// InsertDeposit implements billing.Store.
func (s *Store) InsertDeposit(ctx context.Context, d *billing.Deposit, idem assay.Idempotency, event assay.AuditEvent) (got *billing.Deposit, created bool, err error) {
	err = s.write(ctx, func(ctx context.Context, w txn) error {
		id, err := earlier(w.row(ctx, selectDepositByKey, d.UserID, toNull(idem.Key)), idem)
		if err != nil {
			return err
		}
		if created = id == ""; created {
			id = d.ID
			_, err := w.exec(ctx, insertDeposit, d.ID, d.UserID, d.AmountCents, string(d.Status), toMicros(d.CreatedAt), toMicros(d.ExpiresAt),
				toMicrosOrNull(d.SettledAt), toNull(d.CheckoutID), toNull(d.CheckoutURL), toNull(d.PaymentID), d.SuccessURL, d.CancelURL,
				toMicros(d.CreatedAt), toNull(idem.Key), toNull(idem.RequestHash))
			if err != nil {
				return err
			}
			if err := w.audit(ctx, event); err != nil {
				return err
			}
		}
		got, err = scanDeposit(w.row(ctx, selectDeposit, id))
		return err
	})
	if err != nil {
		return nil, false, doing(err, "insert deposit %s", d.ID)
	}
	return got, created, nil
}

// SetCheckout implements billing.Store.
func (s *Store) SetCheckout(ctx context.Context, depositID, checkoutID, url string) (d *billing.Deposit, err error) {
	err = s.write(ctx, func(ctx context.Context, w txn) error {
		if _, err := w.exec(ctx, setCheckout, depositID, checkoutID, url); err != nil {
			return err
		}
		d, err = scanDeposit(w.row(ctx, selectDeposit, depositID))
		return err
	})
	return d, doing(err, "store the checkout of deposit %s", depositID)
}

// OpenDeposits implements billing.Store.
func (s *Store) OpenDeposits(ctx context.Context, since time.Time, limit int) ([]*billing.Deposit, error) {
	rows, err := s.reader.rows(ctx, selectOpenDeposits, toMicros(since), limit)
	open, err := collect(rows, err, scanDeposit)
	return open, doing(err, "list open deposits")
}

// Asked implements billing.Store.
func (s *Store) Asked(ctx context.Context, depositID string, at time.Time) error {
	_, err := s.writer.exec(ctx, setAsked, depositID, toMicros(at))
	return doing(err, "note that deposit %s was asked about", depositID)
}

// Customer implements billing.Store.
func (s *Store) Customer(ctx context.Context, userID string) (id string, err error) {
	err = orNothing(s.reader.row(ctx, selectCustomer, userID).Scan(&id))
	return id, doing(err, "look up the customer of %s", userID)
}

// SetCustomer implements billing.Store.
func (s *Store) SetCustomer(ctx context.Context, userID, customerID string) (id string, err error) {
	err = s.write(ctx, func(ctx context.Context, w txn) error {
		if _, err := w.exec(ctx, insertCustomer, userID, customerID); err != nil {
			return err
		}
		return w.row(ctx, selectCustomer, userID).Scan(&id)
	})
	return id, doing(err, "store the customer of %s", userID)
}

// Settle implements billing.Store.
func (s *Store) Settle(ctx context.Context, f billing.Fact) (out billing.Settled, err error) {
	err = s.write(ctx, func(ctx context.Context, w txn) (err error) {
		out, err = w.settle(ctx, f)
		return err
	})
	return out, doing(err, "settle %s %s", f.EventType, f.EventID)
}

func (t txn) settle(ctx context.Context, f billing.Fact) (out billing.Settled, err error) {
	if f.EventID != "" {
		fresh, err := t.exec(ctx, insertEvent, f.EventID, f.EventType, toMicros(f.At))
		if err != nil {
			return out, err
		}
		if fresh == 0 {
			return billing.Settled{Again: true}, nil
		}
	}
	if err := t.rememberPayment(ctx, f); err != nil {
		return out, err
	}
	d, err := t.depositOf(ctx, f)
	if err != nil {
		return out, err
	}
	if d == nil {
		return billing.Settled{Foreign: true}, nil
	}
	out.UserID = d.UserID
	if d, err = t.updateDeposit(ctx, d, f); err != nil {
		return out, err
	}
	if d.Status != billing.CheckoutPaid {
		return out, nil
	}
	return out, t.bringUp(ctx, d, f.At, &out)
}

// rememberPayment stores what a fact says of a payment, whether or not it is known
// which deposit that is of.
func (t txn) rememberPayment(ctx context.Context, f billing.Fact) error {
	if f.PaymentID == "" {
		return nil
	}
	if _, err := t.exec(ctx, upsertPayment, f.PaymentID, f.RefundedCents); err != nil {
		return fmt.Errorf("store payment %s: %w", f.PaymentID, err)
	}
	if f.DisputeID == "" {
		return nil
	}
	_, err := t.exec(ctx, upsertDispute, f.DisputeID, f.PaymentID, f.DisputedCents, toInt(f.DisputeWon))
	return doing(err, "store dispute %s", f.DisputeID)
}

// depositOf returns the deposit that a fact is about; nil when there is none.
func (t txn) depositOf(ctx context.Context, f billing.Fact) (*billing.Deposit, error) {
	for _, by := range []struct{ query, id string }{{selectDeposit, f.DepositID}, {selectDepositOfPayment, f.PaymentID}} {
		if by.id == "" {
			continue
		}
		d, err := scanDeposit(t.row(ctx, by.query, by.id))
		if err == nil || !errors.Is(err, sql.ErrNoRows) {
			return d, err
		}
	}
	return nil, nil
}

// updateDeposit stores what a fact says of a deposit, and returns it as it is then.
func (t txn) updateDeposit(ctx context.Context, d *billing.Deposit, f billing.Fact) (*billing.Deposit, error) {
	if f.PaymentID != "" && d.PaymentID == "" {
		if _, err := t.exec(ctx, setPayment, d.ID, f.PaymentID, toNull(f.CheckoutID)); err != nil {
			return nil, fmt.Errorf("store payment %s of deposit %s: %w", f.PaymentID, d.ID, err)
		}
	}
	if f.Status == billing.CheckoutPaid && (f.AmountCents != d.AmountCents || f.Currency != billing.Currency) {
		return nil, fmt.Errorf("deposit %s is of %d %s, and the provider says that %d %s were paid", d.ID, d.AmountCents, billing.Currency, f.AmountCents, f.Currency)
	}
	if f.Status != "" && f.Status != billing.CheckoutOpen {
		if _, err := t.exec(ctx, settleDeposit, d.ID, string(f.Status), toMicros(f.At)); err != nil {
			return nil, fmt.Errorf("settle deposit %s: %w", d.ID, err)
		}
	}
	return scanDeposit(t.row(ctx, selectDeposit, d.ID))
}

// bringUp posts what is missing in the ledger of a deposit that was paid: its credit,
// what was refunded of it, and what became of disputes over it.
func (t txn) bringUp(ctx context.Context, d *billing.Deposit, at time.Time, out *billing.Settled) error {
	add := func(x assay.Transaction, action assay.AuditAction) error {
		posted, added, err := t.post(ctx, x)
		if err != nil || !added {
			return err
		}
		out.Transactions = append(out.Transactions, posted)
		return t.audit(ctx, assay.AuditEvent{
			At: at, Actor: assay.ActorStripe, Action: action, UserID: d.UserID, Subject: d.ID, Detail: x.Description + " " + x.Amount.String(),
		})
	}
	if err := add(billing.CreditOf(d, at), assay.AuditPayment); err != nil {
		return err
	}
	if d.PaymentID == "" {
		return nil
	}
	var refunded int64
	var posted assay.MicroUSD
	if err := orNothing(t.row(ctx, selectRefunded, d.PaymentID).Scan(&refunded)); err != nil {
		return err
	}
	if err := t.row(ctx, sumRefundsOfDeposit, d.ID).Scan(&posted); err != nil {
		return err
	}
	if more := refunded + posted.Cents(); more > 0 { // refunds are negative in the ledger
		if err := add(billing.RefundOf(d, more, strconv.FormatInt(refunded, 10), at), assay.AuditRefund); err != nil {
			return err
		}
	}
	return t.bringUpDisputes(ctx, d, at, add)
}

// dispute is one over a payment.
type dispute struct {
	id    string
	cents int64
	won   bool
}

func (t txn) bringUpDisputes(ctx context.Context, d *billing.Deposit, at time.Time, add func(assay.Transaction, assay.AuditAction) error) error {
	rows, err := t.rows(ctx, selectDisputes, d.PaymentID)
	disputes, err := collect(rows, err, func(row scanner) (v dispute, err error) {
		err = row.Scan(&v.id, &v.cents, &v.won)
		return v, err
	})
	if err != nil {
		return err
	}
	for _, v := range disputes {
		if err := add(billing.DisputeOf(d, v.id, v.cents, at), assay.AuditDispute); err != nil {
			return err
		}
		if !v.won {
			continue
		}
		if err := add(billing.DisputeWonOf(d, v.id, v.cents, at), assay.AuditDispute); err != nil {
			return err
		}
	}
	return nil
}
