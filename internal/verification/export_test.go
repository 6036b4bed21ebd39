package verification

import (
	"context"

	"assay"
)

// MaxFruitless is how many attempts may end without an outcome.
const MaxFruitless = maxFruitless

// AwaitFreed returns when the clean sandboxes of what was judged are gone, and what Recover
// destroys.
func (s *Service) AwaitFreed() {
	s.cleaning.Wait()
	s.evaluator.Close()
}

// StoreOutcome stores a verdict as an attempt at its end does.
func (s *Service) StoreOutcome(ctx context.Context, v *assay.Verification, verdict *assay.Verdict) error {
	return s.store(ctx, v, verdict, nil)
}
