package dataset

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"assay"
)

// Judge judges a patch as a verification would judge a session that made it.
type Judge interface {
	// JudgePatch applies patchText to the work tree of the sample's image in a clean
	// sandbox and judges it; "" is the work tree as it is. The error is about us
	// or about the sample; the verdict is about the patch.
	JudgePatch(ctx context.Context, s *assay.Sample, patchText string) (*assay.Verdict, error)
}

// ValidateRequest says what to validate.
type ValidateRequest struct {
	Dataset string
	Samples []string // ids; all of the dataset when empty
	Workers int      // samples at a time. Defaults to 1
	// Started, if set, is called before anything is judged with the number of
	// samples. Done, if set, is called after each sample, one call at a time.
	Started func(samples int)
	Done    func(Validation)
}

// Validation is what became of one sample.
type Validation struct {
	SampleID  string
	Version   int
	Empty     Judgement // of the work tree as it is: must not be solved
	Reference Judgement // of the reference fix: must be solved
	Duration  time.Duration
	Reasons   []string // why the sample is not valid, a sentence each
}

// Valid tells whether both judgements were as they must be.
func (v *Validation) Valid() bool { return len(v.Reasons) == 0 }

// Judgement is the verdict on one patch, or why there is none.
type Judgement struct {
	Verdict *assay.Verdict
	Err     error
}

// Validate proves for each sample that its verifier tells right from wrong: the
// empty patch must fail, the reference fix must pass. It returns the outcomes in
// the order of the samples. Its error is about finding the samples, or ctx's.
func (s *Service) Validate(ctx context.Context, judge Judge, req ValidateRequest) ([]Validation, error) {
	ids, err := s.selectSamples(ctx, req)
	if err != nil {
		return nil, err
	}
	if req.Started != nil {
		req.Started(len(ids))
	}
	var (
		outcomes = make([]Validation, len(ids))
		done     sync.Mutex
		group    errgroup.Group
	)
	group.SetLimit(max(1, req.Workers))
	for i, id := range ids {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			sample, err := s.store.Sample(ctx, req.Dataset, id, 0)
			if err != nil {
				return fmt.Errorf("read sample %s: %w", id, err)
			}
			outcomes[i] = validate(ctx, judge, sample)
			if ctx.Err() != nil {
				return ctx.Err() // what was judged meanwhile says nothing about the sample
			}
			if req.Done != nil {
				done.Lock()
				defer done.Unlock()
				req.Done(outcomes[i])
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("validate dataset %s: %w", req.Dataset, err)
	}
	return outcomes, nil
}

// selectSamples returns the ids to validate. Samples are read again one by one: a
// dataset need not fit into memory.
func (s *Service) selectSamples(ctx context.Context, req ValidateRequest) ([]string, error) {
	if err := s.known(ctx, req.Dataset); err != nil {
		return nil, err
	}
	if len(req.Samples) > 0 {
		var missing []error
		for _, id := range req.Samples {
			if _, err := s.store.Sample(ctx, req.Dataset, id, 0); err != nil {
				missing = append(missing, fmt.Errorf("sample %s: %w", id, err))
			}
		}
		return req.Samples, errors.Join(missing...)
	}
	var ids []string
	err := s.store.Samples(ctx, Query{Dataset: req.Dataset}, func(sample *assay.Sample) error {
		ids = append(ids, sample.ID)
		return nil
	})
	return ids, err
}

// validate judges one sample, first as it is and then with its reference fix.
func validate(ctx context.Context, judge Judge, sample *assay.Sample) Validation {
	start := time.Now()
	v := Validation{SampleID: sample.ID, Version: sample.Version}
	v.Empty.Verdict, v.Empty.Err = judge.JudgePatch(ctx, sample, "")
	switch {
	case v.Empty.Err != nil:
		v.Reasons = append(v.Reasons, fmt.Sprintf("the empty patch could not be judged: %v", v.Empty.Err))
	case v.Empty.Verdict.Solved:
		v.Reasons = append(v.Reasons, "the empty patch passes: the tests do not tell whether the task is solved")
	}
	v.Reference.Verdict, v.Reference.Err = judge.JudgePatch(ctx, sample, ReferencePatch(sample))
	switch {
	case v.Reference.Err != nil:
		v.Reasons = append(v.Reasons, fmt.Sprintf("the reference fix could not be judged: %v", v.Reference.Err))
	case !v.Reference.Verdict.Solved:
		v.Reasons = append(v.Reasons, "the reference fix does not pass: "+v.Reference.Verdict.Reason)
	}
	v.Duration = time.Since(start)
	return v
}

// ReferencePatch returns the whole reference fix of a sample: its patch and its patch
// of files that are not code.
func ReferencePatch(s *assay.Sample) string {
	first := s.Patch
	if first != "" && s.NonCodePatch != "" && first[len(first)-1] != '\n' {
		first += "\n"
	}
	return first + s.NonCodePatch
}
