package stripetest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// payment is the money of one page.
type payment struct {
	checkoutID string
	intent     intent
	charge     charge
	dispute    *dispute // the last one
}

// Payment is a payment as Stripe's own books have it, to compare others with.
type Payment struct {
	ID, CheckoutID, CustomerID string
	Metadata                   map[string]string // of the payment
	AmountCents                int64             // 0 unless it was paid
	RefundedCents              int64
	DisputedCents              int64 // taken back by the bank and not returned
}

// Pay pays a page by card, and returns the payment's id.
func (s *Server) Pay(checkoutID string) (paymentID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, pay, err := s.complete(checkoutID)
	if err != nil {
		return "", err
	}
	s.settle(page, pay)
	s.happened("checkout.session.completed", page)
	return pay.intent.ID, nil
}

// PayLater completes a page by a slow method: its money comes with Succeed, or Fail
// says that it will not.
func (s *Server) PayLater(checkoutID string) (paymentID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, pay, err := s.complete(checkoutID)
	if err != nil {
		return "", err
	}
	s.happened("payment_intent.processing", pay.intent)
	s.happened("checkout.session.completed", page)
	return pay.intent.ID, nil
}

// Succeed makes the money of PayLater come.
func (s *Server) Succeed(checkoutID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, pay, err := s.underWay(checkoutID)
	if err != nil {
		return err
	}
	s.settle(page, pay)
	s.happened("checkout.session.async_payment_succeeded", page)
	return nil
}

// Fail makes the money of PayLater stay away for good.
func (s *Server) Fail(checkoutID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, pay, err := s.underWay(checkoutID)
	if err != nil {
		return err
	}
	pay.intent.Status = "requires_payment_method"
	s.happened("payment_intent.payment_failed", pay.intent)
	s.happened("checkout.session.async_payment_failed", page)
	return nil
}

// Expire ends the time of an open page.
func (s *Server) Expire(checkoutID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, err := s.open(checkoutID)
	if err != nil {
		return err
	}
	page.Status, page.URL = "expired", nil
	s.happened("checkout.session.expired", page)
	return nil
}

// Refund gives cents of a payment back, at most what is left of it.
func (s *Server) Refund(paymentID string, cents int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	pay, err := s.paid(paymentID)
	if err != nil {
		return err
	}
	if left := pay.charge.AmountCaptured - pay.charge.AmountRefunded; cents <= 0 || cents > left {
		return fmt.Errorf("stripetest: refund %d of %s: %d are left", cents, paymentID, left)
	}
	if pay.dispute != nil && pay.dispute.Status == "needs_response" {
		return fmt.Errorf("stripetest: refund of %s: it is disputed", paymentID)
	}
	pay.charge.AmountRefunded += cents
	pay.charge.Refunded = pay.charge.AmountRefunded == pay.charge.AmountCaptured
	s.happened("refund.created", refund{
		ID: "re_" + rand.Text(), Object: "refund", Amount: cents, Charge: pay.charge.ID, Created: s.now().Unix(), Currency: "usd",
		Metadata: map[string]string{}, PaymentIntent: paymentID, Status: "succeeded",
	})
	s.happened("charge.refunded", pay.charge)
	return nil
}

// Dispute makes the customer's bank take back what is left of a payment. If it
// inquired before, this is the same dispute. It returns the dispute's id.
func (s *Server) Dispute(paymentID string) (disputeID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := s.dispute(paymentID, "needs_response")
	if err != nil {
		return "", err
	}
	s.happened("charge.dispute.funds_withdrawn", *d)
	return d.ID, nil
}

// Inquire makes the customer's bank ask about a payment, and take nothing.
func (s *Server) Inquire(paymentID string) (disputeID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := s.dispute(paymentID, "warning_needs_response")
	if err != nil {
		return "", err
	}
	return d.ID, nil
}

// WinDispute makes the bank return what it took of a payment.
func (s *Server) WinDispute(paymentID string) error { return s.closeDispute(paymentID, "won") }

// LoseDispute leaves what the bank took with the customer.
func (s *Server) LoseDispute(paymentID string) error { return s.closeDispute(paymentID, "lost") }

// Payments returns all payments, by id.
func (s *Server) Payments() []Payment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Payment
	for _, pay := range s.payments {
		p := Payment{
			ID: pay.intent.ID, CheckoutID: pay.checkoutID, CustomerID: *pay.intent.Customer, Metadata: maps.Clone(pay.intent.Metadata),
			AmountCents: pay.charge.AmountCaptured, RefundedCents: pay.charge.AmountRefunded,
		}
		if d := pay.dispute; d != nil && (d.Status == "needs_response" || d.Status == "lost") {
			p.DisputedCents = d.Amount
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Payment) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// Customers returns the ids of the customers that were made for a user.
func (s *Server) Customers(userID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id, c := range s.customers {
		if c.Metadata["user_id"] == userID {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Pages returns the ids of the pages that were made for a user.
func (s *Server) Pages(userID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id, page := range s.sessions {
		if page.Metadata["user_id"] == userID {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (s *Server) open(checkoutID string) (*session, error) {
	page, ok := s.sessions[checkoutID]
	if !ok {
		return nil, fmt.Errorf("stripetest: no page %q", checkoutID)
	}
	if page.Status != "open" {
		return nil, fmt.Errorf("stripetest: page %s is %s", checkoutID, page.Status)
	}
	return page, nil
}

// complete fills a page in: its payment is under way from then on.
func (s *Server) complete(checkoutID string) (*session, *payment, error) {
	page, err := s.open(checkoutID)
	if err != nil {
		return nil, nil, err
	}
	pay := &payment{checkoutID: checkoutID, intent: intent{
		ID: "pi_" + rand.Text(), Object: "payment_intent", Amount: page.AmountTotal, Created: s.now().Unix(), Currency: "usd",
		Customer: page.Customer, Metadata: page.intentMetadata, Status: "processing",
	}}
	s.payments[pay.intent.ID] = pay
	page.Status, page.URL, page.PaymentIntent = "complete", nil, pay.intent.ID
	return page, pay, nil
}

// settle makes a payment's money come. The charge gets a copy of the payment's
// metadata.
func (s *Server) settle(page *session, pay *payment) {
	pay.charge = charge{
		ID: "ch_" + rand.Text(), Object: "charge", Amount: pay.intent.Amount, AmountCaptured: pay.intent.Amount, Captured: true,
		Created: s.now().Unix(), Currency: "usd", Customer: pay.intent.Customer, Metadata: maps.Clone(pay.intent.Metadata), Paid: true,
		PaymentIntent: pay.intent.ID, Status: "succeeded",
	}
	pay.intent.Status, pay.intent.AmountReceived, pay.intent.LatestCharge = "succeeded", pay.intent.Amount, new(pay.charge.ID)
	page.PaymentStatus = "paid"
	s.happened("charge.succeeded", pay.charge)
	s.happened("payment_intent.succeeded", pay.intent)
}

func (s *Server) underWay(checkoutID string) (*session, *payment, error) {
	if page, ok := s.sessions[checkoutID]; ok {
		if id, begun := page.PaymentIntent.(string); begun && s.payments[id].intent.Status == "processing" {
			return page, s.payments[id], nil
		}
	}
	return nil, nil, fmt.Errorf("stripetest: page %q has no payment under way", checkoutID)
}

func (s *Server) paid(paymentID string) (*payment, error) {
	pay, ok := s.payments[paymentID]
	if !ok || !pay.charge.Paid {
		return nil, fmt.Errorf("stripetest: no money came with payment %q", paymentID)
	}
	return pay, nil
}

// dispute opens a dispute, or makes one of an inquiry.
func (s *Server) dispute(paymentID, status string) (*dispute, error) {
	pay, err := s.paid(paymentID)
	if err != nil {
		return nil, err
	}
	if d := pay.dispute; d != nil && d.Status == "warning_needs_response" && status == "needs_response" {
		d.Status, d.IsChargeRefundable = status, false
		pay.charge.Disputed = true
		s.happened("charge.dispute.updated", *d)
		return d, nil
	}
	left := pay.charge.AmountCaptured - pay.charge.AmountRefunded
	if pay.dispute != nil || left == 0 {
		return nil, errors.New("stripetest: payment " + paymentID + " was disputed or refunded before")
	}
	pay.dispute = &dispute{
		ID: "du_" + rand.Text(), Object: "dispute", Amount: left, Charge: pay.charge.ID, Created: s.now().Unix(), Currency: "usd",
		PaymentIntent: paymentID, Reason: "fraudulent", Status: status, IsChargeRefundable: status != "needs_response",
		BalanceTransactions: []string{}, EnhancedEligibilityTypes: []string{}, Metadata: map[string]string{},
	}
	pay.charge.Disputed = status == "needs_response"
	s.happened("charge.dispute.created", *pay.dispute)
	return pay.dispute, nil
}

func (s *Server) closeDispute(paymentID, status string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	pay, err := s.paid(paymentID)
	if err != nil {
		return err
	}
	if pay.dispute == nil || pay.dispute.Status != "needs_response" {
		return fmt.Errorf("stripetest: payment %s is not disputed", paymentID)
	}
	pay.dispute.Status = status
	if status == "won" {
		s.happened("charge.dispute.funds_reinstated", *pay.dispute)
	}
	s.happened("charge.dispute.closed", *pay.dispute)
	return nil
}
