package e2e_test

import (
	"context"
	"fmt"
	"path"
	"slices"
	"testing"
	"time"

	"assay"
	"assay/client/wire"
	"assay/e2e/harness"
	"assay/internal/stripe/stripetest"
)

// cent is a cent in the exact amounts of the wire. Sessions of a shop cost one a second.
const cent = int64(assay.MicrosPerCent)

// shop is a program whose sessions cost something, and its Stripe account.
type shop struct {
	harness.Program
	stripe *stripetest.Server
	srv    *harness.Server
}

// newShop starts a server that takes money. When the test is over, the books prove.
func newShop(t *testing.T, database string, args ...string) *shop {
	t.Helper()
	return newShopWith(t, database, nil, args...)
}

// newShopWith is newShop with settings in the environment, too.
func newShopWith(t *testing.T, database string, env []string, args ...string) *shop {
	t.Helper()
	s := &shop{Program: programOn(t, database), stripe: stripetest.New(stripetest.Config{})}
	t.Cleanup(s.stripe.Close)
	s.Env = slices.Concat(s.Env, env, []string{
		"ASSAY_STRIPE_SECRET_KEY=" + s.stripe.SecretKey, "ASSAY_STRIPE_WEBHOOK_SECRET=" + s.stripe.WebhookSecret,
	})
	t.Cleanup(func() { s.proven(t) })
	clean(t, s.Program)
	s.open(t, args...)
	return s
}

// open starts the server of a shop.
func (s *shop) open(t *testing.T, args ...string) {
	t.Helper()
	s.srv = start(t, s.Program, s.settings(args...)...)
}

// settings are those of the server of a shop, which others may follow.
func (s *shop) settings(others ...string) []string {
	return append([]string{"--billing", "on", "--cost-per-minute-cents", "60", "--stripe-api-base", s.stripe.URL}, others...)
}

// proven fails the test unless the books are in order, and returns what they count.
func (s *shop) proven(t *testing.T) harness.Books {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	books, err := s.CheckBooks(ctx)
	if err != nil {
		t.Error(err)
	}
	return books
}

// customer makes a user who was given cents by the operator.
func (s *shop) customer(t *testing.T, cents int) caller {
	t.Helper()
	c := newCaller(t, s.Program, s.srv)
	if cents > 0 {
		s.credit(t, c, cents)
	}
	return c
}

// credit gives a user cents, or takes them.
func (s *shop) credit(t *testing.T, c caller, cents int) {
	t.Helper()
	args := []string{"user", "credit", c.user, fmt.Sprint(max(cents, -cents)), "--reason", "of a test"}
	if cents < 0 {
		args = append(args, "--take")
	}
	if _, err := s.Run(t.Context(), args...); err != nil {
		t.Fatal(err)
	}
}

// webhook is where Stripe sends events to.
func (s *shop) webhook() string { return s.srv.APIBase() + "/billing/webhook" }

// deliver delivers all events of late, which must be taken, and returns them.
func (s *shop) deliver(t *testing.T) []stripetest.Event {
	t.Helper()
	events := s.stripe.Events()
	for _, event := range events {
		s.redeliver(t, event)
	}
	return events
}

func (s *shop) redeliver(t *testing.T, event stripetest.Event) {
	t.Helper()
	status, err := s.stripe.Deliver(t.Context(), s.webhook(), event)
	if err != nil || status != 200 {
		t.Errorf("%s is answered by %d, %v", event.Type, status, err)
	}
}

// deposit asks for a page on which cents are paid in, and returns its id.
func (c caller) deposit(t *testing.T, cents int64) (checkoutID string) {
	t.Helper()
	r := c.call(t, "POST", "/billing/deposit", wire.DepositCreate{AmountCents: wire.Integer(cents)})
	return checkoutOf(must[wire.DepositCreated](t, r, 200))
}

// checkoutOf is the id of a page: the end of its URL.
func checkoutOf(d wire.DepositCreated) string { return path.Base(d.CheckoutURL) }

// paid is a deposit that was paid and credited. It returns the id of the payment.
func (s *shop) paid(t *testing.T, c caller, cents int64) string {
	t.Helper()
	payment, err := s.stripe.Pay(c.deposit(t, cents))
	if err != nil {
		t.Fatal(err)
	}
	s.deliver(t)
	return payment
}

func (c caller) balance(t *testing.T) wire.Balance {
	t.Helper()
	return must[wire.Balance](t, c.call(t, "GET", "/billing/balance", nil), 200)
}

// has fails the test unless the user has cents.
func (c caller) has(t *testing.T, cents int64, when string) {
	t.Helper()
	b := c.balance(t)
	if b.BalanceMicroUSD != cents*cent || b.Balance != cents {
		t.Errorf("%s the balance is %d cents (exactly %d millionths), not %d", when, b.Balance, b.BalanceMicroUSD, cents)
	}
}

// statement is the first hundred lines of a user's statement.
func (c caller) statement(t *testing.T) wire.UsageHistory {
	t.Helper()
	return must[wire.UsageHistory](t, c.call(t, "GET", "/billing/usage?limit=100", nil), 200)
}
