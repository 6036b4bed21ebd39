package dataset

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"assay"
)

// Judge judges a patch as a verification would judge a session that made it.
type Judge interface {
	// EvaluatePatch applies patchText to the work tree of the sample's image in a clean
	// sandbox and judges it; "" is the work tree as it is. The error is about us
	// or about the sample; the verdict is about the patch.
	EvaluatePatch(ctx context.Context, s *assay.Sample, patchText string) (*assay.Verdict, error)
}

// ValidateRequest says what to validate.
type ValidateRequest struct {
	Dataset string
	Samples []string // ids; all of the dataset when empty
	Runs    int      // of each tree of each sample. Defaults to 1
	Workers int      // runs at a time. Defaults to 1
	Fresh   bool     // begin a new campaign: nothing that is stored counts

	// Started, if set, is called before anything is judged. Ran, if set, is called after
	// each run, and Done after the last run of each sample, one call of both at a time.
	Started func(samples, runs int)
	Ran     func(*Run)
	Done    func(Validation)
}

// Report is what a validation came to.
type Report struct {
	Dataset  string
	Campaign string
	Runs     int          // asked for, of each tree of each sample
	Stored   int          // runs with a verdict that earlier commands of the campaign left
	Made     int          // runs that this one made
	Samples  []Validation // in the order of the samples
}

// Validate proves for each sample that its verifier tells right from wrong: the
// empty patch must fail, the reference fix must pass, in each of several runs. All
// samples get their first run before any gets its second.
//
// Each run is stored when it ends. Validate goes on where an earlier call was ended,
// however that was: the runs of the last campaign count that judged the same version
// of a sample by the same GraderVersion on the same image. A run that could not be
// judged is tried twice, and again by the next call. The error is about finding
// samples, about storing runs, or ctx's.
func (s *Service) Validate(ctx context.Context, judge Judge, req ValidateRequest) (*Report, error) {
	req.Runs, req.Workers = max(1, req.Runs), max(1, req.Workers)
	c := &campaign{Service: s, judge: judge, req: req}
	err := c.plan(ctx)
	if err != nil {
		return nil, err
	}
	report := &Report{
		Dataset: req.Dataset, Campaign: c.id, Runs: req.Runs,
		Stored: c.stored, Made: len(c.todo), Samples: make([]Validation, len(c.samples)),
	}
	if req.Started != nil {
		req.Started(len(c.samples), len(c.todo))
	}
	if err := c.run(ctx, report.Samples); err != nil {
		return nil, fmt.Errorf("validate dataset %s: %w", req.Dataset, err)
	}
	return report, nil
}

// campaign is the runs of one call of Validate.
type campaign struct {
	*Service
	judge   Judge
	req     ValidateRequest
	id      string
	samples []*candidate
	todo    []step // in the order in which they are run
	stored  int

	mu sync.Mutex // of left, and of the calls of Ran and Done
}

// candidate is a sample that is validated. Its content is read again for each run: a
// dataset need not fit into memory.
type candidate struct {
	index   int
	id      string
	version int
	digest  string // of its image; "" when it is not known
	left    int    // runs
	missing map[slot]bool
}

// step is one run to make.
type step struct {
	*candidate
	slot
}

// run makes the runs and concludes each sample after its last.
func (c *campaign) run(ctx context.Context, outcomes []Validation) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.req.Workers)
	for _, sample := range c.samples {
		if sample.left == 0 {
			group.Go(func() error { return c.conclude(ctx, sample, outcomes) })
		}
	}
	for _, step := range c.todo {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			last, err := c.make(ctx, step)
			if err != nil || !last {
				return err
			}
			return c.conclude(ctx, step.candidate, outcomes)
		})
	}
	return group.Wait()
}

// make makes one run and stores it. It tells whether it was the last of its sample.
func (c *campaign) make(ctx context.Context, st step) (last bool, err error) {
	sample, err := c.store.Sample(ctx, c.req.Dataset, st.id, st.version)
	if err != nil {
		return false, fmt.Errorf("read sample %s: %w", st.id, err)
	}
	r := &Run{
		Campaign: c.id, Dataset: c.req.Dataset, SampleID: st.id, SampleVersion: st.version,
		Grader: assay.GraderVersion, ImageDigest: st.digest, Tree: st.tree, Number: st.number,
	}
	if c.fill(ctx, r, sample); ctx.Err() != nil {
		return false, ctx.Err() // what was judged meanwhile says nothing about the sample
	}
	r.ID = assay.NewID(assay.PrefixRun)
	if err := c.store.AddValidationRun(ctx, r); err != nil {
		return false, fmt.Errorf("store a run of sample %s: %w", st.id, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.req.Ran != nil {
		c.req.Ran(r)
	}
	st.left--
	return st.left == 0, nil
}

// fill judges a tree, twice if the first failure may pass by itself, and fills in what
// came out.
func (c *campaign) fill(ctx context.Context, r *Run, sample *assay.Sample) {
	text := ""
	if r.Tree == TreeReference {
		text = sample.ReferencePatch()
	}
	start := c.now()
	verdict, err := c.judge.EvaluatePatch(ctx, sample, text)
	if err != nil && mayPass(assay.CodeOf(err)) && ctx.Err() == nil {
		start = c.now()
		verdict, err = c.judge.EvaluatePatch(ctx, sample, text)
	}
	r.FinishedAt = c.now().UTC()
	r.Duration = r.FinishedAt.Sub(start)
	switch {
	case err != nil:
		r.Outcome, r.Reason = Outcome(assay.CodeOf(err)), faultReason(err)
	case verdict.Solved:
		r.Outcome, r.Reason = OutcomeSolved, verdict.Reason
	default:
		r.Outcome, r.Reason = OutcomeUnsolved, verdict.Reason
	}
	if err == nil {
		r.Tests = testStatuses(sample, verdict)
	}
}

// faultReason says why there is no verdict: to the operator, who needs the cause of what
// went wrong on our side.
func faultReason(err error) string {
	var known *assay.Error
	if errors.As(err, &known) && !mayPass(known.Code) {
		return known.Message
	}
	return err.Error()
}

// mayPass tells failures that may pass by themselves from those that will be the same
// the next time.
func mayPass(code assay.Code) bool {
	switch code {
	case assay.CodeSandboxFailed, assay.CodeSandboxLost, assay.CodeOutOfMemory, assay.CodeUnavailable, assay.CodeInternal:
		return true
	}
	return false
}

// conclude takes together what is stored of a sample. What has a verdict for each run
// is what its dataset is shown by.
func (c *campaign) conclude(ctx context.Context, of *candidate, outcomes []Validation) error {
	sample, err := c.store.Sample(ctx, c.req.Dataset, of.id, of.version)
	if err != nil {
		return fmt.Errorf("read sample %s: %w", of.id, err)
	}
	runs, err := c.store.ValidationRuns(ctx, c.id, c.req.Dataset, of.id, of.version)
	if err != nil {
		return err
	}
	v := conclude(sample, counting(runs, of.digest, c.req.Runs))
	if err := c.concludeNarrow(ctx, sample, &v); err != nil {
		return err
	}
	if v.Empty.Errors+v.Reference.Errors == 0 {
		err := c.store.SetConclusion(ctx, &Conclusion{
			Dataset: c.req.Dataset, SampleID: of.id, SampleVersion: of.version,
			Grader: assay.GraderVersion, Campaign: c.id,
			ReferenceRuns: v.Reference.Runs, ReferenceSolved: v.Reference.Solved,
			Flaky: v.Flaky(), Narrow: v.Narrow, FinishedAt: v.Finished,
		})
		if err != nil {
			return fmt.Errorf("store what became of sample %s: %w", of.id, err)
		}
	}
	outcomes[of.index] = v
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.req.Done != nil {
		c.req.Done(v)
	}
	return nil
}
