package billing_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"assay"
	"assay/internal/billing"
)

func TestMoneyComesWithTheEventAlone(t *testing.T) {
	onEach(t, func(f *fixture) {
		ada := f.user()
		d := f.opened(ada)
		if d.CheckoutURL == "" || d.CheckoutID == "" {
			f.t.Fatalf("there is nothing to pay at: %+v", d)
		}
		payment, err := f.stripe.Pay(d.CheckoutID)
		f.must(err)
		f.wantBalance(ada, 0) // whatever page the browser is led back to
		f.deliver(f.stripe.Events()...)
		f.wantBalance(ada, 1000)

		f.must(f.stripe.Refund(payment, 250))
		f.must(f.stripe.Refund(payment, 50))
		f.deliver(f.stripe.Events()...)
		f.wantBalance(ada, 700)
	})
}

func TestAPaymentUnderWayIsNoMoney(t *testing.T) {
	onEach(t, func(f *fixture) {
		ada, bob := f.user(), f.user()
		good, bad := f.opened(ada), f.opened(bob)
		for _, d := range []*billing.Deposit{good, bad} {
			_, err := f.stripe.PayLater(d.CheckoutID)
			f.must(err)
		}
		f.deliver(f.stripe.Events()...)
		f.wantBalance(ada, 0)
		f.must(f.stripe.Succeed(good.CheckoutID))
		f.must(f.stripe.Fail(bad.CheckoutID))
		f.deliver(f.stripe.Events()...)
		f.wantBalance(ada, 1000)
		f.wantBalance(bob, 0)
	})
}

func TestDisputes(t *testing.T) {
	onEach(t, func(f *fixture) {
		ada := f.user()
		d := f.opened(ada)
		payment, err := f.stripe.Pay(d.CheckoutID)
		f.must(err)
		_, err = f.stripe.Dispute(payment)
		f.must(err)
		f.deliver(f.stripe.Events()...)
		f.wantBalance(ada, 0)
		f.must(f.stripe.WinDispute(payment))
		f.deliver(f.stripe.Events()...)
		f.wantBalance(ada, 1000)
	})
}

// TestEventsComeInAnyOrder plays payments, refunds and disputes, and delivers their
// events shuffled, by many at once.
func TestEventsComeInAnyOrder(t *testing.T) {
	onEach(t, func(f *fixture) {
		for round := range 5 {
			r := rand.New(rand.NewPCG(uint64(round), 5))
			users := map[string]string{} // by payment
			for range 4 {
				user := f.user()
				d := f.opened(user)
				payment, err := f.stripe.Pay(d.CheckoutID)
				f.must(err)
				users[payment] = user
				switch r.IntN(4) {
				case 0:
					f.must(f.stripe.Refund(payment, 1+r.Int64N(500)))
					f.must(f.stripe.Refund(payment, 1+r.Int64N(500)))
				case 1:
					_, err := f.stripe.Dispute(payment)
					f.must(err)
				case 2:
					_, err := f.stripe.Dispute(payment)
					f.must(err)
					f.must(f.stripe.WinDispute(payment))
				}
			}
			events := f.stripe.Events()
			events = append(events, events...)
			r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			var wg sync.WaitGroup
			for part := range 4 {
				wg.Go(func() {
					for i := part; i < len(events); i += 4 {
						if err := f.Notify(f.t.Context(), events[i].Body, f.stripe.Sign(events[i].Body, time.Now())); err != nil {
							f.t.Errorf("%s: %v", events[i].Type, err)
						}
					}
				})
			}
			wg.Wait()
			for _, p := range f.stripe.Payments() {
				if user, ours := users[p.ID]; ours {
					f.wantBalance(user, p.AmountCents-p.RefundedCents-p.DisputedCents)
				}
			}
		}
	})
}

func TestForgedNotificationsChangeNothing(t *testing.T) {
	onEach(t, func(f *fixture) {
		ada := f.user()
		d := f.opened(ada)
		_, err := f.stripe.Pay(d.CheckoutID)
		f.must(err)
		for _, e := range f.stripe.Events() {
			good := f.stripe.Sign(e.Body, time.Now())
			for name, c := range map[string]struct{ body, signature string }{
				"unsigned":       {string(e.Body), ""},
				"of another":     {string(e.Body), f.stripe.Sign([]byte("{}"), time.Now())},
				"old":            {string(e.Body), f.stripe.Sign(e.Body, time.Now().Add(-6*time.Minute))},
				"truncated":      {string(e.Body[:len(e.Body)-2]), good},
				"longer":         {string(e.Body) + " ", good},
				"another amount": {strings.Replace(string(e.Body), "1000", "9000", 1), good},
			} {
				if c.body == string(e.Body) && c.signature == good {
					continue // it names no amount
				}
				err := f.Notify(f.t.Context(), []byte(c.body), c.signature)
				if name == "another amount" && !strings.Contains(string(e.Body), "1000") {
					continue
				}
				if assay.CodeOf(err) != assay.CodeInvalid {
					f.t.Errorf("%s %s: %v", e.Type, name, err)
				}
			}
		}
		f.wantBalance(ada, 0)
	})
}

func TestLostAnswersOfTheProviderLeadToOneCheckout(t *testing.T) {
	onEach(t, func(f *fixture) {
		ada := f.user()
		f.stripe.Down(true)
		if _, err := f.deposit(ada, "k"); assay.CodeOf(err) != assay.CodeUnavailable {
			f.t.Errorf("with the provider down: %v", err)
		}
		f.stripe.Down(false)
		f.stripe.LoseAnswers(1)
		first, err := f.deposit(ada, "k")
		for try := 0; err != nil && try < 5; try++ {
			first, err = f.deposit(ada, "k")
		}
		f.must(err)
		again, err := f.deposit(ada, "k")
		f.must(err)
		if again.ID != first.ID || again.CheckoutID != first.CheckoutID || again.CheckoutURL != first.CheckoutURL {
			f.t.Errorf("one key led to %+v and %+v", first, again)
		}
		other := f.opened(ada)
		if other.ID == first.ID {
			f.t.Error("another request led to the same deposit")
		}
		if customers := f.stripe.Customers(ada); len(customers) != 1 {
			f.t.Errorf("one user is %d customers", len(customers))
		}
	})
}

func TestCustomersAreMadeOnceUnderConcurrency(t *testing.T) {
	onEach(t, func(f *fixture) {
		ada := f.user()
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if _, err := f.deposit(ada, fmt.Sprint(i)); err != nil {
					f.t.Error(err)
				}
			})
		}
		wg.Wait()
		b, err := f.Balance(f.t.Context(), ada)
		f.must(err)
		if customers := f.stripe.Customers(ada); len(customers) != 1 || b.CustomerID != customers[0] {
			f.t.Errorf("a user is the customers %q, and is told %q", customers, b.CustomerID)
		}
	})
}

func TestReconciliationFindsWhatEventsDidNotTell(t *testing.T) {
	onEach(t, func(f *fixture) {
		ada := f.user()
		paid, later, expired, open := f.opened(ada), f.opened(ada), f.opened(ada), f.opened(ada)
		_, err := f.stripe.Pay(paid.CheckoutID)
		f.must(err)
		_, err = f.stripe.PayLater(later.CheckoutID)
		f.must(err)
		f.must(f.stripe.Expire(expired.CheckoutID))
		f.stripe.Events() // are lost

		f.must(f.Reconcile(f.t.Context()))
		f.wantBalance(ada, 0) // they may only be late
		f.advance(6 * time.Minute)
		f.stripe.Down(true)
		if err := f.Reconcile(f.t.Context()); err == nil {
			f.t.Error("nothing is said of a provider that is down")
		}
		f.stripe.Down(false)
		f.advance(6 * time.Minute)
		f.must(f.Reconcile(f.t.Context()))
		f.wantBalance(ada, 1000)
		f.must(f.stripe.Succeed(later.CheckoutID))
		f.must(f.Reconcile(f.t.Context()))
		f.wantBalance(ada, 1000) // it was asked about just now
		f.advance(6 * time.Minute)
		f.must(f.Reconcile(f.t.Context()))
		f.wantBalance(ada, 2000)

		left, err := f.store.OpenDeposits(f.t.Context(), f.now().Add(time.Hour), 10)
		f.must(err)
		if len(left) != 1 || left[0].ID != open.ID {
			f.t.Errorf("%d deposits are open, want the one that nobody paid", len(left))
		}
		f.deliver(f.stripe.Events()...) // the event comes after all
		f.wantBalance(ada, 2000)
	})
}

func TestADepositThatNoPageWasMadeForIsGivenUp(t *testing.T) {
	onEach(t, func(f *fixture) {
		ada := f.user()
		f.stripe.Down(true)
		if _, err := f.deposit(ada, ""); err == nil {
			f.t.Fatal("a page was made by a provider that is down")
		}
		f.stripe.Down(false)
		for _, c := range []struct {
			after time.Duration
			open  int
		}{{time.Hour, 1}, {48 * time.Hour, 0}} {
			f.advance(c.after)
			f.must(f.Reconcile(f.t.Context()))
			left, err := f.store.OpenDeposits(f.t.Context(), f.now().Add(time.Hour), 10)
			f.must(err)
			if len(left) != c.open {
				f.t.Errorf("%d deposits are open after %s, want %d", len(left), c.after, c.open)
			}
		}
	})
}

func TestWhatIsNoDeposit(t *testing.T) {
	onEach(t, func(f *fixture) {
		for _, req := range []billing.DepositRequest{
			{AmountCents: 99, Currency: "usd"}, {AmountCents: 1_000_001, Currency: "usd"}, {AmountCents: -100, Currency: "usd"},
			{AmountCents: 100, Currency: "eur"}, {AmountCents: 100},
		} {
			if _, err := f.Deposit(f.t.Context(), f.user(), req); assay.CodeOf(err) != assay.CodeInvalid {
				f.t.Errorf("%+v: %v", req, err)
			}
		}
		if n := f.stripe.Requests(); n != 0 {
			f.t.Errorf("the provider was asked %d times", n)
		}
	})
}

func TestAServerWithoutAProviderTakesNoPayments(t *testing.T) {
	onEach(t, func(f *fixture) {
		if _, err := f.deposit(f.user(), ""); assay.CodeOf(err) != assay.CodePaymentsNotConfig {
			f.t.Errorf("deposit: %v", err)
		}
		if err := f.Notify(f.t.Context(), []byte("{}"), ""); assay.CodeOf(err) != assay.CodePaymentsNotConfig {
			f.t.Errorf("notification: %v", err)
		}
	}, func(c *billing.Config) { c.Payments = nil })
}
