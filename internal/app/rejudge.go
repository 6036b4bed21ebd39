package app

import (
	"context"

	"assay"
	"assay/internal/verification"
)

// Rejudging returns what judges stored works again, in sandboxes of its own, beside a server
// that may run; see Evaluator.
func (a *App) Rejudging(ctx context.Context) (*verification.Rejudging, error) {
	known, err := a.Alterations()
	if err != nil {
		return nil, err
	}
	evaluator, err := a.Evaluator(ctx)
	if err != nil {
		return nil, err
	}
	return &verification.Rejudging{
		Judged: a.store, Samples: a.Datasets, Tester: evaluator, Alterations: known,
		Judging: a.Datasets.Judging, ImageDigest: a.trees().digest,
	}, nil
}

// Verdict returns a verification with its verdict, whoever's it is: job_not_found; conflict
// when there is no verdict.
func (a *App) Verdict(ctx context.Context, verificationID string) (*assay.Verification, error) {
	v, err := a.store.Verification(ctx, "", "", verificationID)
	if err == nil && v.Verdict == nil {
		return nil, assay.Errorf(assay.CodeConflict, "verification %s is %s, and has no verdict", verificationID, v.Status)
	}
	return v, err
}
