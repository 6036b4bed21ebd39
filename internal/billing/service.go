// Package billing is the money: what sessions cost, who can pay for them, deposits
// and what becomes of them, and a ledger that can be proved.
//
// A session is billed in the transaction that ends it, so that the ledger is never
// behind. Until then what it has used up counts as spent: balances are the ledger's
// less that. When a balance is used up, the meter ends what draws on it.
package billing

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"assay"
)

// Config is what a Service is made of.
type Config struct {
	Store Store // required
	// Users finds whom money is about: user_not_found.
	Users func(ctx context.Context, id string) (*assay.User, error)
	// Payments takes deposits. Nil is a server that takes none.
	Payments Payments
	// Enabled makes sessions cost something. Otherwise they are metered at a price
	// of zero, and balances are shown as zero.
	Enabled bool
	// Price of a minute of a session, and of those datasets that have their own.
	Price         assay.MicroUSD
	DatasetPrices map[string]assay.MicroUSD
	Now           func() time.Time // Defaults to time.Now
	Log           *slog.Logger     // Defaults to none
	Observer      Observer         // Hears what was done, for metrics. Defaults to nobody
}

// Service is the rules of money. It is safe for concurrent use.
type Service struct {
	cfg Config
}

// New returns a Service.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Observer == nil {
		c.Observer = nobody{}
	}
	return &Service{c}
}

func (s *Service) now() time.Time { return s.cfg.Now().UTC() }

// Price returns what a minute of a session of a dataset costs; of most of them when
// dataset is "". It is zero when nothing costs anything.
func (s *Service) Price(dataset string) assay.MicroUSD {
	if !s.cfg.Enabled {
		return 0
	}
	if price, ok := s.cfg.DatasetPrices[dataset]; ok {
		return price
	}
	return s.cfg.Price
}

// Balance is what a user sees of its account.
type Balance struct {
	UserID     string
	CustomerID string // the payment provider's; "" before the first deposit
	Balance    assay.MicroUSD
	Deposited  assay.MicroUSD // deposits and credits, in all
	Spent      assay.MicroUSD // on sessions, those that live included
	UpdatedAt  time.Time
}

// Balance returns a user's balance, as of now: what live sessions have used up so far
// counts as spent. All is zero when nothing costs anything.
func (s *Service) Balance(ctx context.Context, userID string) (Balance, error) {
	w, err := s.cfg.Store.Wallet(ctx, userID)
	if err != nil {
		return Balance{}, err
	}
	return s.balanceOf(w, s.now()), nil
}

// Ledger returns a user's balance as the ledger has it, also when nothing costs anything
// now.
func (s *Service) Ledger(ctx context.Context, userID string) (Balance, error) {
	w, err := s.cfg.Store.Wallet(ctx, userID)
	if err != nil {
		return Balance{}, err
	}
	return ledgerOf(w, s.now()), nil
}

// balanceOf is what a user sees of a wallet.
func (s *Service) balanceOf(w Wallet, now time.Time) Balance {
	b := ledgerOf(w, now)
	if !s.cfg.Enabled {
		b.Balance, b.Deposited, b.Spent = 0, 0, 0
	}
	return b
}

func ledgerOf(w Wallet, now time.Time) Balance {
	b := Balance{UserID: w.UserID, CustomerID: w.CustomerID, UpdatedAt: w.UpdatedAt}
	var running assay.MicroUSD
	for _, sess := range w.Live {
		running += sess.Cost(now)
	}
	if b.UpdatedAt.IsZero() || running > 0 {
		b.UpdatedAt = now
	}
	b.Balance = w.Totals.Balance() - running
	b.Deposited = w.Totals.Deposits.Amount
	b.Spent = running - w.Totals.Usage.Amount
	return b
}

// MaxCredit bounds what an operator gives or takes at once: a million dollars.
const MaxCredit = assay.MicroUSD(1_000_000_000_000)

// Credit gives a user money of the house or, when amount is negative, takes some,
// with the reason. The same key gives it once; "" is a new one each time.
func (s *Service) Credit(ctx context.Context, userID string, amount assay.MicroUSD, reason, key string) (*assay.Transaction, error) {
	reason = strings.TrimSpace(reason)
	switch {
	case amount == 0 || amount > MaxCredit || amount < -MaxCredit:
		return nil, assay.Errorf(assay.CodeInvalid, "a credit is from a millionth of a dollar to %s, or as much to take away", MaxCredit)
	case reason == "" || utf8.RuneCountInString(reason) > 200 || strings.ContainsFunc(reason, unicode.IsControl):
		return nil, assay.Errorf(assay.CodeInvalid, "a credit needs a reason of at most 200 characters")
	}
	if _, err := s.cfg.Users(ctx, userID); err != nil {
		return nil, err
	}
	x := assay.Transaction{
		ID: assay.NewID(assay.PrefixTransaction), UserID: userID, Type: assay.TransactionDeposit, Amount: amount,
		Against: assay.AccountPromotions, CreatedAt: s.now(), Description: reason,
	}
	if amount < 0 {
		x.Type = assay.TransactionCharge
	}
	if key == "" {
		key = x.ID
	}
	x.Key = "credit:" + userID + ":" + key
	posted, _, err := s.cfg.Store.Post(ctx, x, assay.AuditEvent{
		At: x.CreatedAt, Actor: assay.ActorOperator, Action: assay.AuditCredit, UserID: userID, Subject: x.ID,
		Detail: fmt.Sprintf("%s: %s", amount, reason),
	})
	return posted, err
}

// Check reads the whole ledger and tells what is wrong with it.
func (s *Service) Check(ctx context.Context) (Books, error) { return s.cfg.Store.Books(ctx) }
