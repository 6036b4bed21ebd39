package billing_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"assay"
	"assay/internal/billing"
)

// heard is an Observer that remembers.
type heard struct {
	mu  sync.Mutex
	all []string
}

func (h *heard) PaymentEvent(kind, outcome string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, kind+" "+outcome)
}

func TestEveryNotificationIsObserved(t *testing.T) {
	h := &heard{}
	f := newFixture(t, t.TempDir()+"/assay.db", func(c *billing.Config) { c.Observer = h })
	d := f.opened(f.user())
	_, err := f.stripe.Pay(d.CheckoutID)
	f.must(err)
	events := f.stripe.Events()
	f.deliver(events...)
	f.deliver(events...)
	for body, want := range map[string]assay.Code{
		`{"id":"evt_1","object":"event","type":"customer.created","created":1,"data":{"object":{}}}`: "",
		`{"object":"event"}`: assay.CodeInternal, // signed, and not to be read: it has to come again
	} {
		if err := f.Notify(t.Context(), []byte(body), f.stripe.Sign([]byte(body), time.Now())); assay.CodeOf(err) != want {
			t.Errorf("%s: %v, want code %q", body, err, want)
		}
	}
	if err := f.Notify(t.Context(), []byte("{}"), "v1=none"); assay.CodeOf(err) != assay.CodeInvalid {
		t.Errorf("a forged notification: %v", err)
	}
	for _, want := range []string{
		"checkout.session.completed applied", "checkout.session.completed again", "other ignored", "unknown failed", "unknown refused",
	} {
		if !slices.Contains(h.all, want) {
			t.Errorf("%q was not observed, but %q", want, h.all)
		}
	}
}
