package session_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/session"
)

func TestRestartAdoptsSessionsAndTheirCommands(t *testing.T) {
	f := newFixture(t)
	sess := f.ready()
	during := f.exec(sess, "gate during")
	after := f.exec(sess, "gate after")
	<-f.gates.gate("at during")
	<-f.gates.gate("at after")
	f.stop(f.Service)()
	close(f.gates.gate("during")) // it ends while nobody serves
	f.restart()

	if got := f.awaited(sess, assay.SessionReady); !got.ReadyAt.Equal(*sess.ReadyAt) {
		t.Errorf("the session became ready at %s, before the restart it was %s", got.ReadyAt, sess.ReadyAt)
	}
	if end := f.ended(during); end.ExitCode != 7 {
		t.Errorf("the command that ended meanwhile has exit code %d, want 7", end.ExitCode)
	}
	close(f.gates.gate("after"))
	if end := f.ended(after); end.ExitCode != 7 {
		t.Errorf("the command that went on has exit code %d, want 7: %s", end.ExitCode, end.Message)
	}
	f.ended(f.exec(sess, "echo more"))
	if _, err := f.Close(t.Context(), user, sess.ID); err != nil {
		t.Fatal(err)
	}
	f.gone()
}

func TestRestartEndsWhatIsLost(t *testing.T) {
	f := newFixture(t)
	sess := f.ready()
	in := f.exec(sess, "gate g")
	f.stop(f.Service)()
	f.runtime.Kill(sess.ID, sandbox.DeathLost)
	f.restart()

	sess = f.awaited(sess, assay.SessionTerminated)
	if sess.Error.Code != assay.CodeSandboxLost {
		t.Errorf("the session's error is %+v", sess.Error)
	}
	if end := f.ended(in); end.ExitCode != assay.ExitUnknown {
		t.Errorf("its command ended with %d", end.ExitCode)
	}
	f.gone()
}

func TestRestartEndsWhatExpired(t *testing.T) {
	var clock clock
	f := newFixture(t, func(c *session.Config) { c.Now = clock.now })
	sess := f.ready()
	f.stop(f.Service)()
	stopped := clock.now()
	clock.advance(2 * time.Hour)
	f.restart()

	sess = f.awaited(sess, assay.SessionTerminated)
	if sess.Error.Code != assay.CodeExpired || sess.EndedAt.Before(*sess.ReadyAt) || sess.EndedAt.After(stopped) {
		t.Errorf("it ended at %s with %+v; nobody has seen it live after %s", sess.EndedAt, sess.Error, stopped)
	}
	f.gone()
}

func TestRestartMakesWhatWasBeingMade(t *testing.T) {
	f := newFixture(t)
	sess := f.beingMade()
	f.stop(f.Service)()
	f.runtime.SetFaults(memory.Faults{})
	f.restart()
	f.awaited(sess, assay.SessionReady)
}

// A server that is killed leaves parts of what it was making. Who is closed before it is its turn
// to be made again leaves nothing.
func TestRestartFreesWhatIsClosedBeforeItIsMadeAgain(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.Creating = 1 })
	one := f.beingMade()
	other := f.created(time.Hour) // it waits for its turn
	f.stop(f.Service)()
	f.runtime.SetFaults(memory.Faults{})
	for _, sess := range []*assay.Session{one, other} {
		f.orphan(sess.ID) // as the server has left them that made both
	}
	entered := make(chan string)
	f.runtime.SetFaults(memory.Faults{Create: func(ctx context.Context, spec sandbox.Spec) error {
		entered <- spec.ID
		<-ctx.Done()
		return ctx.Err()
	}})
	f.restart()
	made, waiting := <-entered, one.ID
	if made == one.ID {
		waiting = other.ID
	}
	for _, id := range []string{waiting, made} {
		if _, err := f.Close(t.Context(), user, id); err != nil {
			t.Fatal(err)
		}
	}
	f.gone()
}

func TestRestartDestroysWhatNobodyOwns(t *testing.T) {
	f := newFixture(t)
	kept := f.ready()
	f.stop(f.Service)()
	f.orphan("ses_orphan")
	f.restart()
	eventually(t, func() (struct{}, error) {
		if names := f.runtime.Names(); len(names) != 1 || names[0] != kept.ID {
			return struct{}{}, fmt.Errorf("sandboxes are %q, want %s alone", names, kept.ID)
		}
		return struct{}{}, nil
	})
}
