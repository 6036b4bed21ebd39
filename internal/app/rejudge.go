package app

import (
	"context"

	"assay"
	"assay/internal/evaluate"
	"assay/internal/rounds"
	"assay/internal/verification"
)

// Rejudging judges stored works again.
type Rejudging struct{ rejudging *verification.Rejudging }

// Rejudging returns what judges stored works again, in sandboxes of its own, beside a server
// that may run; see Evaluator.
func (a *App) Rejudging(ctx context.Context) (*Rejudging, error) {
	known, err := a.Alterations()
	if err != nil {
		return nil, err
	}
	evaluator, err := a.Evaluator(ctx)
	if err != nil {
		return nil, err
	}
	return &Rejudging{&verification.Rejudging{
		Judged: a.store, Samples: a.Datasets, Player: rounds.New(rounds.Config{Tester: evaluator}), Alterations: known,
		Judging: a.Datasets.Judging, ImageDigest: a.trees().digest,
	}}, nil
}

// Rejudged is what came of judging a work again.
type Rejudged struct {
	Verdict   *assay.Verdict // nil if there is a Failure
	SameImage bool           // the sample's image is the one of then
	Failure   *assay.Failure // why it could not be judged
}

// Again judges the work of a verification again; see verification.Rejudging.
func (r *Rejudging) Again(ctx context.Context, v *assay.Verification) Rejudged {
	got, err := r.rejudging.Again(ctx, v)
	if err != nil {
		return Rejudged{Failure: evaluate.FailureOf(err)}
	}
	return Rejudged{Verdict: got.Verdict, SameImage: got.SameImage}
}

// Completed returns verifications with a verdict of a dataset, of any if that is "": oldest
// first, at most limit of those after an id.
func (a *App) Completed(ctx context.Context, dataset, after string, limit int) ([]*assay.Verification, error) {
	return a.store.Completed(ctx, dataset, after, limit)
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
