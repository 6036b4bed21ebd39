package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/session"
)

// beating returns a service that asks its sandboxes quickly whether they answer.
func beating(t *testing.T, clock *clock) *fixture {
	t.Helper()
	return newFixture(t, func(c *session.Config) {
		c.Now, c.BeatEvery, c.BeatPatience = clock.now, 5*time.Millisecond, time.Second
	})
}

// hang makes what a sandbox is asked wait until somebody gives up, as where its agent hangs
// with its connections open.
func (f *fixture) hang() {
	f.runtime.SetFaults(memory.Faults{
		Ping:    func(context.Context, sandbox.Handle) error { return errReset },
		Open:    func(context.Context, sandbox.Handle) error { return errReset },
		Replace: func(ctx context.Context, _ sandbox.Handle) error { <-ctx.Done(); return ctx.Err() },
	})
}

func TestAnAgentThatHangsIsNoticedWhileTheServerRuns(t *testing.T) {
	var clock clock
	f := beating(t, &clock)
	sess := f.ready()
	during := f.exec(sess, "gate g")
	<-f.gates.gate("at g")
	f.hang()
	_, err := f.Replace(t.Context(), user, sess.ID, sandbox.ReplaceRequest{Path: "a.txt", Old: "one", New: "two"})
	if assay.CodeOf(err) != assay.CodeUnavailable {
		t.Errorf("an edit meanwhile: %v", err)
	}
	f.unreached(sess)
	clock.advance(5 * time.Minute)
	in, err := f.Interaction(t.Context(), user, sess.ID, during.ID)
	if err != nil || in.Status != assay.InteractionProcessing {
		t.Errorf("its command is %+v, %v: how it ended is not known yet", in, err)
	}
	f.runtime.SetFaults(memory.Faults{})
	close(f.gates.gate("g"))
	if end := f.ended(during); end.ExitCode != 7 {
		t.Errorf("its command has exit code %d, want 7: %s", end.ExitCode, end.Message)
	}
	got := eventually(t, func() (*assay.Session, error) {
		got, err := f.Get(t.Context(), user, sess.ID)
		if err == nil && (got.Status != assay.SessionReady || got.UnreachableAt != nil || f.Unreachable() != 0) {
			err = fmt.Errorf("it answers again, and is %s, unreachable since %v", got.Status, got.UnreachableAt)
		}
		return got, err
	})
	if got.Unbilled < 5*time.Minute {
		t.Errorf("%s of at least 5 minutes are not billed", got.Unbilled)
	}
}

func TestAnAgentThatHangsForGoodIsLost(t *testing.T) {
	var clock clock
	f := beating(t, &clock)
	sess := f.ready()
	in := f.exec(sess, "gate g")
	<-f.gates.gate("at g")
	f.hang()
	f.unreached(sess)
	clock.advance(10 * time.Minute)
	sess = f.awaited(sess, assay.SessionTerminated)
	if sess.Error.Code != assay.CodeSandboxLost || sess.Duration(clock.now()) > time.Minute {
		t.Errorf("it ended with %+v, and %s of it are billed", sess.Error, sess.Duration(clock.now()))
	}
	if end := f.ended(in); end.ExitCode != assay.ExitUnknown || end.Message == "" {
		t.Errorf("its command ended with %d: %q", end.ExitCode, end.Message)
	}
	f.gone()
}

// A command may run for longer than a sandbox may be silent, and its connection break then.
func TestALongCommandOutlivesItsConnection(t *testing.T) {
	var clock clock
	f := beating(t, &clock)
	sess := f.ready()
	var once sync.Once
	held, cut := make(chan struct{}), make(chan struct{})
	f.runtime.SetFaults(memory.Faults{LoseExec: func(sandbox.Command) (err error) {
		once.Do(func() {
			close(held)
			<-cut
			err = errReset
		})
		return err
	}})
	in := f.exec(sess, "gate g")
	<-held
	clock.advance(time.Hour - time.Minute)
	close(cut)
	close(f.gates.gate("g"))
	if end := f.ended(in); end.ExitCode != 7 {
		t.Errorf("it ended with %d: %s", end.ExitCode, end.Message)
	}
}

// Where nobody answers for good reason, a beat says so, and the session ends at once.
func TestABeatOfTheDeadIsNoSilence(t *testing.T) {
	var clock clock
	f := beating(t, &clock)
	sess := f.ready()
	f.runtime.SetFaults(memory.Faults{Ping: func(context.Context, sandbox.Handle) error { return errors.New("busy") }})
	f.runtime.Kill(sess.ID, sandbox.DeathOOM)
	if sess = f.awaited(sess, assay.SessionTerminated); sess.Error.Code != assay.CodeOutOfMemory {
		t.Errorf("%+v", sess.Error)
	}
}
