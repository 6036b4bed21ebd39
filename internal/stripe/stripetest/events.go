package stripetest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Event is a notification that Stripe would send to a webhook endpoint.
type Event struct {
	ID   string
	Type string
	Body []byte // as it travels
}

type eventObject struct {
	ID              string    `json:"id"`
	Object          string    `json:"object"`
	APIVersion      string    `json:"api_version"`
	Created         int64     `json:"created"`
	Data            eventData `json:"data"`
	Livemode        bool      `json:"livemode"`
	PendingWebhooks int       `json:"pending_webhooks"`
	Request         *struct{} `json:"request"`
	Type            string    `json:"type"`
}

type eventData struct {
	Object any `json:"object"`
}

// happened makes an event of an object as it is now.
func (s *Server) happened(kind string, object any) {
	s.events = append(s.events, s.event(kind, object))
}

func (s *Server) event(kind string, object any) Event {
	id := "evt_" + rand.Text()
	return Event{ID: id, Type: kind, Body: render(eventObject{
		ID: id, Object: "event", APIVersion: APIVersion, Created: s.now().Unix(), Data: eventData{object}, PendingWebhooks: 1, Type: kind,
	})}
}

// Events returns what happened since it was last called, oldest first. Among what
// concerns deposits is what does not, as at Stripe.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.events
	s.events = nil
	return taken
}

// Sign returns the Stripe-Signature header of a body that is sent at a time
// (https://docs.stripe.com/webhooks#verify-manually).
func (s *Server) Sign(body []byte, at time.Time) string {
	mac := hmac.New(sha256.New, []byte(s.WebhookSecret))
	fmt.Fprintf(mac, "%d.", at.Unix())
	mac.Write(body)
	return fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(mac.Sum(nil)))
}

// Deliver posts an event to a webhook endpoint, signed now, and returns the status
// that it was answered with. It may be called again with the same event: Stripe
// sends an event until it is answered with 2xx, and at times once more.
func (s *Server) Deliver(ctx context.Context, url string, event Event) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(event.Body))
	if err != nil {
		return 0, fmt.Errorf("deliver %s: %w", event.Type, err)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
	req.Header.Set("Stripe-Signature", s.Sign(event.Body, s.now()))
	resp, err := s.http.Client().Do(req)
	if err != nil {
		return 0, fmt.Errorf("deliver %s: %w", event.Type, err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, fmt.Errorf("deliver %s: %w", event.Type, err)
	}
	return resp.StatusCode, nil
}
