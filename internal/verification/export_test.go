package verification

import (
	"context"

	"assay"
)

// AwaitFreed returns when the clean sandboxes of what was judged are gone.
func (s *Service) AwaitFreed() { s.evaluator.Close() }

// StoreOutcome stores a verdict as an attempt at its end does.
func (s *Service) StoreOutcome(ctx context.Context, v *assay.Verification, verdict *assay.Verdict) error {
	return s.store(ctx, v, verdict, nil)
}
