package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/internal/billing"
	"assay/internal/session"
	"assay/internal/store"
)

// ledger fills a store with money of each kind: a credit, a deposit that was refunded
// and disputed in part, a session that was billed and one that was never ready.
func ledger(t *testing.T, s *store.Store) (userID string) {
	t.Helper()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ctx := t.Context()
	user := &assay.User{ID: "usr_1", CreatedAt: now, Active: true}
	must(t, s.InsertUser(ctx, user, assay.AuditEvent{}))
	must(t, s.InsertUser(ctx, &assay.User{ID: "usr_2", CreatedAt: now, Active: true}, assay.AuditEvent{}))
	_, err := s.ImportDataset(ctx, &assay.Dataset{Name: "d"}, []*assay.Sample{{Dataset: "d", ID: "one"}})
	must(t, err)
	_, _, err = s.Post(ctx, assay.Transaction{
		ID: "txn_1", UserID: user.ID, Type: assay.TransactionDeposit, Amount: assay.FromCents(500), Against: assay.AccountPromotions, Key: "welcome", CreatedAt: now,
	}, assay.AuditEvent{})
	must(t, err)
	d, _, err := s.InsertDeposit(ctx, &billing.Deposit{ID: "dep_1", UserID: user.ID, AmountCents: 1000, Status: billing.CheckoutOpen, CreatedAt: now, ExpiresAt: now}, assay.Idempotency{}, assay.AuditEvent{})
	must(t, err)
	for _, f := range []billing.Fact{
		{Status: billing.CheckoutPaid, AmountCents: 1000, Currency: "usd", PaymentID: "pi_1"},
		{PaymentID: "pi_1", RefundedCents: 100},
		{PaymentID: "pi_1", DisputeID: "dp_1", DisputedCents: 200},
	} {
		f.DepositID, f.At = d.ID, now
		_, err := s.Settle(ctx, f)
		must(t, err)
	}
	for i, to := range []assay.SessionStatus{assay.SessionReady, assay.SessionError} {
		sess := &assay.Session{
			ID: fmt.Sprintf("ses_%d", i+1), UserID: user.ID, Dataset: "d", SampleID: "one", SampleVersion: 1, Price: assay.MicrosPerCent,
			Status: assay.SessionCreating, RequestedAt: now, ExpiresAt: now.Add(time.Hour),
		}
		_, _, err = s.InsertSession(ctx, sess, session.Idempotency{}, session.LiveLimits{})
		must(t, err)
		change := session.SessionChange{Status: to, ReadyAt: &now}
		if to == assay.SessionError {
			change = session.SessionChange{Status: to, EndedAt: &now}
		}
		_, _, err = s.MoveSession(ctx, sess.ID, assay.SessionCreating, change)
		must(t, err)
	}
	_, _, err = s.MoveSession(ctx, "ses_1", assay.SessionReady, session.SessionChange{Status: assay.SessionClosed, EndedAt: new(now.Add(90 * time.Second))})
	must(t, err)
	return user.ID
}

// TestBooksTellWhatIsWrong forges the ledger in every way that a rule is there for, as
// somebody who may write to the database can, and looks for the rule that tells.
func TestBooksTellWhatIsWrong(t *testing.T) {
	const (
		deposit = `UPDATE ledger_transactions SET %s WHERE id = 'txn_1'`
		usage   = `UPDATE ledger_transactions SET %s WHERE type = 'session_usage'`
	)
	forgeries := []struct{ name, rule, sql string }{
		{"an entry is lost", "sum to zero", `DELETE FROM ledger_entries WHERE transaction_id = 'txn_1' AND account_id = 'promotions'`},
		{"an entry is larger", "sum to zero", `UPDATE ledger_entries SET amount = amount + 1 WHERE transaction_id = 'txn_1' AND account_id = 'promotions'`},
		{"both entries are larger", "entries are its amount", `UPDATE ledger_entries SET amount = amount * 2 WHERE transaction_id = 'txn_1'`},
		{"an entry went to another account", "entries are its amount", `UPDATE ledger_entries SET account_id = 'revenue' WHERE transaction_id = 'txn_1' AND account_id = 'promotions'`},
		{"a balance was raised", "cached balance", `UPDATE accounts SET balance = balance + 10000 WHERE user_id = 'usr_1'`},
		{"a balance is lost", "cached balance", `UPDATE accounts SET balance = NULL WHERE user_id = 'usr_1'`},
		{"a transaction is another's", "entries are its amount", fmt.Sprintf(deposit, `user_id = 'usr_2'`)},
		{"a number is left out", "numbered without a gap", fmt.Sprintf(usage, `seq = seq + 1`)},
		{"time goes back", "go by time", fmt.Sprintf(usage, `created_at = 0`)},
		{"a total is larger", "carry their totals", fmt.Sprintf(usage, `deposit_sum = deposit_sum + 1`)},
		{"a count is larger", "carry their totals", fmt.Sprintf(usage, `usages = usages + 1`)},
		{"a deposit takes away", "money in is positive", fmt.Sprintf(deposit, `amount = -amount`)},
		{"usage gives", "money in is positive", fmt.Sprintf(usage, `amount = -amount`)},
		{"a type that is none", "money in is positive", fmt.Sprintf(deposit, `type = 'gift'`)},
		{"a bill is smaller", "billed once", fmt.Sprintf(usage, `amount = amount + 1`)},
		{"a bill is shorter", "billed once", fmt.Sprintf(usage, `seconds = seconds - 1`)},
		{"a bill is lost", "billed once", fmt.Sprintf(usage, `session_id = NULL`)},
		{"a session ended later", "billed once", `UPDATE sessions SET ended_at = ended_at + 60000000 WHERE id = 'ses_1'`},
		{"a session was cheaper", "billed once", `UPDATE sessions SET price = price / 2 WHERE id = 'ses_1'`},
		{"a session that failed is billed", "billed once", fmt.Sprintf(usage, `session_id = 'ses_2'`)},
		{"a bill is of no session", "usage is of a session", fmt.Sprintf(usage, `session_id = NULL`)},
		{"a credit has seconds", "usage is of a session", fmt.Sprintf(deposit, `seconds = 1`)},
		{"a deposit was not paid", "credited once", `UPDATE deposits SET status = 'open'`},
		{"a deposit was smaller", "credited once", `UPDATE deposits SET amount_cents = 999`},
		{"a deposit's credit is lost", "credited once", `UPDATE ledger_transactions SET deposit_id = NULL WHERE type = 'deposit' AND deposit_id IS NOT NULL`},
		{"a deposit is another's", "of the same user", `UPDATE deposits SET user_id = 'usr_2'`},
		{"a deposit is nobody's", "of the same user", fmt.Sprintf(deposit, `deposit_id = 'dep_none'`)},
		{"more was refunded", "refunded of a payment", `UPDATE payments SET refunded_cents = 150`},
		{"a refund is lost", "refunded of a payment", `UPDATE ledger_transactions SET deposit_id = NULL WHERE type = 'refund'`},
		{"the dispute was won", "disputed was taken back", `UPDATE disputes SET won = 1`},
		{"more was disputed", "disputed was taken back", `UPDATE disputes SET amount_cents = 1000`},
	}
	var ruled []string
	for _, f := range forgeries {
		ruled = append(ruled, f.rule)
	}
	for _, rule := range store.BookRules() {
		if !slices.ContainsFunc(ruled, func(part string) bool { return strings.Contains(rule, part) }) {
			t.Errorf("no forgery tries that %s", rule)
		}
	}
	onEach(t, func(t *testing.T, database string) {
		s := open(t, database)
		ledger(t, s)
		findings := func(statement string) (rules []string) {
			books, err := store.Forged(t.Context(), s, statement)
			if err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
			if books.Users != 1 || books.Transactions != 5 {
				t.Errorf("counted %+v", books)
			}
			for _, f := range books.Findings {
				rules = append(rules, f.Rule)
			}
			return rules
		}
		if rules := findings(""); len(rules) != 0 {
			t.Fatalf("books that are in order: %q", rules)
		}
		for _, f := range forgeries {
			if rules := findings(f.sql); !slices.ContainsFunc(rules, func(rule string) bool { return strings.Contains(rule, f.rule) }) {
				t.Errorf("%s: found %q, want that %s", f.name, rules, f.rule)
			}
		}
		if rules := findings(""); len(rules) != 0 {
			t.Errorf("the forgeries were not undone: %q", rules)
		}
	})
}
