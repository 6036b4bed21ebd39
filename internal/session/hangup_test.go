package session_test

import (
	"context"
	"testing"
	"time"

	"assay"
	"assay/internal/session"
)

// hangingUp is a store whose caller hangs up while a command or a session is being stored.
type hangingUp struct {
	session.Store
	hangUp func()
}

func (h *hangingUp) InsertInteraction(ctx context.Context, in *assay.Interaction, idem session.Idempotency, limit int) (*assay.Interaction, bool, error) {
	h.hangUp()
	return h.Store.InsertInteraction(ctx, in, idem, limit)
}

func (h *hangingUp) InsertSession(ctx context.Context, sess *assay.Session, idem session.Idempotency, limits session.LiveLimits) (*assay.Session, bool, error) {
	h.hangUp()
	return h.Store.InsertSession(ctx, sess, idem, limits)
}

// What was stored happens, also when nobody waits for the answer: a command that is stored
// and never run would count against its session for ever.
func TestAClientThatHangsUpLeavesNothingHalfDone(t *testing.T) {
	store := &hangingUp{hangUp: func() {}}
	f := newFixture(t, func(c *session.Config) { store.Store, c.Store = c.Store, store })
	request := func() context.Context {
		var ctx context.Context
		ctx, store.hangUp = context.WithCancel(t.Context())
		return ctx
	}
	sess, err := f.Create(request(), user, session.CreateRequest{Dataset: "d", SampleID: "s", TTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	f.awaited(sess, assay.SessionReady)
	in, err := f.Exec(request(), user, sess.ID, session.ExecRequest{Command: "echo $(git reflog)", Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if end := f.ended(in); end.ExitCode != 0 || end.Status != assay.InteractionCompleted {
		t.Errorf("it ended as %s with %d: %s", end.Status, end.ExitCode, end.Message)
	}
	looks, err := f.store.Lookups(t.Context(), sess.ID)
	if err != nil || len(looks) != 1 {
		t.Errorf("%d looks into the history are noted, %v", len(looks), err)
	}
}
