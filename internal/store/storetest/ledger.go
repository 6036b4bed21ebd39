package storetest

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/session"
)

var ledgerTests = []test{
	{"a transaction is posted with its number and totals", testPost},
	{"a key posts once, also under concurrency", testPostOnce},
	{"a key stands for one movement", testPostKeyReused},
	{"nobody's money is refused", testPostNobody},
	{"times of a user never go back", testPostTimes},
	{"random movements prove, in any order", testPostRandom},
	{"the end of a session is its bill", testSessionBill},
	{"many ends of a session are one bill", testSessionBillRace},
	{"a session needs its first minute, also under concurrency", testFundsRace},
	{"a bill ends when the balance did", testBillEndsWithBalance},
	{"what is withdrawn does not make earlier time free", testBillAfterWithdrawal},
	{"sessions are seen while they are ready", testSeeSessions},
	{"what cannot be reached is not billed", testUnreachableIsNotBilled},
	{"a wallet is what there is and what draws on it", testWallet},
}

// provesBooks ends the test with the proof that the books are in order.
func (f fixture) provesBooks() {
	f.Helper()
	books, err := f.Books(f.ctx)
	f.must(err)
	for _, finding := range books.Findings {
		f.Errorf("the books: %+v", finding)
	}
}

// movement is a transaction that is not posted yet.
func movement(userID string, kind assay.TransactionType, amount assay.MicroUSD, key string) assay.Transaction {
	return assay.Transaction{
		ID: assay.NewID(assay.PrefixTransaction), UserID: userID, Type: kind, Amount: amount, Against: assay.AccountPromotions, Key: key,
		CreatedAt: kept, Description: "of a test",
	}
}

// credit gives a user money.
func (f fixture) credit(userID string, amount assay.MicroUSD) *assay.Transaction {
	f.Helper()
	x, _, err := f.Post(f.ctx, movement(userID, assay.TransactionDeposit, amount, assay.NewID("k_")), assay.AuditEvent{})
	f.must(err)
	return x
}

// priced stores a session that became ready at a time, and costs a cent a minute.
func (f fixture) priced(userID string, readyAt time.Time) *assay.Session {
	f.Helper()
	s := newSession(userID, "starter", "one")
	s.Price, s.RequestedAt, s.ExpiresAt = assay.MicrosPerCent, readyAt, readyAt.Add(24*time.Hour)
	_, _, err := f.InsertSession(f.ctx, s, session.Idempotency{}, session.LiveLimits{})
	f.must(err)
	s, _, err = f.MoveSession(f.ctx, s.ID, assay.SessionCreating, session.SessionChange{Status: assay.SessionReady, ReadyAt: &readyAt})
	f.must(err)
	return s
}

// end closes a session that is ready, and returns it with its bill.
func (f fixture) end(id string, at time.Time) *assay.Session {
	f.Helper()
	s, moved, err := f.MoveSession(f.ctx, id, assay.SessionReady, session.SessionChange{Status: assay.SessionClosed, EndedAt: &at})
	f.must(err)
	if !moved {
		f.Fatalf("session %s had ended before", id)
	}
	return s
}

func (f fixture) totals(userID string) assay.Totals {
	f.Helper()
	w, err := f.Wallet(f.ctx, userID)
	f.must(err)
	return w.Totals
}

func testPost(f fixture) {
	u, other := f.user(), f.user()
	f.credit(other.ID, 1)
	first, added, err := f.Post(f.ctx, movement(u.ID, assay.TransactionDeposit, 500, "a"), assay.AuditEvent{})
	f.must(err)
	if !added {
		f.Error("it was not added")
	}
	second, _, err := f.Post(f.ctx, movement(u.ID, assay.TransactionCharge, -200, "b"), assay.AuditEvent{})
	f.must(err)
	if first.Seq != 1 || second.Seq != 2 {
		f.Errorf("numbers %d and %d, want 1 and 2", first.Seq, second.Seq)
	}
	want := assay.Totals{Deposits: assay.Tally{Count: 1, Amount: 500}, Charges: assay.Tally{Count: 1, Amount: -200}}
	if diff := cmp.Diff(want, second.After); diff != "" {
		f.Error(diff)
	}
	if diff := cmp.Diff(want, f.totals(u.ID)); diff != "" {
		f.Error(diff)
	}
}

func testPostOnce(f fixture) {
	u := f.user()
	added := race(12, func(i int) bool {
		x, added, err := f.Post(f.ctx, movement(u.ID, assay.TransactionDeposit, 500, numbered("k", i%3)), assay.AuditEvent{})
		f.code(err, "")
		return err == nil && added && x.Amount == 500
	})
	if n := f.totals(u.ID).Deposits; added != 3 || n.Count != 3 || n.Amount != 1500 {
		f.Errorf("%d were added, and there are %+v, want 3", added, n)
	}
}

func testPostKeyReused(f fixture) {
	u, other := f.user(), f.user()
	f.must(second(f.Post(f.ctx, movement(u.ID, assay.TransactionDeposit, 500, "k"), assay.AuditEvent{})))
	for _, x := range []assay.Transaction{
		movement(other.ID, assay.TransactionDeposit, 500, "k"),
		movement(u.ID, assay.TransactionDeposit, 501, "k"),
		movement(u.ID, assay.TransactionCharge, 500, "k"),
	} {
		if _, _, err := f.Post(f.ctx, x, assay.AuditEvent{}); err == nil {
			f.Errorf("%s %s with a key that stood for another movement", x.Type, x.Amount)
		}
	}
}

func second[A, B any](_ A, _ B, err error) error { return err }

func testPostNobody(f fixture) {
	_, _, err := f.Post(f.ctx, movement("usr_none", assay.TransactionDeposit, 500, "k"), assay.AuditEvent{})
	f.code(err, assay.CodeUserNotFound)
}

func testPostTimes(f fixture) {
	u := f.user()
	f.credit(u.ID, 1)
	early := movement(u.ID, assay.TransactionDeposit, 1, "early")
	early.CreatedAt = kept.Add(-time.Hour)
	x, _, err := f.Post(f.ctx, early, assay.AuditEvent{})
	f.must(err)
	if !x.CreatedAt.Equal(kept) {
		f.Errorf("it is booked at %s, before what was booked before", x.CreatedAt)
	}
}

func testPostRandom(f fixture) {
	users := []*assay.User{f.user(), f.user(), f.user()}
	var sums [3]atomic.Int64
	race(8, func(i int) bool {
		r := rand.New(rand.NewPCG(uint64(i), 7))
		for range 25 {
			n := r.IntN(3)
			kind, amount := assay.TransactionDeposit, assay.MicroUSD(r.Int64N(1e9))
			if r.IntN(2) == 0 {
				kind, amount = assay.TransactionCharge, -amount
			}
			if _, _, err := f.Post(f.ctx, movement(users[n].ID, kind, amount, assay.NewID("k_")), assay.AuditEvent{}); err != nil {
				f.Error(err)
				return false
			}
			sums[n].Add(int64(amount))
		}
		return true
	})
	for i, u := range users {
		if got, want := f.totals(u.ID).Balance(), assay.MicroUSD(sums[i].Load()); got != want {
			f.Errorf("balance %s, want %s", got, want)
		}
	}
}

func testSessionBill(f fixture) {
	u := f.user()
	f.sample("starter", "one")
	f.credit(u.ID, assay.FromCents(100))
	s := f.priced(u.ID, kept)
	s = f.end(s.ID, kept.Add(90*time.Second+999*time.Millisecond))
	want := assay.Tally{Count: 1, Amount: -15_000}
	if got := f.totals(u.ID); got.Usage != want || got.Seconds != 90 {
		f.Errorf("90.999 s at a cent a minute are %+v, %d s", got.Usage, got.Seconds)
	}
	if s.Price != assay.MicrosPerCent {
		f.Errorf("the session costs %s a minute", s.Price)
	}
	f.creating() // is no bill
	free := f.ready()
	f.close(free.ID)
	if got := f.totals(free.UserID).Usage; got != (assay.Tally{Count: 1}) {
		f.Errorf("a free session is metered as %+v", got)
	}
}

func testSessionBillRace(f fixture) {
	u := f.user()
	f.sample("starter", "one")
	f.credit(u.ID, assay.FromCents(100))
	s := f.priced(u.ID, kept)
	race(12, func(i int) bool {
		end := kept.Add(time.Duration(i+1) * time.Minute)
		_, moved, err := f.MoveSession(f.ctx, s.ID, assay.SessionReady, session.SessionChange{Status: assay.SessionClosed, EndedAt: &end})
		f.code(err, "")
		return moved
	})
	if got := f.totals(u.ID).Usage.Count; got != 1 {
		f.Errorf("there are %d bills", got)
	}
}

func testFundsRace(f fixture) {
	u := f.user()
	f.sample("starter", "one")
	f.credit(u.ID, assay.FromCents(4)-1)
	stored := race(12, func(int) bool {
		s := newSession(u.ID, "starter", "one")
		s.Price = assay.MicrosPerCent
		_, created, err := f.InsertSession(f.ctx, s, session.Idempotency{}, session.LiveLimits{})
		if err != nil {
			f.code(err, assay.CodeInsufficientBalance)
		}
		return created
	})
	if stored != 3 {
		f.Errorf("%d sessions were made of 3.9999 first minutes", stored)
	}
}

func testBillEndsWithBalance(f fixture) {
	u := f.user()
	f.sample("starter", "one")
	f.credit(u.ID, assay.FromCents(3))
	a, b := f.priced(u.ID, kept), f.priced(u.ID, kept.Add(time.Minute))
	// A alone uses a cent, then both use two cents a minute.
	want := kept.Add(2 * time.Minute)
	ids, next, err := f.Exhausted(f.ctx, want.Add(-time.Second))
	f.must(err)
	if len(ids) != 0 || !next.Equal(want) {
		f.Errorf("a second before, %q are to end, and the next at %s, want %s", ids, next, want)
	}
	ids, _, err = f.Exhausted(f.ctx, want)
	f.must(err)
	if diff := cmp.Diff([]string{a.ID, b.ID}, ids); diff != "" {
		f.Error(diff)
	}
	for _, s := range []*assay.Session{a, b} {
		if got := f.end(s.ID, kept.Add(time.Hour)); !got.EndedAt.Equal(want) {
			f.Errorf("it ends at %s, want %s", got.EndedAt, want)
		}
	}
	if got := f.totals(u.ID).Balance(); got != 0 {
		f.Errorf("%s is left", got)
	}
}

func testBillAfterWithdrawal(f fixture) {
	u := f.user()
	f.sample("starter", "one")
	f.credit(u.ID, assay.FromCents(100))
	s := f.priced(u.ID, kept)
	withdrawal := movement(u.ID, assay.TransactionRefund, -assay.FromCents(100), "refund")
	withdrawal.CreatedAt = kept.Add(10 * time.Minute)
	f.must(second(f.Post(f.ctx, withdrawal, assay.AuditEvent{})))
	if got := f.end(s.ID, kept.Add(11*time.Minute)); !got.EndedAt.Equal(withdrawal.CreatedAt) {
		f.Errorf("it ends at %s, want when the money was withdrawn, %s", got.EndedAt, withdrawal.CreatedAt)
	}
}

func testSeeSessions(f fixture) {
	s, creating := f.ready(), f.creating()
	f.must(f.SeeSessions(f.ctx, []string{s.ID, creating.ID, "ses_none"}, at))
	f.must(f.SeeSessions(f.ctx, nil, at))
	got, err := f.Session(f.ctx, "", s.ID)
	f.must(err)
	if got.SeenAt == nil || !got.SeenAt.Equal(kept) {
		f.Errorf("seen at %v, want %s", got.SeenAt, kept)
	}
	if got, err = f.Session(f.ctx, "", creating.ID); err != nil || got.SeenAt != nil {
		f.Errorf("a session that is creating was seen at %v: %v", got.SeenAt, err)
	}
	f.close(s.ID)
	f.must(f.SeeSessions(f.ctx, []string{s.ID}, *later(at)))
	if got, err = f.Session(f.ctx, "", s.ID); err != nil || !got.SeenAt.Equal(kept) {
		f.Errorf("a session that has ended was seen at %v: %v", got.SeenAt, err)
	}
}

func testUnreachableIsNotBilled(f fixture) {
	u := f.user()
	f.sample("starter", "one")
	f.credit(u.ID, assay.FromCents(100))
	s := f.priced(u.ID, kept)
	minute := func(n int) time.Time { return kept.Add(time.Duration(n) * time.Minute) }
	f.must(f.RegainSession(f.ctx, s.ID, minute(1))) // it was not lost
	f.must(f.LoseSession(f.ctx, s.ID, minute(2)))
	f.must(f.LoseSession(f.ctx, s.ID, minute(3)))
	got, err := f.Session(f.ctx, "", s.ID)
	f.must(err)
	if got.UnreachableAt == nil || !got.UnreachableAt.Equal(minute(2)) || got.Duration(minute(9)) != 2*time.Minute {
		f.Errorf("lost at %v, and %s of it are billed", got.UnreachableAt, got.Duration(minute(9)))
	}
	f.must(f.RegainSession(f.ctx, s.ID, minute(5)))
	f.must(f.RegainSession(f.ctx, s.ID, minute(7)))
	got, err = f.Session(f.ctx, "", s.ID)
	f.must(err)
	if got.UnreachableAt != nil || got.Unbilled != 3*time.Minute {
		f.Errorf("lost at %v, %s are not billed", got.UnreachableAt, got.Unbilled)
	}
	f.must(f.LoseSession(f.ctx, s.ID, minute(9)))
	f.end(s.ID, minute(20))
	if used := f.totals(u.ID).Usage.Amount; used != -assay.FromCents(6) {
		f.Errorf("of 20 minutes, 3 and 11 of them not reached, %s are billed", used)
	}
	f.must(f.LoseSession(f.ctx, s.ID, minute(1))) // it has ended
	f.must(f.RegainSession(f.ctx, s.ID, minute(30)))
	if again, err := f.Session(f.ctx, "", s.ID); err != nil || !again.UnreachableAt.Equal(minute(9)) {
		f.Errorf("a session that has ended was lost at %v: %v", again.UnreachableAt, err)
	}
}

func testWallet(f fixture) {
	u := f.user()
	f.sample("starter", "one")
	w, err := f.Wallet(f.ctx, u.ID)
	f.must(err)
	if w.UserID != u.ID || w.Totals != (assay.Totals{}) || !w.UpdatedAt.IsZero() || len(w.Live) != 0 || w.CustomerID != "" {
		f.Errorf("of somebody new: %+v", w)
	}
	x := f.credit(u.ID, assay.FromCents(100))
	s := f.priced(u.ID, kept)
	f.end(f.priced(u.ID, kept).ID, kept)
	if _, err := f.SetCustomer(f.ctx, u.ID, "cus_1"); err != nil {
		f.Fatal(err)
	}
	if id, err := f.SetCustomer(f.ctx, u.ID, "cus_2"); err != nil || id != "cus_1" {
		f.Errorf("a customer became another: %q, %v", id, err)
	}
	w, err = f.Wallet(f.ctx, u.ID)
	f.must(err)
	if w.Totals.Deposits != x.After.Deposits || len(w.Live) != 1 || w.Live[0].ID != s.ID || w.CustomerID != "cus_1" {
		f.Errorf("%+v", w)
	}
}
