package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/internal/billing"
	"assay/internal/store"
)

// began is when the first transaction of fill was made; the others follow at a second
// each.
var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// fill stores n transactions of a user at once: three of four are charges, the others
// deposits, refunds now and then.
func fill(tb testing.TB, s *store.Store, database string, n int) (userID string) {
	tb.Helper()
	userID = "usr_many"
	must(tb, s.InsertUser(tb.Context(), &assay.User{ID: userID, CreatedAt: began, Active: true}, assay.AuditEvent{}))
	series := fmt.Sprintf(`WITH RECURSIVE series(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM series WHERE i < %d)`, n)
	if strings.HasPrefix(database, "postgres://") {
		series = fmt.Sprintf(`WITH series AS (SELECT i FROM generate_series(CAST(1 AS BIGINT), %d) AS i)`, n)
	}
	conn, err := store.Writer(s).Conn(tb.Context())
	must(tb, err)
	defer conn.Close()
	if strings.HasPrefix(database, "postgres://") {
		_, err := conn.ExecContext(tb.Context(), "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
		must(tb, err)
	}
	for _, statement := range []string{
		`INSERT INTO accounts (id, user_id, balance) VALUES ('user:usr_many', 'usr_many', 0)`,
		series + `, typed AS (SELECT i, CASE WHEN i % 100 = 0 THEN 'refund' WHEN i % 4 = 0 THEN 'deposit' ELSE 'charge' END AS type FROM series),
		valued AS (SELECT i, type, CASE type WHEN 'deposit' THEN i ELSE -(i % 1000) END AS amount FROM typed)
		INSERT INTO ledger_transactions (id, user_id, seq, type, amount, against, idem_key, created_at, description, seconds,
			deposits, deposit_sum, usages, usage_sum, refunds, refund_sum, charges, charge_sum, usage_seconds)
		SELECT 'txn_' || i, 'usr_many', i, type, amount, 'promotions', 'k' || i, ` + fmt.Sprint(began.UnixMicro()) + ` + i * 1000000, '', 0,
			sum(CASE WHEN type = 'deposit' THEN 1 ELSE 0 END) OVER w, sum(CASE WHEN type = 'deposit' THEN amount ELSE 0 END) OVER w, 0, 0,
			sum(CASE WHEN type = 'refund' THEN 1 ELSE 0 END) OVER w, sum(CASE WHEN type = 'refund' THEN amount ELSE 0 END) OVER w,
			sum(CASE WHEN type = 'charge' THEN 1 ELSE 0 END) OVER w, sum(CASE WHEN type = 'charge' THEN amount ELSE 0 END) OVER w, 0
		FROM valued WINDOW w AS (ORDER BY i)`,
		`INSERT INTO ledger_entries (transaction_id, account_id, amount) SELECT id, 'user:usr_many', amount FROM ledger_transactions`,
		`INSERT INTO ledger_entries (transaction_id, account_id, amount) SELECT id, 'promotions', -amount FROM ledger_transactions`,
		`UPDATE accounts SET balance = (SELECT sum(amount) FROM ledger_entries WHERE account_id = 'user:usr_many') WHERE user_id = 'usr_many'`,
	} {
		if _, err := conn.ExecContext(tb.Context(), statement); err != nil {
			tb.Fatalf("%s: %v", statement, err)
		}
	}
	if strings.HasPrefix(database, "postgres://") {
		_, err := conn.ExecContext(tb.Context(), "ANALYZE; RESET ALL")
		must(tb, err)
	}
	return userID
}

// TestStatementIsExactWithTenThousandTransactions walks through all of them, page by
// page, and adds them up.
func TestStatementIsExactWithTenThousandTransactions(t *testing.T) {
	const n = 10_000
	onEach(t, func(t *testing.T, database string) {
		s := open(t, database)
		user := fill(t, s, database, n)
		books, err := s.Books(t.Context())
		must(t, err)
		if len(books.Findings) > 0 {
			t.Fatalf("%+v", books.Findings)
		}
		money := billing.New(billing.Config{Store: s, Enabled: true})
		for name, c := range map[string]struct {
			types []assay.TransactionType
			want  int
		}{
			"all":                {nil, n},
			"refunds":            {[]assay.TransactionType{assay.TransactionRefund}, n / 100},
			"deposits, charges":  {[]assay.TransactionType{assay.TransactionDeposit, assay.TransactionCharge}, n - n/100},
			"usage, of none":     {[]assay.TransactionType{assay.TransactionUsage}, 0},
			"a type named twice": {[]assay.TransactionType{assay.TransactionRefund, assay.TransactionRefund}, n / 100},
		} {
			seen, last := 0, int64(n+1)
			for page := 1; ; page++ {
				u, err := money.Usage(t.Context(), billing.UsageQuery{UserID: user, Types: c.types, Page: page, Limit: 100})
				must(t, err)
				if u.TotalItems != int64(c.want) {
					t.Fatalf("%s: %d in all, want %d", name, u.TotalItems, c.want)
				}
				for _, line := range u.Lines {
					var seq int64
					if _, err := fmt.Sscanf(line.ID, "txn_%d", &seq); err != nil || seq >= last {
						t.Fatalf("%s: %s comes after %d", name, line.ID, last)
					}
					last = seq
				}
				if seen += len(u.Lines); len(u.Lines) < 100 {
					break
				}
			}
			if seen != c.want {
				t.Errorf("%s: the pages have %d lines, want %d", name, seen, c.want)
			}
		}
		u, err := money.Usage(t.Context(), billing.UsageQuery{UserID: user, Page: 1, Limit: 100, From: began.Add(5000 * time.Second), Until: began.Add(6000 * time.Second)})
		must(t, err)
		if u.TotalItems != 1000 || u.Lines[0].ID != "txn_5999" {
			t.Errorf("a thousand seconds have %d lines, the first is %s", u.TotalItems, u.Lines[0].ID)
		}
		exported := 0
		must(t, money.Export(t.Context(), billing.UsageQuery{UserID: user}, func(billing.Line) error { exported++; return nil }))
		if exported != n {
			t.Errorf("%d lines are exported", exported)
		}
	})
}

// BenchmarkStatement reads pages at the beginning, in the middle and at the end of a
// million transactions, and of ten thousand: their times should not differ much.
func BenchmarkStatement(b *testing.B) {
	for engine, database := range engines {
		for _, n := range []int{10_000, 1_000_000} {
			path := database(b)
			if engine == "sqlite" {
				path = filepath.Join(b.TempDir(), "assay.db")
			}
			s := open(b, path)
			user := fill(b, s, path, n)
			for name, q := range map[string]billing.StatementQuery{
				"first page": {},
				"last page":  {Skip: int64(n - 25)},
				"refunds":    {Types: []assay.TransactionType{assay.TransactionRefund, assay.TransactionCharge}, Skip: int64(n / 2)},
				"a day":      {From: began.Add(time.Duration(n/2) * time.Second), Until: began.Add(time.Duration(n/2+3600) * time.Second)},
			} {
				b.Run(fmt.Sprintf("%s/%d/%s", engine, n, name), func(b *testing.B) {
					q.UserID, q.Limit = user, 25
					for b.Loop() {
						if _, err := s.Statement(context.Background(), q); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
