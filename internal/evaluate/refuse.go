package evaluate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"assay"
	"assay/internal/sandbox"
)

// Refuse returns the verdict on a work that no suite can be run on, for a reason that
// lies in the work: it is not solved, and no expected test was seen. why is a clause for
// its author.
func Refuse(sample *assay.Sample, why string) *assay.Verdict {
	v := newVerdict(sample, sandbox.Result{Exit: sandbox.ExitStatus{Code: assay.ExitUnknown}})
	v.Evidence.NotRun = true
	v.Reason = fmt.Sprintf("the suite was not run, because the work cannot be judged as it is: %s; not solved", why)
	switch sample.Task.Verifier.Kind {
	case assay.VerifierLinter, assay.VerifierStaticAnalysis: // their lists are of findings
	default:
		v.Missing = append(v.Missing, graded(sample, slices.Concat(sample.FailToPass, sample.PassToPass))...)
		if sample.Task.Grading == assay.GradingExact {
			v.Missing = append(v.Missing, graded(sample, sample.FailToFail)...)
		}
	}
	return v
}

// workFault says that a clean sandbox could not be readied, for which its work is to
// blame unless an untouched tree cannot be readied either.
type workFault struct {
	why      string // a clause for the work's author
	of       *run   // whose sandbox it was
	err      error
	tampered []assay.Tampering // as far as was seen
	evidence assay.Evidence    // what the sandbox used, and for how long
}

func (f *workFault) Error() string { return f.why + ": " + f.err.Error() }
func (f *workFault) Unwrap() error { return f.err }

// blame returns the failure to ready a sandbox as one of the work, if it may be that.
func (r *run) blame(ctx context.Context, env *environment, box sandbox.Sandbox, durations assay.Durations, cause error) error {
	fault := &workFault{err: cause}
	if errors.Is(cause, sandbox.ErrNoRoom) {
		fault.why = "laid on a fresh work tree, it needs more room on the disk of the sandbox than the sample has (hard links become copies, and sparse files whole ones)"
	}
	if fault.why == "" && !errors.As(cause, &fault) {
		return cause
	}
	if host := r.hostFault(ctx, box); host != nil {
		return assay.Wrap(errors.Join(host, cause), assay.CodeSandboxFailed, "the server could not lay the work properly; start another verification")
	}
	fault.of = r
	if env != nil {
		fault.tampered = env.tampered.all()
	}
	fault.evidence = assay.Evidence{Resources: usedBy(ctx, box), Durations: durations}
	return fault
}

// refuse turns a fault of the work into a verdict, if an untouched tree can be readied.
func (r *run) refuse(ctx context.Context, fault *workFault) (*assay.Verdict, error) {
	err := r.untouched().inCleanSandbox(ctx, func(*environment, assay.Durations) error { return nil })
	if err != nil {
		return nil, fmt.Errorf("ready an untouched work tree: %w", err)
	}
	v := Refuse(r.Sample, fault.why)
	v.Tampering = fault.tampered
	v.Evidence.Resources, v.Evidence.Durations = fault.evidence.Resources, fault.evidence.Durations
	return v, nil
}
