package billing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"assay"
)

// Bounds of a deposit, in cents.
const (
	MinDepositCents = 100
	MaxDepositCents = 1_000_000
)

// checkoutLife is how long a page waits to be paid on. Stripe takes 30 minutes to 24
// hours.
const checkoutLife = 2 * time.Hour

// DepositRequest asks for a page on which money is paid in.
type DepositRequest struct {
	AmountCents int64
	Currency    string
	SuccessURL  string // where the page leads back to; whoever calls has seen that it may
	CancelURL   string
	Idem        assay.Idempotency
	Address     string // of who asks, for the audit log
}

var errNoPayments = &assay.Error{Code: assay.CodePaymentsNotConfig, Message: "this server takes no payments; ask its operator for a credit"}

// Deposit opens a page on which a user pays money in. Nothing is credited until the
// payment provider itself says that it was paid.
func (s *Service) Deposit(ctx context.Context, userID string, req DepositRequest) (*Deposit, error) {
	if s.cfg.Payments == nil {
		return nil, errNoPayments
	}
	if err := checkDeposit(req); err != nil {
		return nil, err
	}
	now := s.now()
	d := &Deposit{
		ID: assay.NewID(assay.PrefixDeposit), UserID: userID, AmountCents: req.AmountCents, Status: CheckoutOpen,
		CreatedAt: now, ExpiresAt: now.Add(checkoutLife), SuccessURL: req.SuccessURL, CancelURL: req.CancelURL,
	}
	d, _, err := s.cfg.Store.InsertDeposit(ctx, d, req.Idem, assay.AuditEvent{
		At: now, Actor: userID, Action: assay.AuditDeposit, UserID: userID, Subject: d.ID, Address: req.Address,
		Detail: assay.FromCents(req.AmountCents).String(),
	})
	if err != nil || d.CheckoutURL != "" { // made before, with the same key
		return d, err
	}
	return s.openCheckout(ctx, d)
}

func checkDeposit(req DepositRequest) error {
	if req.AmountCents < MinDepositCents || req.AmountCents > MaxDepositCents {
		return assay.Errorf(assay.CodeInvalid, "a deposit is from %d to %d cents", MinDepositCents, MaxDepositCents)
	}
	if req.Currency != Currency {
		return assay.Errorf(assay.CodeInvalid, "deposits are made in %s", Currency)
	}
	return nil
}

// openCheckout asks the provider for the page of a deposit. Asking again for one
// deposit leads to the same page: its id is the provider's idempotency key.
func (s *Service) openCheckout(ctx context.Context, d *Deposit) (*Deposit, error) {
	customer, err := s.customer(ctx, d.UserID)
	if err != nil {
		return nil, err
	}
	page, err := s.cfg.Payments.CreateCheckout(ctx, CheckoutRequest{
		DepositID: d.ID, UserID: d.UserID, CustomerID: customer, AmountCents: d.AmountCents,
		SuccessURL: d.SuccessURL, CancelURL: d.CancelURL, ExpiresAt: d.ExpiresAt,
	})
	if err != nil {
		return nil, providerAway(fmt.Errorf("open the checkout of deposit %s: %w", d.ID, err))
	}
	return s.cfg.Store.SetCheckout(ctx, d.ID, page.ID, page.URL)
}

// customer returns the provider's record of a user, made once.
func (s *Service) customer(ctx context.Context, userID string) (string, error) {
	id, err := s.cfg.Store.Customer(ctx, userID)
	if err != nil || id != "" {
		return id, err
	}
	user, err := s.cfg.Users(ctx, userID)
	if err != nil {
		return "", err
	}
	if id, err = s.cfg.Payments.CreateCustomer(ctx, user); err != nil {
		return "", providerAway(fmt.Errorf("make a customer of %s: %w", userID, err))
	}
	return s.cfg.Store.SetCustomer(ctx, userID, id)
}

func providerAway(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return assay.Wrap(err, assay.CodeUnavailable, "the payment provider does not answer as it should; try again in a moment")
}

// Notify takes a notification of the payment provider, as its raw body and
// signature. Any error but invalid_request asks the provider to send it again.
func (s *Service) Notify(ctx context.Context, body []byte, signature string) error {
	if s.cfg.Payments == nil {
		return errNoPayments
	}
	e, err := s.cfg.Payments.ParseEvent(body, signature)
	if err != nil && !errors.Is(err, ErrForged) {
		s.cfg.Observer.PaymentEvent("unknown", EventFailed)
		return err
	}
	if err != nil {
		s.cfg.Observer.PaymentEvent("unknown", EventRefused)
		return assay.Wrap(err, assay.CodeInvalid, "this is no notification of the payment provider: its signature does not fit, or is older than five minutes")
	}
	if e.Kind == EventOther {
		s.cfg.Observer.PaymentEvent("other", EventIgnored)
		return nil
	}
	settled, err := s.cfg.Store.Settle(ctx, factOf(e, s.now()))
	if err != nil {
		s.cfg.Observer.PaymentEvent(e.Type, EventFailed)
		return err
	}
	s.cfg.Observer.PaymentEvent(e.Type, outcomeOf(settled))
	s.cfg.Log.InfoContext(ctx, "payment event", "event", e.ID, "type", e.Type, "user", settled.UserID,
		"again", settled.Again, "foreign", settled.Foreign, "transactions", len(settled.Transactions))
	return nil
}

func factOf(e Event, now time.Time) Fact {
	f := Fact{EventID: e.ID, EventType: e.Type, At: now, DepositID: e.DepositID, PaymentID: e.PaymentID}
	switch e.Kind {
	case EventCheckout:
		return checkoutFact(f, e.Checkout)
	case EventRefund:
		f.RefundedCents = e.RefundedCents
	case EventDispute, EventDisputeWon:
		f.DisputeID, f.DisputedCents, f.DisputeWon = e.DisputeID, e.DisputedCents, e.Kind == EventDisputeWon
	}
	return f
}

func checkoutFact(f Fact, c Checkout) Fact {
	f.DepositID, f.CheckoutID, f.PaymentID = c.DepositID, c.ID, c.PaymentID
	f.Status, f.AmountCents, f.Currency = c.Status, c.AmountCents, c.Currency
	return f
}
