package session

import (
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"assay"
	"assay/internal/sandbox"
)

// Observer hears what the service did, for metrics. Its methods do not block.
type Observer interface {
	// SessionCreated tells how the making of a sandbox ended (ready, failed,
	// image_unavailable, abandoned), and how long it took, waiting for its turn
	// included.
	SessionCreated(outcome string, took time.Duration)
	// SessionEnded tells that a session moved to a final state; reason is "" when its
	// user closed it.
	SessionEnded(status assay.SessionStatus, reason assay.Code)
	// CommandEnded tells how a command ended (zero, nonzero, timeout, out_of_memory,
	// unknown) and how long it took from its request.
	CommandEnded(outcome string, took time.Duration)
	// OrphanDestroyed tells that a sandbox was found that nobody owned.
	OrphanDestroyed()
}

// The outcomes of making a sandbox.
const (
	OutcomeReady     = "ready"
	OutcomeFailed    = "failed"
	OutcomeImage     = "image_unavailable"
	OutcomeAbandoned = "abandoned" // its session ended meanwhile
)

// The outcomes of a command.
const (
	OutcomeZero    = "zero"
	OutcomeNonzero = "nonzero"
	OutcomeTimeout = "timeout"
	OutcomeOOM     = "out_of_memory"
	OutcomeUnknown = "unknown" // it was not run, or its end was not seen
)

func outcomeOf(res sandbox.Result, err error) string {
	switch {
	case err != nil:
		return OutcomeUnknown
	case res.Exit.TimedOut:
		return OutcomeTimeout
	case res.Exit.OOMKilled:
		return OutcomeOOM
	case res.Exit.Code != 0:
		return OutcomeNonzero
	}
	return OutcomeZero
}

// endSpan ends a span, as failed by err if there is one.
func endSpan(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}

type nobody struct{}

func (nobody) SessionCreated(string, time.Duration)         {}
func (nobody) SessionEnded(assay.SessionStatus, assay.Code) {}
func (nobody) CommandEnded(string, time.Duration)           {}
func (nobody) OrphanDestroyed()                             {}
