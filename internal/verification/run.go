package verification

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"assay"
	"assay/internal/evaluate"
	"assay/internal/persist"
	"assay/internal/sandbox"
	"assay/internal/telemetry"
)

// How many attempts at a verification end without an outcome before it is given up, those
// not counted in which a server died: see assay.TrialAfter.
const (
	maxTries     = 2  // that failed for a reason which may pass
	maxFruitless = 12 // of which nothing could be said
)

// Run makes an attempt at a verification that was claimed, and stores its outcome. An error
// means that there is none: it is to be claimed again, after a pause. When ctx ends, the
// attempt was cut short, or another has taken the verification over.
func (s *Service) Run(ctx context.Context, v *assay.Verification) (err error) {
	ctx, span := s.cfg.Tracer.Start(ctx, "verification.run", trace.WithAttributes(attribute.String("assay.verification.id", v.ID)))
	defer func() { endSpan(span, err) }()
	s.news.Notify(v.ID)
	verdict, err := s.attempt(ctx, v)
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		if ctx.Err() != nil {
			return ctx.Err()
		}
		code := evaluate.FailureOf(err).Code
		s.cfg.Log.WarnContext(ctx, "verification failed", "verification", v.ID, "attempt", v.Attempt, "code", code, "err", err)
		if worthAnotherTry(code) && v.Attempt-v.Crashes < maxTries {
			return err
		}
	}
	return s.store(ctx, v, verdict, err)
}

// attempt judges a verification, unless what became of earlier attempts forbids that.
func (s *Service) attempt(ctx context.Context, v *assay.Verification) (*assay.Verdict, error) {
	if assay.TrialAfter(v.Crashes) == assay.TrialNone {
		return nil, assay.Errorf(assay.CodeInterrupted,
			"the server died in each of %d attempts, of which nothing else ran beside the last; start another verification", v.Crashes)
	}
	if failed := v.Attempt - v.Crashes - 1; failed >= maxFruitless {
		return nil, fmt.Errorf("%d attempts ended without an outcome", failed)
	}
	verdict, err := s.decide(ctx, v)
	if err == nil {
		err = errors.Join(s.tellLeftOut(v.ID, verdict), s.tellLookups(ctx, v, verdict), s.tellAnswers(ctx, v, verdict))
	}
	return verdict, err
}

// store stores the outcome of an attempt, until that succeeds or the server stops: it would
// be lost with a pause.
func (s *Service) store(ctx context.Context, v *assay.Verification, verdict *assay.Verdict, cause error) error {
	var moved, ended bool
	now := s.cfg.Now().UTC()
	err := persist.Until(ctx, s.cfg.Log, "the outcome of verification "+v.ID, func(ctx context.Context) (err error) {
		is, err := s.cfg.Store.Verification(ctx, "", "", v.ID)
		if err != nil {
			return err
		}
		if is.Lease != v.Lease { // another has it or has ended it, or a try whose answer was lost has: what that says stays
			s.cfg.Log.WarnContext(ctx, "a verification is no longer this attempt's; this outcome is dropped", "verification", v.ID, "status", is.Status)
			moved, ended = false, is.Status.Final()
			return nil
		}
		moved, err = s.storeOnce(ctx, is, now, verdict, cause)
		return err
	})
	if err != nil {
		return err
	}
	if moved || ended {
		s.dropChanges(ctx, v.ID)
	}
	if moved {
		s.cfg.Observer.VerificationEnded(outcomeOf(verdict), now.Sub(v.CreatedAt))
	}
	s.news.Notify(v.ID)
	return nil
}

// storeOnce stores the verdict or the failure.
func (s *Service) storeOnce(ctx context.Context, v *assay.Verification, now time.Time, verdict *assay.Verdict, cause error) (moved bool, err error) {
	change := Change{Status: assay.VerificationCompleted, CompletedAt: &now, Verdict: verdict, Play: playEnd(verdict)}
	if cause != nil {
		change = Change{Status: assay.VerificationError, CompletedAt: &now, Failure: evaluate.FailureOf(cause)}
	}
	s.attest(ctx, v, &change)
	change.Lease = v.Lease
	_, moved, err = s.cfg.Store.MoveVerification(ctx, v.ID, v.Status, change)
	return moved, err
}

// tellLookups adds to a verdict how the session's agent looked into the history.
func (s *Service) tellLookups(ctx context.Context, v *assay.Verification, verdict *assay.Verdict) error {
	verdict.Tampering = slices.DeleteFunc(verdict.Tampering, func(t assay.Tampering) bool { return t.Kind == assay.TamperingHistory }) // of whose verdict was used again
	lookups, err := s.cfg.Store.Lookups(ctx, v.SessionID)
	for _, l := range lookups {
		verdict.Tampering = append(verdict.Tampering, assay.Tampering{
			Kind:   assay.TamperingHistory,
			Detail: fmt.Sprintf("the session looked at %s (first at %s); the image has no history to find", l.What, l.At.UTC().Format(time.RFC3339)),
		})
	}
	return err
}

// worthAnotherTry tells failures that may pass by themselves from those that will
// be the same the next time.
func worthAnotherTry(code assay.Code) bool {
	return code == assay.CodeSandboxFailed || code == assay.CodeSandboxLost || code == assay.CodeInternal
}

// judgeStored judges the changes that were stored with a verification.
func (s *Service) judgeStored(ctx context.Context, v *assay.Verification, named digest) (*assay.Verdict, error) {
	sample, err := s.sampleOf(ctx, v)
	if err != nil {
		return nil, err
	}
	work := func(context.Context, sandbox.Sandbox) (io.ReadCloser, error) {
		f, err := s.dir.Open(changesName(v.ID))
		if err != nil {
			return nil, fmt.Errorf("open the session's changes: %w", err)
		}
		return f, nil
	}
	id := v.ID + "-" + v.Lease // of this attempt: what was left of another is being destroyed
	return s.play(ctx, v, sample, evaluate.Request{
		ID:     id,
		Sample: sample,
		Work:   work,
		OwnCPU: func(ctx context.Context) time.Duration { return s.ownCPU(ctx, v.UserID) },
		Created: func(ctx context.Context, h sandbox.Handle) error {
			handle, err := json.Marshal(h)
			if err != nil {
				return err
			}
			return s.cfg.Store.SetVerificationHandle(ctx, v.ID, v.Lease, string(handle), s.cfg.Runtime.Location())
		},
		Started: func(ctx context.Context) error {
			_, moved, err := s.cfg.Store.MoveVerification(ctx, v.ID, assay.VerificationStarting, Change{Status: assay.VerificationRunning, Lease: v.Lease})
			if err == nil && !moved {
				return errors.New("the verification was taken over meanwhile")
			}
			s.news.Notify(v.ID)
			return err
		},
	}, named)
}

// ownCPU tells the CPU time of a user's sessions, and of the sandboxes that yield to what is
// judged.
func (s *Service) ownCPU(ctx context.Context, userID string) time.Duration {
	used := s.cfg.Sessions.CPU(ctx, userID)
	if s.cfg.Yielding != nil {
		used += s.cfg.Yielding(ctx)
	}
	return used
}

// originOf returns what to store of the request that ctx belongs to.
func originOf(ctx context.Context) string {
	text, err := json.Marshal(telemetry.OriginOf(ctx))
	if err != nil {
		return "" // there is none then
	}
	return string(text)
}
