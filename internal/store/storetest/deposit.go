package storetest

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/billing"
)

var depositTests = []test{
	{"a deposit is read as it was stored", testDeposit},
	{"an idempotency key stores one deposit", testDepositIdempotency},
	{"a payment is credited once", testSettleOnce},
	{"events lead to the same ledger in any order, however often", testSettleOrders},
	{"a payment that is not as agreed is not credited", testSettleMismatch},
	{"events of other payments change nothing", testSettleForeign},
	{"what was paid stays paid", testSettlePaidStays},
	{"open deposits are found, longest unasked first", testOpenDeposits},
}

func (f fixture) deposit(userID string, cents int64) *billing.Deposit {
	f.Helper()
	d, created, err := f.InsertDeposit(f.ctx, newDeposit(userID, cents), assay.Idempotency{}, assay.AuditEvent{})
	f.must(err)
	if !created {
		f.Fatal("the deposit was there before")
	}
	return d
}

func newDeposit(userID string, cents int64) *billing.Deposit {
	return &billing.Deposit{
		ID: assay.NewID(assay.PrefixDeposit), UserID: userID, AmountCents: cents, Status: billing.CheckoutOpen,
		CreatedAt: kept, ExpiresAt: *later(kept), SuccessURL: "https://example.org/yes", CancelURL: "https://example.org/no",
	}
}

// paid is what the provider says of a deposit that was paid.
func paid(d *billing.Deposit, event string) billing.Fact {
	return billing.Fact{
		EventID: event, EventType: "checkout.session.completed", At: kept, DepositID: d.ID, CheckoutID: "cs_" + d.ID, PaymentID: "pi_" + d.ID,
		Status: billing.CheckoutPaid, AmountCents: d.AmountCents, Currency: "usd",
	}
}

func testDeposit(f fixture) {
	u := f.user()
	want := newDeposit(u.ID, 1000)
	got, _, err := f.InsertDeposit(f.ctx, want, assay.Idempotency{}, assay.AuditEvent{})
	f.must(err)
	if diff := cmp.Diff(want, got); diff != "" {
		f.Error(diff)
	}
	want.CheckoutID, want.CheckoutURL = "cs_1", "https://pay.test/1"
	got, err = f.SetCheckout(f.ctx, want.ID, "cs_1", "https://pay.test/1")
	f.must(err)
	if diff := cmp.Diff(want, got); diff != "" {
		f.Error(diff)
	}
}

func testDepositIdempotency(f fixture) {
	u, other := f.user(), f.user()
	insert := func(userID, hash string) (*billing.Deposit, bool, error) {
		return f.InsertDeposit(f.ctx, newDeposit(userID, 1000), assay.Idempotency{Key: "k", RequestHash: hash}, assay.AuditEvent{})
	}
	first, _, err := insert(u.ID, "h")
	f.must(err)
	again, created, err := insert(u.ID, "h")
	f.must(err)
	if created || again.ID != first.ID {
		f.Errorf("the same request made %s and %s", first.ID, again.ID)
	}
	_, _, err = insert(u.ID, "other")
	f.code(err, assay.CodeConflict)
	_, created, err = insert(other.ID, "h")
	f.must(err)
	if !created {
		f.Error("another user's key was taken for this one's")
	}
}

func testSettleOnce(f fixture) {
	u := f.user()
	d := f.deposit(u.ID, 1000)
	race(12, func(i int) bool {
		event := numbered("evt", i%3)
		if i%4 == 0 {
			event = "" // the provider was asked
		}
		_, err := f.Settle(f.ctx, paid(d, event))
		f.code(err, "")
		return true
	})
	if got := f.totals(u.ID).Deposits; got != (assay.Tally{Count: 1, Amount: assay.FromCents(1000)}) {
		f.Errorf("credited %+v", got)
	}
	again, err := f.Settle(f.ctx, paid(d, "evt-000001"))
	f.must(err)
	if !again.Again {
		f.Error("an event that was dealt with is not known")
	}
}

// testSettleOrders plays what may happen to a payment in many orders, with
// repetitions.
func testSettleOrders(f fixture) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 30 {
		u := f.user()
		d := f.deposit(u.ID, 1000)
		payment := "pi_" + d.ID
		facts := []billing.Fact{
			paid(d, d.ID+"1"),
			{EventID: d.ID + "2", At: kept, DepositID: d.ID, PaymentID: payment, RefundedCents: 300},
			{EventID: d.ID + "3", At: kept, PaymentID: payment, RefundedCents: 450}, // in all
			{EventID: d.ID + "4", At: kept, PaymentID: payment, DisputeID: "dp_" + d.ID, DisputedCents: 200},
			{EventID: d.ID + "5", At: kept, PaymentID: payment, DisputeID: "dp_" + d.ID, DisputedCents: 200},
			{EventID: d.ID + "6", At: kept, PaymentID: payment, DisputeID: "dq_" + d.ID, DisputedCents: 50},
			{EventID: d.ID + "7", At: kept, PaymentID: payment, DisputeID: "dq_" + d.ID, DisputedCents: 50, DisputeWon: true},
			{At: kept, DepositID: d.ID, CheckoutID: "cs_" + d.ID, Status: billing.CheckoutOpen},
		}
		facts = append(facts, facts...)
		r.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
		for _, fact := range facts {
			if _, err := f.Settle(f.ctx, fact); err != nil {
				f.Fatal(err)
			}
		}
		got := f.totals(u.ID)
		if got.Deposits.Amount != assay.FromCents(1000) || got.Refunds.Amount != -assay.FromCents(450) || got.Charges.Amount != -assay.FromCents(200) {
			f.Errorf("%+v", got)
		}
	}
}

func testSettleMismatch(f fixture) {
	u := f.user()
	d := f.deposit(u.ID, 1000)
	for _, change := range []func(*billing.Fact){
		func(x *billing.Fact) { x.AmountCents = 999 },
		func(x *billing.Fact) { x.AmountCents = 100_000 },
		func(x *billing.Fact) { x.Currency = "jpy" },
	} {
		fact := paid(d, "evt")
		change(&fact)
		if _, err := f.Settle(f.ctx, fact); err == nil {
			f.Errorf("%d %s were taken for a deposit of 1000 usd", fact.AmountCents, fact.Currency)
		}
	}
	if got := f.totals(u.ID); got != (assay.Totals{}) {
		f.Errorf("credited %+v", got)
	}
	if out, err := f.Settle(f.ctx, paid(d, "evt")); err != nil || out.Again {
		f.Errorf("the event cannot come again: %+v, %v", out, err)
	}
}

func testSettleForeign(f fixture) {
	for _, fact := range []billing.Fact{
		{EventID: "1", At: kept, DepositID: "dep_none", PaymentID: "pi_1", Status: billing.CheckoutPaid, AmountCents: 100, Currency: "usd"},
		{EventID: "2", At: kept, PaymentID: "pi_1", RefundedCents: 100},
		{EventID: "3", At: kept, PaymentID: "pi_2", DisputeID: "dp_1", DisputedCents: 100},
	} {
		out, err := f.Settle(f.ctx, fact)
		f.must(err)
		if !out.Foreign || len(out.Transactions) != 0 {
			f.Errorf("%+v led to %+v", fact, out)
		}
	}
}

func testSettlePaidStays(f fixture) {
	u := f.user()
	d := f.deposit(u.ID, 1000)
	expired := billing.Fact{EventID: "1", At: kept, DepositID: d.ID, Status: billing.CheckoutExpired}
	f.must(one(f.Settle(f.ctx, expired)))
	if out, err := f.Settle(f.ctx, paid(d, "2")); err != nil || len(out.Transactions) != 1 {
		f.Errorf("money that came after all: %+v, %v", out, err)
	}
	expired.EventID = "3"
	f.must(one(f.Settle(f.ctx, expired)))
	if got := f.totals(u.ID).Balance(); got != assay.FromCents(1000) {
		f.Errorf("balance %s", got)
	}
}

func one[A any](_ A, err error) error { return err }

func testOpenDeposits(f fixture) {
	u := f.user()
	var ids []string
	for range 4 {
		ids = append(ids, f.deposit(u.ID, 1000).ID)
	}
	f.must(one(f.Settle(f.ctx, billing.Fact{At: kept, DepositID: ids[3], Status: billing.CheckoutFailed})))
	f.must(f.Asked(f.ctx, ids[0], kept.Add(time.Minute)))
	open := func(since time.Time, limit int) (got []string) {
		deposits, err := f.OpenDeposits(f.ctx, since, limit)
		f.must(err)
		for _, d := range deposits {
			got = append(got, d.ID)
		}
		return got
	}
	if got := open(kept, 9); len(got) != 0 {
		f.Errorf("none was asked about before, and %q are found", got)
	}
	if got := open(kept.Add(time.Second), 9); !slices.Equal(got, ids[1:3]) {
		f.Errorf("found %q, want %q", got, ids[1:3])
	}
	if got := open(kept.Add(time.Hour), 9); !slices.Equal(got, []string{ids[1], ids[2], ids[0]}) {
		f.Errorf("found %q", got)
	}
	if got := open(kept.Add(time.Hour), 1); len(got) != 1 {
		f.Errorf("found %q", got)
	}
}
