package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"assay"
	"assay/internal/persist"
	"assay/internal/session"
)

// lossy is a store behind a connection that is lost, once, after something was stored and
// before that was answered. Nobody learns what became of it until the store is asked.
type lossy struct {
	session.Store

	mu   sync.Mutex
	next string // what is lost next
}

// lostAnswer is the error of a write that was stored.
type lostAnswer struct{}

func (lostAnswer) Error() string                        { return "the connection was lost" }
func (lostAnswer) Settle(context.Context) (bool, error) { return true, nil }

func (l *lossy) lose(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = what
}

// answer is the error of what was done.
func (l *lossy) answer(what string, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil || l.next != what {
		return err
	}
	l.next = ""
	return assay.Wrap(lostAnswer{}, assay.CodeUnavailable, "it is not known whether this was done")
}

func (l *lossy) InsertSession(ctx context.Context, sess *assay.Session, idem session.Idempotency, limits session.LiveLimits) (*assay.Session, bool, error) {
	got, created, err := l.Store.InsertSession(ctx, sess, idem, limits)
	if err = l.answer("session", err); err != nil {
		got, created = nil, false
	}
	return got, created, err
}

func (l *lossy) MoveSession(ctx context.Context, id string, from assay.SessionStatus, change session.SessionChange) (*assay.Session, bool, error) {
	got, moved, err := l.Store.MoveSession(ctx, id, from, change)
	return got, moved, l.answer(string(change.Status), err)
}

func (l *lossy) InsertInteraction(ctx context.Context, in *assay.Interaction, idem session.Idempotency, limit int) (*assay.Interaction, bool, error) {
	got, created, err := l.Store.InsertInteraction(ctx, in, idem, limit)
	if err = l.answer("command", err); err != nil {
		got, created = nil, false
	}
	return got, created, err
}

func (l *lossy) FinishInteraction(ctx context.Context, in *assay.Interaction) (bool, error) {
	finished, err := l.Store.FinishInteraction(ctx, in)
	return finished, l.answer("end", err)
}

func behindALossyConnection(t *testing.T) (*fixture, *lossy) {
	t.Helper()
	l := &lossy{}
	f := newFixture(t, func(c *session.Config) { l.Store, c.Store = c.Store, l; c.MaxCommands = 1 })
	return f, l
}

func TestASessionWhoseReadinessWasStoredUnseenHasAnOwner(t *testing.T) {
	f, l := behindALossyConnection(t)
	l.lose("ready")
	sess := f.ready()
	if end := f.ended(f.exec(sess, "echo here")); end.Stdout.Text != "here\n" {
		t.Errorf("its sandbox says %q", end.Stdout.Text)
	}
	if _, err := f.Close(t.Context(), user, sess.ID); err != nil {
		t.Fatal(err)
	}
	f.gone()
}

func TestASessionWhoseEndWasStoredUnseenFreesItsSandbox(t *testing.T) {
	f, l := behindALossyConnection(t)
	sess := f.ready()
	l.lose("closed")
	if _, err := f.Close(t.Context(), user, sess.ID); !persist.IsUnknown(err) {
		t.Fatalf("it is answered with %v", err)
	}
	f.awaited(sess, assay.SessionClosed)
	f.gone()
}

func TestASessionThatWasStoredUnseenEnds(t *testing.T) {
	f, l := behindALossyConnection(t)
	l.lose("session")
	if _, err := f.Create(t.Context(), user, session.CreateRequest{Dataset: "d", SampleID: "s", TTL: time.Hour}); !persist.IsUnknown(err) {
		t.Fatalf("it is answered with %v", err)
	}
	eventually(t, func() (struct{}, error) {
		page, err := f.List(t.Context(), session.Query{UserID: user, Status: assay.SessionError})
		if err == nil && page.Total != 1 {
			err = errors.New("no session has failed")
		}
		return struct{}{}, err
	})
	f.gone()
}

func TestACommandThatWasStoredUnseenTakesNobodysPlace(t *testing.T) {
	f, l := behindALossyConnection(t)
	sess := f.ready()
	l.lose("command")
	if _, err := f.Exec(t.Context(), user, sess.ID, session.ExecRequest{Command: "echo lost", Timeout: time.Minute}); !persist.IsUnknown(err) {
		t.Fatalf("it is answered with %v", err)
	}
	next := eventually(t, func() (*assay.Interaction, error) {
		return f.Exec(t.Context(), user, sess.ID, session.ExecRequest{Command: "echo next", Timeout: time.Minute})
	})
	l.lose("end")
	if end := f.ended(next); end.Stdout.Text != "next\n" {
		t.Errorf("it says %q", end.Stdout.Text)
	}
}
