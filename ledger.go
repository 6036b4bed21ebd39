package assay

import (
	"slices"
	"time"
)

// Transaction is one movement of a user's money. In the ledger it has two entries
// that sum to zero: Amount on the user's account and its opposite on Against.
// Transactions are only ever added. Those of a user are numbered without a gap, in the
// order of their times.
type Transaction struct {
	ID          string
	UserID      string
	Seq         int64 // from 1, a user
	Type        TransactionType
	Amount      MicroUSD // money in is positive, usage negative
	Against     Account  // where the money came from, or went
	Key         string   // idempotency: there is one transaction a key
	CreatedAt   time.Time
	Description string
	SessionID   string // of usage
	DepositID   string // of what came or went through the payment provider
	Seconds     int64  // billed, of usage
	After       Totals // of the user, this transaction included
}

// TransactionType is the kind of a movement, as the wire names it.
type TransactionType string

// The types of transactions.
const (
	TransactionDeposit TransactionType = "deposit"       // paid in, or given by the operator
	TransactionUsage   TransactionType = "session_usage" // a session that has ended
	TransactionRefund  TransactionType = "refund"        // given back through the payment provider
	TransactionCharge  TransactionType = "charge"        // withdrawn: a disputed payment, a correction by the operator
)

// TransactionTypes are all types, in the order of their documentation.
var TransactionTypes = []TransactionType{TransactionDeposit, TransactionUsage, TransactionRefund, TransactionCharge}

// Account is a ledger account: one a user, and those of the house.
type Account string

// The accounts of the house.
const (
	AccountRevenue    Account = "revenue"    // what sessions earned
	AccountPayments   Account = "payments"   // what the payment provider took for us, less what it gave back
	AccountPromotions Account = "promotions" // what the house gave away
)

// UserAccount is the account of a user.
func UserAccount(userID string) Account { return Account("user:" + userID) }

// Tally is how many transactions there were, and their sum.
type Tally struct {
	Count  int64
	Amount MicroUSD
}

// Totals sums a user's transactions up, by type.
type Totals struct {
	Deposits Tally
	Usage    Tally
	Refunds  Tally
	Charges  Tally
	Seconds  int64 // billed
}

// Balance is the sum of all.
func (t Totals) Balance() MicroUSD {
	return t.Deposits.Amount + t.Usage.Amount + t.Refunds.Amount + t.Charges.Amount
}

// Of returns the tally of one type; nil for an unknown one.
func (t *Totals) Of(kind TransactionType) *Tally {
	switch kind {
	case TransactionDeposit:
		return &t.Deposits
	case TransactionUsage:
		return &t.Usage
	case TransactionRefund:
		return &t.Refunds
	case TransactionCharge:
		return &t.Charges
	}
	return nil
}

// Count is how many transactions there are of some types; of all when none is named.
func (t Totals) Count(types []TransactionType) (n int64) {
	for _, kind := range TransactionTypes {
		if len(types) == 0 || slices.Contains(types, kind) {
			n += t.Of(kind).Count
		}
	}
	return n
}

// With returns the totals once x is among them.
func (t Totals) With(x *Transaction) Totals {
	tally := t.Of(x.Type)
	tally.Count++
	tally.Amount += x.Amount
	t.Seconds += x.Seconds
	return t
}

// Less returns what was added since earlier.
func (t Totals) Less(earlier Totals) Totals {
	for _, kind := range TransactionTypes {
		now, then := t.Of(kind), earlier.Of(kind)
		now.Count -= then.Count
		now.Amount -= then.Amount
	}
	t.Seconds -= earlier.Seconds
	return t
}

// UsageOf is the transaction that bills a session that has ended after it was ready:
// its full seconds at the price it was made at. There is one a session.
func UsageOf(s *Session) *Transaction {
	return &Transaction{
		ID:          NewID(PrefixTransaction),
		UserID:      s.UserID,
		Type:        TransactionUsage,
		Amount:      -s.Cost(*s.EndedAt),
		Against:     AccountRevenue,
		Key:         "session:" + s.ID,
		CreatedAt:   *s.EndedAt,
		Description: s.Dataset + "/" + s.SampleID,
		SessionID:   s.ID,
		Seconds:     int64(s.Duration(*s.EndedAt) / time.Second),
	}
}

// WelcomeOf is the transaction that gives a new user a credit of the house, once.
func WelcomeOf(u *User, amount MicroUSD) *Transaction {
	return &Transaction{
		ID:          NewID(PrefixTransaction),
		UserID:      u.ID,
		Type:        TransactionDeposit,
		Amount:      amount,
		Against:     AccountPromotions,
		Key:         "welcome:" + u.ID,
		CreatedAt:   u.CreatedAt,
		Description: "Welcome credit",
	}
}
