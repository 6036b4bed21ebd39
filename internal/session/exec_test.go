package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/session"
)

func TestCommandEnds(t *testing.T) {
	f := newFixture(t)
	sess := f.ready()
	in := f.ended(f.exec(sess, "echo hello"))
	if in.Status != assay.InteractionCompleted || in.ExitCode != 0 || in.Stdout.Text != "hello\n" {
		t.Errorf("%+v", in)
	}
	if in := f.ended(f.exec(sess, "exit 3")); in.Status != assay.InteractionCompleted || in.ExitCode != 3 {
		t.Errorf("%+v", in)
	}
}

func TestWaitingForACommandEndsWithItsContext(t *testing.T) {
	f := newFixture(t)
	in := f.exec(f.ready(), "gate g")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	got, err := f.AwaitInteraction(ctx, user, in.SessionID, in.ID)
	if err != nil || got.Status != assay.InteractionProcessing {
		t.Errorf("a wait that ran out answers %+v, %v", got, err)
	}
	close(f.gates.gate("g"))
	if end := f.ended(in); end.ExitCode != 7 {
		t.Errorf("exit code %d, want 7", end.ExitCode)
	}
}

func TestLostConnectionIsNeverASuccess(t *testing.T) {
	f := newFixture(t)
	f.runtime.SetFaults(memory.Faults{LoseExec: func(sandbox.Command) error { return errors.New("connection reset") }})
	in := f.ended(f.exec(f.ready(), "echo done"))
	if in.Status != assay.InteractionFailed || in.ExitCode != assay.ExitUnknown || in.Message == "" {
		t.Errorf("%+v", in)
	}
}

func TestCommandThatWasNotStartedSaysSo(t *testing.T) {
	f := newFixture(t)
	f.runtime.SetFaults(memory.Faults{LoseExec: func(sandbox.Command) error { return fmt.Errorf("exec: %w", sandbox.ErrNotStarted) }})
	in := f.ended(f.exec(f.ready(), "echo done"))
	if in.ExitCode != assay.ExitUnknown || !strings.Contains(in.Message, "not started") {
		t.Errorf("%d: %s", in.ExitCode, in.Message)
	}
}

func TestLimitOfRunningCommands(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.MaxCommands = 2 })
	sess := f.ready()
	first := f.exec(sess, "gate g")
	f.exec(sess, "gate h")
	_, err := f.Exec(t.Context(), user, sess.ID, session.ExecRequest{Command: "echo third"})
	if assay.CodeOf(err) != assay.CodeTooManyCommands {
		t.Errorf("a command beyond the limit: %v", err)
	}
	close(f.gates.gate("g"))
	f.ended(first)
	f.ended(f.exec(sess, "echo third"))
	close(f.gates.gate("h"))
}

func TestCommandsOfAClosedSessionEndUnknown(t *testing.T) {
	f := newFixture(t)
	sess := f.ready()
	in := f.exec(sess, "gate g")
	if _, err := f.Close(t.Context(), user, sess.ID); err != nil {
		t.Fatal(err)
	}
	if end := f.ended(in); end.ExitCode != assay.ExitUnknown || !strings.Contains(end.Message, "closed") {
		t.Errorf("%d: %s", end.ExitCode, end.Message)
	}
}

func TestIdempotencyKeyRunsACommandOnce(t *testing.T) {
	f := newFixture(t)
	sess := f.ready()
	req := session.ExecRequest{Command: "echo once", Timeout: time.Minute, Idem: session.Idempotency{Key: "k", RequestHash: "h"}}
	first, err := f.Exec(t.Context(), user, sess.ID, req)
	if err != nil {
		t.Fatal(err)
	}
	second, err := f.Exec(t.Context(), user, sess.ID, req)
	if err != nil || second.ID != first.ID {
		t.Errorf("the retry is %v, %v", second, err)
	}
	f.ended(first)
	if _, err := f.Close(t.Context(), user, sess.ID); err != nil {
		t.Fatal(err)
	}
	if late, err := f.Exec(t.Context(), user, sess.ID, req); err != nil || late.ID != first.ID {
		t.Errorf("a retry after the session's end is %v, %v", late, err)
	}
	req.Idem.RequestHash = "another"
	if _, err := f.Exec(t.Context(), user, sess.ID, req); assay.CodeOf(err) != assay.CodeConflict {
		t.Errorf("the key with another request answers %v", err)
	}
}

func TestReplaceAndApply(t *testing.T) {
	f := newFixture(t)
	sess := f.ready()
	res, err := f.Replace(t.Context(), user, sess.ID, sandbox.ReplaceRequest{Path: "a.txt", Old: "one", New: "two"})
	if err != nil || !res.Replaced {
		t.Fatalf("%+v, %v", res, err)
	}
	message, ok, err := f.Apply(t.Context(), user, sess.ID, "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-two\n+three\n")
	if err != nil || !ok {
		t.Fatalf("%s, %v", message, err)
	}
	if _, ok, err = f.Apply(t.Context(), user, sess.ID, "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-two\n+three\n"); ok || err != nil {
		t.Errorf("a patch that does not fit: %t, %v", ok, err)
	}
}
