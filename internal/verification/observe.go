package verification

import (
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"assay"
)

// Observer hears what the service did, for metrics. Its methods do not block.
type Observer interface {
	// VerificationEnded tells how a verification ended (solved, unsolved, error) and
	// how long it took from its request, waiting for its turn included.
	VerificationEnded(outcome string, took time.Duration)
	// OrphanDestroyed tells that a sandbox was found that nobody owned.
	OrphanDestroyed()
}

// The outcomes of a verification.
const (
	OutcomeSolved   = "solved"
	OutcomeUnsolved = "unsolved"
	OutcomeError    = "error" // it could not be judged
)

func outcomeOf(v *assay.Verdict) string {
	switch {
	case v == nil:
		return OutcomeError
	case v.Solved:
		return OutcomeSolved
	}
	return OutcomeUnsolved
}

// endSpan ends a span, as failed by err if there is one.
func endSpan(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}

type nobody struct{}

func (nobody) VerificationEnded(string, time.Duration) {}
func (nobody) OrphanDestroyed()                        {}
