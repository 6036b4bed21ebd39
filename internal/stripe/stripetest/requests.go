package stripetest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Stripe's own bounds of what a page may ask for.
const (
	minCents   = 50
	maxCents   = 99_999_999
	minPageAge = 30 * time.Minute
	maxPageAge = 24 * time.Hour
)

func (s *Server) createCustomer(form url.Values) answer {
	if unknown := unknownParam(form, "name", "email", "metadata[]"); unknown != "" {
		return unknownRefused(unknown)
	}
	c := customer{
		ID: "cus_" + rand.Text(), Object: "customer", Created: s.now().Unix(),
		Name: optional(form, "name"), Email: optional(form, "email"), Metadata: metadata(form, "metadata"),
	}
	s.customers[c.ID] = c
	s.happened("customer.created", c)
	return made(c)
}

// createSession makes a page for one payment, the only kind that is known here.
func (s *Server) createSession(form url.Values) answer {
	const price = "line_items[0][price_data]"
	if unknown := unknownParam(form, "mode", "customer", "client_reference_id", "success_url", "cancel_url", "expires_at",
		"adaptive_pricing[enabled]", "metadata[]", "payment_intent_data[metadata][]", "line_items[0][quantity]",
		price+"[currency]", price+"[unit_amount]", price+"[product_data][name]"); unknown != "" {
		return unknownRefused(unknown)
	}
	cents, amountErr := strconv.ParseInt(form.Get(price+"[unit_amount]"), 10, 64)
	expires, expiresErr := strconv.ParseInt(form.Get("expires_at"), 10, 64)
	age := time.Unix(expires, 0).Sub(s.now().Truncate(time.Second))
	_, known := s.customers[form.Get("customer")]
	switch {
	case form.Get("mode") != "payment":
		return refused(http.StatusBadRequest, "", "mode", "This server knows payments only.")
	case form.Get(price+"[product_data][name]") == "":
		return refused(http.StatusBadRequest, "parameter_missing", price+"[product_data][name]", "Missing required param.")
	case form.Get(price+"[currency]") != "usd" || form.Get("line_items[0][quantity]") != "1":
		return refused(http.StatusBadRequest, "", "line_items[0]", "This server sells one thing for US dollars.")
	case amountErr != nil:
		return refused(http.StatusBadRequest, "parameter_invalid_integer", price+"[unit_amount]", "Invalid integer.")
	case cents < minCents:
		return refused(http.StatusBadRequest, "amount_too_small", price+"[unit_amount]", "The Checkout Session's total amount due must add up to at least $0.50 usd")
	case cents > maxCents:
		return refused(http.StatusBadRequest, "amount_too_large", price+"[unit_amount]", "The Checkout Session's total amount due must be no more than $999,999.99")
	case expiresErr != nil || age < minPageAge || age > maxPageAge:
		return refused(http.StatusBadRequest, "", "expires_at", "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.")
	case !known:
		return refused(http.StatusBadRequest, "resource_missing", "customer", fmt.Sprintf("No such customer: '%s'", form.Get("customer")))
	case !isWebURL(form.Get("success_url")):
		return refused(http.StatusBadRequest, "url_invalid", "success_url", "Not a valid URL")
	case !isWebURL(form.Get("cancel_url")):
		return refused(http.StatusBadRequest, "url_invalid", "cancel_url", "Not a valid URL")
	}
	page := s.newSession(form, cents, expires)
	s.sessions[page.ID] = page
	return made(page)
}

func (s *Server) newSession(form url.Values, cents, expires int64) *session {
	id := "cs_test_" + rand.Text()
	return &session{
		ID: id, Object: "checkout.session", Created: s.now().Unix(), ExpiresAt: expires,
		Mode: "payment", Status: "open", PaymentStatus: "unpaid", UIMode: "hosted_page",
		AmountSubtotal: cents, AmountTotal: cents, Currency: "usd",
		Customer: optional(form, "customer"), ClientReferenceID: optional(form, "client_reference_id"),
		SuccessURL: optional(form, "success_url"), CancelURL: optional(form, "cancel_url"), URL: new(s.URL + "/c/pay/" + id),
		AdaptivePricing:    enabled{form.Get("adaptive_pricing[enabled]") != "false"},
		Metadata:           metadata(form, "metadata"),
		CustomFields:       []string{},
		PaymentMethodTypes: []string{"card", "us_bank_account"},
		ShippingOptions:    []string{},
		intentMetadata:     metadata(form, "payment_intent_data[metadata]"),
	}
}

// getSession answers with a page; expand[]=payment_intent shows the payment whole.
func (s *Server) getSession(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, found := s.sessions[r.PathValue("id")]
	if !found {
		send(w, refused(http.StatusNotFound, "resource_missing", "session", "No such checkout.session: "+r.PathValue("id")))
		return
	}
	shown := *page
	query := r.URL.Query()
	expand := slices.Concat(query["expand[]"], query["expand[0]"])
	if id, ok := page.PaymentIntent.(string); ok && slices.Contains(expand, "payment_intent") {
		shown.PaymentIntent = s.payments[id].intent
	}
	send(w, made(&shown))
}

// unknownParam returns a parameter that is not among the known ones, of which those
// that end in "[]" stand for any key of a map.
func unknownParam(form url.Values, known ...string) string {
	for name := range form {
		if slices.Contains(known, name) {
			continue
		}
		i := strings.LastIndexByte(name, '[')
		if i < 0 || !slices.Contains(known, name[:i]+"[]") {
			return name
		}
	}
	return ""
}

func unknownRefused(name string) answer {
	return refused(http.StatusBadRequest, "parameter_unknown", name, "Received unknown parameter: "+name)
}

func metadata(form url.Values, name string) map[string]string {
	found := map[string]string{}
	for param := range form {
		if key, ok := strings.CutPrefix(param, name+"["); ok {
			found[strings.TrimSuffix(key, "]")] = form.Get(param)
		}
	}
	return found
}

func optional(form url.Values, name string) *string {
	if form.Get(name) == "" {
		return nil
	}
	return new(form.Get(name))
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}
