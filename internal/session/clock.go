package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"assay"
	"assay/internal/persist"
)

// Clock is the time of a server. While it runs, time goes by as it passes: the clock on the wall
// may be put forward and back, by a person or at the end of a machine's sleep, and no session
// lives or costs more or less for it. It is the wall's until that jumps.
type Clock struct {
	wall    func() time.Time
	elapsed func() time.Duration // never jumps

	mu     sync.Mutex
	origin time.Time // the time at which nothing had elapsed
}

// NewClock returns the clock of this host.
func NewClock() *Clock {
	start := time.Now()
	return ClockOf(func() time.Time { return time.Now().Round(0) }, func() time.Duration { return time.Since(start) })
}

// ClockOf is a clock by what the wall says, and by what has elapsed.
func ClockOf(wall func() time.Time, elapsed func() time.Duration) *Clock {
	return &Clock{wall: wall, elapsed: elapsed, origin: wall().Add(-elapsed())}
}

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.origin.Add(c.elapsed())
}

// ahead is how far the wall is ahead of this clock: by how much it was put forward.
func (c *Clock) ahead() time.Duration { return c.wall().Sub(c.Now()) }

// follow puts this clock forward.
func (c *Clock) follow(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.origin = c.origin.Add(by)
}

// jump is the least by which a clock on the wall is said to have been put forward or back.
const jump = 2 * time.Second

// watchClock looks whether the clock on the wall was put forward or back since it looked last,
// and says so. A clock that was put forward is followed: the lives of all sessions end that much
// later, and what was skipped is not billed. One that was put back is not: time does not go
// back for what is stored, until the server starts again.
func (s *Service) watchClock(ctx context.Context) {
	if s.cfg.Clock == nil || s.unsure != nil && !s.settleShift(ctx) {
		return
	}
	ahead := s.cfg.Clock.ahead()
	switch {
	case ahead >= jump:
		s.followClock(ctx, ahead)
		s.behind = 0
	case s.behind == 0 && ahead <= -jump:
		s.cfg.Log.WarnContext(ctx, "the clock was put back; sessions live and cost as long as they do, and times are told by the clock from before until the next start", "by", -ahead)
		s.behind = -ahead
	case s.behind != 0 && ahead > -jump:
		s.cfg.Log.InfoContext(ctx, "the clock is right again")
		s.behind = 0
	}
}

// followClock puts the time of all live sessions forward, and then the clock.
func (s *Service) followClock(ctx context.Context, by time.Duration) {
	s.timeline.Lock()
	defer s.timeline.Unlock()
	live, err := s.cfg.Store.LiveSessions(ctx)
	if err == nil {
		err = s.cfg.Store.ShiftSessions(ctx, by)
	}
	switch {
	case err == nil:
		s.followed(ctx, by)
		return
	case persist.Uncertain(err):
		s.unsure = &shift{by, live, err}
	}
	s.cfg.Log.ErrorContext(ctx, "the clock was put forward, and it cannot be stored that no session is billed for that; it is tried again", "by", by, "err", err)
}

func (s *Service) followed(ctx context.Context, by time.Duration) {
	s.cfg.Clock.follow(by)
	s.cfg.Log.WarnContext(ctx, "the clock was put forward; what it skipped is not billed, and sessions end that much later", "by", by)
}

// shift is how far sessions were to be put off when the answer to that was lost.
type shift struct {
	by   time.Duration
	live []*assay.Session // as they were before
	lost error
}

// shiftBound is how long it may take to find out what became of a shift: another look follows.
const shiftBound = 10 * time.Second

// settleShift finds out what became of a shift whose answer was lost; false when that is still
// not known. Doing it again would put sessions off twice.
func (s *Service) settleShift(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, shiftBound)
	defer cancel()
	stored, err := s.wasStored(ctx, s.unsure)
	if err != nil {
		return false
	}
	if stored {
		s.followed(ctx, s.unsure.by)
	}
	s.unsure = nil
	return true
}

func (s *Service) wasStored(ctx context.Context, sh *shift) (bool, error) {
	if unknown := persist.Unknown(nil); errors.As(sh.lost, &unknown) {
		return unknown.Settle(ctx)
	}
	for _, was := range sh.live {
		is, err := s.cfg.Store.Session(ctx, "", was.ID)
		if err != nil {
			return false, err
		}
		if is.Status.Live() {
			return !is.ExpiresAt.Equal(was.ExpiresAt), nil
		}
	}
	return true, nil // there is none that could be billed
}

// isOver tells whether the lifetime of a session is over. Its row is asked: it moves with the
// clock.
func (s *Service) isOver(ctx context.Context, sess *assay.Session) bool {
	if s.cfg.Now().Before(sess.ExpiresAt) {
		return false
	}
	ctx, cancel := finally(ctx)
	defer cancel()
	stored, err := s.cfg.Store.Session(ctx, "", sess.ID)
	return err != nil || !s.cfg.Now().Before(stored.ExpiresAt)
}
