package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"assay"
	"assay/internal/persist"
	"assay/internal/sandbox"
	"assay/internal/telemetry"
	"assay/internal/wake"
)

// A sandbox that does not answer may be alive: its agent hangs, a connection was reset,
// the host is out of something. Only a proof of its death (sandbox.ErrGone, a death that
// Wait tells, the end of its lifetime) ends its session at once. Anything else is tried
// again, for Config.Unreachable; meanwhile the session is unreachable, and not billed.

const (
	// openBound is how long a sandbox may take to answer.
	openBound = 15 * time.Second
	// The pause between two tries.
	firstPause   = 50 * time.Millisecond
	longestPause = 5 * time.Second
	// answerBound is how long a request waits for a sandbox that does not answer just now.
	answerBound = 5 * time.Second
)

// regain finds the sandbox of a ready session: of an earlier server's, or one that does
// not answer any more. It returns nil once the session is over, with the reason if it is not
// stored yet.
func (s *Service) regain(ctx context.Context, sess *assay.Session, l *live) (sandbox.Sandbox, *assay.Failure) {
	since := s.lastAnswer(l)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		box, err := s.openTelling(ctx, sess, l)
		now := s.cfg.Now()
		switch {
		case ctx.Err() != nil:
			return nil, nil
		case err == nil:
			s.answers(ctx, sess, l, box)
			return box, nil
		case s.isOver(ctx, sess):
			return nil, &assay.Failure{Code: assay.CodeExpired, Message: "the session's lifetime was over"}
		case errors.Is(err, sandbox.ErrGone):
			s.cfg.Log.WarnContext(ctx, "sandbox lost", "session", sess.ID, "err", err)
			return nil, &assay.Failure{Code: assay.CodeSandboxLost, Message: "the sandbox died; work that was in it is lost"}
		case now.Sub(since) >= s.cfg.Unreachable:
			s.cfg.Log.ErrorContext(ctx, "a sandbox did not answer for too long; its session ends", "session", sess.ID, "since", since, "err", err)
			return nil, &assay.Failure{Code: assay.CodeSandboxLost, Message: "the sandbox did not answer for " + s.cfg.Unreachable.String() + "; work that was in it is lost"}
		}
		s.noAnswer(ctx, sess, l, err)
		if !rest(ctx, pause) {
			return nil, nil
		}
	}
}

// open asks a sandbox whether it answers, for as long as one may take.
func (s *Service) open(ctx context.Context, h sandbox.Handle) (sandbox.Sandbox, error) {
	if h.ID == "" {
		return nil, sandbox.ErrGone
	}
	ctx, cancel := context.WithTimeout(ctx, openBound)
	defer cancel()
	return s.cfg.Runtime.Open(ctx, h)
}

func (s *Service) lastAnswer(l *live) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return l.answered
}

// noAnswer notes that a sandbox does not answer any more, since it did last.
func (s *Service) noAnswer(ctx context.Context, sess *assay.Session, l *live, cause error) {
	since := s.lastAnswer(l)
	if s.unreached(l, fmt.Errorf("%w: %w", sandbox.ErrUnreachable, cause)) {
		s.cfg.Log.WarnContext(ctx, "a sandbox does not answer; it is tried again, and not billed meanwhile", "session", sess.ID, "until", since.Add(s.cfg.Unreachable), "err", cause)
		s.news.Notify(sess.ID)
	}
	// Again each time: it may not have been stored. The first time stays.
	if err := s.cfg.Store.LoseSession(ctx, sess.ID, since.UTC()); err != nil && ctx.Err() == nil {
		s.cfg.Log.ErrorContext(ctx, "cannot store that a sandbox does not answer", "session", sess.ID, "err", err)
	}
}

// answers notes that a sandbox answers, and from when on it is billed again.
func (s *Service) answers(ctx context.Context, sess *assay.Session, l *live, box sandbox.Sandbox) {
	at := s.cfg.Now().UTC()
	was := s.reached(l, box)
	s.news.Notify(sess.ID)
	if !was && sess.UnreachableAt == nil {
		return
	}
	err := persist.Until(ctx, s.cfg.Log, "that session "+sess.ID+" is reached again", func(ctx context.Context) error {
		return s.cfg.Store.RegainSession(ctx, sess.ID, at)
	})
	if err != nil { // the next start does
		s.cfg.Log.ErrorContext(ctx, "that a sandbox answers again was not stored", "session", sess.ID, "err", err)
		return
	}
	sess.UnreachableAt = nil
	s.cfg.Log.InfoContext(ctx, "a sandbox answers again", "session", sess.ID)
	s.news.Notify(sess.ID)
}

// Unreachable tells how many live sessions have a sandbox that does not answer.
func (s *Service) Unreachable() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.live {
		if l.silent {
			n++
		}
	}
	return n
}

// boxOf returns the sandbox of a session whose row says that it is ready. It waits a
// moment for one that does not answer.
func (s *Service) boxOf(ctx context.Context, id string) (*live, sandbox.Sandbox, error) {
	waiting, cancel := context.WithTimeout(ctx, answerBound)
	defer cancel()
	l, box := s.awaitBox(waiting, id)
	switch {
	case box != nil:
		return l, box, nil
	case l != nil:
		return nil, nil, assay.Errorf(assay.CodeUnavailable, "the sandbox of session %s does not answer at the moment; try again in a while", id)
	case s.isStopped():
		return nil, nil, errStopping
	}
	return nil, nil, assay.Errorf(assay.CodeSessionEnded, "session %s has just ended", id)
}

// boxNow returns what is known of a live session, nil for one that does not live here,
// and its sandbox if that answers.
func (s *Service) boxNow(id string) (*live, sandbox.Sandbox) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.live[id]
	if l == nil {
		return nil, nil
	}
	return l, l.box
}

// awaitBox is boxNow once the sandbox answers, the session is over, or ctx ends.
func (s *Service) awaitBox(ctx context.Context, id string) (*live, sandbox.Sandbox) {
	l, box := s.boxNow(id)
	if l == nil || box != nil {
		return l, box
	}
	l, _ = wake.Await(ctx, &s.news, id, func(context.Context) (l *live, _ error) {
		l, box = s.boxNow(id)
		return l, nil
	}, func(l *live) bool { return l == nil || box != nil })
	return l, box
}

func (s *Service) isStopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

// untilAnswered makes an operation of a command again and again while the sandbox does
// not answer, as long as that may take. It must be one that can be made twice. It returns
// ErrGone when the session ends meanwhile.
func (s *Service) untilAnswered(ctx context.Context, sessionID string, do func(context.Context, sandbox.Sandbox) (sandbox.Result, error)) (res sandbox.Result, err error) {
	var since time.Time // of the first of the failures in a row
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		l, box := s.awaitBox(ctx, sessionID)
		switch {
		case ctx.Err() != nil:
			return res, ctx.Err()
		case l == nil:
			return res, sandbox.ErrGone
		}
		began := s.cfg.Now()
		err = s.ask(ctx, l, func(ctx context.Context) (err error) {
			res, err = do(ctx, box)
			return err
		})
		if !errors.Is(err, sandbox.ErrUnreachable) {
			return res, err
		}
		now := s.cfg.Now()
		if since.IsZero() || now.Sub(began) > longestPause { // it was waited for meanwhile
			since = now
		}
		if now.Sub(since) >= s.cfg.Unreachable || !rest(ctx, pause) {
			return res, err
		}
	}
}

// rest sleeps; false when ctx ends before.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// lastSeen reads when a session is known to have lived, as of now.
func (s *Service) lastSeen(ctx context.Context, sess *assay.Session) time.Time {
	ctx, cancel := finally(telemetry.Carry(s.ctx, ctx))
	defer cancel()
	if now, err := s.cfg.Store.Session(ctx, "", sess.ID); err == nil {
		sess = now
	}
	return sess.LastSeen()
}
