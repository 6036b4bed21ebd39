package verification

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"

	"assay"
	"assay/internal/sandbox"
)

// wantsSecondRun tells whether a work that looks solved is to be run once more.
func wantsSecondRun(sample *assay.Sample, v *assay.Verdict) bool {
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
func (j *judgement) confirm(ctx context.Context, v *assay.Verdict) error {
	nonce := newNonce()
	second, names, err := j.underOtherNames(ctx, secondSuffix, nonce, j.work)
	if err != nil {
		return err
	}
	switch {
	case second == nil || len(names.found) == 0:
		v.Evidence.SecondRun = assay.SecondRunImpossible
		return nil
	case second.Solved:
		v.Evidence.SecondRun = assay.SecondRunAgreed
		return nil
	}
	reference, _, err := j.underOtherNames(ctx, referenceSuffix, nonce, func(ctx context.Context, box sandbox.Sandbox) (io.ReadCloser, error) {
		layer, err := patchLayer(ctx, box, j.sample, j.sample.ReferencePatch())
		return io.NopCloser(bytes.NewReader(layer)), err
	})
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
func (j *judgement) underOtherNames(ctx context.Context, suffix, nonce string, work func(context.Context, sandbox.Sandbox) (io.ReadCloser, error)) (*assay.Verdict, *renaming, error) {
	names := newRenaming(j.sample, nonce)
	if names == nil {
		return nil, nil, nil
	}
	run := j.another(suffix, work)
	run.names = names
	verdict, err := run.once(ctx)
	return verdict, names, err
}

// sandboxOf returns the id of the judgement's first sandbox, given any of its sandboxes.
func sandboxOf(id string) string {
	for _, suffix := range []string{controlSuffix, secondSuffix, referenceSuffix} {
		id = strings.TrimSuffix(id, suffix)
	}
	return id
}
