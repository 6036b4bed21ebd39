package httpapi

import (
	"context"
	"encoding/csv"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/client/wire"
	"assay/internal/billing"
)

// till is a Billing that answers what a test put in, and notes what it was asked.
type till struct {
	balance   billing.Balance
	usage     billing.Usage
	lines     []billing.Line
	fail      error
	asked     billing.UsageQuery
	deposited billing.DepositRequest
	body      []byte
	signature string
}

func (t *till) Price(dataset string) assay.MicroUSD {
	if dataset == "cheap" {
		return 2_500 // a quarter of a cent
	}
	return assay.MicrosPerCent
}

func (t *till) Balance(_ context.Context, userID string) (billing.Balance, error) {
	t.balance.UserID = userID
	return t.balance, t.fail
}

func (t *till) Usage(_ context.Context, q billing.UsageQuery) (billing.Usage, error) {
	t.asked = q
	return t.usage, t.fail
}

func (t *till) Export(_ context.Context, q billing.UsageQuery, fn func(billing.Line) error) error {
	t.asked = q
	for _, line := range t.lines {
		if err := fn(line); err != nil {
			return err
		}
	}
	return t.fail
}

func (t *till) Deposit(_ context.Context, userID string, req billing.DepositRequest) (*billing.Deposit, error) {
	t.deposited = req
	if t.fail != nil {
		return nil, t.fail
	}
	return &billing.Deposit{ID: "dep_1", UserID: userID, AmountCents: req.AmountCents, CheckoutURL: "https://pay.test/1"}, nil
}

func (t *till) Notify(_ context.Context, body []byte, signature string) error {
	t.body, t.signature = body, signature
	return t.fail
}

func TestBalanceOnTheWire(t *testing.T) {
	s := newServer(t)
	s.till.balance = billing.Balance{
		CustomerID: "cus_1", Balance: 4_368_333, Deposited: 5_000_000, Spent: 631_667, UpdatedAt: epoch,
	}
	rec := s.do(t, request{method: "GET", path: "/billing/balance"})
	wantStatus(t, rec, 200)
	wantJSON(t, rec.Body.Bytes(), `{"user_id":"usr_ada","balance":437,"total_deposited":500,"total_spent":63,"stripe_customer_id":"cus_1",
		"last_updated":"2026-03-01T11:00:00.123456Z","balance_microusd":4368333,"total_deposited_microusd":5000000,"total_spent_microusd":631667}`)
	wantError(t, s.do(t, request{method: "GET", path: "/billing/balance", anonymous: true}), 401, "unauthenticated")
}

func TestPricingOnTheWire(t *testing.T) {
	s := newServer(t)
	rec := s.do(t, request{method: "GET", path: "/billing/pricing", anonymous: true})
	wantJSON(t, rec.Body.Bytes(), `{"cost_per_minute_cents":1,"cost_per_minute_dollars":0.01,"cost_per_minute_microusd":10000,"dataset":null}`)
	rec = s.do(t, request{method: "GET", path: "/billing/pricing?dataset=cheap", anonymous: true})
	wantJSON(t, rec.Body.Bytes(), `{"cost_per_minute_cents":0.25,"cost_per_minute_dollars":0.0025,"cost_per_minute_microusd":2500,"dataset":"cheap"}`)
}

func TestDepositOnTheWire(t *testing.T) {
	s := newServer(t, func(c *Config) { c.PaymentOrigins = []string{"https://example.org"} })
	rec := s.do(t, request{
		method: "POST", path: "/billing/deposit", headers: []string{"Idempotency-Key: k"},
		body: `{"amount_cents":1000,"success_url":"https://example.org/yes","cancel_url":"https://example.org/no"}`,
	})
	wantStatus(t, rec, 200)
	wantJSON(t, rec.Body.Bytes(), `{"checkout_url":"https://pay.test/1","amount_cents":1000,"currency":"usd","deposit_id":"dep_1"}`)
	want := billing.DepositRequest{
		AmountCents: 1000, Currency: "usd", SuccessURL: "https://example.org/yes", CancelURL: "https://example.org/no",
		Idem: assay.Idempotency{Key: "k", RequestHash: s.till.deposited.Idem.RequestHash}, Address: s.till.deposited.Address,
	}
	if diff := cmp.Diff(want, s.till.deposited); diff != "" || want.Idem.RequestHash == "" {
		t.Error(diff)
	}

	for body, field := range map[string]string{
		`{}`:                                    "amount_cents",
		`{"amount_cents":99}`:                   "amount_cents",
		`{"amount_cents":100.5}`:                "amount_cents",
		`{"amount_cents":1000001}`:              "amount_cents",
		`{"amount_cents":"100"}`:                "amount_cents",
		`{"amount_cents":100,"currency":"eur"}`: "currency",
		`{"amount_cents":100,"success_url":"https://evil.example/"}`:       "success_url",
		`{"amount_cents":100,"cancel_url":"https://example.org.evil.io/"}`: "cancel_url",
		`{"amount_cents":100,"cancel_url":"https://example.org@evil.io/"}`: "cancel_url",
		`{"amount_cents":100,"cancel_url":"http://example.org/"}`:          "cancel_url",
		`{"amount_cents":100,"cancel_url":"javascript:alert(1)"}`:          "cancel_url",
		`{"amount_cents":100,"cancel_url":"/docs"}`:                        "cancel_url",
	} {
		rec := s.do(t, request{method: "POST", path: "/billing/deposit", body: body})
		wantStatus(t, rec, 422)
		faults := decodeAs[wire.ValidationBody](t, rec).Detail
		if len(faults) != 1 || faults[0].Loc[len(faults[0].Loc)-1] != field {
			t.Errorf("%s: %+v, want a fault of %s", body, faults, field)
		}
	}

	wantStatus(t, s.do(t, request{method: "POST", path: "/billing/deposit", body: `{"amount_cents":100,"success_url":"http://assay.test/yes"}`}), 200)
	if got := s.till.deposited; got.SuccessURL != "http://assay.test/yes" || got.CancelURL != "http://assay.test/docs" {
		t.Errorf("leads back to %q and %q", got.SuccessURL, got.CancelURL)
	}

	s.till.fail = assay.Errorf(assay.CodePaymentsNotConfig, "none")
	wantError(t, s.do(t, request{method: "POST", path: "/billing/deposit", body: `{"amount_cents":100}`}), 503, "payments_not_configured")
}

func TestWebhookGetsTheBodyAsItCame(t *testing.T) {
	s := newServer(t)
	body := "{ \"id\":\t\"evt_1\",\n\"é\": 1.0 }\n"
	rec := s.do(t, request{method: "POST", path: "/billing/webhook", body: body, anonymous: true, headers: []string{"Stripe-Signature: t=1,v1=ab"}})
	wantStatus(t, rec, 200)
	if string(s.till.body) != body || s.till.signature != "t=1,v1=ab" {
		t.Errorf("got %q signed %q", s.till.body, s.till.signature)
	}
	s.till.fail = errors.New("disk full")
	wantError(t, s.do(t, request{method: "POST", path: "/billing/webhook", body: body, anonymous: true}), 500, "internal")
	s.till.fail = assay.Errorf(assay.CodeInvalid, "forged")
	wantError(t, s.do(t, request{method: "POST", path: "/billing/webhook", body: body, anonymous: true}), 400, "invalid_request")
	wantError(t, s.do(t, request{method: "POST", path: "/billing/webhook", body: strings.Repeat(" ", 2<<20) + "{}", anonymous: true}), 413, "too_large")
}

func TestUsageOnTheWire(t *testing.T) {
	s := newServer(t)
	s.till.usage = billing.Usage{
		Balance: billing.Balance{Balance: 4_368_333, Deposited: 5_000_000, Spent: 631_667},
		Lines: []billing.Line{
			{ID: "ses_2", Type: assay.TransactionUsage, Amount: -15_000, Description: "starter/a, running", CreatedAt: epoch, SessionID: "ses_2", Seconds: 90, Pending: true},
			{ID: "txn_1", Type: assay.TransactionDeposit, Amount: 5_000_000, Description: "Welcome credit", CreatedAt: epoch},
		},
		TotalItems: 52, Sessions: 4, Deposits: 1, Spent: 100_000, Seconds: 600,
	}
	rec := s.do(t, request{method: "GET", path: "/billing/usage?page=2"})
	wantStatus(t, rec, 200)
	wantJSON(t, rec.Body.Bytes(), `{"current_balance_cents":437,"total_deposits_cents":500,"total_usage_cents":63,
		"transactions":[
			{"id":"ses_2","type":"session_usage","amount_cents":-2,"amount_microusd":-15000,"description":"starter/a, running",
			 "created_at":"2026-03-01T11:00:00.123456Z","session_id":"ses_2","duration_minutes":1.5,"status":"pending"},
			{"id":"txn_1","type":"deposit","amount_cents":500,"amount_microusd":5000000,"description":"Welcome credit",
			 "created_at":"2026-03-01T11:00:00.123456Z","session_id":null,"duration_minutes":null,"status":"posted"}],
		"summary":{"total_sessions":4,"total_deposits":1,"average_session_cost_cents":2.5,"total_session_duration_minutes":10,"average_session_duration_minutes":2.5},
		"pagination":{"current_page":2,"total_pages":3,"total_items":52,"items_per_page":25,"has_previous":true,"has_next":true}}`)
	if diff := cmp.Diff(billing.UsageQuery{UserID: "usr_ada", Page: 2, Limit: 25}, s.till.asked); diff != "" {
		t.Error(diff)
	}

	s.do(t, request{method: "GET", path: "/billing/usage?start_date=2026-01-31&end_date=2026-02-01&transaction_types=usage&transaction_types=refund&limit=100&max_items=7"})
	want := billing.UsageQuery{
		UserID: "usr_ada", Page: 1, Limit: 100, MaxItems: 7,
		Types: []assay.TransactionType{assay.TransactionUsage, assay.TransactionRefund},
		From:  time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC),
		Until: time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC), // both days are included
	}
	if diff := cmp.Diff(want, s.till.asked); diff != "" {
		t.Error(diff)
	}
	s.do(t, request{method: "GET", path: "/billing/usage?start_date=2026-01-31T23:00:00-01:00"})
	if want := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC); !s.till.asked.From.Equal(want) {
		t.Errorf("from %s, want %s", s.till.asked.From, want)
	}
	for _, query := range []string{
		"page=0", "limit=101", "limit=0", "max_items=0", "start_date=31.1.2026", "end_date=2026-02-30", "start_date=2026-02-02&end_date=2026-02-01",
		"transaction_types=gift", "transaction_types=",
	} {
		if rec := s.do(t, request{method: "GET", path: "/billing/usage?" + query}); rec.Code != 422 {
			t.Errorf("%s: status %d, want 422", query, rec.Code)
		}
	}
}

func TestUsageAsCSV(t *testing.T) {
	s := newServer(t)
	export := func() [][]string {
		t.Helper()
		rec := s.do(t, request{method: "GET", path: "/billing/usage", headers: []string{"Accept: text/csv"}})
		wantStatus(t, rec, 200)
		if got := rec.Header().Get("Content-Type"); got != "text/csv; charset=utf-8" {
			t.Errorf("Content-Type %q", got)
		}
		records, err := csv.NewReader(rec.Body).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return records
	}
	if records := export(); len(records) != 1 {
		t.Errorf("nothing is %q, want a header alone", records)
	}
	s.till.lines = []billing.Line{
		{ID: "txn_2", Type: assay.TransactionUsage, Amount: -167, Description: `=a,"b"`, CreatedAt: epoch, SessionID: "ses_1", Seconds: 1},
		{ID: "txn_1", Type: assay.TransactionDeposit, Amount: 5_000_000, Description: "Deposit", CreatedAt: epoch},
	}
	want := [][]string{
		csvHeader,
		{"txn_2", "session_usage", "posted", "0", "-167", `'=a,"b"`, "2026-03-01T11:00:00.123456Z", "ses_1", "1"},
		{"txn_1", "deposit", "posted", "500", "5000000", "Deposit", "2026-03-01T11:00:00.123456Z", "", ""},
	}
	if diff := cmp.Diff(want, export()); diff != "" {
		t.Error(diff)
	}
	s.till.lines, s.till.fail = nil, errors.New("disk on fire")
	wantError(t, s.do(t, request{method: "GET", path: "/billing/usage", headers: []string{"Accept: text/csv"}}), 500, "internal")
}

// TestStripeIsServedHoweverOften: signed notifications are never limited, and unsigned
// ones do not use up what signed ones need.
func TestStripeIsServedHoweverOften(t *testing.T) {
	s := newServer(t, func(c *Config) { c.Limits.PerAddress = 1 }) // two at once, and the clock stands
	notify := func(err error) int {
		s.till.fail = err
		return s.do(t, request{method: "POST", path: "/billing/webhook", body: "{}", anonymous: true}).Code
	}
	forged := assay.Errorf(assay.CodeInvalid, "forged")
	var codes []int
	for _, err := range []error{nil, nil, nil, nil, forged, forged, forged, nil} {
		codes = append(codes, notify(err))
	}
	if diff := cmp.Diff([]int{200, 200, 200, 200, 400, 400, 429, 200}, codes); diff != "" {
		t.Error(diff)
	}
}
