package evaluate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/steering"
	"assay/internal/testreport"
)

// TrialRequest says what to try: a sample's suite on a work, with some of its test files
// in another version.
type TrialRequest struct {
	ID      string // of the clean sandbox; see Request
	Sample  *assay.Sample
	Work    Work
	Files   map[string][]byte // of the work tree, laid when the tests are in their reference state
	Command string            // that runs the suite, or some of it. Defaults to the verifier's
	Timeout time.Duration     // of the suite. Defaults to the verifier's

	OwnCPU func(context.Context) time.Duration // see Request
}

// Trial is what a suite said of itself.
type Trial struct {
	Outcomes map[string]assay.TestOutcome // by test id; Expected is not set
	Passed   map[string]bool              // the tests that passed, in all their occurrences
	Problems []string                     // of the report as a whole: packages that could not be built, a missing end
	Complete bool                         // the report has its end
	TimedOut bool
	Starved  bool // it timed out while others left it too little of the host
	ExitCode int
	// Contradictions are what the evidence says against itself, as in a verdict.
	Contradictions []Contradiction
	// Rewritten is what was written that a later test, or the runner, could have read.
	Rewritten []Rewritten
	Output    string // the last of what was written to standard output and standard error, for people
	Duration  time.Duration
}

// Try runs a sample's suite without judging it: no canaries are laid, and nothing is
// graded. The error is about us or about the sample, see FailureOf.
func (e *Evaluator) Try(ctx context.Context, req TrialRequest) (trial *Trial, err error) {
	e.use(req.ID, 1)
	defer e.use(req.ID, -1)
	r := &run{
		Evaluator: e, Request: Request{ID: req.ID, Sample: withoutCanaries(req.Sample), Work: req.Work, OwnCPU: req.OwnCPU},
		sandboxID: req.ID, first: true, files: req.Files, command: req.Command,
	}
	timeout := req.Timeout
	if timeout == 0 {
		timeout = suiteTimeout(req.Sample)
	}
	err = r.inCleanSandbox(ctx, func(env *environment, _ assay.Durations) error {
		host := r.measureHost(ctx)
		res, err := r.runSuite(ctx, env, timeout)
		if err != nil {
			return err
		}
		starved := res.Exit.TimedOut && host.starved(ctx, usedBy(ctx, env.box).CPU, coresOf(r.Sample))
		evidence, err := readEvidence(ctx, env, res)
		if err == nil {
			trial = trialOf(evidence)
			trial.Contradictions = contradictions(r.Sample.Task.Verifier, evidence)
			trial.Starved, trial.Rewritten = starved, env.written
		}
		return errors.Join(err, r.hostFault(ctx, env.box))
	})
	if err != nil {
		return nil, fmt.Errorf("try the suite of sample %s/%s: %w", req.Sample.Dataset, req.Sample.ID, err)
	}
	return trial, nil
}

func withoutCanaries(sample *assay.Sample) *assay.Sample {
	bare := *sample
	bare.Task.Verifier.Canaries = nil
	return &bare
}

func trialOf(e *evidence) *Trial {
	t := &Trial{
		Outcomes: make(map[string]assay.TestOutcome, len(e.report.Results)), Passed: make(map[string]bool),
		Problems: append(e.report.Problems, e.unread...), Complete: e.report.Complete && e.overflow == "",
		TimedOut: e.result.Exit.TimedOut, ExitCode: e.result.Exit.Code, Duration: e.result.Duration,
		Output: lastOutput(e.result),
	}
	for _, r := range e.report.Results {
		status, _ := e.report.Lookup(r.ID)
		t.Passed[r.ID] = status == testreport.Passed
		if r.Status == status { // the worst of several occurrences
			t.Outcomes[r.ID] = assay.TestOutcome{Name: r.ID, Duration: r.Duration, Message: r.Message, Details: r.Details}
		}
	}
	return t
}

// lastOutput is the last of what a suite wrote, in a size for people.
func lastOutput(res sandbox.Result) string {
	const enough = 64 << 10
	text := textOf(res.Stdout).Text + textOf(res.Stderr).Text
	return text[max(0, len(text)-enough):]
}

// TestFile is a file of a sample's tests.
type TestFile struct {
	Path   string // in the work tree
	Before []byte // as the image has it; nil where it has none
	After  []byte // in its reference state
}

// TestTree is the tests of a sample.
type TestTree struct {
	// Changed are the files that the test patch makes or changes.
	Changed []TestFile
	// Others are the image's other test files, by path, as far as they are bounded.
	Others map[string][]byte
}

// Bounds of the image's other test files that are read.
const (
	maxOtherTests     = 2000
	maxOtherTestBytes = 32 << 20
)

// Tests reads a sample's tests from its image: what its test patch makes of them, and the
// others beside them.
func (e *Evaluator) Tests(ctx context.Context, id string, sample *assay.Sample) (tree *TestTree, err error) {
	e.use(id, 1)
	defer e.use(id, -1)
	r := &run{Evaluator: e, Request: Request{ID: id, Sample: sample}, sandboxID: id, first: true}
	box, err := r.createBox(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the tests of sample %s/%s: %w", sample.Dataset, sample.ID, err)
	}
	defer r.free(ctx, box)
	env, err := newEnvironment(ctx, box, sample)
	if err != nil {
		return nil, err
	}
	tree, err = env.tests(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the tests of sample %s/%s: %w", sample.Dataset, sample.ID, err)
	}
	return tree, nil
}

func (env *environment) tests(ctx context.Context) (*TestTree, error) {
	names, err := pathsOf(env.sample.TestPatch)
	if err != nil {
		return nil, err
	}
	before, err := env.readFiles(ctx, names)
	if err != nil {
		return nil, err
	}
	tree := &TestTree{Others: make(map[string][]byte)}
	if tree.Others, err = env.otherTests(ctx, before); err != nil {
		return nil, err
	}
	nothing := func(context.Context, sandbox.Sandbox) (io.ReadCloser, error) {
		return io.NopCloser(layerOf(nil, 0)), nil
	}
	if err := env.lay(ctx, nothing); err != nil {
		return nil, err
	}
	after, err := env.readFiles(ctx, names)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if text, there := after[name]; there {
			tree.Changed = append(tree.Changed, TestFile{Path: name, Before: before[name], After: text})
		}
	}
	return tree, nil
}

// readFiles reads files of the work tree, those that are there.
func (env *environment) readFiles(ctx context.Context, names []string) (map[string][]byte, error) {
	files := make(map[string][]byte, len(names))
	for _, name := range names {
		content, _, err := env.box.ReadFile(ctx, path.Join(env.sample.Task.Workdir, name), maxLookedAtFile)
		switch {
		case isNoFile(err) || errors.Is(err, sandbox.ErrTooLarge):
		case err != nil:
			return nil, err
		default:
			files[name] = content
		}
	}
	return files, nil
}

// otherTests reads the test files that the image has beside some.
func (env *environment) otherTests(ctx context.Context, but map[string][]byte) (map[string][]byte, error) {
	var names []string
	err := env.box.List(ctx, env.sample.Task.Workdir, func(name string, mode fs.FileMode) error {
		rule := env.guard.Rule(name)
		if _, known := but[name]; !known && mode.IsRegular() && rule.Fate == steering.Restored && rule.Kind == steering.KindTest && len(names) < maxOtherTests {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	files, left := make(map[string][]byte), maxOtherTestBytes
	for _, name := range names {
		read, err := env.readFiles(ctx, []string{name})
		if err != nil {
			return nil, err
		}
		if left -= len(read[name]); left < 0 {
			break
		}
		files[name] = read[name]
	}
	return files, nil
}
