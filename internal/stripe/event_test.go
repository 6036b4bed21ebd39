package stripe_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"assay/internal/billing"
	"assay/internal/stripe"
	"assay/internal/stripe/stripetest"
)

// webhook is a client and a Stripe that signs for it; no request is sent.
func webhook(t testing.TB) (*stripe.Client, *stripetest.Server) {
	t.Helper()
	fake := &stripetest.Server{WebhookSecret: "whsec_right"}
	client, err := stripe.New(stripe.Config{SecretKey: "sk_test_1", WebhookSecret: fake.WebhookSecret})
	if err != nil {
		t.Fatal(err)
	}
	return client, fake
}

// event is a notification as Stripe prints it.
func event(kind, object string) []byte {
	return fmt.Appendf(nil, `{"id":"evt_1","object":"event","api_version":"2019-02-19","created":1700000000,"type":%q,"data":{"object":%s}}`, kind, object)
}

const paidSession = `{"id":"cs_1","object":"checkout.session","status":"complete","payment_status":"paid","amount_total":2500,
	"currency":"usd","payment_intent":"pi_1","metadata":{"deposit_id":"deposit-1"}}`

func TestSignatureDecidesWhatIsBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, fake := webhook(t)
		impostor := &stripetest.Server{WebhookSecret: "whsec_wrong"}
		body := event("checkout.session.completed", paidSession)
		now := time.Now()
		good := fake.Sign(body, now)
		_, goodPart, _ := strings.Cut(good, ",")
		_, badPart, _ := strings.Cut(impostor.Sign(body, now), ",")
		stamp := fmt.Sprintf("t=%d", now.Unix())
		for _, tt := range []struct {
			name      string
			body      []byte
			signature string
			believed  bool
		}{
			{"signed", body, good, true},
			{"rotated secrets, ours last", body, stamp + "," + badPart + "," + goodPart, true},
			{"rotated secrets, ours first", body, stamp + "," + goodPart + "," + badPart, true},
			{"five minutes old", body, fake.Sign(body, now.Add(-5*time.Minute)), true},
			{"from a clock that is ahead", body, fake.Sign(body, now.Add(time.Minute)), true},
			{"older than five minutes", body, fake.Sign(body, now.Add(-5*time.Minute-time.Second)), false},
			{"old, with a new time", body, stamp + "," + strings.SplitN(fake.Sign(body, now.Add(-time.Hour)), ",", 2)[1], false},
			{"wrong secret", body, impostor.Sign(body, now), false},
			{"another body", append(bytes.Clone(body), ' '), good, false},
			{"truncated", body[:len(body)-5], good, false},
			{"no signature", body, "", false},
			{"no time", body, goodPart, false},
			{"only a test signature", body, strings.Replace(good, "v1=", "v0=", 1), false},
			{"not a header", body, "hello", false},
			{"empty", nil, stamp + ",v1=", false},
		} {
			ev, err := client.ParseEvent(tt.body, tt.signature)
			switch {
			case tt.believed && err != nil:
				t.Errorf("%s: %v", tt.name, err)
			case !tt.believed && !errors.Is(err, billing.ErrForged):
				t.Errorf("%s: believed %+v, %v", tt.name, ev, err)
			}
		}
	})
}

func TestEventsSayWhatHappenedToTheMoney(t *testing.T) {
	client, fake := webhook(t)
	session := func(status, payment, more string) string {
		return fmt.Sprintf(`{"id":"cs_1","object":"checkout.session","status":%q,"payment_status":%q,"amount_total":2500,"currency":"usd","metadata":{"deposit_id":"deposit-1"}%s}`, status, payment, more)
	}
	dispute := func(status, currency string) string {
		return fmt.Sprintf(`{"id":"du_1","object":"dispute","amount":2000,"currency":%q,"status":%q,"payment_intent":"pi_1","charge":"ch_1"}`, currency, status)
	}
	checkout := func(status billing.CheckoutStatus, payment string) billing.Event {
		return billing.Event{Kind: billing.EventCheckout, Checkout: billing.Checkout{
			ID: "cs_1", DepositID: "deposit-1", Status: status, AmountCents: 2500, Currency: "usd", PaymentID: payment,
		}}
	}
	disputed := billing.Event{Kind: billing.EventDispute, PaymentID: "pi_1", DisputeID: "du_1", DisputedCents: 2000}
	won := disputed
	won.Kind = billing.EventDisputeWon
	other := billing.Event{Kind: billing.EventOther}
	for _, tt := range []struct {
		kind, object string
		want         billing.Event
	}{
		{"checkout.session.completed", session("complete", "paid", `,"payment_intent":"pi_1"`), checkout(billing.CheckoutPaid, "pi_1")},
		{"checkout.session.completed", session("complete", "unpaid", `,"payment_intent":"pi_1"`), checkout(billing.CheckoutOpen, "pi_1")},
		{"checkout.session.completed", session("complete", "no_payment_required", ""), checkout(billing.CheckoutFailed, "")},
		{"checkout.session.async_payment_succeeded", session("complete", "paid", `,"payment_intent":"pi_1"`), checkout(billing.CheckoutPaid, "pi_1")},
		{"checkout.session.async_payment_failed", session("complete", "unpaid", `,"payment_intent":"pi_1"`), checkout(billing.CheckoutFailed, "pi_1")},
		{"checkout.session.expired", session("expired", "unpaid", `,"payment_intent":null`), checkout(billing.CheckoutExpired, "")},
		{"checkout.session.completed", `{"id":"cs_1","object":"checkout.session","status":"complete","payment_status":"paid","metadata":{}}`, other},
		{"charge.refunded", `{"id":"ch_1","object":"charge","amount":2500,"amount_refunded":700,"currency":"usd","payment_intent":"pi_1","metadata":{"deposit_id":"deposit-1"}}`,
			billing.Event{Kind: billing.EventRefund, DepositID: "deposit-1", PaymentID: "pi_1", RefundedCents: 700}},
		{"charge.refunded", `{"id":"ch_1","object":"charge","amount_refunded":700,"currency":"eur","payment_intent":"pi_1"}`, other},
		{"charge.refunded", `{"id":"ch_1","object":"charge","amount_refunded":700,"currency":"usd","payment_intent":null}`, other},
		{"charge.dispute.created", dispute("needs_response", "usd"), disputed},
		{"charge.dispute.created", dispute("warning_needs_response", "usd"), other}, // an inquiry takes nothing
		{"charge.dispute.created", dispute("prevented", "usd"), other},
		{"charge.dispute.funds_withdrawn", dispute("needs_response", "usd"), disputed},
		{"charge.dispute.funds_reinstated", dispute("won", "usd"), won},
		{"charge.dispute.created", dispute("needs_response", "eur"), other},
		{"charge.dispute.closed", dispute("lost", "usd"), other},
		{"charge.succeeded", `{"id":"ch_1","object":"charge"}`, other},
		{"something.new", `{}`, other},
	} {
		body := event(tt.kind, tt.object)
		got, err := client.ParseEvent(body, fake.Sign(body, time.Now()))
		if err != nil {
			t.Errorf("%s %s: %v", tt.kind, tt.object, err)
			continue
		}
		tt.want.ID, tt.want.Type, tt.want.CreatedAt = "evt_1", tt.kind, time.Unix(1_700_000_000, 0).UTC()
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s %s: %s", tt.kind, tt.object, diff)
		}
	}
}

func TestSignedNonsenseIsAFaultAndNoForgery(t *testing.T) {
	client, fake := webhook(t)
	whole := event("checkout.session.completed", paidSession)
	for name, body := range map[string][]byte{
		"empty":                {},
		"truncated":            whole[:len(whole)-20],
		"not JSON":             []byte("<html>"),
		"null":                 []byte("null"),
		"a list":               []byte("[]"),
		"not an event":         []byte(`{"object":"v2.core.event","id":"evt_1"}`),
		"no id":                []byte(`{"object":"event","type":"charge.refunded"}`),
		"no data":              []byte(`{"object":"event","id":"evt_1","type":"charge.refunded"}`),
		"null data":            []byte(`{"object":"event","id":"evt_1","type":"charge.refunded","data":null}`),
		"no object":            []byte(`{"object":"event","id":"evt_1","type":"charge.refunded","data":{}}`),
		"null object":          event("charge.refunded", "null"),
		"object of its id":     event("charge.refunded", `"ch_1"`),
		"object of other kind": event("charge.refunded", paidSession),
		"object without id":    event("charge.refunded", `{"object":"charge"}`),
		"amount is no number":  event("charge.refunded", `{"object":"charge","id":"ch_1","amount_refunded":"all"}`),
		"amount too large":     event("charge.refunded", `{"object":"charge","id":"ch_1","amount_refunded":1e30}`),
	} {
		ev, err := client.ParseEvent(body, fake.Sign(body, time.Now()))
		if err == nil || errors.Is(err, billing.ErrForged) {
			t.Errorf("%s: %+v, %v", name, ev, err)
		} else if strings.Contains(err.Error(), "whsec_") {
			t.Errorf("%s: the error tells the secret: %v", name, err)
		}
	}
}

// TestFlowsOfMoney lets people act at the fake, and looks at what is heard of it and
// what is told on request.
func TestFlowsOfMoney(t *testing.T) {
	type fake = *stripetest.Server
	pay := func(t *testing.T, f fake, id string) string {
		payment, err := f.Pay(id)
		must(t, err)
		return payment
	}
	later := func(t *testing.T, f fake, id string) {
		_, err := f.PayLater(id)
		must(t, err)
	}
	for _, tt := range []struct {
		name   string
		act    func(t *testing.T, f fake, id string)
		status billing.CheckoutStatus
		heard  []string // kind, status or cents
	}{
		{"nothing happens", func(*testing.T, fake, string) {}, billing.CheckoutOpen, nil},
		{"paid", func(t *testing.T, f fake, id string) { pay(t, f, id) }, billing.CheckoutPaid, []string{"checkout paid"}},
		{"expired", func(t *testing.T, f fake, id string) { must(t, f.Expire(id)) }, billing.CheckoutExpired, []string{"checkout expired"}},
		{"under way", later, billing.CheckoutOpen, []string{"checkout open"}},
		{"paid later", func(t *testing.T, f fake, id string) { later(t, f, id); must(t, f.Succeed(id)) },
			billing.CheckoutPaid, []string{"checkout open", "checkout paid"}},
		{"failed later", func(t *testing.T, f fake, id string) { later(t, f, id); must(t, f.Fail(id)) },
			billing.CheckoutFailed, []string{"checkout open", "checkout failed"}},
		{"refunded twice", func(t *testing.T, f fake, id string) {
			payment := pay(t, f, id)
			must(t, f.Refund(payment, 500))
			must(t, f.Refund(payment, 2000))
			if err := f.Refund(payment, 1); err == nil {
				t.Error("more was refunded than paid")
			}
		}, billing.CheckoutPaid, []string{"checkout paid", "refund 500 of deposit-1", "refund 2500 of deposit-1"}},
		{"disputed and won", func(t *testing.T, f fake, id string) {
			payment := pay(t, f, id)
			_, err := f.Dispute(payment)
			must(t, err)
			must(t, f.WinDispute(payment))
		}, billing.CheckoutPaid, []string{"checkout paid", "dispute 2500", "dispute 2500", "dispute_won 2500"}},
		{"inquired, then disputed and lost", func(t *testing.T, f fake, id string) {
			payment := pay(t, f, id)
			_, err := f.Inquire(payment)
			must(t, err)
			_, err = f.Dispute(payment)
			must(t, err)
			must(t, f.LoseDispute(payment))
		}, billing.CheckoutPaid, []string{"checkout paid", "dispute 2500"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fake, client := startFake(t)
			opened := openCheckout(t, client)
			want := billing.Checkout{ID: opened.ID, URL: opened.URL, DepositID: "deposit-1", Status: billing.CheckoutOpen, AmountCents: 2500, Currency: "usd"}
			if diff := cmp.Diff(want, opened); diff != "" {
				t.Error(diff)
			}
			tt.act(t, fake, opened.ID)
			found, err := client.Checkout(t.Context(), opened.ID)
			must(t, err)
			want.Status = tt.status
			if diff := cmp.Diff(want, found, cmpopts.IgnoreFields(billing.Checkout{}, "PaymentID", "URL")); diff != "" {
				t.Error(diff)
			}
			if payments := fake.Payments(); len(payments) == 1 && payments[0].ID != found.PaymentID {
				t.Errorf("the payment is %q, want %q", found.PaymentID, payments[0].ID)
			}
			if diff := cmp.Diff(tt.heard, hear(t, fake, client)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// hear delivers the fake's events over HTTP and returns what they say.
func hear(t *testing.T, fake *stripetest.Server, client *stripe.Client) []string {
	t.Helper()
	var heard []string
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		ev, err := client.ParseEvent(body, r.Header.Get("Stripe-Signature"))
		if err != nil {
			t.Errorf("%s: %v", body, err)
			w.WriteHeader(http.StatusBadRequest)
		}
		switch ev.Kind {
		case billing.EventCheckout:
			heard = append(heard, fmt.Sprint(ev.Kind, " ", ev.Checkout.Status))
		case billing.EventRefund:
			heard = append(heard, fmt.Sprint(ev.Kind, " ", ev.RefundedCents, " of ", ev.DepositID))
		case billing.EventDispute, billing.EventDisputeWon:
			heard = append(heard, fmt.Sprint(ev.Kind, " ", ev.DisputedCents))
		}
	}))
	defer endpoint.Close()
	for _, ev := range fake.Events() {
		if status, err := fake.Deliver(t.Context(), endpoint.URL, ev); err != nil || status != http.StatusOK {
			t.Errorf("deliver %s: %d, %v", ev.Type, status, err)
		}
	}
	return heard
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzParseEvent(f *testing.F) {
	for _, kind := range []string{"checkout.session.completed", "checkout.session.async_payment_failed", "charge.refunded", "charge.dispute.created", "other"} {
		f.Add(event(kind, paidSession), "t=1,v1=00", true)
	}
	f.Add(event("charge.refunded", `{"id":"ch_1","object":"charge","currency":"usd","payment_intent":"pi_1"}`), "", true)
	f.Add(event("charge.dispute.created", `{"id":"du_1","object":"dispute","currency":"usd","payment_intent":{"id":"pi_1"}}`), "", true)
	f.Add([]byte(`{"object":"event","data":null}`), "t=9999999999999999999,v1=zz,v1=", false)
	client, fake := webhook(f)
	f.Fuzz(func(t *testing.T, body []byte, signature string, signed bool) {
		if signed {
			signature = fake.Sign(body, time.Now())
		}
		ev, err := client.ParseEvent(body, signature)
		if err != nil {
			if signed && errors.Is(err, billing.ErrForged) {
				t.Fatalf("a signed notification is called forged: %v", err)
			}
			if ev != (billing.Event{}) {
				t.Fatalf("an event beside the error %v: %+v", err, ev)
			}
			return
		}
		switch {
		case !signed:
			t.Fatalf("believed without a signature: %+v", ev)
		case !json.Valid(body) || ev.ID == "" || ev.Type == "":
			t.Fatalf("made of nothing: %+v", ev)
		case ev.Kind == billing.EventCheckout && (ev.Checkout.ID == "" || ev.Checkout.DepositID == ""):
			t.Fatalf("a checkout of nobody: %+v", ev)
		case ev.Kind == billing.EventRefund && ev.PaymentID == "":
			t.Fatalf("a refund of nothing: %+v", ev)
		case (ev.Kind == billing.EventDispute || ev.Kind == billing.EventDisputeWon) && (ev.PaymentID == "" || ev.DisputeID == ""):
			t.Fatalf("a dispute of nothing: %+v", ev)
		}
	})
}
