package e2e_test

import (
	"fmt"
	"testing"

	"assay"
	"assay/client/wire"
)

// auditUser compares a user's balance and statement with what its people know: what
// the operator gave, what Stripe's books say, and how long each session was ready.
func (c *chaos) auditUser(u *spender, sessions []wire.Session) {
	t, user := c.t, u.at(c.srv)
	want := assay.FromCents(u.given)
	for _, p := range c.stripe.Payments() {
		if p.Metadata["user_id"] == u.user {
			want += assay.FromCents(p.AmountCents - p.RefundedCents - p.DisputedCents)
		}
	}
	lines := user.lines(t)
	billed, sum := map[string]assay.MicroUSD{}, assay.MicroUSD(0)
	for _, line := range lines {
		sum += assay.MicroUSD(line.AmountMicroUSD)
		if line.Status != "posted" {
			t.Errorf("a line of %s is %s at the end", u.user, line.Status)
		}
		if line.SessionID == nil {
			continue
		}
		if _, again := billed[*line.SessionID]; again {
			t.Errorf("session %s is billed twice", *line.SessionID)
		}
		billed[*line.SessionID] = -assay.MicroUSD(line.AmountMicroUSD)
		want += assay.MicroUSD(line.AmountMicroUSD)
	}
	ofUser := map[string]bool{}
	for _, s := range sessions {
		ofUser[s.SessionID] = true
		cost, found := billed[s.SessionID]
		delete(billed, s.SessionID)
		if wrong := wrongBill(s, cost, found); wrong != "" {
			t.Errorf("session %s, %s, error %+v, was ready for %v s: %s", s.SessionID, s.Status, s.Error, s.DurationSeconds, wrong)
		}
	}
	for id := range billed {
		t.Errorf("%s was billed for session %s, which it does not have", u.user, id)
	}
	for _, id := range u.sessions {
		if !ofUser[id] {
			t.Errorf("session %s, which was made, is not there", id)
		}
	}
	if len(ofUser) != len(u.sessions) {
		t.Errorf("%s has %d sessions and made %d", u.user, len(ofUser), len(u.sessions))
	}
	if b := assay.MicroUSD(user.balance(t).BalanceMicroUSD); b != want || sum != want {
		t.Errorf("%s has %s and a statement of %s, and should have %s", u.user, b, sum, want)
	}
}

// wrongBill says what is wrong with the bill of a session that has ended.
func wrongBill(s wire.Session, cost assay.MicroUSD, found bool) string {
	switch {
	case s.Status.Live():
		return "it has not ended"
	case found != (s.CreatedAt != nil && s.Status != assay.SessionError):
		return fmt.Sprintf("billed: %t", found)
	case !found:
		return ""
	case s.DurationSeconds == nil || assay.FromCents(int64(*s.DurationSeconds)*chaosPrice) != cost:
		return "it was billed " + cost.String()
	}
	return ""
}

// lines is a user's whole statement.
func (c caller) lines(t *testing.T) (all []wire.Transaction) {
	t.Helper()
	for page := 1; ; page++ {
		h := must[wire.UsageHistory](t, c.call(t, "GET", fmt.Sprintf("/billing/usage?limit=100&page=%d", page), nil), 200)
		all = append(all, h.Transactions...)
		if !h.Pagination.HasNext {
			return all
		}
	}
}
