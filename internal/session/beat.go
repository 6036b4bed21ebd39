package session

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"assay/internal/sandbox"
)

// errSilent says that a sandbox was asked and did not answer.
var errSilent = errors.New("a beat was not answered")

// attend waits for the end of a session's sandbox, and asks it again and again meanwhile
// whether it answers: an agent that hangs keeps its connections open, and nothing else would
// tell. errSilent when it does not answer any more.
func (s *Service) attend(ctx context.Context, l *live, box sandbox.Sandbox) (sandbox.Death, error) {
	p, ok := box.(sandbox.Pinger)
	if !ok {
		return box.Wait(ctx)
	}
	ctx, stop := context.WithCancelCause(ctx)
	var beats sync.WaitGroup
	beats.Go(func() {
		if err := s.beat(ctx, l, p); err != nil {
			stop(fmt.Errorf("%w: %w", errSilent, err))
		}
	})
	death, err := box.Wait(ctx)
	stop(nil)
	beats.Wait()
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errSilent) {
		return "", cause
	}
	return death, err
}

// beat asks a sandbox whether it answers, until it does not, which is the error, or ctx ends.
func (s *Service) beat(ctx context.Context, l *live, p sandbox.Pinger) error {
	for rest(ctx, s.cfg.BeatEvery) {
		err := p.Ping(ctx, s.cfg.BeatPatience)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // nobody waits for an answer any more
		case errors.Is(err, sandbox.ErrUnreachable):
			return err
		case err != nil: // who waits for its end hears of it
			s.cfg.Log.DebugContext(ctx, "a beat failed", "err", err)
		default:
			s.mu.Lock()
			l.answered = s.cfg.Now()
			s.mu.Unlock()
		}
	}
	return nil
}

// reached notes the sandbox of a session, which has answered just now. silent tells whether
// it did not before.
func (s *Service) reached(l *live, box sandbox.Sandbox) (silent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	silent = l.silent
	l.box, l.handle, l.silent, l.answered = box, box.Handle(), false, s.cfg.Now()
	if l.forsake != nil {
		l.forsake(nil)
	}
	l.reach, l.forsake = context.WithCancelCause(context.Background())
	return silent
}

// unreached notes that the sandbox of a session does not answer, or that the session is over:
// why. What was asked of it is not waited for any more. first tells whether it was answering
// until now.
func (s *Service) unreached(l *live, why error) (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first, l.silent, l.box = !l.silent, true, nil
	if l.forsake != nil {
		l.forsake(why)
	}
	return first
}

// ask makes a request of the sandbox of a session, and gives up when that is known not to
// answer: the error is why then.
func (s *Service) ask(ctx context.Context, l *live, request func(context.Context) error) error {
	s.mu.Lock()
	reach := l.reach
	s.mu.Unlock()
	if reach == nil {
		return sandbox.ErrUnreachable
	}
	asked, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(reach, stop)()
	err := request(asked)
	if err == nil || ctx.Err() != nil || reach.Err() == nil || errors.Is(err, sandbox.ErrGone) {
		return err
	}
	return fmt.Errorf("%w (%v)", context.Cause(reach), err) //nolint:errorlint // that it was given up is no kind of this error
}
