package e2e_test

import (
	"encoding/csv"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/client/wire"
)

// billOf is what a session of a shop costs by its own account: a cent a full second.
func billOf(s wire.Session) int64 { return int64(*s.DurationSeconds) * cent }

// linesOf are those of a statement that are of one session.
func linesOf(h wire.UsageHistory, session string) (found []wire.Transaction) {
	for _, line := range h.Transactions {
		if line.SessionID != nil && *line.SessionID == session {
			found = append(found, line)
		}
	}
	return found
}

// TestSessionsAreBilledByTheSecond from being ready to the end, pending until then.
func TestSessionsAreBilledByTheSecond(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	c := s.customer(t, 200)
	if p := must[wire.Pricing](t, c.call(t, "GET", "/billing/pricing", nil), 200); p.CostPerMinuteCents != 60 || p.CostPerMinuteDollars != 0.6 {
		t.Errorf("the price is %+v", p)
	}
	id := c.ready(t, c.create(t, "quick"))
	c.output(t, id, "sleep 2.1")

	h := c.statement(t)
	lines := linesOf(h, id)
	if len(lines) != 1 || lines[0].Status != "pending" || lines[0].Type != assay.TransactionUsage || lines[0].AmountMicroUSD > -2*cent {
		t.Fatalf("the lines of a session that has run for two seconds: %+v", lines)
	}
	if h.Summary.TotalSessions != 1 || h.Pagination.TotalItems != 2 || h.CurrentBalanceCents != 200+lines[0].AmountCents || h.TotalUsageCents != -lines[0].AmountCents {
		t.Errorf("the statement: %+v", h)
	}
	if b := c.balance(t); b.TotalSpent < 2 || b.Balance+b.TotalSpent != 200 || b.TotalDeposited != 200 {
		t.Errorf("while it runs the account is %+v", b)
	}
	closed := c.close(t, id)
	got := c.session(t, id)
	bill := billOf(got)
	if closed.DurationSeconds != *got.DurationSeconds || got.CostMicroUSD != bill || bill < 2*cent {
		t.Errorf("closed after %v s; the session says %v s and %d", closed.DurationSeconds, *got.DurationSeconds, got.CostMicroUSD)
	}
	for _, when := range []string{"at once", "after closing it again"} {
		lines := linesOf(c.statement(t), id)
		if len(lines) != 1 || lines[0].Status != "posted" || lines[0].AmountMicroUSD != -bill ||
			lines[0].DurationMinutes == nil || *lines[0].DurationMinutes*60 != float64(bill/cent) {
			t.Errorf("%s the lines of the session, which cost %d, are %+v", when, bill, lines)
		}
		c.has(t, 200-bill/cent, when)
		c.close(t, id)
	}

	// Nothing is billed of a session that was never ready.
	broken := c.create(t, "no-image")
	if got := c.session(t, broken); got.Status != assay.SessionError {
		t.Errorf("a session without an image is %s", got.Status)
	}
	brief := c.create(t, "quick")
	c.close(t, brief)
	c.has(t, 200-bill/cent, "after sessions that came to nothing")

	checkExport(t, c)
	if b := s.proven(t); b.Transactions < 2 || b.Sessions < 1 {
		t.Errorf("the books count %+v", b)
	}
}

// checkExport compares the CSV of a statement with its JSON.
func checkExport(t *testing.T, c caller) {
	t.Helper()
	r := c.call(t, "GET", "/billing/usage", nil, "Accept", "text/csv")
	rows, err := csv.NewReader(strings.NewReader(string(r.body))).ReadAll()
	if err != nil || r.status != 200 || !strings.HasPrefix(r.header.Get("Content-Type"), "text/csv") {
		t.Fatalf("the export: %d %s %v", r.status, r.header.Get("Content-Type"), err)
	}
	var got, want [][]string
	for _, row := range rows[1:] {
		got = append(got, []string{row[0], row[1], row[2], row[3], row[4]})
	}
	for _, line := range c.statement(t).Transactions {
		want = append(want, []string{
			line.ID, string(line.Type), line.Status, strconv.FormatInt(line.AmountCents, 10), strconv.FormatInt(line.AmountMicroUSD, 10),
		})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the export (-JSON +CSV):\n%s", diff)
	}
}

// TestNobodyBeginsWithoutMoney: a session needs its first minute, beside those of others.
func TestNobodyBeginsWithoutMoney(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	c := s.customer(t, 0)
	create := func() reply { return c.call(t, "POST", "/sessions", createOf("quick")) }
	says := func(r reply, amounts ...string) {
		t.Helper()
		refused(t, r, 402, assay.CodeInsufficientBalance)
		for _, amount := range amounts {
			if !strings.Contains(string(r.body), amount) {
				t.Errorf("the refusal does not name %s: %s", amount, r.body)
			}
		}
	}
	says(create(), "$0.60", "$0.00")
	s.credit(t, c, 59)
	says(create(), "$0.60", "$0.59")
	s.paid(t, c, 100)
	first := c.ready(t, must[wire.SessionCreated](t, create(), 201).SessionID)
	s.credit(t, c, 60-19) // 200 in all
	second := c.ready(t, must[wire.SessionCreated](t, create(), 201).SessionID)
	third := must[wire.SessionCreated](t, create(), 201).SessionID
	says(create(), "$0.60", "$0.20") // what three first minutes leave
	c.close(t, third)
	c.close(t, second)
	c.close(t, first)
}

// TestACrashIsNobodysExpense: a session whose sandbox died with the server is billed to
// when it was last seen; one that lived on is billed on.
func TestACrashIsNobodysExpense(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	c := s.customer(t, 300)
	dies, lives := c.ready(t, c.create(t, "quick")), c.ready(t, c.create(t, "quick"))
	c.output(t, lives, "sleep 7") // more than the five seconds between two looks
	ready := *c.session(t, dies).CreatedAt
	kill(t, s.srv)
	down := time.Since(ready)
	killSandbox(t, s.Program, dies)
	pause(2 * time.Second) // nobody is there to give a signal
	s.open(t)
	c = c.at(s.srv)
	lost := c.session(t, dies)
	if lost.Status != assay.SessionTerminated || lost.Error == nil || lost.Error.Code != string(assay.CodeSandboxLost) {
		t.Errorf("the session whose sandbox died is %s: %+v", lost.Status, lost.Error)
	}
	billed := time.Duration(*lost.DurationSeconds * float64(time.Second))
	if billed > down || billed < down-6*time.Second {
		t.Errorf("a session that died after %s is billed for %s", down, billed)
	}
	if got := c.session(t, lives); got.Status != assay.SessionReady || *got.DurationSeconds < (down+2*time.Second).Seconds()-1 {
		t.Errorf("the session that lived on is %s, for %v s", got.Status, *got.DurationSeconds)
	}
	c.close(t, lives)
	lived := c.session(t, lives)
	c.has(t, 300-(billOf(lost)+billOf(lived))/cent, "after the crash")
}

// TestWithoutBillingNothingCosts: sessions are metered, and stop nobody.
func TestWithoutBillingNothingCosts(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	if p := must[wire.Pricing](t, c.call(t, "GET", "/billing/pricing", nil), 200); p.CostPerMinuteCents != 0 || p.CostPerMinuteDollars != 0 {
		t.Errorf("the price is %+v", p)
	}
	id := c.open(t, "quick")
	c.output(t, id, "sleep 1.1")
	for _, status := range []string{"pending", "posted"} {
		h := c.statement(t)
		lines := linesOf(h, id)
		if len(lines) != 1 || lines[0].Status != status || lines[0].AmountMicroUSD != 0 || lines[0].DurationMinutes == nil || *lines[0].DurationMinutes*60 < 1 {
			t.Errorf("the lines of the session, which should be %s: %+v", status, lines)
		}
		if b := c.balance(t); b.Balance != 0 || b.TotalDeposited != 0 || b.TotalSpent != 0 || h.CurrentBalanceCents != 0 {
			t.Errorf("the account is %+v", b)
		}
		c.close(t, id)
	}
	refused(t, c.call(t, "POST", "/billing/deposit", wire.DepositCreate{AmountCents: 500}), 503, assay.CodePaymentsNotConfig)
}
