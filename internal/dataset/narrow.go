package dataset

import (
	"context"
	"fmt"
	"slices"

	"assay"
	"assay/internal/narrow"
)

// narrowed is a sample whose verifier runs the graded fail_to_pass tests alone, by its
// command for some tests; nil, and why, when that cannot be filled.
func narrowed(s *assay.Sample) (_ *assay.Sample, why string) {
	var (
		tests  []narrow.Test
		graded []string
	)
	for _, id := range s.FailToPass {
		if !slices.Contains(s.Task.Verifier.Quarantined, id) {
			tests, graded = append(tests, narrow.Test{ID: id}), append(graded, id)
		}
	}
	command, err := narrow.Fill(s.Task.Verifier.CommandFor, s.Task.Language, tests)
	if err != nil {
		return nil, err.Error()
	}
	c := *s
	c.FailToPass, c.PassToPass, c.FailToFail = graded, []string{}, []string{}
	c.Task.Grading = assay.GradingSWEBench
	v := &c.Task.Verifier
	v.Command, v.CommandFor = command, ""
	v.Canaries, v.SecondRun = nil, assay.SecondRunNever // it selects the tests that it runs
	return &c, ""
}

// tryNarrow has the command for some tests run the fail_to_pass tests with the reference
// fix, and says why it is not used; "" when it is. The error is ctx's.
func (c *campaign) tryNarrow(ctx context.Context, s *assay.Sample) (why string, err error) {
	sample, why := narrowed(s)
	if sample == nil {
		return why, nil
	}
	verdict, err := c.judge.EvaluatePatch(ctx, sample, s.ReferencePatch())
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return "it could not be run: " + faultReason(err), nil
	case !verdict.Solved:
		return "with the reference fix it does not report the fail_to_pass tests as passed: " + verdict.Reason, nil
	}
	return "", nil
}

// concludeNarrow adds to a validation what became of the command for some tests.
func (c *campaign) concludeNarrow(ctx context.Context, s *assay.Sample, v *Validation) error {
	if s.Task.Verifier.CommandFor == "" || s.ReferencePatch() == "" || !v.Valid() {
		return nil
	}
	why, err := c.tryNarrow(ctx, s)
	if err != nil {
		return err
	}
	if v.Narrow = why == ""; !v.Narrow {
		v.Note = fmt.Sprintf("command_for is not used: %s", why)
	}
	return nil
}

// Narrow tells whether the command for some tests of a version of a sample may be used: a
// validation by the rules of today saw it run the fail_to_pass tests.
func (s *Service) Narrow(ctx context.Context, dataset, sampleID string, version int) (bool, error) {
	return s.store.Narrow(ctx, dataset, sampleID, version)
}
