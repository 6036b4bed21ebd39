package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/session"
)

func TestSessionFromCreateToClose(t *testing.T) {
	f := newFixture(t)
	sess := f.created(time.Hour)
	if sess.Status != assay.SessionCreating || sess.ReadyAt != nil {
		t.Errorf("a new session is %s, ready at %v", sess.Status, sess.ReadyAt)
	}
	sess, err := f.Await(t.Context(), user, sess.ID)
	if err != nil {
		t.Fatal(err)
	}
	if sess.Status != assay.SessionReady || sess.ReadyAt == nil {
		t.Fatalf("the session is %s, ready at %v", sess.Status, sess.ReadyAt)
	}
	closed, err := f.Close(t.Context(), user, sess.ID)
	if err != nil {
		t.Fatal(err)
	}
	if closed.Status != assay.SessionClosed || closed.EndedAt == nil || closed.Error != nil {
		t.Errorf("the closed session is %+v", closed)
	}
	again, err := f.Close(t.Context(), user, sess.ID)
	if err != nil || !again.EndedAt.Equal(*closed.EndedAt) {
		t.Errorf("closed again: %+v, %v", again, err)
	}
	f.gone()
}

func TestClosingWhileCreatingLeavesNothing(t *testing.T) {
	f := newFixture(t)
	sess := f.beingMade()
	if _, err := f.Close(t.Context(), user, sess.ID); err != nil {
		t.Fatal(err)
	}
	f.awaited(sess, assay.SessionClosed)
	f.gone()
}

func TestSandboxThatCannotBeMade(t *testing.T) {
	for _, tt := range []struct {
		cause error
		want  assay.Code
	}{
		{errors.New("no space left"), assay.CodeSandboxFailed},
		{sandbox.ErrImage, assay.CodeImageUnavailable},
	} {
		f := newFixture(t)
		f.runtime.SetFaults(memory.Faults{Create: func(context.Context, sandbox.Spec) error { return tt.cause }})
		sess := f.awaited(f.created(time.Hour), assay.SessionError)
		if sess.Error == nil || sess.Error.Code != tt.want {
			t.Errorf("after %v the session's error is %+v, want %s", tt.cause, sess.Error, tt.want)
		}
		if sess.Duration(time.Now()) != 0 {
			t.Error("a session that was never ready has a duration")
		}
		_, err := f.Exec(t.Context(), user, sess.ID, session.ExecRequest{Command: "true"})
		if assay.CodeOf(err) != assay.CodeSessionEnded {
			t.Errorf("exec answers %v", err)
		}
	}
}

func TestSessionExpires(t *testing.T) {
	f := newFixture(t)
	sess := f.awaited(f.created(50*time.Millisecond), assay.SessionTerminated) // ready or not
	if sess.Error == nil || sess.Error.Code != assay.CodeExpired {
		t.Errorf("error is %+v", sess.Error)
	}
	if sess.EndedAt.After(sess.ExpiresAt) {
		t.Errorf("it ended at %s, after it expired at %s", sess.EndedAt, sess.ExpiresAt)
	}
	f.gone()
}

func TestASessionWhoseTimeIsOverBeforeItIsMadeHasExpired(t *testing.T) {
	var clock clock
	f := newFixture(t, func(c *session.Config) { c.Now = clock.now })
	f.runtime.SetFaults(memory.Faults{Create: func(context.Context, sandbox.Spec) error {
		clock.advance(2 * time.Hour)
		return errors.New("its deadline has passed")
	}})
	sess := f.awaited(f.created(time.Hour), assay.SessionTerminated)
	if sess.Error.Code != assay.CodeExpired || sess.ReadyAt != nil {
		t.Errorf("error is %+v", sess.Error)
	}
	f.gone()
}

func TestSandboxThatDies(t *testing.T) {
	for death, want := range map[sandbox.Death]assay.Code{
		sandbox.DeathLost:    assay.CodeSandboxLost,
		sandbox.DeathOOM:     assay.CodeOutOfMemory,
		sandbox.DeathExpired: assay.CodeExpired,
	} {
		f := newFixture(t)
		sess := f.ready()
		in := f.exec(sess, "gate never")
		f.runtime.Kill(sess.ID, death)
		sess = f.awaited(sess, assay.SessionTerminated)
		if sess.Error.Code != want {
			t.Errorf("after %s the error is %s, want %s", death, sess.Error.Code, want)
		}
		if end := f.ended(in); end.ExitCode != assay.ExitUnknown || end.Status != assay.InteractionFailed {
			t.Errorf("the command that ran meanwhile ended with %d, %s", end.ExitCode, end.Status)
		}
		f.gone()
	}
}

func TestConcurrentClosesAgree(t *testing.T) {
	f := newFixture(t)
	sess := f.ready()
	var wg sync.WaitGroup
	ends := make([]*assay.Session, 16)
	for i := range ends {
		wg.Go(func() {
			var err error
			if ends[i], err = f.Close(t.Context(), user, sess.ID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, end := range ends {
		if end == nil || !end.EndedAt.Equal(*ends[0].EndedAt) {
			t.Fatalf("ends differ: %+v and %+v", end, ends[0])
		}
	}
	f.gone()
}

func TestLimitsOfLiveSessions(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.Live.PerUser = 1 })
	first := f.ready()
	_, err := f.Create(t.Context(), user, session.CreateRequest{Dataset: "d", SampleID: "s", TTL: time.Hour})
	if assay.CodeOf(err) != assay.CodeTooManySessions {
		t.Errorf("a session beyond the limit: %v", err)
	}
	if _, err := f.Close(t.Context(), user, first.ID); err != nil {
		t.Fatal(err)
	}
	f.ready()
}

func TestSomebodyElsesSessionIsNotFound(t *testing.T) {
	f := newFixture(t)
	sess := f.ready()
	in := f.ended(f.exec(sess, "echo secret"))
	const other = "usr_bob"
	_, errGet := f.Get(t.Context(), other, sess.ID)
	_, errClose := f.Close(t.Context(), other, sess.ID)
	_, errExec := f.Exec(t.Context(), other, sess.ID, session.ExecRequest{Command: "true"})
	_, errReplace := f.Replace(t.Context(), other, sess.ID, sandbox.ReplaceRequest{Path: "a.txt", Old: "one", New: "two"})
	_, errSnapshot := f.Snapshot(t.Context(), other, sess.ID, sandbox.ChangeLimits{}, nil)
	for _, err := range []error{errGet, errClose, errExec, errReplace, errSnapshot} {
		if assay.CodeOf(err) != assay.CodeSessionNotFound {
			t.Errorf("error is %v", err)
		}
	}
	if _, err := f.Interaction(t.Context(), other, sess.ID, in.ID); assay.CodeOf(err) != assay.CodeInteractionNotFound && assay.CodeOf(err) != assay.CodeSessionNotFound {
		t.Errorf("the interaction answers %v", err)
	}
}

func TestStoppedServiceTakesNoWork(t *testing.T) {
	f := newFixture(t)
	sess := f.ready()
	f.stop(f.Service)()
	_, err := f.Create(t.Context(), user, session.CreateRequest{Dataset: "d", SampleID: "s", TTL: time.Hour})
	if assay.CodeOf(err) != assay.CodeUnavailable {
		t.Errorf("create answers %v", err)
	}
	_, err = f.Exec(t.Context(), user, sess.ID, session.ExecRequest{Command: "true"})
	if assay.CodeOf(err) != assay.CodeUnavailable {
		t.Errorf("exec answers %v", err)
	}
	if len(f.runtime.Names()) != 1 {
		t.Error("the sandbox did not outlive the service")
	}
}
