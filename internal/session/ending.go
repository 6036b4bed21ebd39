package session

import (
	"context"
	"errors"
	"time"

	"assay"
	"assay/internal/persist"
	"assay/internal/sandbox"
	"assay/internal/telemetry"
)

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
	if err != nil {
		s.endedUnseen(ctx, sess.ID, got, moved, err, why)
		return nil, err
	}
	if moved {
		s.ended(ctx, got, why)
	}
	return got, nil
}

// endedUnseen finds out what became of the end of a session whose move has failed with err,
// and does what follows from it.
func (s *Service) endedUnseen(ctx context.Context, id string, got *assay.Session, moved bool, err error, why *assay.Failure) {
	if !persist.Uncertain(err) || persist.IsUnknown(err) && !moved {
		return
	}
	ctx = telemetry.Carry(s.ctx, ctx)
	s.later(ctx, func() {
		found := persist.Found(ctx, s.cfg.Log, "what became of the end of session "+id, err, func(ctx context.Context) (_ bool, err error) {
			got, err = s.cfg.Store.Session(ctx, "", id)
			return err == nil && !got.Status.Live(), err
		})
		if found {
			s.ended(ctx, got, why)
		}
	})
}

// finishSurely is finish for an end that nobody else knows of: it is stored as soon as
// that can be done, with the time that it is now. When the service stops before, the
// next start finds the session without a sandbox.
func (s *Service) finishSurely(ctx context.Context, sess *assay.Session, from, to assay.SessionStatus, why *assay.Failure) {
	s.finishSurelyAt(ctx, sess, from, to, s.cfg.Now().UTC(), why)
}

// finishSurelyAt is finishSurely for a session that ended at an earlier time.
func (s *Service) finishSurelyAt(ctx context.Context, sess *assay.Session, from, to assay.SessionStatus, at time.Time, why *assay.Failure) {
	defer s.hold(sess.ID)() // a database that is busy is no discrepancy
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
