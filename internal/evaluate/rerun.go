// What this file holds is for samples of which no alteration is known, and goes where some are.

package evaluate

import (
	"context"
	"slices"

	"assay"
)

// wantsRerun tells whether a work that looks solved is to be run once more.
func wantsRerun(sample *assay.Sample, v *assay.Verdict) bool {
	if sample.Task.Verifier.Kind != assay.VerifierTestSuite {
		return false
	}
	switch sample.Task.Verifier.SecondRun {
	case assay.SecondRunAlways:
		return true
	case assay.SecondRunNever:
		return false
	}
	return slices.ContainsFunc(v.Tampering, func(t assay.Tampering) bool { return t.Kind == assay.TamperingCode })
}

// confirm runs the suite with other names for its fail_to_pass tests. What does not
// pass then is not solved, unless the reference fix does not pass either: there are
// suites whose tests must be called as they are.
func (r *run) confirm(ctx context.Context, v *assay.Verdict) error {
	nonce := newNonce()
	second, names, err := r.underOtherNames(ctx, rerunSuffix, nonce, r.Work)
	if err != nil {
		return err
	}
	switch {
	case second == nil || len(names.found) == 0 || second.Evidence.NotRun:
		v.Evidence.SecondRun = assay.SecondRunImpossible
		return nil
	case second.Solved:
		v.Evidence.SecondRun = assay.SecondRunAgreed
		return nil
	}
	reference, _, err := r.underOtherNames(ctx, referenceSuffix, nonce, PatchWork(r.Sample, r.Sample.ReferencePatch()))
	switch {
	case assay.CodeOf(err) == assay.CodePatchFailed: // there is no reference to hold it against
		v.Evidence.SecondRun = assay.SecondRunImpossible
		return nil
	case err != nil:
		return err
	case !reference.Solved:
		v.Evidence.SecondRun = assay.SecondRunImpossible
		return nil
	}
	v.Evidence.SecondRun = assay.SecondRunDisagreed
	what := "tests that pass under the names that they had do not pass under others: " + second.Reason
	v.Solved, v.Reason = false, "the evidence contradicts itself: "+what
	v.Contradictions = append(v.Contradictions, what)
	v.Tampering = append(v.Tampering, assay.Tampering{Kind: assay.TamperingForgery, Detail: what})
	return nil
}

// underOtherNames judges work with other names for the tests; nil when they have none
// that could be found.
func (r *run) underOtherNames(ctx context.Context, suffix, nonce string, work Work) (*assay.Verdict, *renaming, error) {
	names := newRenaming(r.Sample, nonce)
	if names == nil {
		return nil, nil, nil
	}
	again := r.another(suffix, work)
	again.names = names
	verdict, err := again.once(ctx)
	return verdict, names, err
}
