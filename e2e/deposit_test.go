package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/client/wire"
	"assay/internal/stripe/stripetest"
)

// TestMoneyComesWithTheWebhookAlone follows deposits to their end, whichever that is.
func TestMoneyComesWithTheWebhookAlone(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	c := s.customer(t, 0)

	back := s.srv.URL + "/docs?paid=1"
	ask := wire.DepositCreate{AmountCents: 1000, SuccessURL: back, CancelURL: s.srv.URL + "/docs"}
	page := checkoutOf(must[wire.DepositCreated](t, c.call(t, "POST", "/billing/deposit", ask), 200))
	payment := check(s.stripe.Pay(page))(t)
	if r := (caller{base: back}).call(t, "GET", "", nil); r.status != 200 {
		t.Errorf("the page that the payment leads back to: %d", r.status)
	}
	c.has(t, 0, "before the webhook")
	events := s.deliver(t)
	c.has(t, 1000, "after the webhook")
	for range 2 {
		for _, event := range events {
			s.redeliver(t, event)
		}
	}
	c.has(t, 1000, "after the same events again")

	ok(t, s.stripe.Refund(payment, 300))
	early := s.deliver(t)
	c.has(t, 700, "after a refund of a part")
	ok(t, s.stripe.Refund(payment, 100))
	s.deliver(t)
	for _, event := range early {
		s.redeliver(t, event)
	}
	c.has(t, 600, "after another, and the news of the first again")

	slow := c.deposit(t, 500)
	check(s.stripe.PayLater(slow))(t)
	s.deliver(t)
	c.has(t, 600, "while a slow payment is under way")
	ok(t, s.stripe.Succeed(slow))
	s.deliver(t)
	c.has(t, 1100, "once it has come")
	failed, left := c.deposit(t, 700), c.deposit(t, 800)
	check(s.stripe.PayLater(failed))(t)
	ok(t, s.stripe.Fail(failed))
	ok(t, s.stripe.Expire(left))
	s.deliver(t)
	c.has(t, 1100, "after a payment that failed and a page that nobody used")

	check(s.stripe.Inquire(payment))(t)
	s.deliver(t)
	c.has(t, 1100, "while the bank only asks")
	check(s.stripe.Dispute(payment))(t)
	s.deliver(t)
	c.has(t, 500, "once the bank took what was left of the payment")
	ok(t, s.stripe.WinDispute(payment))
	s.deliver(t)
	c.has(t, 1100, "once it gave it back")

	var kinds []string
	for _, line := range c.statement(t).Transactions {
		kinds = append(kinds, string(line.Type))
	}
	want := []string{"charge", "charge", "deposit", "refund", "refund", "deposit"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("the statement (-want +got):\n%s", diff)
	}
	if b := c.balance(t); b.TotalDeposited != 1500 || b.TotalSpent != 0 || b.StripeCustomerID == nil ||
		cmp.Diff(s.stripe.Customers(c.user), []string{*b.StripeCustomerID}) != "" {
		t.Errorf("the account is %+v, of the customers %v", b, s.stripe.Customers(c.user))
	}
}

// TestEventsComeInAnyOrder has Stripe tell the end of a story before its beginning.
func TestEventsComeInAnyOrder(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	c := s.customer(t, 0)
	payment := check(s.stripe.Pay(c.deposit(t, 1000)))(t)
	ok(t, s.stripe.Refund(payment, 250))
	check(s.stripe.Dispute(payment))(t)
	ok(t, s.stripe.WinDispute(payment))
	ok(t, s.stripe.Refund(payment, 50))
	events := s.stripe.Events()
	for i := range events {
		s.redeliver(t, events[len(events)-1-i])
	}
	c.has(t, 700, "after everything")
	if b := c.balance(t); b.TotalDeposited != 1000 {
		t.Errorf("%d cents were deposited", b.TotalDeposited)
	}
}

// TestForgedEventsAreRefused: what Stripe did not sign, and of late, changes nothing.
func TestForgedEventsAreRefused(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	c := s.customer(t, 0)
	check(s.stripe.Pay(c.deposit(t, 1000)))(t)
	var event stripetest.Event
	for _, e := range s.stripe.Events() {
		if e.Type == "checkout.session.completed" {
			event = e
		}
	}
	other := stripetest.New(stripetest.Config{})
	defer other.Close()
	now, body := time.Now(), event.Body
	more := []byte(strings.ReplaceAll(string(body), "1000", "9000"))
	stripe := caller{base: s.webhook()}
	for name, forged := range map[string]struct{ body, signature string }{
		"without a signature":             {string(body), ""},
		"with another secret":             {string(body), other.Sign(body, now)},
		"six minutes old":                 {string(body), s.stripe.Sign(body, now.Add(-6*time.Minute))},
		"with another amount":             {string(more), s.stripe.Sign(body, now)},
		"cut short":                       {string(body[:len(body)/2]), s.stripe.Sign(body, now)},
		"with a space more":               {string(body) + " ", s.stripe.Sign(body, now)},
		"with the time of another":        {string(body), "t=1," + strings.Split(s.stripe.Sign(body, now), ",")[1]},
		"signed with a scheme that is no": {string(body), strings.Replace(s.stripe.Sign(body, now), "v1=", "v0=", 1)},
		"empty":                           {"", s.stripe.Sign(nil, now)},
	} {
		r := stripe.call(t, "POST", "", forged.body, "Stripe-Signature", forged.signature, "Content-Type", "application/json")
		if r.status != 400 && (name != "empty" || r.status/100 != 4) {
			t.Errorf("an event %s: %d %s", name, r.status, r.body)
		}
	}
	c.has(t, 0, "after forged events")
	s.redeliver(t, event)
	c.has(t, 1000, "after the true one")
}

// TestLostAnswersOfStripe: a deposit that was asked for again is one deposit.
func TestLostAnswersOfStripe(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	c := s.customer(t, 0)
	deposit := func(key string, cents wire.Integer) reply {
		return c.call(t, "POST", "/billing/deposit", wire.DepositCreate{AmountCents: cents}, wire.HeaderIdempotencyKey, key)
	}
	s.stripe.LoseAnswers(1) // the server asks again by itself
	first := must[wire.DepositCreated](t, deposit("first", 500), 200)
	if again := must[wire.DepositCreated](t, deposit("first", 500), 200); again != first {
		t.Errorf("the same request made %+v and %+v", first, again)
	}
	refused(t, deposit("first", 600), 409, assay.CodeConflict)

	s.stripe.LoseAnswers(100) // more often than the server asks
	refused(t, deposit("second", 700), 503, assay.CodeUnavailable)
	s.stripe.LoseAnswers(0)
	second := must[wire.DepositCreated](t, deposit("second", 700), 200)

	s.stripe.Down(true)
	r := deposit("third", 800)
	refused(t, r, 503, assay.CodeUnavailable)
	if r.header.Get("Retry-After") == "" {
		t.Error("nothing says when to come back")
	}
	refused(t, deposit("third", 800), 503, assay.CodeUnavailable)
	s.stripe.Down(false)
	third := must[wire.DepositCreated](t, deposit("third", 800), 200)

	if pages := s.stripe.Pages(c.user); len(pages) != 3 || len(s.stripe.Customers(c.user)) != 1 {
		t.Errorf("three deposits made the pages %v and the customers %v", pages, s.stripe.Customers(c.user))
	}
	for _, d := range []wire.DepositCreated{first, second, third} {
		check(s.stripe.Pay(checkoutOf(d)))(t)
	}
	s.deliver(t)
	c.has(t, 2000, "after all")
}

// ok fails the test on an error.
func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// check returns the value of a call that must succeed.
func check[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		ok(t, err)
		return v
	}
}
