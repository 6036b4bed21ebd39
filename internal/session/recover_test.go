package session_test

import (
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
