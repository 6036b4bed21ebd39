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
	if persist.IsUnknown(err) {
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
	s.later(ctx, func() {
		if persist.Stored(ctx, s.cfg.Log, "what became of session "+sess.ID, err) {
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

// Close ends a session by its user's wish. It works in every state, and again.
// The sandbox is freed in the background.
func (s *Service) Close(ctx context.Context, userID, id string) (*assay.Session, error) {
	return s.stopSession(ctx, userID, id, assay.SessionClosed, nil)
}

// Terminate ends a session by the system's wish, with the reason.
func (s *Service) Terminate(ctx context.Context, id string, why assay.Failure) (*assay.Session, error) {
	return s.stopSession(ctx, "", id, assay.SessionTerminated, &why)
}

// TerminateDisabled ends the live sessions of users whom an operator has disabled.
func (s *Service) TerminateDisabled(ctx context.Context) error {
	ids, err := s.cfg.Store.LiveOfDisabled(ctx)
	for _, id := range ids {
		_, e := s.Terminate(ctx, id, assay.Failure{Code: assay.CodeOperator, Message: "the operator of the server has disabled the account"})
		err = errors.Join(err, e)
	}
	return err
}

// TerminateAll ends every live session, as a server does that is to leave nothing
// behind; Stop then waits until the sandboxes are freed.
func (s *Service) TerminateAll(ctx context.Context, why assay.Failure) error {
	sessions, err := s.cfg.Store.LiveSessions(ctx)
	if err != nil {
		return err
	}
	for _, sess := range sessions {
		_, e := s.Terminate(ctx, sess.ID, why)
		err = errors.Join(err, e)
	}
	return err
}

func (s *Service) stopSession(ctx context.Context, userID, id string, to assay.SessionStatus, why *assay.Failure) (*assay.Session, error) {
	sess, err := s.cfg.Store.Session(ctx, userID, id)
	if err != nil {
		return nil, err
	}
	for sess.Status.Live() { // a lost race leads to another state; there are two live ones
		if sess, err = s.finish(ctx, sess, sess.Status, to, why); err != nil {
			return nil, err
		}
	}
	return sess, nil
}

// finish moves a session to a final state, if it is still in state from, and lets
// its watch free the sandbox. It returns the session as it is then.
func (s *Service) finish(ctx context.Context, sess *assay.Session, from, to assay.SessionStatus, why *assay.Failure) (*assay.Session, error) {
	return s.finishAt(ctx, sess, from, to, s.cfg.Now().UTC(), why)
}

// finishAt is finish for a session that ended at an earlier time.
func (s *Service) finishAt(ctx context.Context, sess *assay.Session, from, to assay.SessionStatus, at time.Time, why *assay.Failure) (*assay.Session, error) {
	end := endOfSession(sess, to, at, why)
	got, moved, err := s.cfg.Store.MoveSession(ctx, sess.ID, from, end)
	if persist.IsUnknown(err) && moved {
		ctx := telemetry.Carry(s.ctx, ctx)
		s.later(ctx, func() {
			if persist.Stored(ctx, s.cfg.Log, "what became of the end of session "+sess.ID, err) {
				s.ended(ctx, got, why)
			}
		})
	}
	if err != nil {
		return nil, err
	}
	if moved {
		s.ended(ctx, got, why)
	}
	return got, nil
}

// finishSurely is finish for an end that nobody else knows of: it is stored as soon as
// that can be done, with the time that it is now. When the service stops before, the
// next start finds the session without a sandbox.
func (s *Service) finishSurely(ctx context.Context, sess *assay.Session, from, to assay.SessionStatus, why *assay.Failure) {
	s.finishSurelyAt(ctx, sess, from, to, s.cfg.Now().UTC(), why)
}

// finishSurelyAt is finishSurely for a session that ended at an earlier time.
func (s *Service) finishSurelyAt(ctx context.Context, sess *assay.Session, from, to assay.SessionStatus, at time.Time, why *assay.Failure) {
	ctx = telemetry.Carry(s.ctx, ctx)
	end := endOfSession(sess, to, at, why)
	var (
		got   *assay.Session
		moved bool
	)
	err := persist.Until(ctx, s.cfg.Log, "the end of session "+sess.ID, func(ctx context.Context) (err error) {
		got, moved, err = s.cfg.Store.MoveSession(ctx, sess.ID, from, end)
		return err
	})
	switch {
	case err != nil:
		s.cfg.Log.ErrorContext(ctx, "the end of a session was not stored", "session", sess.ID, "err", err)
	case moved:
		s.ended(ctx, got, why)
	}
}

// endOfSession is the move that ends a session.
func endOfSession(sess *assay.Session, to assay.SessionStatus, at time.Time, why *assay.Failure) SessionChange {
	if at.After(sess.ExpiresAt) {
		at = sess.ExpiresAt // nothing lives, and nothing is billed, beyond this
	}
	if sess.ReadyAt != nil && at.Before(*sess.ReadyAt) {
		at = *sess.ReadyAt
	}
	return SessionChange{Status: to, EndedAt: &at, Error: why}
}

// ended does what follows from the end of a session that this service has stored.
func (s *Service) ended(ctx context.Context, sess *assay.Session, why *assay.Failure) {
	s.cfg.Log.InfoContext(ctx, "session ended", "session", sess.ID, "status", sess.Status, "reason", why, "billed", sess.Cost(*sess.EndedAt))
	var reason assay.Code
	if why != nil {
		reason = why.Code
	}
	s.cfg.Observer.SessionEnded(sess.Status, reason)
	s.mu.Lock()
	l := s.live[sess.ID]
	s.mu.Unlock()
	if l != nil {
		l.end()
	}
	s.news.Notify(sess.ID)
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
		return nil
	}
	s.mu.Lock()
	l.box, l.handle = box, box.Handle()
	s.mu.Unlock()
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
	box, err := s.createBox(ctx, tasksandbox.Spec(sess.ID, l.sample, sess.ExpiresAt, map[string]string{
		"user": sess.UserID, "dataset": sess.Dataset, "sample": sess.SampleID,
	}))
	if err != nil {
		return nil, err
	}
	handle, err := json.Marshal(box.Handle())
	if err == nil {
		err = s.cfg.Store.SetHandle(ctx, sess.ID, string(handle), s.cfg.Runtime.Location())
	}
	if err != nil {
		s.free(ctx, box.Handle())
		return nil, fmt.Errorf("store the handle of sandbox %s: %w", sess.ID, err)
	}
	s.cfg.Log.DebugContext(ctx, "sandbox made", "session", sess.ID, "took", time.Since(began))
	return box, nil
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
		now := s.cfg.Now().UTC()
		got, moved, err = s.cfg.Store.MoveSession(ctx, sess.ID, assay.SessionCreating, SessionChange{Status: assay.SessionReady, ReadyAt: &now})
		return err
	})
	if err != nil {
		s.cfg.Log.ErrorContext(ctx, "that a session is ready was not stored", "session", sess.ID, "err", err)
		return nil
	}
	s.news.Notify(sess.ID)
	if !moved {
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
	case !s.cfg.Now().Before(sess.ExpiresAt):
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
	waiting, cancel := context.WithDeadline(ctx, time.Now().Add(sess.ExpiresAt.Sub(s.cfg.Now())))
	defer cancel()
	box, since := l.box, s.cfg.Now()
	for {
		if box == nil {
			var why *assay.Failure
			if box, why = s.regain(ctx, sess, l, since); why != nil { // when it ended, nobody saw
				s.finishSurelyAt(ctx, sess, assay.SessionReady, assay.SessionTerminated, s.lastSeen(ctx, sess), why)
				return false
			}
		}
		var death sandbox.Death
		err := ctx.Err()
		if err == nil {
			death, err = box.Wait(waiting)
		}
		switch {
		case ctx.Err() != nil:
			return s.ctx.Err() != nil && !s.hasEnded(ctx, sess.ID)
		case waiting.Err() == nil && err != nil:
			s.cfg.Log.WarnContext(ctx, "nobody watches a sandbox any more; it is looked at again", "session", sess.ID, "err", err)
			box, since = nil, s.cfg.Now()
			rest(ctx, firstPause)
			continue
		}
		s.finishSurely(ctx, sess, assay.SessionReady, assay.SessionTerminated, s.endBy(ctx, sess, death, err))
		return false
	}
}

// endBy is why a session ends whose sandbox has died, or whose time is over: err.
func (s *Service) endBy(ctx context.Context, sess *assay.Session, death sandbox.Death, err error) *assay.Failure {
	switch {
	case err != nil || death == sandbox.DeathExpired:
		return &assay.Failure{Code: assay.CodeExpired, Message: "the session's lifetime was over"}
	case death == sandbox.DeathOOM:
		return &assay.Failure{Code: assay.CodeOutOfMemory, Message: "the sandbox used more memory than it may"}
	}
	s.cfg.Log.WarnContext(ctx, "sandbox lost", "session", sess.ID, "death", death)
	return &assay.Failure{Code: assay.CodeSandboxLost, Message: "the sandbox died; work that was in it is lost"}
}

// hasEnded tells whether the row of a session says that it ended.
func (s *Service) hasEnded(ctx context.Context, id string) bool {
	ctx, cancel := finally(ctx)
	defer cancel()
	sess, err := s.cfg.Store.Session(ctx, "", id)
	return err == nil && !sess.Status.Live()
}

// free destroys a sandbox. What it cannot free now is an orphan, which
// the server sweeps up.
func (s *Service) free(ctx context.Context, h sandbox.Handle) {
	ctx, cancel := finally(ctx)
	defer cancel()
	if err := s.cfg.Runtime.Destroy(ctx, h); err != nil {
		s.cfg.Log.ErrorContext(ctx, "cannot free a sandbox; it is tried again", "sandbox", h.ID, "err", err)
	}
}
