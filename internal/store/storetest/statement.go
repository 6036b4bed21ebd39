package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/billing"
)

var statementTests = []test{
	{"a statement is what a filter over all would give", testStatement},
	{"sessions that run are the first lines", testStatementPending},
	{"an export goes on below a number", testStatementBelow},
}

// moved posts n movements of random types, a second apart, some at the same time.
func (f fixture) moved(userID string, n int) []*assay.Transaction {
	f.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	var all []*assay.Transaction
	now := kept
	for i := range n {
		kind := assay.TransactionTypes[r.IntN(4)]
		if kind == assay.TransactionUsage {
			kind = assay.TransactionDeposit // usage is of sessions
		}
		amount := assay.MicroUSD(r.Int64N(1e6))
		if kind != assay.TransactionDeposit {
			amount = -amount
		}
		x := movement(userID, kind, amount, numbered("k", i))
		if r.IntN(3) > 0 {
			now = now.Add(time.Second)
		}
		x.CreatedAt = now
		posted, _, err := f.Post(f.ctx, x, assay.AuditEvent{})
		f.must(err)
		all = append(all, posted)
	}
	slices.Reverse(all)
	return all
}

func testStatement(f fixture) {
	u := f.user()
	f.moved(f.user().ID, 0)
	all := f.moved(u.ID, 60)
	oldest, newest := all[len(all)-1].CreatedAt, all[0].CreatedAt
	times := []time.Time{{}, oldest, oldest.Add(time.Second), oldest.Add(20 * time.Second), newest, newest.Add(time.Second), newest.Add(time.Hour)}
	kinds := [][]assay.TransactionType{
		nil, {assay.TransactionDeposit}, {assay.TransactionRefund, assay.TransactionCharge}, {assay.TransactionUsage}, assay.TransactionTypes,
	}
	for _, types := range kinds {
		for _, from := range times {
			for _, until := range times {
				for _, skip := range []int64{0, 1, 7, 59, 60, 1000} {
					q := billing.StatementQuery{UserID: u.ID, Types: types, From: from, Until: until, Skip: skip, Limit: 9}
					f.compareStatement(q, all)
				}
			}
		}
	}
}

// compareStatement checks an answer against a filter over all transactions.
func (f fixture) compareStatement(q billing.StatementQuery, all []*assay.Transaction) {
	f.Helper()
	var want []*assay.Transaction
	for _, x := range all {
		if (len(q.Types) == 0 || slices.Contains(q.Types, x.Type)) && !x.CreatedAt.Before(q.From) && (q.Until.IsZero() || x.CreatedAt.Before(q.Until)) {
			want = append(want, x)
		}
	}
	st, err := f.Statement(f.ctx, q)
	f.must(err)
	name := fmt.Sprintf("%v from %s until %s, beyond %d", q.Types, q.From, q.Until, q.Skip)
	if got := st.Upto.Less(st.Before).Count(q.Types); got != int64(len(want)) {
		f.Errorf("%s: counts %d, want %d", name, got, len(want))
	}
	want = want[min(int(q.Skip), len(want)):]
	want = want[:min(q.Limit, len(want))]
	if diff := cmp.Diff(want, slices.Clip(st.Transactions), equalEmpty); diff != "" {
		f.Errorf("%s:\n%s", name, diff)
	}
}

// equalEmpty takes no list for an empty one.
var equalEmpty = cmp.Transformer("orEmpty", func(s []*assay.Transaction) []assay.Transaction {
	out := make([]assay.Transaction, 0, len(s))
	for _, x := range s {
		out = append(out, *x)
	}
	return out
})

func testStatementPending(f fixture) {
	u := f.user()
	f.sample("starter", "one")
	f.credit(u.ID, assay.FromCents(100))
	var running []string
	for range 3 {
		running = append(running, f.priced(u.ID, kept).ID)
	}
	slices.Reverse(running)
	bill := f.end(f.priced(u.ID, kept).ID, *later(kept))
	lines := func(skip int64, limit int) (ids []string) {
		st, err := f.Statement(f.ctx, billing.StatementQuery{UserID: u.ID, Pending: true, Skip: skip, Limit: limit})
		f.must(err)
		if len(st.Pending) != 3 {
			f.Errorf("%d are pending", len(st.Pending))
		}
		for _, s := range st.Lines {
			ids = append(ids, s.ID)
		}
		for _, x := range st.Transactions {
			ids = append(ids, x.SessionID)
		}
		return ids
	}
	all := slices.Concat(running, []string{bill.ID, ""}) // the credit is of no session
	for skip := range 6 {
		for limit := range 6 {
			want := all[min(skip, len(all)):]
			want = want[:min(limit, len(want))]
			if got := lines(int64(skip), limit); !slices.Equal(got, want) {
				f.Errorf("%d lines beyond %d: %q, want %q", limit, skip, got, want)
			}
		}
	}
	st, err := f.Statement(f.ctx, billing.StatementQuery{UserID: u.ID, Limit: 9})
	f.must(err)
	if len(st.Lines) != 0 || len(st.Transactions) != 2 {
		f.Errorf("without those that run: %d and %d lines", len(st.Lines), len(st.Transactions))
	}
}

func testStatementBelow(f fixture) {
	u := f.user()
	all := f.moved(u.ID, 25)
	var got []*assay.Transaction
	for below := int64(0); ; {
		st, err := f.Statement(f.ctx, billing.StatementQuery{UserID: u.ID, Types: []assay.TransactionType{assay.TransactionDeposit, assay.TransactionCharge}, Below: below, Limit: 4})
		f.must(err)
		got = append(got, st.Transactions...)
		if len(st.Transactions) < 4 {
			break
		}
		below = st.Transactions[3].Seq
		f.credit(u.ID, 1) // is newer, and comes in no later part
	}
	want := slices.DeleteFunc(slices.Clone(all), func(x *assay.Transaction) bool { return x.Type == assay.TransactionRefund })
	if diff := cmp.Diff(want, got, equalEmpty); diff != "" {
		f.Error(diff)
	}
}
