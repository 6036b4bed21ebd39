package billing

import (
	"context"
	"time"

	"assay"
)

// Store keeps the ledger, deposits, and what the payment provider said of them.
type Store interface {
	// Post adds a transaction to the ledger, with a line of the audit log, unless one
	// with its key is there: then that is returned, and added is false. Seq and
	// After are filled in. An unknown user is user_not_found.
	Post(ctx context.Context, x assay.Transaction, event assay.AuditEvent) (posted *assay.Transaction, added bool, err error)
	// Wallet returns what a user has, as of one moment.
	Wallet(ctx context.Context, userID string) (Wallet, error)
	// Statement returns a part of a user's transactions, in constant time whatever
	// their number.
	Statement(ctx context.Context, q StatementQuery) (Statement, error)
	// Exhausted returns the live sessions of users whose balance, with what these
	// sessions have used up, is not above zero, and when the next will be there
	// (zero: never, as it looks).
	Exhausted(ctx context.Context, now time.Time) (sessionIDs []string, next time.Time, err error)
	// Books reads the whole ledger and tells what is wrong with it.
	Books(ctx context.Context) (Books, error)

	// InsertDeposit stores a deposit that is to be paid. Idempotency as for sessions.
	InsertDeposit(ctx context.Context, d *Deposit, idem assay.Idempotency, event assay.AuditEvent) (got *Deposit, created bool, err error)
	// SetCheckout stores the page on which a deposit is paid.
	SetCheckout(ctx context.Context, depositID, checkoutID, url string) (*Deposit, error)
	// Settle brings a deposit and the ledger to what the provider says of it: see
	// Fact. An event that was settled before changes nothing.
	Settle(ctx context.Context, f Fact) (Settled, error)
	// OpenDeposits returns deposits that are open and about which the provider was not
	// asked since a time, longest first.
	OpenDeposits(ctx context.Context, since time.Time, limit int) ([]*Deposit, error)
	// Asked notes that the provider was asked about a deposit.
	Asked(ctx context.Context, depositID string, at time.Time) error
	// Customer returns the provider's id of a user; "" when there is none.
	Customer(ctx context.Context, userID string) (string, error)
	// SetCustomer stores the provider's id of a user unless there is one, and returns
	// the one that is stored.
	SetCustomer(ctx context.Context, userID, customerID string) (string, error)
}

// Wallet is what a user has and what draws on it.
type Wallet struct {
	UserID     string
	CustomerID string // the payment provider's; "" before the first deposit
	Totals     assay.Totals
	UpdatedAt  time.Time        // of the last transaction; zero when there is none
	Live       []*assay.Session // creating or ready
}

// StatementQuery selects lines of a user's statement, newest first. Sessions that are
// ready, and not billed yet, are lines too, above all others.
type StatementQuery struct {
	UserID  string
	Types   []assay.TransactionType // all when empty
	From    time.Time               // the first moment; zero is the beginning
	Until   time.Time               // the first moment after; zero is never
	Pending bool                    // with the sessions that are ready
	Below   int64                   // only transactions with a smaller Seq; 0 for all
	Skip    int64                   // newest lines to pass over
	Limit   int                     // at most so many; 0 for none
}

// Statement is a part of a user's statement, as of one moment.
type Statement struct {
	Wallet       Wallet
	Pending      []*assay.Session // all that are ready, newest first; none unless asked for
	Lines        []*assay.Session // those of Pending that are within the part
	Transactions []*assay.Transaction
	Before       assay.Totals // of what was before From
	Upto         assay.Totals // of what was before Until
}

// Books is what a check of the ledger found. Every list is of things that must not
// be, at most MaxFindings of them; all are empty when the books are in order.
type Books struct {
	Users        int64
	Transactions int64
	Entries      int64
	Sessions     int64 // billed
	Deposits     int64 // paid
	Findings     []Finding
}

// Currency is the one that deposits are made in.
const Currency = "usd"

// MaxFindings bounds the findings of each rule that are told.
const MaxFindings = 20

// Finding is one thing that is wrong with the books.
type Finding struct {
	Rule    string `json:"rule"`    // what must hold
	Subject string `json:"subject"` // id of what it does not hold for
	Detail  string `json:"detail"`
}
