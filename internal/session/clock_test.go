package session_test

import (
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"assay"
	"assay/internal/session"
	"assay/internal/store/storetest"
)

// host is a machine whose clock on the wall can be put forward and back.
type host struct{ wall, passed atomic.Int64 }

func newHost() *host {
	h := &host{}
	h.wall.Store(time.Now().UnixNano())
	return h
}

func (h *host) clock() *session.Clock {
	return session.ClockOf(func() time.Time { return time.Unix(0, h.wall.Load()) }, func() time.Duration { return time.Duration(h.passed.Load()) })
}

func (h *host) pass(d time.Duration) {
	h.passed.Add(int64(d))
	h.put(d)
}

// put puts the clock on the wall forward, or back.
func (h *host) put(d time.Duration) { h.wall.Add(int64(d)) }

// spoken is a log that can be read while it is written.
type spoken struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *spoken) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *spoken) says(what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.text.String(), what)
}

// onHost is a fixture on a host, whose server looks at the clock so often.
func onHost(t *testing.T, seeEvery time.Duration, changes ...func(*session.Config)) (*fixture, *host, *spoken) {
	h, log := newHost(), &spoken{}
	f := newFixture(t, func(cfg *session.Config) {
		for _, change := range changes {
			change(cfg)
		}
		cfg.Clock, cfg.SeeEvery, cfg.Log = h.clock(), seeEvery, slog.New(slog.NewTextHandler(log, nil))
		cfg.Price = func(string) assay.MicroUSD { return cent }
	})
	f.credit(1000 * cent)
	return f, h, log
}

func (f *fixture) said(log *spoken, what string) {
	f.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !log.says(what); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("the log does not say that %s", what)
		}
	}
}

// billedMinute ends a session that has lived for a minute, whatever the clock said.
func (f *fixture) billedMinute(sess *assay.Session) {
	f.t.Helper()
	if _, err := f.Close(f.t.Context(), user, sess.ID); err != nil {
		f.t.Fatal(err)
	}
	if bills, amount := f.spent(); bills != 1 || amount != cent {
		f.t.Errorf("a minute led to %d bills of %s, want %s", bills, amount, cent)
	}
}

func TestAClockThatIsPutForwardIsToldAndNotBilled(t *testing.T) {
	f, h, log := onHost(t, time.Millisecond)
	sess, early := f.ready(), f.beingMade()
	h.pass(30 * time.Second)
	h.put(2 * time.Hour) // longer than they may live
	f.said(log, "the clock was put forward")
	h.pass(30 * time.Second)
	for _, was := range []*assay.Session{sess, early} {
		got, err := f.Get(t.Context(), user, was.ID)
		if err != nil {
			t.Fatal(err)
		}
		if moved := got.ExpiresAt.Sub(was.ExpiresAt); !got.Status.Live() || moved != 2*time.Hour {
			t.Errorf("a session is %s, and its lifetime ends %s later, want 2 h", got.Status, moved)
		}
	}
	if later := f.cfg.Clock.Now().Sub(sess.RequestedAt); later < 2*time.Hour {
		t.Errorf("the server's clock went on by %s only", later)
	}
	f.billedMinute(sess)
}

func TestAClockThatIsPutBackIsToldAndChangesNothing(t *testing.T) {
	f, h, log := onHost(t, time.Millisecond)
	sess := f.ready()
	h.pass(30 * time.Second)
	h.put(-2 * time.Hour)
	f.said(log, "the clock was put back")
	h.pass(30 * time.Second)
	h.put(2 * time.Hour)
	f.said(log, "the clock is right again")
	if got, err := f.Get(t.Context(), user, sess.ID); err != nil || !got.ExpiresAt.Equal(sess.ExpiresAt) {
		t.Errorf("its lifetime ends at %s, not at %s: %v", got.ExpiresAt, sess.ExpiresAt, err)
	}
	f.billedMinute(sess)
}

// Nobody has looked at the clock since it jumped.
func TestAClockThatJumpsBetweenLooksIsNotBilled(t *testing.T) {
	for _, by := range []time.Duration{time.Hour / 2, 2 * time.Hour, -2 * time.Hour} {
		f, h, _ := onHost(t, time.Hour)
		sess := f.ready()
		h.pass(30 * time.Second)
		h.put(by)
		h.pass(30 * time.Second)
		f.billedMinute(sess)
	}
}

// After a start nobody knows that the clock had jumped before.
func TestWhatAClockSkippedIsNotBilledAfterAStart(t *testing.T) {
	f, h, log := onHost(t, time.Millisecond)
	sess := f.ready()
	h.put(2 * time.Hour)
	f.said(log, "the clock was put forward")
	h.pass(30 * time.Second)
	f.cfg.Clock = h.clock()
	f.restart()
	h.pass(30 * time.Second)
	f.billedMinute(f.awaited(sess, assay.SessionReady))
}

// The answer to the write that puts sessions off may be lost: what was stored is not stored
// once more.
func TestAClockIsFollowedOnce(t *testing.T) {
	for name, lost := range lateErrors {
		t.Run(name, func(t *testing.T) {
			var l *storetest.Late
			f, h, log := onHost(t, time.Millisecond, func(cfg *session.Config) {
				l = storetest.NewLate(cfg.Store.(storetest.Stores))
				cfg.Store = l
			})
			sess := f.ready()
			l.After("ShiftSessions", lost)
			h.pass(30 * time.Second)
			h.put(2 * time.Hour)
			f.said(log, "the clock was put forward;")
			h.pass(30 * time.Second)
			got, err := f.Get(t.Context(), user, sess.ID)
			if err != nil {
				t.Fatal(err)
			}
			if moved := got.ExpiresAt.Sub(sess.ExpiresAt); moved != 2*time.Hour || l.Fired("ShiftSessions") != 1 {
				t.Errorf("its lifetime ends %s later, want 2 h", moved)
			}
			f.billedMinute(sess)
		})
	}
}
