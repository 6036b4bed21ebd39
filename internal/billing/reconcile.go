package billing

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	reconcileEvery = time.Minute
	// askAfter is how long a deposit is left to the provider's events before it is
	// asked about, and between two such questions.
	askAfter = 5 * time.Minute
	// reconcileBatch bounds the questions of one round.
	reconcileBatch = 50
	// orphanAfter is how long after its page would have expired a deposit is given up
	// whose page nobody was ever told of.
	orphanAfter = 24 * time.Hour
)

// Reconciler asks the payment provider about deposits that stay open, in case its
// events were lost, until ctx ends.
func (s *Service) Reconciler(ctx context.Context) {
	if s.cfg.Payments == nil {
		return
	}
	tick := time.NewTicker(reconcileEvery)
	defer tick.Stop()
	for {
		if err := s.Reconcile(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("cannot reconcile deposits", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Reconcile asks once about each deposit that was open for long enough, and settles
// what the provider says as its event would.
func (s *Service) Reconcile(ctx context.Context) error {
	now := s.now()
	open, err := s.cfg.Store.OpenDeposits(ctx, now.Add(-askAfter), reconcileBatch)
	if err != nil {
		return err
	}
	var errs []error
	for _, d := range open {
		errs = append(errs, s.reconcile(ctx, d, now))
	}
	return errors.Join(errs...)
}

func (s *Service) reconcile(ctx context.Context, d *Deposit, now time.Time) error {
	f := Fact{EventType: "reconciliation", At: now, DepositID: d.ID}
	switch {
	case d.CheckoutID != "":
		c, err := s.cfg.Payments.Checkout(ctx, d.CheckoutID)
		if err != nil {
			return fmt.Errorf("ask about deposit %s: %w", d.ID, errors.Join(err, s.cfg.Store.Asked(ctx, d.ID, now)))
		}
		f = checkoutFact(f, c)
		f.DepositID = d.ID
	case now.After(d.ExpiresAt.Add(orphanAfter)):
		f.Status = CheckoutExpired
	}
	if f.Status != "" && f.Status != CheckoutOpen {
		settled, err := s.cfg.Store.Settle(ctx, f)
		if err != nil {
			return err
		}
		s.cfg.Log.Info("deposit reconciled", "deposit", d.ID, "status", f.Status, "transactions", len(settled.Transactions))
	}
	return s.cfg.Store.Asked(ctx, d.ID, now)
}
