package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/session"
)

var errReset = fmt.Errorf("connection reset: %w", sandbox.ErrUnreachable)

// unreached waits until it is stored that a session's sandbox does not answer.
func (f *fixture) unreached(sess *assay.Session) {
	f.t.Helper()
	eventually(f.t, func() (struct{}, error) {
		got, err := f.Get(f.t.Context(), user, sess.ID)
		if err == nil && (got.UnreachableAt == nil || f.Unreachable() != 1) {
			err = fmt.Errorf("session is %s, unreachable since %v, as %d are", got.Status, got.UnreachableAt, f.Unreachable())
		}
		return struct{}{}, err
	})
}

func TestRestartKeepsWhatDoesNotAnswer(t *testing.T) {
	var clock clock
	f := newFixture(t, func(c *session.Config) { c.Now = clock.now })
	sess := f.ready()
	during := f.exec(sess, "gate g")
	<-f.gates.gate("at g")
	f.stop(f.Service)()
	f.runtime.SetFaults(memory.Faults{Open: func(context.Context, sandbox.Handle) error { return errReset }})
	f.restart()
	f.unreached(sess)
	clock.advance(5 * time.Minute)
	meanwhile := f.exec(sess, "echo meanwhile")
	close(f.gates.gate("g"))
	f.runtime.SetFaults(memory.Faults{})

	if end := f.ended(during); end.ExitCode != 7 {
		t.Errorf("the command that went on has exit code %d, want 7: %s", end.ExitCode, end.Message)
	}
	if end := f.ended(meanwhile); end.ExitCode != 0 || end.Stdout.Text != "meanwhile\n" {
		t.Errorf("the command that was asked for meanwhile: %+v", end)
	}
	got := eventually(t, func() (*assay.Session, error) {
		got, err := f.Get(t.Context(), user, sess.ID)
		if err == nil && (got.Status != assay.SessionReady || got.UnreachableAt != nil || f.Unreachable() != 0) {
			err = fmt.Errorf("it answers again, and is %s, unreachable since %v", got.Status, got.UnreachableAt)
		}
		return got, err
	})
	if got.Unbilled < 5*time.Minute || got.Duration(clock.now()) > clock.now().Sub(*got.ReadyAt)-5*time.Minute {
		t.Errorf("%s of at least 5 minutes are not billed", got.Unbilled)
	}
}

func TestOneHungSandboxDelaysNobody(t *testing.T) {
	f := newFixture(t)
	hung, other := f.ready(), f.ready()
	f.stop(f.Service)()
	release := make(chan struct{})
	f.runtime.SetFaults(memory.Faults{Open: func(ctx context.Context, h sandbox.Handle) error {
		if h.ID != hung.ID {
			return nil
		}
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}})
	f.restart() // returns
	f.ended(f.exec(other, "echo here"))
	waits := f.exec(hung, "echo there")
	close(release)
	if end := f.ended(waits); end.ExitCode != 0 {
		t.Errorf("%+v", end)
	}
}

func TestPatienceHasAnEnd(t *testing.T) {
	var clock clock
	f := newFixture(t, func(c *session.Config) { c.Now = clock.now; c.Unreachable = time.Minute })
	sess := f.ready()
	in := f.exec(sess, "gate g")
	f.stop(f.Service)()
	stopped := clock.now()
	f.runtime.SetFaults(memory.Faults{Open: func(context.Context, sandbox.Handle) error { return errReset }})
	f.restart()
	f.unreached(sess)
	clock.advance(time.Minute)

	sess = f.awaited(sess, assay.SessionTerminated)
	if sess.Error.Code != assay.CodeSandboxLost || sess.EndedAt.After(stopped) {
		t.Errorf("it ended at %s with %+v; nobody has seen it live after %s", sess.EndedAt, sess.Error, stopped)
	}
	if end := f.ended(in); end.ExitCode != assay.ExitUnknown {
		t.Errorf("its command ended with %d", end.ExitCode)
	}
	f.gone()
}

func TestWhatCannotBeWatchedIsNotLost(t *testing.T) {
	f := newFixture(t)
	var refused atomic.Int32
	f.runtime.SetFaults(memory.Faults{Wait: func(context.Context, sandbox.Handle) error {
		if refused.Add(1) <= 3 {
			return errors.New("too many connections")
		}
		return nil
	}})
	sess := f.ready()
	eventually(t, func() (struct{}, error) {
		if n := refused.Load(); n < 4 {
			return struct{}{}, fmt.Errorf("it was watched %d times", n)
		}
		return struct{}{}, nil
	})
	f.ended(f.exec(f.awaited(sess, assay.SessionReady), "echo here"))
	f.runtime.Kill(sess.ID, sandbox.DeathOOM)
	if sess = f.awaited(sess, assay.SessionTerminated); sess.Error.Code != assay.CodeOutOfMemory {
		t.Errorf("%+v", sess.Error)
	}
}

func TestCommandWhoseSandboxDidNotAnswerTellsItsTrueEnd(t *testing.T) {
	f := newFixture(t)
	var lost atomic.Int32
	f.runtime.SetFaults(memory.Faults{LoseExec: func(sandbox.Command) error {
		if lost.Add(1) <= 2 {
			return errReset
		}
		return nil
	}})
	if end := f.ended(f.exec(f.ready(), "exit 9")); end.Status != assay.InteractionCompleted || end.ExitCode != 9 {
		t.Errorf("%+v", end)
	}
}

func TestWhatDoesNotAnswerCanBeClosed(t *testing.T) {
	f := newFixture(t)
	sess := f.ready()
	f.stop(f.Service)()
	f.runtime.SetFaults(memory.Faults{Open: func(context.Context, sandbox.Handle) error { return errReset }})
	f.restart()
	f.unreached(sess)
	if _, err := f.Close(t.Context(), user, sess.ID); err != nil {
		t.Fatal(err)
	}
	f.gone()
}

// A start does not fail on a sandbox that cannot be destroyed: neither on one that nobody
// owns, nor on what is left of one that was being made.
func TestRestartGoesOnBesideWhatCannotBeDestroyed(t *testing.T) {
	f := newFixture(t)
	kept := f.ready()
	half := f.beingMade()
	f.stop(f.Service)()
	f.runtime.SetFaults(memory.Faults{})
	for _, id := range []string{half.ID, "ses_orphan"} {
		f.orphan(id)
	}
	f.runtime.SetFaults(memory.Faults{Destroy: func(context.Context, sandbox.Handle) error { return errors.New("device is busy") }})
	f.restart()

	if half = f.awaited(half, assay.SessionError); half.Error.Code != assay.CodeSandboxFailed {
		t.Errorf("%+v", half.Error)
	}
	f.ended(f.exec(kept, "echo here"))
	eventually(t, func() (struct{}, error) {
		if f.Uses(half.ID) {
			return struct{}{}, errors.New("the session's watch has not ended")
		}
		return struct{}{}, nil
	})
	f.runtime.SetFaults(memory.Faults{})
	found, err := f.runtime.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	orphans := slices.DeleteFunc(found, func(h sandbox.Handle) bool { return f.Uses(h.ID) })
	if len(orphans) != 2 {
		t.Errorf("%v are left to the next round", orphans)
	}
}

// A sandbox that hangs is told before it is known that it does not answer at all.
func TestASandboxThatHangsIsToldSoon(t *testing.T) {
	f := newFixture(t)
	sess := f.ready()
	f.stop(f.Service)()
	f.runtime.SetFaults(memory.Faults{Open: func(ctx context.Context, _ sandbox.Handle) error {
		<-ctx.Done()
		return errReset
	}})
	f.restart()
	began := time.Now()
	f.unreached(sess)
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("it is told after %s", took)
	}
	f.runtime.SetFaults(memory.Faults{})
}
