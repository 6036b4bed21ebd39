package store

import (
	"context"
	"fmt"

	"assay/internal/billing"
)

// rule is something that must hold of the books, and a query for what it does not
// hold for: an id and a few words.
type rule struct {
	name  string
	query string
}

// bookRules are computed from the rows alone, by other ways than those on which they
// were written: sums are added up again, and the bills of sessions worked out anew.
var bookRules = []rule{
	{"the two entries of a transaction sum to zero", `
		SELECT t.id, 'entries: ' || count(e.account_id) || ', sum: ' || coalesce(sum(e.amount), 0)
		FROM ledger_transactions t LEFT JOIN ledger_entries e ON e.transaction_id = t.id
		GROUP BY t.id HAVING count(e.account_id) <> 2 OR sum(e.amount) <> 0`},
	{"a transaction's entries are its amount, for its user and against its account", `
		SELECT t.id, 'amount: ' || t.amount
		FROM ledger_transactions t
		LEFT JOIN ledger_entries u ON u.transaction_id = t.id AND u.account_id = 'user:' || t.user_id
		LEFT JOIN ledger_entries a ON a.transaction_id = t.id AND a.account_id = t.against
		WHERE u.amount IS NULL OR u.amount <> t.amount OR a.amount IS NULL OR a.amount <> -t.amount`},
	{"money in is positive, usage and refunds are not", `
		SELECT id, type || ': ' || amount FROM ledger_transactions
		WHERE (type = 'deposit' AND amount < 0) OR (type IN ('session_usage', 'refund') AND amount > 0)
			OR type NOT IN ('deposit', 'session_usage', 'refund', 'charge')`},
	{"a cached balance is the sum of its entries", `
		SELECT a.id, 'cached: ' || coalesce(a.balance, 0) || ', sum: ' || coalesce(e.total, 0)
		FROM accounts a LEFT JOIN (SELECT account_id, sum(amount) AS total FROM ledger_entries GROUP BY account_id) e ON e.account_id = a.id
		WHERE a.user_id IS NOT NULL AND (a.balance IS NULL OR a.balance <> coalesce(e.total, 0))`},
	{"a user's transactions are numbered without a gap, go by time, and carry their totals", `
		SELECT id, 'number: ' || seq FROM (
			SELECT id, seq, created_at, deposits, deposit_sum, usages, usage_sum, refunds, refund_sum, charges, charge_sum, usage_seconds,
				row_number() OVER w AS n, lag(created_at) OVER w AS earlier,
				sum(CASE WHEN type = 'deposit' THEN 1 ELSE 0 END) OVER w AS n_deposits,
				sum(CASE WHEN type = 'deposit' THEN amount ELSE 0 END) OVER w AS s_deposits,
				sum(CASE WHEN type = 'session_usage' THEN 1 ELSE 0 END) OVER w AS n_usages,
				sum(CASE WHEN type = 'session_usage' THEN amount ELSE 0 END) OVER w AS s_usages,
				sum(CASE WHEN type = 'refund' THEN 1 ELSE 0 END) OVER w AS n_refunds,
				sum(CASE WHEN type = 'refund' THEN amount ELSE 0 END) OVER w AS s_refunds,
				sum(CASE WHEN type = 'charge' THEN 1 ELSE 0 END) OVER w AS n_charges,
				sum(CASE WHEN type = 'charge' THEN amount ELSE 0 END) OVER w AS s_charges,
				sum(seconds) OVER w AS s_seconds
			FROM ledger_transactions WINDOW w AS (PARTITION BY user_id ORDER BY seq)
		) numbered
		WHERE seq <> n OR created_at < earlier
			OR deposits <> n_deposits OR deposit_sum <> s_deposits OR usages <> n_usages OR usage_sum <> s_usages
			OR refunds <> n_refunds OR refund_sum <> s_refunds OR charges <> n_charges OR charge_sum <> s_charges
			OR usage_seconds <> s_seconds`},
	{"a session that was ready and has ended is billed once, for its full ready seconds in which it was reached at its price; no other is", `
		SELECT s.id, s.status || ', bills: ' || coalesce(b.n, 0) || ', seconds: ' || coalesce(b.seconds, 0) || ', amount: ' || coalesce(b.amount, 0)
		FROM (
			SELECT *, (CASE WHEN used > 0 THEN used ELSE 0 END) / 1000000 AS billed FROM (
				SELECT *, CASE WHEN unreachable_at < ended_at THEN unreachable_at ELSE ended_at END - ready_at - unbilled AS used FROM sessions
			) reached
		) s LEFT JOIN (
			SELECT session_id, count(*) AS n, sum(seconds) AS seconds, sum(amount) AS amount, min(user_id) AS user_id
			FROM ledger_transactions WHERE type = 'session_usage' GROUP BY session_id
		) b ON b.session_id = s.id
		WHERE CASE
			WHEN s.price IS NULL THEN b.n > 1
			WHEN s.status IN ('closed', 'terminated') AND s.ready_at IS NOT NULL THEN b.n IS NULL OR b.n <> 1 OR b.user_id <> s.user_id
				OR s.ended_at < s.ready_at OR b.seconds <> s.billed
				OR b.amount <> -((s.billed * s.price + 30) / 60)
			ELSE b.n IS NOT NULL END`},
	{"usage is of a session, and nothing else is", `
		SELECT id, type FROM ledger_transactions WHERE (type = 'session_usage') <> (session_id IS NOT NULL) OR seconds < 0
			OR (type <> 'session_usage' AND seconds <> 0)`},
	{"a deposit that was paid is credited once, whole; no other is", `
		SELECT d.id, d.status || ', credits: ' || coalesce(c.n, 0) || ', amount: ' || coalesce(c.amount, 0)
		FROM deposits d LEFT JOIN (
			SELECT deposit_id, count(*) AS n, sum(amount) AS amount, min(user_id) AS user_id
			FROM ledger_transactions WHERE type = 'deposit' AND deposit_id IS NOT NULL GROUP BY deposit_id
		) c ON c.deposit_id = d.id
		WHERE CASE WHEN d.status = 'paid' THEN c.n IS NULL OR c.n <> 1 OR c.user_id <> d.user_id OR c.amount <> d.amount_cents * 10000
			ELSE c.n IS NOT NULL END`},
	{"what names a deposit is of one, of the same user", `
		SELECT t.id, t.deposit_id FROM ledger_transactions t LEFT JOIN deposits d ON d.id = t.deposit_id
		WHERE t.deposit_id IS NOT NULL AND (d.id IS NULL OR d.user_id <> t.user_id)`},
	{"what was refunded of a payment was taken back, once", `
		SELECT d.id, 'refunded cents: ' || p.refunded_cents || ', taken back: ' || coalesce(r.amount, 0)
		FROM deposits d JOIN payments p ON p.id = d.payment_id LEFT JOIN (
			SELECT deposit_id, sum(amount) AS amount FROM ledger_transactions WHERE type = 'refund' GROUP BY deposit_id
		) r ON r.deposit_id = d.id
		WHERE d.status = 'paid' AND coalesce(r.amount, 0) <> -p.refunded_cents * 10000`},
	{"what was disputed was taken back, once, unless the dispute was won", `
		SELECT d.id, 'disputed cents: ' || q.cents || ', taken back: ' || coalesce(c.amount, 0)
		FROM deposits d JOIN (
			SELECT payment_id, sum(CASE WHEN won = 1 THEN 0 ELSE amount_cents END) AS cents FROM disputes GROUP BY payment_id
		) q ON q.payment_id = d.payment_id LEFT JOIN (
			SELECT deposit_id, sum(amount) AS amount FROM ledger_transactions WHERE type = 'charge' AND deposit_id IS NOT NULL GROUP BY deposit_id
		) c ON c.deposit_id = d.id
		WHERE d.status = 'paid' AND coalesce(c.amount, 0) <> -q.cents * 10000`},
}

const countBooks = `SELECT
	(SELECT count(*) FROM accounts WHERE user_id IS NOT NULL),
	(SELECT count(*) FROM ledger_transactions),
	(SELECT count(*) FROM ledger_entries),
	(SELECT count(*) FROM ledger_transactions WHERE type = 'session_usage'),
	(SELECT count(*) FROM deposits WHERE status = 'paid')`

// Books implements billing.Store. It reads every row, of one moment, for as long as that
// takes.
func (s *Store) Books(ctx context.Context) (b billing.Books, err error) {
	err = s.readAtLength(ctx, func(ctx context.Context, r txn) (err error) {
		if _, bounded := s.engine.(*postgresServer); bounded {
			if _, err := r.exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
				return err
			}
		}
		b, err = r.books(ctx)
		return err
	})
	return b, doing(err, "check the books")
}

func (t txn) books(ctx context.Context) (b billing.Books, err error) {
	if err := t.row(ctx, countBooks).Scan(&b.Users, &b.Transactions, &b.Entries, &b.Sessions, &b.Deposits); err != nil {
		return b, err
	}
	for _, rule := range bookRules {
		rows, err := t.rows(ctx, rule.query+fmt.Sprintf(" LIMIT %d", billing.MaxFindings))
		found, err := collect(rows, err, func(row scanner) (billing.Finding, error) {
			f := billing.Finding{Rule: rule.name}
			return f, row.Scan(&f.Subject, &f.Detail)
		})
		if err != nil {
			return b, fmt.Errorf("check that %s: %w", rule.name, err)
		}
		b.Findings = append(b.Findings, found...)
	}
	return b, nil
}
