package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"assay"
	"assay/internal/persist"
	"assay/internal/sandbox"
	"assay/internal/tasksandbox"
	"assay/internal/telemetry"
	"assay/internal/wake"
)

// CreateRequest asks for a session.
type CreateRequest struct {
	Dataset  string
	SampleID string
	TTL      time.Duration // until it expires, from now
	Idem     Idempotency
}

// Create stores a new session of the sample's latest version and begins to make
// its sandbox. It does not wait for it; see Await.
func (s *Service) Create(ctx context.Context, userID string, req CreateRequest) (*assay.Session, error) {
	if req.TTL <= 0 || req.TTL > s.cfg.MaxTTL {
		return nil, assay.Errorf(assay.CodeInvalid, "the lifetime of a session must be above 0 and at most %s", s.cfg.MaxTTL)
	}
	sample, err := s.cfg.Samples.Sample(ctx, req.Dataset, req.SampleID, 0)
	if err != nil {
		return nil, err
	}
	s.timeline.RLock()
	now := s.cfg.Now().UTC()
	asked := &assay.Session{
		ID:            assay.NewID(assay.PrefixSession),
		UserID:        userID,
		Dataset:       sample.Dataset,
		SampleID:      sample.ID,
		SampleVersion: sample.Version,
		Status:        assay.SessionCreating,
		RequestedAt:   now,
		ExpiresAt:     now.Add(req.TTL),
		Price:         s.cfg.Price(sample.Dataset),
		Location:      s.cfg.Runtime.Location(),
	}
	sess, created, err := s.cfg.Store.InsertSession(ctx, asked, req.Idem, s.cfg.Live)
	s.timeline.RUnlock()
	if persist.Uncertain(err) {
		s.giveBack(ctx, asked, err)
	}
	if err != nil || !created {
		return sess, err
	}
	if err := s.watch(ctx, sess, sample, sandbox.Handle{}); err != nil {
		ctx, cancel := finally(ctx)
		defer cancel()
		why := &assay.Failure{Code: assay.CodeUnavailable, Message: err.Error()}
		if _, e := s.finish(ctx, sess, assay.SessionCreating, assay.SessionError, why); e != nil {
			s.cfg.Log.ErrorContext(ctx, "cannot store that a session failed", "session", sess.ID, "err", e)
		}
		return nil, err
	}
	return sess, nil
}

// giveBack ends a session that is stored although its user was told that it may not be: its
// sandbox is never made.
func (s *Service) giveBack(ctx context.Context, sess *assay.Session, err error) {
	ctx = telemetry.Carry(s.ctx, ctx)
	release := s.hold(sess.ID)
	s.later(ctx, func() {
		defer release()
		found := persist.Found(ctx, s.cfg.Log, "what became of session "+sess.ID, err, func(ctx context.Context) (bool, error) {
			_, err := s.cfg.Store.Session(ctx, "", sess.ID)
			if assay.CodeOf(err) == assay.CodeSessionNotFound {
				return false, nil
			}
			return err == nil, err
		})
		if found {
			s.finishSurely(ctx, sess, assay.SessionCreating, assay.SessionError,
				&assay.Failure{Code: assay.CodeUnavailable, Message: "the database went away while the session was made; make another"})
		}
	})
}

// Get returns a session of the user.
func (s *Service) Get(ctx context.Context, userID, id string) (*assay.Session, error) {
	return s.cfg.Store.Session(ctx, userID, id)
}

// Await returns the session once it is no longer creating, or as it is when ctx ends.
func (s *Service) Await(ctx context.Context, userID, id string) (*assay.Session, error) {
	return wake.Await(ctx, &s.news, id,
		func(ctx context.Context) (*assay.Session, error) { return s.Get(ctx, userID, id) },
		func(sess *assay.Session) bool { return sess.Status != assay.SessionCreating })
}

// List returns a page of sessions, newest first.
func (s *Service) List(ctx context.Context, q Query) (Page, error) {
	return s.cfg.Store.Sessions(ctx, q)
}

// watch starts the goroutine that owns a live session: it makes the sandbox (or finds
// that of an earlier server, h), waits for the session's end, and frees the sandbox. It
// works on behalf of the request of from, and outlives it.
func (s *Service) watch(from context.Context, sess *assay.Session, sample *assay.Sample, h sandbox.Handle) error {
	ctx, end := context.WithCancel(telemetry.Carry(s.ctx, from))
	l := &live{userID: sess.UserID, sample: sample, end: end, handle: h}
	s.mu.Lock()
	s.live[sess.ID] = l
	s.mu.Unlock()
	err := s.spawn(func() {
		defer end()
		s.own(ctx, sess, l)
		s.mu.Lock()
		delete(s.live, sess.ID)
		if l.forsake != nil {
			l.forsake(sandbox.ErrGone)
		}
		s.mu.Unlock()
		s.news.Notify(sess.ID)
	})
	if err != nil {
		end()
		s.mu.Lock()
		delete(s.live, sess.ID)
		s.mu.Unlock()
	}
	return err
}

// own is the life of a session in this process. ctx ends when the session does, or
// the service.
func (s *Service) own(ctx context.Context, sess *assay.Session, l *live) {
	if sess.Status == assay.SessionCreating {
		if sess = s.begin(ctx, sess, l); sess == nil {
			return
		}
	}
	if s.lives(ctx, sess, l) {
		return // the service stops: the sandbox stays for the next start
	}
	s.account(ctx, l)
	s.free(ctx, l.handle)
}

// begin makes the sandbox of a session and moves it to ready. It returns nil when the
// session is over, with the sandbox freed.
func (s *Service) begin(ctx context.Context, sess *assay.Session, l *live) *assay.Session {
	began := time.Now()
	ctx, span := s.cfg.Tracer.Start(ctx, "session.create", trace.WithAttributes(attribute.String("assay.session.id", sess.ID)))
	box, err := s.make(ctx, sess, l)
	defer func() { endSpan(span, err) }()
	if err != nil {
		s.failed(ctx, sess, err, time.Since(began))
		if l.handle.ID != "" { // what an earlier server left, if it was not its turn to go
			s.free(ctx, l.handle)
		}
		return nil
	}
	s.reached(l, box)
	if sess = s.ready(ctx, sess); sess == nil {
		s.cfg.Observer.SessionCreated(OutcomeAbandoned, time.Since(began))
		s.free(ctx, l.handle)
		return nil
	}
	s.cfg.Observer.SessionCreated(OutcomeReady, time.Since(began))
	return sess
}

// make makes the sandbox of a session and stores its handle. What an earlier server left
// of it, made in part, or whole but never handed out, goes before.
func (s *Service) make(ctx context.Context, sess *assay.Session, l *live) (sandbox.Sandbox, error) {
	select {
	case s.creating <- struct{}{}:
		defer func() { <-s.creating }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.CreateTimeout)
	defer cancel()

	if l.handle.ID != "" {
		if err := s.cfg.Runtime.Destroy(ctx, l.handle); err != nil {
			return nil, fmt.Errorf("destroy what an earlier server left of it: %w", err)
		}
	}
	began := time.Now()
	digest, err := s.imageDigest(ctx, l.sample)
	if err != nil {
		return nil, err
	}
	box, err := s.createBox(ctx, tasksandbox.Spec(sess.ID, l.sample.In(digest), s.onTheWall(sess.ExpiresAt), map[string]string{
		"user": sess.UserID, "dataset": sess.Dataset, "sample": sess.SampleID,
	}))
	if err != nil {
		return nil, err
	}
	handle, err := json.Marshal(box.Handle())
	if err == nil {
		err = s.cfg.Store.SetHandle(ctx, sess.ID, string(handle), s.cfg.Runtime.Location(), digest)
	}
	if err != nil {
		s.free(ctx, box.Handle())
		return nil, fmt.Errorf("store the handle of sandbox %s: %w", sess.ID, err)
	}
	s.cfg.Log.DebugContext(ctx, "sandbox made", "session", sess.ID, "took", time.Since(began))
	return box, nil
}

// imageDigest returns what identifies the image of a sample, from now on; "" where nobody tells.
func (s *Service) imageDigest(ctx context.Context, sample *assay.Sample) (string, error) {
	if s.cfg.ImageDigest == nil {
		return "", nil
	}
	digest, err := s.cfg.ImageDigest(ctx, sample.Task.ImageFor(sample.Dataset, sample.ID))
	if err != nil {
		return "", fmt.Errorf("%w: %w", sandbox.ErrImage, err)
	}
	return digest, nil
}

func (s *Service) createBox(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	ctx, span := s.cfg.Tracer.Start(ctx, "sandbox.create", trace.WithAttributes(attribute.String("assay.image", spec.Image)))
	box, err := s.cfg.Runtime.Create(ctx, spec)
	endSpan(span, err)
	return box, err
}

// ready moves a session to ready. It returns nil when the session ended meanwhile.
func (s *Service) ready(ctx context.Context, sess *assay.Session) (got *assay.Session) {
	var moved bool
	err := persist.Until(ctx, s.cfg.Log, "that session "+sess.ID+" is ready", func(ctx context.Context) (err error) {
		s.timeline.RLock()
		defer s.timeline.RUnlock()
		now := s.cfg.Now().UTC()
		got, moved, err = s.cfg.Store.MoveSession(ctx, sess.ID, assay.SessionCreating, SessionChange{Status: assay.SessionReady, ReadyAt: &now})
		return err
	})
	if err != nil {
		s.cfg.Log.ErrorContext(ctx, "that a session is ready was not stored", "session", sess.ID, "err", err)
		return nil
	}
	s.news.Notify(sess.ID)
	if !moved && got.Status != assay.SessionReady { // else a try whose answer was lost has moved it: nobody else does
		return nil
	}
	return got
}

// failed ends a session whose sandbox could not be made. When the service stops,
// the session stays creating and the next start makes it again.
func (s *Service) failed(ctx context.Context, sess *assay.Session, cause error, took time.Duration) {
	if s.ctx.Err() != nil {
		return
	}
	outcome, to := OutcomeFailed, assay.SessionError
	why := &assay.Failure{Code: assay.CodeSandboxFailed, Message: "the sandbox could not be made; try again, and tell the operator if it goes on"}
	switch {
	case ctx.Err() != nil:
		outcome = OutcomeAbandoned
	case s.isOver(ctx, sess):
		to = assay.SessionTerminated
		why = &assay.Failure{Code: assay.CodeExpired, Message: "the session's lifetime was over before its sandbox was made"}
	case errors.Is(cause, sandbox.ErrImage):
		outcome = OutcomeImage
		why = &assay.Failure{Code: assay.CodeImageUnavailable, Message: fmt.Sprintf("the image of sample %s/%s is not available on this server; the operator can load it with assay image load or pull", sess.Dataset, sess.SampleID)}
	case errors.Is(cause, context.DeadlineExceeded):
		why.Message = "the sandbox was not ready in time; try again"
	}
	s.cfg.Log.WarnContext(ctx, "sandbox not made", "session", sess.ID, "err", cause)
	s.cfg.Observer.SessionCreated(outcome, took)
	s.finishSurely(ctx, sess, assay.SessionCreating, to, why)
}

// lives returns when the session has ended, and has stored why if nobody did
// before. It returns true when the service stops instead.
func (s *Service) lives(ctx context.Context, sess *assay.Session, l *live) (stopping bool) {
	waiting, cancel := context.WithDeadline(ctx, s.onTheWall(sess.ExpiresAt))
	defer cancel()
	s.mu.Lock()
	box := l.box
	l.answered = s.cfg.Now()
	s.mu.Unlock()
	for {
		if box == nil {
			var why *assay.Failure
			if box, why = s.regain(ctx, sess, l); why != nil { // when it ended, nobody saw
				s.finishSurelyAt(ctx, sess, assay.SessionReady, assay.SessionTerminated, s.lastSeen(ctx, sess), why)
				return false
			}
		}
		var death sandbox.Death
		err := ctx.Err()
		if err == nil {
			death, err = s.attend(waiting, l, box)
		}
		switch {
		case ctx.Err() != nil:
			return s.ctx.Err() != nil && !s.hasEnded(ctx, sess.ID)
		case waiting.Err() == nil && errors.Is(err, errSilent):
			s.noAnswer(ctx, sess, l, err)
			box = nil
			continue
		case waiting.Err() == nil && err != nil:
			s.cfg.Log.WarnContext(ctx, "nobody watches a sandbox any more; it is looked at again", "session", sess.ID, "err", err)
			box = nil
			rest(ctx, firstPause)
			continue
		}
		s.finishSurely(ctx, sess, assay.SessionReady, assay.SessionTerminated, s.endBy(ctx, sess, death, err))
		return false
	}
}

// onTheWall is when the clock on the wall, if it does not jump, comes to a time of this service.
func (s *Service) onTheWall(at time.Time) time.Time { return time.Now().Add(at.Sub(s.cfg.Now())) }

// free destroys a sandbox. What it cannot free now is an orphan, which
// the server sweeps up.
func (s *Service) free(ctx context.Context, h sandbox.Handle) {
	ctx, cancel := finally(ctx)
	defer cancel()
	if err := s.cfg.Runtime.Destroy(ctx, h); err != nil {
		s.cfg.Log.ErrorContext(ctx, "cannot free a sandbox; it is tried again", "sandbox", h.ID, "err", err)
	}
}
