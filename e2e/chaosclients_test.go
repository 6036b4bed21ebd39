package e2e_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"assay"
	"assay/client/wire"
)

// chaosClient is one of those that act for a user, through crashes of the server.
type chaosClient struct {
	worker
	chaos *chaos
	user  *spender
}

// live does one thing after the other until ctx ends.
func (c *chaosClient) live(ctx context.Context) {
	for ctx.Err() == nil {
		switch n := c.random.IntN(100); {
		case n < 35:
			c.useSession(ctx)
		case n < 41:
			c.closeAny(ctx)
		case n < 47:
			c.deposit(ctx)
		case n < 53:
			c.refund()
		case n < 62:
			c.dispute()
		case n < 80:
			c.look(ctx)
		default:
			c.readStatement(ctx)
		}
		pause(time.Duration(c.random.IntN(200)) * time.Millisecond) // as people do
	}
}

// ask sends a request until it is answered, and reads the answer into v if it has the
// wanted status. No answer may be a fault.
func (c *chaosClient) ask(ctx context.Context, method, path string, body any, status int, v any) bool {
	r, answered := c.send(ctx, method, path, body)
	if !answered {
		return false
	}
	c.chaos.did("answers " + strconv.Itoa(r.status) + " " + r.code())
	if r.status != status {
		if refusal := r.status == 402 || r.status == 404 || r.status == 409 || r.status == 429; !refusal {
			c.chaos.t.Errorf("%s %s: %d %.500s", method, path, r.status, r.body)
		}
		return false
	}
	if err := json.Unmarshal(r.body, v); err != nil {
		c.chaos.t.Errorf("%s %s: %v", method, path, err)
		return false
	}
	return true
}

// useSession makes a session, runs commands in it and closes it, or leaves it.
func (c *chaosClient) useSession(ctx context.Context) {
	var made wire.SessionCreated
	if !c.ask(ctx, http.MethodPost, "/sessions", createOf("quick"), 201, &made) {
		return
	}
	c.user.mu.Lock()
	c.user.sessions = append(c.user.sessions, made.SessionID)
	c.user.mu.Unlock()
	of := "/sessions/" + made.SessionID
	if c.random.IntN(4) > 0 { // else it is closed while it is made
		c.ask(ctx, http.MethodGet, of+"?wait=20", nil, 200, new(wire.Session))
		for range c.random.IntN(4) {
			c.runTrue(ctx, of)
		}
	}
	if c.random.IntN(5) > 0 {
		c.ask(ctx, http.MethodDelete, of, nil, 200, new(wire.SessionClosed))
	}
}

// closeAny closes a session of the user, perhaps again, or under the hands of another.
func (c *chaosClient) closeAny(ctx context.Context) {
	if id, found := c.user.session(c.random); found {
		c.ask(ctx, http.MethodDelete, "/sessions/"+id, nil, 200, new(wire.SessionClosed))
	}
}

func (c *chaosClient) runTrue(ctx context.Context, session string) {
	var begun wire.ExecAccepted
	if !c.ask(ctx, http.MethodPost, session+"/exec", wire.ExecRequest{Command: "true"}, 202, &begun) {
		return
	}
	var in wire.Interaction
	if c.ask(ctx, http.MethodGet, session+"/interactions/"+begun.InteractionID+"?wait=10", nil, 200, &in) && in.Final() {
		if c.chaos.did("commands"); *in.ExitCode != 0 && *in.ExitCode != assay.ExitUnknown {
			c.chaos.t.Errorf("true: %s", show(in))
		}
	}
}

// deposit asks for a page and does something with it, or not.
func (c *chaosClient) deposit(ctx context.Context) {
	var made wire.DepositCreated
	if !c.ask(ctx, http.MethodPost, "/billing/deposit", wire.DepositCreate{AmountCents: wire.Integer(100 + c.random.IntN(1500))}, 200, &made) {
		return
	}
	var (
		stripe, page = c.chaos.stripe, checkoutOf(made)
		payment      string
		err          error
	)
	switch n := c.random.IntN(20); {
	case n < 11:
		c.chaos.did("deposits: paid")
		payment, err = stripe.Pay(page)
	case n < 15:
		c.chaos.did("deposits: paid later, or not")
		if payment, err = stripe.PayLater(page); err != nil {
			break
		}
		pause(time.Duration(c.random.IntN(500)) * time.Millisecond) // a bank takes its time
		if c.random.IntN(3) > 0 {
			err = stripe.Succeed(page)
		}
	case n < 17:
		if payment, err = stripe.PayLater(page); err == nil {
			err = stripe.Fail(page)
		}
	case n < 19:
		err = stripe.Expire(page)
	}
	if err != nil {
		c.chaos.t.Error(err)
	}
	if payment != "" {
		c.user.mu.Lock()
		c.user.payments = append(c.user.payments, payment)
		c.user.mu.Unlock()
	}
}

// refund gives some of a payment back, bit by bit, if Stripe lets it.
func (c *chaosClient) refund() {
	id, found := c.user.payment(c.random)
	if !found {
		return
	}
	for range 1 + c.random.IntN(3) {
		if c.chaos.stripe.Refund(id, int64(1+c.random.IntN(400))) == nil {
			c.chaos.did("refunds")
		}
	}
}

// dispute lets a bank ask about a payment, take it back, or decide, where it may.
func (c *chaosClient) dispute() {
	id, found := c.user.payment(c.random)
	if !found {
		return
	}
	var (
		stripe = c.chaos.stripe
		err    error
		what   string
	)
	switch c.random.IntN(5) {
	case 0:
		what = "inquiries"
		_, err = stripe.Inquire(id)
	case 1, 2:
		what = "disputes"
		_, err = stripe.Dispute(id)
	case 3:
		what = "disputes won"
		err = stripe.WinDispute(id)
	default:
		what = "disputes lost"
		err = stripe.LoseDispute(id)
	}
	if err == nil {
		c.chaos.did(what)
	}
}

// look reads the balance.
func (c *chaosClient) look(ctx context.Context) {
	var b wire.Balance
	if c.ask(ctx, http.MethodGet, "/billing/balance", nil, 200, &b) && assay.MicroUSD(b.BalanceMicroUSD).Cents() != b.Balance {
		c.chaos.t.Errorf("balance %+v", b)
	}
}

// readStatement reads the statement, which adds up at any moment.
func (c *chaosClient) readStatement(ctx context.Context) {
	var h wire.UsageHistory
	if !c.ask(ctx, http.MethodGet, "/billing/usage?limit=100", nil, 200, &h) || h.Pagination.HasNext {
		return
	}
	var sum assay.MicroUSD
	seen := map[string]bool{}
	for _, line := range h.Transactions {
		sum += assay.MicroUSD(line.AmountMicroUSD)
		if id := line.SessionID; id != nil {
			if seen[*id] {
				c.chaos.t.Errorf("session %s stands in a statement twice", *id)
			}
			seen[*id] = true
		}
	}
	if c.chaos.did("statements added up"); sum.Cents() != h.CurrentBalanceCents {
		c.chaos.t.Errorf("the lines of a statement sum to %s, and its balance is %d cents", sum, h.CurrentBalanceCents)
	}
}
