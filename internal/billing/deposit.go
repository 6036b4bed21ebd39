package billing

import (
	"time"

	"assay"
)

// Deposit is money that a user was asked for, and what came of it.
type Deposit struct {
	ID          string
	UserID      string
	AmountCents int64 // US dollars
	Status      CheckoutStatus
	CreatedAt   time.Time
	ExpiresAt   time.Time  // of the page on which it is paid
	SettledAt   *time.Time // when Status became final
	CheckoutID  string     // "" until the provider answered
	CheckoutURL string
	PaymentID   string // "" until it is known
	SuccessURL  string
	CancelURL   string
}

// Fact is what the provider says of a payment, in an event or when asked. Facts may
// come again and in any order; whichever order, they lead to the same ledger: a
// refund of what was not credited yet waits for the credit.
type Fact struct {
	EventID   string // "" when the provider was asked
	EventType string
	At        time.Time // when we learnt it

	DepositID  string // "" when only the payment is known
	CheckoutID string
	PaymentID  string

	Status      CheckoutStatus // of the checkout; "" when it is not about that
	AmountCents int64          // of the checkout
	Currency    string

	RefundedCents int64 // in all; 0 when it is not about that
	DisputeID     string
	DisputedCents int64
	DisputeWon    bool // the disputed money came back
}

// Settled is what a fact led to.
type Settled struct {
	Again        bool                 // the event was dealt with before
	Foreign      bool                 // it is of no deposit that is known
	UserID       string               // whose ledger it changed
	Transactions []*assay.Transaction // that were added
}

// CreditOf is the transaction that credits a deposit that was paid.
func CreditOf(d *Deposit, at time.Time) assay.Transaction {
	return assay.Transaction{
		ID: assay.NewID(assay.PrefixTransaction), UserID: d.UserID, DepositID: d.ID, CreatedAt: at,
		Type: assay.TransactionDeposit, Amount: assay.FromCents(d.AmountCents), Against: assay.AccountPayments,
		Key: "deposit:" + d.ID, Description: "Deposit",
	}
}

// RefundOf is the transaction that takes back what was refunded of a deposit beyond
// what was taken back before. Total is what was refunded in all.
func RefundOf(d *Deposit, cents int64, total string, at time.Time) assay.Transaction {
	return assay.Transaction{
		ID: assay.NewID(assay.PrefixTransaction), UserID: d.UserID, DepositID: d.ID, CreatedAt: at,
		Type: assay.TransactionRefund, Amount: -assay.FromCents(cents), Against: assay.AccountPayments,
		Key: "refund:" + d.ID + ":" + total, Description: "Refund of a deposit",
	}
}

// DisputeOf is the transaction that takes back a payment which the customer's bank
// demands.
func DisputeOf(d *Deposit, disputeID string, cents int64, at time.Time) assay.Transaction {
	return assay.Transaction{
		ID: assay.NewID(assay.PrefixTransaction), UserID: d.UserID, DepositID: d.ID, CreatedAt: at,
		Type: assay.TransactionCharge, Amount: -assay.FromCents(cents), Against: assay.AccountPayments,
		Key: "dispute:" + disputeID, Description: "Disputed payment",
	}
}

// DisputeWonOf is the transaction that gives a disputed payment back to its user.
func DisputeWonOf(d *Deposit, disputeID string, cents int64, at time.Time) assay.Transaction {
	return assay.Transaction{
		ID: assay.NewID(assay.PrefixTransaction), UserID: d.UserID, DepositID: d.ID, CreatedAt: at,
		Type: assay.TransactionCharge, Amount: assay.FromCents(cents), Against: assay.AccountPayments,
		Key: "dispute:" + disputeID + ":won", Description: "Disputed payment, given back",
	}
}
