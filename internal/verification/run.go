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
)

// How often a verification is begun before it is given up: when we fail during it,
// once more; when the server is killed during it, twice more.
const (
	maxTries    = 2
	maxAttempts = 3
)

// Run judges a stored verification and stores the outcome. It is called by the
// queue, at least once for each verification; calls beyond the first find that
// there is nothing to do. When ctx ends, the verification waits for the next start.
func (s *Service) Run(ctx context.Context, id string) (err error) {
	ctx, span := s.cfg.Tracer.Start(ctx, "verification.run", trace.WithAttributes(attribute.String("assay.verification.id", id)))
	defer func() { endSpan(span, err) }()
	defer s.hold(id)()
	v, err := s.cfg.Store.Verification(ctx, "", "", id)
	if err != nil {
		return err
	}
	v, mine, err := s.take(ctx, v)
	if err != nil || !mine {
		return err
	}
	s.news.Notify(id)

	verdict, err := s.decide(ctx, v)
	if err == nil {
		err = errors.Join(s.tellLeftOut(v.ID, verdict), s.tellLookups(ctx, v, verdict), s.tellAnswers(ctx, v, verdict))
	}
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // the server stops; Recover makes it pending again
	}
	return s.store(ctx, v, verdict, err)
}

// take begins an attempt, unless somebody else has. It tries until that is stored: the
// queue may be as unable to store that its job failed, and would take it for running.
func (s *Service) take(ctx context.Context, v *assay.Verification) (taken *assay.Verification, mine bool, err error) {
	now := s.cfg.Now().UTC().Truncate(time.Microsecond)
	err = persist.Until(ctx, s.cfg.Log, "that verification "+v.ID+" begins", func(ctx context.Context) (err error) {
		taken, mine, err = s.cfg.Store.MoveVerification(ctx, v.ID, assay.VerificationPending,
			Change{Status: assay.VerificationStarting, Attempt: v.Attempt + 1, StartedAt: &now}, nil)
		return err
	})
	if err == nil && !mine { // unless a try whose answer was lost has taken it: by its time
		mine = taken.Status == assay.VerificationStarting && taken.Attempt == v.Attempt+1 && taken.StartedAt != nil && taken.StartedAt.Equal(now)
	}
	return taken, mine, err
}

// store stores the outcome of an attempt, until that succeeds or the server stops: the
// queue would not, because the verification is no longer pending.
func (s *Service) store(ctx context.Context, v *assay.Verification, verdict *assay.Verdict, cause error) error {
	var (
		change Change
		moved  bool
	)
	now := s.cfg.Now().UTC()
	err := persist.Until(ctx, s.cfg.Log, "the outcome of verification "+v.ID, func(ctx context.Context) (err error) {
		is, err := s.cfg.Store.Verification(ctx, "", "", v.ID)
		if err != nil {
			return err
		}
		change, moved, err = s.storeOnce(ctx, is, now, verdict, cause)
		return err
	})
	if err != nil {
		return err
	}
	if change.Status.Final() {
		s.dropChanges(ctx, v.ID)
		if moved {
			s.cfg.Observer.VerificationEnded(outcomeOf(verdict), now.Sub(v.CreatedAt))
		}
	}
	s.news.Notify(v.ID)
	return nil
}

// storeOnce stores the verdict, another attempt, or the failure.
func (s *Service) storeOnce(ctx context.Context, v *assay.Verification, now time.Time, verdict *assay.Verdict, cause error) (change Change, moved bool, err error) {
	change = Change{Status: assay.VerificationCompleted, CompletedAt: &now, Verdict: verdict, Play: playEnd(verdict)}
	var enqueue Enqueue
	if cause != nil {
		f := evaluate.FailureOf(cause)
		s.cfg.Log.WarnContext(ctx, "verification failed", "verification", v.ID, "attempt", v.Attempt, "code", f.Code, "err", cause)
		change = Change{Status: assay.VerificationError, CompletedAt: &now, Failure: f}
		if worthAnotherTry(f.Code) && v.Attempt < maxTries {
			change, enqueue = Change{Status: assay.VerificationPending}, s.cfg.Enqueue
		}
	}
	if v.Status.Final() { // another has ended it, and what it says stays
		s.cfg.Log.ErrorContext(ctx, "a verification has ended already; this outcome is dropped", "verification", v.ID, "status", v.Status, "outcome", change.Status)
		return change, false, nil
	}
	s.attest(ctx, v, &change)
	_, moved, err = s.cfg.Store.MoveVerification(ctx, v.ID, v.Status, change, enqueue)
	return change, moved, err
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
	id := fmt.Sprintf("%s-%d", v.ID, v.Attempt)
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
			return s.cfg.Store.SetVerificationHandle(ctx, v.ID, string(handle), s.cfg.Runtime.Location())
		},
		Started: func(ctx context.Context) error {
			_, moved, err := s.cfg.Store.MoveVerification(ctx, v.ID, assay.VerificationStarting, Change{Status: assay.VerificationRunning}, nil)
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
