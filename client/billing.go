package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"assay"
	"assay/client/wire"
)

// Balance returns the account of who calls, as of now.
func (c *Client) Balance(ctx context.Context) (*wire.Balance, error) {
	out := new(wire.Balance)
	return out, c.call(ctx, get("/billing/balance"), out)
}

// Pricing returns what a session of a dataset costs; of most when dataset is "".
func (c *Client) Pricing(ctx context.Context, dataset string) (*wire.Pricing, error) {
	r := get("/billing/pricing")
	if dataset != "" {
		r.query = url.Values{"dataset": {dataset}}
	}
	out := new(wire.Pricing)
	return out, c.call(ctx, r, out)
}

// Deposit opens a page on which money is paid in.
func (c *Client) Deposit(ctx context.Context, req wire.DepositCreate) (*wire.DepositCreated, error) {
	out := new(wire.DepositCreated)
	return out, c.call(ctx, request{method: http.MethodPost, path: "/billing/deposit", body: req, again: true}, out)
}

// UsageQuery selects lines of the statement. Zero fields select nothing.
type UsageQuery struct {
	Page, Limit int
	From, Until time.Time // days in UTC, both included
	Types       []assay.TransactionType
	MaxItems    int
}

func (q UsageQuery) values() url.Values {
	v := url.Values{}
	for name, n := range map[string]int{"page": q.Page, "limit": q.Limit, "max_items": q.MaxItems} {
		if n > 0 {
			v.Set(name, strconv.Itoa(n))
		}
	}
	for name, t := range map[string]time.Time{"start_date": q.From, "end_date": q.Until} {
		if !t.IsZero() {
			v.Set(name, t.UTC().Format(time.DateOnly))
		}
	}
	for _, kind := range q.Types {
		v.Add("transaction_types", string(kind))
	}
	return v
}

// Usage returns a page of the statement of who calls.
func (c *Client) Usage(ctx context.Context, q UsageQuery) (*wire.UsageHistory, error) {
	r := get("/billing/usage")
	r.query = q.values()
	out := new(wire.UsageHistory)
	return out, c.call(ctx, r, out)
}
