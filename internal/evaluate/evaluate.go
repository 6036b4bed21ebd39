// Package evaluate judges a work on a sample, given a runtime for sandboxes. It knows no
// store, no user and no session.
//
// Nothing is judged where it was made. A work is a layer of changes to the sample's work
// tree. It is laid on a fresh sandbox of the sample's image (environment.go), except what
// would steer its own judging (filter.go); the tests are put into their reference state;
// the verifier runs as nobody; what it leaves (evidence.go) is graded (grade.go) and held
// against itself (consistency.go); and the room is looked at for tests and runners that were
// written to meanwhile (afterlook.go). docs/verdicts.md says what is promised.
//
// Two kinds of end are never mixed: a verdict is about the work, an error is about us.
package evaluate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/worktree"
)

// Work opens what is judged: an OCI layer tar of changes, relative to the work tree. The
// sandbox is a fresh one of the sample's image. It may be called more than once, and in
// more than one sandbox.
type Work func(context.Context, sandbox.Sandbox) (io.ReadCloser, error)

// Request says what to judge.
type Request struct {
	ID     string // of the clean sandbox, and the beginning of the ids of further ones; at most 50 bytes
	Sample *assay.Sample
	Work   Work

	// Alterable says that the work is run afterwards with altered tests, if it looks solved. No
	// canaries are laid then, and there is no second run: they could say no more.
	Alterable bool

	// Created and Started, if set, are told of the clean sandbox, and that the suite
	// begins. Their error ends the evaluation.
	Created func(context.Context, sandbox.Handle) error
	Started func(context.Context) error

	// OwnCPU, if set, tells the CPU time that the sessions of whose work it is have used so far,
	// those that are gone, too: what they take from the suite is no excuse for it. How many
	// verifications run at once is the server's doing, whosever they are.
	OwnCPU func(context.Context) time.Duration
}

// Config says what an Evaluator works with.
type Config struct {
	Runtime sandbox.Runtime
	Tracer  trace.Tracer // takes the spans of what is done. Defaults to none
	// QuietStep is how often a suite that is to be run again at a quieter moment looks for
	// one, and QuietFor how long at most. They default to 2 seconds and 2 minutes.
	QuietStep, QuietFor time.Duration
	// Background lets its clean sandboxes yield to all others of the host.
	Background bool
}

// Evaluator judges works. It is safe for concurrent use.
type Evaluator struct {
	runtime sandbox.Runtime
	tracer  trace.Tracer

	quietStep, quietFor time.Duration
	background          bool

	freeing chan struct{} // holds a token for each clean sandbox that is destroyed beside what is judged
	freed   sync.WaitGroup

	mu      sync.Mutex
	judging map[string]int             // what uses the clean sandboxes of a request, by the request's id
	boxes   map[string]sandbox.Sandbox // in which something is judged now, by their ids
	spent   time.Duration              // CPU time of the sandboxes that were

	rewrites map[string][]Rewritten // what suites rewrite with the reference fix, by their sample
}

// New returns an Evaluator. Close it at the end.
func New(cfg Config) *Evaluator {
	if cfg.Tracer == nil {
		cfg.Tracer = noop.NewTracerProvider().Tracer("")
	}
	if cfg.QuietStep == 0 {
		cfg.QuietStep = 2 * time.Second
	}
	if cfg.QuietFor == 0 {
		cfg.QuietFor = 2 * time.Minute
	}
	return &Evaluator{
		runtime: cfg.Runtime, tracer: cfg.Tracer, quietStep: cfg.QuietStep, quietFor: cfg.QuietFor, background: cfg.Background,
		judging: make(map[string]int), boxes: make(map[string]sandbox.Sandbox), freeing: make(chan struct{}, maxFreeing),
		rewrites: make(map[string][]Rewritten),
	}
}

// Close waits until the last clean sandboxes are gone. Nothing may be judged any more.
func (e *Evaluator) Close() { e.freed.Wait() }

// Evaluate judges a work. The error is about us or about the sample, see FailureOf.
func (e *Evaluator) Evaluate(ctx context.Context, req Request) (*assay.Verdict, error) {
	e.use(req.ID, 1)
	defer e.use(req.ID, -1)
	if req.Alterable {
		req.Sample = withoutCanaries(req.Sample)
	}
	first := &run{Evaluator: e, Request: req, sandboxID: req.ID, first: true}
	verdict, err := first.once(ctx)
	if err == nil && verdict.TimedOut && first.starved {
		verdict, err = first.onceQuietly(ctx)
	}
	if err != nil || !verdict.Solved || req.Alterable || !wantsRerun(req.Sample, verdict) {
		return verdict, err
	}
	return verdict, first.confirm(ctx, verdict)
}

// EvaluatePatch judges what a patch makes of a sample's work tree. The empty patch is
// the work tree as it is. The error is an *assay.Error whose message leaks nothing
// internal: patch_failed for a patch that does not apply, else see FailureOf.
func (e *Evaluator) EvaluatePatch(ctx context.Context, sample *assay.Sample, patchText string) (*assay.Verdict, error) {
	verdict, err := e.Evaluate(ctx, Request{ID: assay.NewID(assay.PrefixVerification), Sample: sample, Work: PatchWork(sample, patchText)})
	if err != nil {
		f := FailureOf(err)
		return nil, assay.Wrap(err, f.Code, "%s", f.Message)
	}
	return verdict, nil
}

// PatchWork is the work that a patch makes of a sample's work tree; "" changes nothing. A patch that
// does not apply is an error with the code patch_failed.
func PatchWork(sample *assay.Sample, text string) Work {
	return func(ctx context.Context, box sandbox.Sandbox) (io.ReadCloser, error) {
		layer, err := patchLayer(ctx, box, sample, text)
		return io.NopCloser(bytes.NewReader(layer)), err
	}
}

// patchLayer returns what a patch makes of the base work tree of a sample.
func patchLayer(ctx context.Context, box sandbox.Sandbox, sample *assay.Sample, text string) ([]byte, error) {
	layer, _, err := worktree.PatchLayer(ctx, box, sample.Task.Workdir, text)
	var refused *worktree.PatchError
	if errors.As(err, &refused) {
		return nil, assay.Wrap(err, assay.CodePatchFailed, "a patch does not apply to the image of sample %s/%s: %s", sample.Dataset, sample.ID, refused)
	}
	return layer, err
}

// FailureOf says what went wrong on our side. Its message leaks nothing internal.
func FailureOf(err error) *assay.Failure {
	var known *assay.Error
	switch {
	case errors.As(err, &known) && known.Code != assay.CodeUnavailable: // which is no end, but a moment
		return &assay.Failure{Code: known.Code, Message: known.Message}
	case errors.Is(err, sandbox.ErrImage):
		return &assay.Failure{Code: assay.CodeImageUnavailable, Message: "the sample's image is not available on this server; the operator can load it with assay image load or pull"}
	case errors.Is(err, sandbox.ErrGone):
		return &assay.Failure{Code: assay.CodeSandboxLost, Message: "the sandbox of the verification died; start another verification"}
	default:
		return &assay.Failure{Code: assay.CodeInternal, Message: "the verification failed on our side; start another one, and tell the operator if it goes on"}
	}
}
