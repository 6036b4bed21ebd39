package e2e_test

import (
	"strings"
	"testing"
	"time"

	"assay"
)

// watchEnd starts a command that would outlive its session, and returns what waits for
// its end.
func watchEnd(t *testing.T, c caller, session string) func() {
	t.Helper()
	command := c.exec(t, session, "sleep 1000")
	return func() {
		t.Helper()
		if in := c.end(t, session, command); *in.ExitCode != assay.ExitUnknown || *in.Success || !strings.Contains(*in.Message, "balance") {
			t.Errorf("the command of a session without money: %s", show(in))
		}
	}
}

// withoutMoney checks that sessions ended because there was no money left, and returns
// what they cost.
func withoutMoney(t *testing.T, c caller, sessions []string) (bill int64) {
	t.Helper()
	for _, id := range sessions {
		got := c.session(t, id)
		if got.Status != assay.SessionTerminated || got.Error == nil || got.Error.Code != string(assay.CodeBalanceExhausted) {
			t.Errorf("session %s is %s: %+v", id, got.Status, got.Error)
		}
		bill += billOf(got)
	}
	return bill
}

// TestBalancesAreUsedUpInTime: three sessions of one user live for as long as there is
// money, and end together.
func TestBalancesAreUsedUpInTime(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	c := s.customer(t, 185)
	var sessions []string
	for range 3 {
		sessions = append(sessions, c.ready(t, c.create(t, "quick")))
	}
	began := time.Now()
	var waits []func()
	for _, id := range sessions {
		waits = append(waits, watchEnd(t, c, id))
	}
	for range 12 { // most of a minute, watched
		c.output(t, sessions[0], "sleep 4.5")
	}
	for _, wait := range waits {
		wait()
	}
	if took := time.Since(began); took < 55*time.Second || took > 66*time.Second {
		t.Errorf("185 cents lasted for %s at three cents a second", took)
	}
	bill, b := withoutMoney(t, c, sessions), c.balance(t)
	if b.BalanceMicroUSD != 185*cent-bill || b.BalanceMicroUSD < -cent || b.BalanceMicroUSD > 3*cent {
		t.Errorf("of 185 cents, sessions took %d millionths, and %d are left", bill, b.BalanceMicroUSD)
	}
	refused(t, c.call(t, "POST", "/sessions", createOf("quick")), 402, assay.CodeInsufficientBalance)
}

// TestMoneyThatIsTakenEndsSessions within about a second, of one user alone.
func TestMoneyThatIsTakenEndsSessions(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	poor, rich := s.customer(t, 0), s.customer(t, 500)
	payment := s.paid(t, poor, 400)
	stays := rich.ready(t, rich.create(t, "quick"))
	var sessions []string
	var waits []func()
	for range 4 {
		sessions = append(sessions, poor.ready(t, poor.create(t, "quick")))
	}
	for _, id := range sessions {
		waits = append(waits, watchEnd(t, poor, id))
	}
	check(s.stripe.Dispute(payment))(t)
	began := time.Now()
	s.deliver(t)
	for _, wait := range waits {
		wait()
	}
	if took := time.Since(began); took > 5*time.Second { // a second, and what the machine takes
		t.Errorf("the sessions ended %s after their money was gone", took)
	}
	bill := withoutMoney(t, poor, sessions)
	if b := poor.balance(t); b.BalanceMicroUSD != -bill { // what was used before it was taken is owed
		t.Errorf("sessions of %d millionths left a balance of %d", bill, b.BalanceMicroUSD)
	}
	if got := rich.session(t, stays); got.Status != assay.SessionReady {
		t.Errorf("the session of another user is %s: %+v", got.Status, got.Error)
	}
}
