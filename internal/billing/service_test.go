package billing_test

import (
	"strings"
	"testing"
	"time"

	"assay"
	"assay/internal/billing"
)

func TestPrices(t *testing.T) {
	on := billing.New(billing.Config{Enabled: true, Price: 10_000, DatasetPrices: map[string]assay.MicroUSD{"cheap": 2_500, "free": 0}})
	off := billing.New(billing.Config{Price: 10_000, DatasetPrices: map[string]assay.MicroUSD{"cheap": 2_500}})
	for dataset, want := range map[string]assay.MicroUSD{"": 10_000, "other": 10_000, "cheap": 2_500, "free": 0} {
		if got := on.Price(dataset); got != want {
			t.Errorf("a minute of %q costs %s, want %s", dataset, got, want)
		}
		if got := off.Price(dataset); got != 0 {
			t.Errorf("a minute of %q costs %s where nothing costs anything", dataset, got)
		}
	}
}

func TestWhatLiveSessionsUsedUpIsSpent(t *testing.T) {
	onEach(t, func(f *fixture) {
		ada := f.user()
		_, err := f.Credit(f.t.Context(), ada, assay.FromCents(100), "to begin with", "")
		f.must(err)
		a := f.running(ada)
		f.running(ada)
		f.advance(time.Minute)
		check := func(name string, least, most assay.MicroUSD) {
			f.t.Helper()
			b, err := f.Balance(f.t.Context(), ada)
			f.must(err)
			if b.Spent < least || b.Spent > most || b.Balance != b.Deposited-b.Spent || b.Deposited != assay.FromCents(100) {
				f.t.Errorf("%s: %+v, want %s to %s spent", name, b, least, most)
			}
		}
		check("two sessions for a minute", 2*cent, 2*cent+cent/10)
		f.close(a)
		check("one was billed", 2*cent, 2*cent+cent/10)
		f.advance(time.Minute)
		check("the other goes on", 3*cent, 3*cent+cent/10)
	})
}

func TestWhereNothingCostsAnythingBalancesAreZero(t *testing.T) {
	onEach(t, func(f *fixture) {
		ada := f.user()
		_, err := f.Credit(f.t.Context(), ada, assay.FromCents(100), "from before", "")
		f.must(err)
		s := f.running(ada)
		f.advance(90 * time.Second)
		f.close(s)
		b, err := f.Balance(f.t.Context(), ada)
		f.must(err)
		if b.Balance != 0 || b.Deposited != 0 || b.Spent != 0 {
			f.t.Errorf("%+v", b)
		}
		u, err := f.Usage(f.t.Context(), billing.UsageQuery{UserID: ada, Page: 1, Limit: 10})
		f.must(err)
		if u.Sessions != 1 || u.Seconds != 90 || u.Spent != 0 {
			f.t.Errorf("it is metered as %+v", u)
		}
		if b, err := f.Ledger(f.t.Context(), ada); err != nil || b.Balance != assay.FromCents(100) {
			f.t.Errorf("the ledger has %+v: %v", b, err)
		}
	}, func(c *billing.Config) { c.Enabled = false })
}

func TestCredits(t *testing.T) {
	onEach(t, func(f *fixture) {
		ada := f.user()
		for range 2 {
			_, err := f.Credit(f.t.Context(), ada, 5, "once", "k")
			f.must(err)
		}
		_, err := f.Credit(f.t.Context(), ada, -2, "too much", "")
		f.must(err)
		if got := f.balance(ada); got != 3 {
			f.t.Errorf("balance %s", got)
		}
		for _, c := range []struct {
			user, reason string
			amount       assay.MicroUSD
		}{
			{"usr_none", "why", 5}, {ada, "", 5}, {ada, " ", 5}, {ada, "a\nb", 5}, {ada, strings.Repeat("x", 201), 5},
			{ada, "why", 0}, {ada, "why", billing.MaxCredit + 1}, {ada, "why", -billing.MaxCredit - 1},
		} {
			if _, err := f.Credit(f.t.Context(), c.user, c.amount, c.reason, ""); err == nil {
				f.t.Errorf("%s for %q was given", c.amount, c.reason)
			}
		}
	})
}

func TestUsagePagesAndSums(t *testing.T) {
	onEach(t, func(f *fixture) {
		ada := f.user()
		_, err := f.Credit(f.t.Context(), ada, assay.FromCents(1000), "to begin with", "")
		f.must(err)
		for range 7 {
			s := f.running(ada)
			f.advance(30 * time.Second)
			f.close(s)
		}
		f.running(ada)
		f.running(ada)
		f.advance(time.Minute)
		get := func(q billing.UsageQuery) billing.Usage {
			f.t.Helper()
			q.UserID = ada
			u, err := f.Usage(f.t.Context(), q)
			f.must(err)
			return u
		}
		all := get(billing.UsageQuery{Page: 1, Limit: 100})
		if all.TotalItems != 10 || len(all.Lines) != 10 || all.Sessions != 9 || all.Deposits != 1 {
			f.t.Errorf("%d of %d lines, %d sessions, %d deposits", len(all.Lines), all.TotalItems, all.Sessions, all.Deposits)
		}
		if all.Spent != all.Balance.Spent || all.Spent < 5*cent || all.Seconds < 7*30+2*60 {
			f.t.Errorf("%s were spent on %d s, and the balance says %s", all.Spent, all.Seconds, all.Balance.Spent)
		}
		for i, line := range all.Lines {
			if line.Pending != (i < 2) {
				f.t.Errorf("line %d is pending: %v", i, line.Pending)
			}
			if i > 0 && all.Lines[i-1].CreatedAt.Before(line.CreatedAt) {
				f.t.Errorf("line %d is newer than the one above", i)
			}
		}
		var paged []billing.Line
		for page := 1; page <= 4; page++ {
			paged = append(paged, get(billing.UsageQuery{Page: page, Limit: 4}).Lines...)
		}
		for i := range all.Lines {
			if len(paged) != len(all.Lines) || paged[i].ID != all.Lines[i].ID {
				f.t.Fatalf("pages give %d lines that differ", len(paged))
			}
		}
		if u := get(billing.UsageQuery{Page: 2, Limit: 4, MaxItems: 6}); len(u.Lines) != 2 || u.TotalItems != 6 {
			f.t.Errorf("the second page of 6 lines has %d of %d", len(u.Lines), u.TotalItems)
		}
		if u := get(billing.UsageQuery{Page: 3, Limit: 4, MaxItems: 6}); len(u.Lines) != 0 {
			f.t.Errorf("the third page of 6 lines has %d", len(u.Lines))
		}
		only := get(billing.UsageQuery{Page: 1, Limit: 100, Types: []assay.TransactionType{assay.TransactionDeposit}})
		if only.TotalItems != 1 || only.Sessions != 0 || only.Deposits != 1 || only.Spent != 0 {
			f.t.Errorf("of deposits: %+v", only)
		}
		if u := get(billing.UsageQuery{Page: 1, Limit: 100, Until: f.now().Add(-time.Hour)}); u.TotalItems != 0 {
			f.t.Errorf("an hour ago there were %d lines", u.TotalItems)
		}
		if u := get(billing.UsageQuery{Page: 1, Limit: 100, From: f.now().Add(-time.Second)}); u.TotalItems != 2 {
			f.t.Errorf("of now there are %d lines, want those that run", u.TotalItems)
		}
		var exported []string
		f.must(f.Export(f.t.Context(), billing.UsageQuery{UserID: ada}, func(l billing.Line) error {
			exported = append(exported, l.ID)
			return nil
		}))
		if len(exported) != 10 || exported[9] != all.Lines[9].ID {
			f.t.Errorf("%d lines are exported", len(exported))
		}
	})
}
