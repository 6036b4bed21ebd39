package billing_test

import (
	"context"
	"testing"
	"time"

	"assay"
	"assay/internal/billing"
	"assay/internal/store/storetest"
)

// Whatever write of money loses its answer: what is asked for again is booked once, and the
// books are in order.
func TestAWriteWhoseAnswerIsLostIsBookedOnce(t *testing.T) {
	for name, lost := range map[string]error{
		"out of time": context.DeadlineExceeded,
		"unknown":     assay.Wrap(storetest.Lost{}, assay.CodeUnavailable, "it is not known whether this was done"),
	} {
		for _, method := range storetest.BillingWrites {
			t.Run(name+"/"+method, func(t *testing.T) { bookedOnce(t, method, lost) })
		}
	}
}

func bookedOnce(t *testing.T, method string, lost error) {
	var l *storetest.Late
	wrap := func(c *billing.Config) {
		l = storetest.NewLate(c.Store.(storetest.Stores))
		c.Store = l
	}
	onEach(t, func(f *fixture) {
		l.After(method, lost)
		ada := f.user()
		again := func(do func() error) { // as a client, a provider or an operator does
			f.t.Helper()
			for range 3 {
				if do() == nil {
					return
				}
			}
			f.must(do())
		}
		again(func() error {
			_, err := f.Credit(t.Context(), ada, assay.FromCents(500), "for the test", "k")
			return err
		})
		var d *billing.Deposit
		again(func() (err error) {
			d, err = f.deposit(ada, "key")
			return err
		})
		_, err := f.stripe.Pay(d.CheckoutID)
		f.must(err)
		f.advance(time.Hour)
		again(func() error { return f.Reconcile(t.Context()) })
		for _, e := range f.stripe.Events() {
			again(func() error { return f.Notify(t.Context(), e.Body, f.stripe.Sign(e.Body, time.Now())) })
		}
		f.wantBalance(ada, 1500)
		if l.Fired(method) != 1 {
			f.t.Errorf("%s lost %d answers", method, l.Fired(method))
		}
	}, wrap)
}
