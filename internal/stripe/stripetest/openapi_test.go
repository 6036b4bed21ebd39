package stripetest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stripe/stripe-mock/embedded"
)

// TestObjectsFitStripesOpenAPIDocument holds everything that the server says to
// Stripe's own description of its objects.
func TestObjectsFitStripesOpenAPIDocument(t *testing.T) {
	s := New(Config{})
	t.Cleanup(s.Close)
	check := newChecker(t)

	customer := call(t, s, "/v1/customers", url.Values{"name": {"Ada"}, "metadata[user_id]": {"user-1"}})
	check.fits(customer)
	var pages []string
	for range 5 {
		page := call(t, s, "/v1/checkout/sessions", pageFor(t, customer))
		check.fits(page)
		pages = append(pages, field(t, page, "id"))
	}
	paid, err := s.Pay(pages[0])
	ok(t, err)
	ok(t, s.Refund(paid, 100))
	_, err = s.Inquire(paid)
	ok(t, err)
	_, err = s.Dispute(paid)
	ok(t, err)
	ok(t, s.WinDispute(paid))
	_, err = s.PayLater(pages[1])
	ok(t, err)
	ok(t, s.Fail(pages[1]))
	_, err = s.PayLater(pages[2])
	ok(t, err)
	ok(t, s.Succeed(pages[2]))
	ok(t, s.Expire(pages[3]))
	for _, id := range pages {
		check.fits(call(t, s, "/v1/checkout/sessions/"+id+"?expand[]=payment_intent", nil))
	}
	seen := map[string]bool{}
	for _, ev := range s.Events() {
		check.fits(ev.Body)
		var body struct {
			Data struct{ Object json.RawMessage }
		}
		ok(t, json.Unmarshal(ev.Body, &body))
		check.fits(body.Data.Object)
		seen[field(t, body.Data.Object, "object")] = true
	}
	for _, kind := range []string{"customer", "checkout.session", "payment_intent", "charge", "refund", "dispute"} {
		if !seen[kind] {
			t.Errorf("no event had a %s", kind)
		}
	}
	check.fitsAs("error", call(t, s, "/v1/customers", url.Values{"nonsense": {"1"}}))
	check.fitsAs("error", call(t, s, "/v1/nothing", nil))

	if err := check.schema("charge").Validate(map[string]any{"object": "charge"}); err == nil {
		t.Error("the check lets everything through")
	}
}

type checker struct {
	t        *testing.T
	compiler *jsonschema.Compiler
}

func newChecker(t *testing.T) checker {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(embedded.OpenAPISpec))
	ok(t, err)
	compiler := jsonschema.NewCompiler()
	ok(t, compiler.AddResource("stripe.json", nullable(document)))
	return checker{t, compiler}
}

func (c checker) schema(name string) *jsonschema.Schema {
	schema, err := c.compiler.Compile("stripe.json#/components/schemas/" + name)
	ok(c.t, err)
	return schema
}

func (c checker) fits(object []byte) {
	c.t.Helper()
	c.fitsAs(field(c.t, object, "object"), object)
}

func (c checker) fitsAs(name string, object []byte) {
	c.t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(object))
	ok(c.t, err)
	if err := c.schema(name).Validate(value); err != nil {
		c.t.Errorf("%s is no %s: %v", object, name, err)
	}
}

// nullable says in JSON Schema's words what OpenAPI 3.0 says with "nullable".
func nullable(node any) any {
	switch node := node.(type) {
	case []any:
		for i := range node {
			node[i] = nullable(node[i])
		}
	case map[string]any:
		for key := range node {
			node[key] = nullable(node[key])
		}
		if node["nullable"] == true {
			return map[string]any{"anyOf": []any{node, map[string]any{"type": "null"}}}
		}
	}
	return node
}

// call posts a form, or gets without one, and returns the body of the answer.
func call(t *testing.T, s *Server, path string, form url.Values) []byte {
	t.Helper()
	method := http.MethodPost
	if form == nil {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(form.Encode()))
	ok(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+s.SecretKey)
	resp, err := s.http.Client().Do(req)
	ok(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ok(t, err)
	return body
}

func pageFor(t *testing.T, customer []byte) url.Values {
	return url.Values{
		"mode": {"payment"}, "customer": {field(t, customer, "id")}, "client_reference_id": {"deposit-1"},
		"success_url": {"https://example.org/"}, "cancel_url": {"https://example.org/"},
		"expires_at":              {strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)},
		"line_items[0][quantity]": {"1"}, "line_items[0][price_data][currency]": {"usd"}, "line_items[0][price_data][unit_amount]": {"2500"},
		"line_items[0][price_data][product_data][name]": {"Assay balance"},
		"payment_intent_data[metadata][deposit_id]":     {"deposit-1"},
	}
}

func field(t *testing.T, object []byte, name string) string {
	t.Helper()
	var fields map[string]any
	ok(t, json.Unmarshal(object, &fields))
	value, isString := fields[name].(string)
	if !isString {
		t.Fatalf("%s has no %s", object, name)
	}
	return value
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
