package stripe_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stripe/stripe-mock/embedded"
	"github.com/stripe/stripe-mock/server"

	"assay"
	"assay/internal/billing"
	"assay/internal/stripe"
	"assay/internal/stripe/stripetest"
)

// stripeMock is Stripe's own mock server, run in this process: it checks requests
// against Stripe's OpenAPI document, and keeps no state.
var stripeMock = sync.OnceValues(func() (http.Handler, error) {
	spec, err := server.LoadSpec(embedded.OpenAPISpec, "")
	if err != nil {
		return nil, err
	}
	fixtures, err := server.LoadFixtures(embedded.OpenAPIFixtures, "")
	if err != nil {
		return nil, err
	}
	stub, err := server.NewStubServer(fixtures, spec, false, false)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(stub.HandleRequest), nil
})

func startStripeMock(t *testing.T) *httptest.Server {
	t.Helper()
	handler, err := stripeMock()
	if err != nil {
		t.Fatalf("start stripe-mock: %v", err)
	}
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return srv
}

func startFake(t *testing.T) (*stripetest.Server, *stripe.Client) {
	t.Helper()
	fake := stripetest.New(stripetest.Config{})
	t.Cleanup(fake.Close)
	return fake, newClient(t, stripe.Config{SecretKey: fake.SecretKey, WebhookSecret: fake.WebhookSecret, APIBase: fake.URL})
}

func newClient(t *testing.T, cfg stripe.Config) *stripe.Client {
	t.Helper()
	client, err := stripe.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

var inAnHour = time.Now().Add(time.Hour)

var ada = &assay.User{ID: "user-1", Name: "Ada", Email: "ada@example.org"}

func request(customerID string) billing.CheckoutRequest {
	return billing.CheckoutRequest{
		DepositID: "deposit-1", UserID: ada.ID, CustomerID: customerID, AmountCents: 2500,
		SuccessURL: "https://assay.example.org/paid?x=1&y=2", CancelURL: "https://assay.example.org/cancelled",
		ExpiresAt: inAnHour,
	}
}

// openCheckout makes a customer and a page for 25 dollars.
func openCheckout(t *testing.T, client *stripe.Client) billing.Checkout {
	t.Helper()
	customer, err := client.CreateCustomer(t.Context(), ada)
	if err != nil {
		t.Fatal(err)
	}
	checkout, err := client.CreateCheckout(t.Context(), request(customer))
	if err != nil {
		t.Fatal(err)
	}
	return checkout
}

func TestRequestsAreThoseThatStripeUnderstands(t *testing.T) {
	fake, _ := startFake(t)
	for _, real := range []struct{ name, base, key string }{
		{"stripe-mock", startStripeMock(t).URL, "sk_test_123"},
		{"fake", fake.URL, fake.SecretKey},
	} {
		t.Run(real.name, func(t *testing.T) {
			client := newClient(t, stripe.Config{SecretKey: real.key, WebhookSecret: "whsec_1", APIBase: real.base})
			customer, err := client.CreateCustomer(t.Context(), ada)
			if err != nil || !strings.HasPrefix(customer, "cus_") {
				t.Fatalf("customer %q, %v", customer, err)
			}
			opened, err := client.CreateCheckout(t.Context(), request(customer))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(opened.ID, "cs_") || opened.URL == "" || opened.Status != billing.CheckoutOpen {
				t.Errorf("opened %+v", opened)
			}
			found, err := client.Checkout(t.Context(), opened.ID)
			if err != nil || found.ID != opened.ID {
				t.Errorf("found %+v, %v", found, err)
			}
			nameless := &assay.User{ID: "user-2"}
			if _, err := client.CreateCustomer(t.Context(), nameless); err != nil {
				t.Errorf("a user without name and address: %v", err)
			}
		})
	}
}

// TestStripeMockRefusesWhatStripeWould keeps the test above honest: the very request
// that passes there is refused once it is changed.
func TestStripeMockRefusesWhatStripeWould(t *testing.T) {
	mock, err := stripeMock()
	if err != nil {
		t.Fatal(err)
	}
	var forms []url.Values
	recorder := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		forms = append(forms, form)
		r.Body = io.NopCloser(bytes.NewReader(body))
		mock.ServeHTTP(w, r)
	}))
	t.Cleanup(recorder.Close)
	openCheckout(t, newClient(t, stripe.Config{SecretKey: "sk_test_123", WebhookSecret: "whsec_1", APIBase: recorder.URL}))
	sent := forms[len(forms)-1]

	for _, tt := range []struct {
		param, value string
		want         int
	}{
		{"mode", "payment", http.StatusOK},
		{"mode", "gift", http.StatusBadRequest},
		{"nonsense", "1", http.StatusBadRequest},
		{"expires_at", "tomorrow", http.StatusBadRequest},
		{"line_items[0][price_data][unit_amount]", "a lot", http.StatusBadRequest},
		{"payment_intent_data[capture_method]", "perhaps", http.StatusBadRequest},
	} {
		form := url.Values{}
		for name, values := range sent {
			form[name] = values
		}
		form.Set(tt.param, tt.value)
		req := httptest.NewRequest(http.MethodPost, "/v1/checkout/sessions", strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Authorization", "Bearer sk_test_123")
		answer := httptest.NewRecorder()
		mock.ServeHTTP(answer, req)
		if answer.Code != tt.want {
			t.Errorf("%s=%s: status %d, want %d: %s", tt.param, tt.value, answer.Code, tt.want, answer.Body)
		}
	}
}

func TestCheckoutRequestSaysWhatIsPaidAndForWhat(t *testing.T) {
	var form url.Values
	var header http.Header
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		form, header = r.PostForm, r.Header
		_, _ = io.WriteString(w, `{"id":"cs_1","object":"checkout.session","url":"https://pay.example.org/"}`)
	}))
	t.Cleanup(srv.Close)
	client := newClient(t, stripe.Config{SecretKey: "sk_test_123", WebhookSecret: "whsec_1", APIBase: srv.URL})
	req := request("cus_1")
	req.ExpiresAt = time.Unix(1_900_000_000, 0)
	if _, err := client.CreateCheckout(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"adaptive_pricing[enabled]":           {"false"},
		"cancel_url":                          {req.CancelURL},
		"client_reference_id":                 {"deposit-1"},
		"customer":                            {"cus_1"},
		"expires_at":                          {"1900000000"},
		"line_items[0][price_data][currency]": {"usd"},
		"line_items[0][price_data][product_data][name]": {"Assay balance"},
		"line_items[0][price_data][unit_amount]":        {"2500"},
		"line_items[0][quantity]":                       {"1"},
		"metadata[deposit_id]":                          {"deposit-1"},
		"metadata[user_id]":                             {"user-1"},
		"mode":                                          {"payment"},
		"payment_intent_data[metadata][deposit_id]":     {"deposit-1"},
		"payment_intent_data[metadata][user_id]":        {"user-1"},
		"success_url":                                   {req.SuccessURL},
	}
	if diff := cmp.Diff(want, form); diff != "" {
		t.Error(diff)
	}
	if key := header.Get("Idempotency-Key"); key != "assay-deposit-deposit-1" {
		t.Errorf("Idempotency-Key %q", key)
	}
	if telemetry := header.Get("X-Stripe-Client-Telemetry"); telemetry != "" {
		t.Errorf("telemetry was sent: %s", telemetry)
	}
}

func TestUnsafeConfigurationIsRefused(t *testing.T) {
	for name, cfg := range map[string]stripe.Config{
		"no secret key":        {WebhookSecret: "whsec_1"},
		"no webhook secret":    {SecretKey: "sk_test_1"},
		"clear text":           {SecretKey: "sk_test_1", WebhookSecret: "whsec_1", APIBase: "http://stripe.example.org"},
		"another scheme":       {SecretKey: "sk_test_1", WebhookSecret: "whsec_1", APIBase: "ftp://127.0.0.1"},
		"no host":              {SecretKey: "sk_test_1", WebhookSecret: "whsec_1", APIBase: "https://"},
		"a name like loopback": {SecretKey: "sk_test_1", WebhookSecret: "whsec_1", APIBase: "http://127.0.0.1.example.org"},
	} {
		if _, err := stripe.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), "sk_test_1") {
			t.Errorf("%s: the error tells the key: %v", name, err)
		}
	}
	for _, base := range []string{"", "https://api.stripe.com", "http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"} {
		if _, err := stripe.New(stripe.Config{SecretKey: "sk_test_1", WebhookSecret: "whsec_1", APIBase: base}); err != nil {
			t.Errorf("%q: %v", base, err)
		}
	}
}
