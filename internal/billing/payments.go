package billing

import (
	"context"
	"errors"
	"time"

	"assay"
)

// Payments is a payment provider: Stripe, or a fake of it. Its methods are safe to
// call again with the same arguments: what a lost answer has made is found, not made
// twice.
type Payments interface {
	// CreateCustomer makes the provider's record of a user and returns its id. Keep
	// the id: asked again within a day, with the user's name and address unchanged,
	// the provider returns the same one; later, or after a change, it may make a
	// second record, which costs nothing and confuses people.
	CreateCustomer(ctx context.Context, user *assay.User) (customerID string, err error)
	// CreateCheckout opens a page on which the customer pays a deposit. A request is
	// repeated with the same fields, ExpiresAt among them: another request for the
	// same deposit is refused.
	CreateCheckout(ctx context.Context, req CheckoutRequest) (Checkout, error)
	// Checkout returns what became of a page: ErrNoCheckout if there is none.
	Checkout(ctx context.Context, checkoutID string) (Checkout, error)
	// ParseEvent reads a notification. It believes none whose signature does not fit
	// the raw body, or is older than five minutes: ErrForged. An event that has
	// nothing to do with deposits has Kind EventOther.
	ParseEvent(body []byte, signature string) (Event, error)
}

// Errors of Payments. Any other error is a fault of the provider or of the way to
// it, and may pass.
var (
	ErrNoCheckout = errors.New("the payment provider knows no such checkout")
	ErrForged     = errors.New("the notification is not signed by the payment provider, or is too old")
)

// CheckoutRequest asks for a page on which a deposit is paid.
type CheckoutRequest struct {
	DepositID   string // comes back with the checkout, its payment, and their events
	UserID      string
	CustomerID  string
	AmountCents int64 // US dollars
	SuccessURL  string
	CancelURL   string
	ExpiresAt   time.Time // of the page: 30 minutes to 24 hours from now
}

// CheckoutStatus is what became of a checkout.
type CheckoutStatus string

// The states of a checkout.
const (
	CheckoutOpen    CheckoutStatus = "open"    // nobody paid yet, or the payment is still under way
	CheckoutPaid    CheckoutStatus = "paid"    // the money has come
	CheckoutFailed  CheckoutStatus = "failed"  // the payment was begun, and failed in the end
	CheckoutExpired CheckoutStatus = "expired" // nobody paid in time
)

// Checkout is a page on which a deposit is paid, and what became of it.
type Checkout struct {
	ID          string
	URL         string // "" once it is no longer open
	DepositID   string
	Status      CheckoutStatus
	AmountCents int64
	Currency    string // lower-case ISO 4217
	PaymentID   string // of the payment; "" before there is one
}

// EventKind is what a notification is about.
type EventKind string

// The kinds of notifications.
const (
	EventCheckout EventKind = "checkout" // a checkout was paid, failed or expired
	EventRefund   EventKind = "refund"   // a payment was given back, whole or in part
	EventDispute  EventKind = "dispute"  // the customer's bank has taken a payment back

	// EventDisputeWon says that what an EventDispute took has come back. It names the
	// same dispute and amount, and may come before it.
	EventDisputeWon EventKind = "dispute_won"

	EventOther EventKind = "other" // nothing that concerns deposits
)

// Event is a notification of the provider. The same one may come more than once, and
// in any order with others: also the news of a refund before that of its payment. One
// dispute may be told by two events: what was taken once is told apart by DisputeID.
type Event struct {
	ID        string
	Type      string // as the provider calls it
	CreatedAt time.Time
	Kind      EventKind
	Checkout  Checkout // of EventCheckout

	// Of EventRefund, EventDispute and EventDisputeWon; amounts are in US cents. The
	// deposit is named where the provider knows it, which it does for refunds;
	// PaymentID always.
	DepositID     string
	PaymentID     string
	RefundedCents int64  // in all, so far
	DisputeID     string // of EventDispute and EventDisputeWon
	DisputedCents int64
}
