package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

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

func TestText(t *testing.T) {
	for _, tt := range []struct {
		name string
		out  sandbox.Output
		want assay.Output
	}{
		{"whole", sandbox.Output{Head: []byte("ab"), Tail: []byte("cd"), Total: 4}, assay.Output{Text: "abcd", Bytes: 4}},
		{"a character on the seam of a whole stream", sandbox.Output{Head: []byte("\xc3"), Tail: []byte("\xa4"), Total: 2}, assay.Output{Text: "ä", Bytes: 2}},
		{"no UTF-8", sandbox.Output{Head: []byte("a\xffb"), Total: 3}, assay.Output{Text: "a\uFFFDb", Bytes: 3}},
		{"cut", sandbox.Output{Head: []byte("ab"), Tail: []byte("yz"), Total: 26}, assay.Output{Text: "abyz", Bytes: 26, Truncated: true}},
		{"cut through characters", sandbox.Output{Head: []byte("a\xe2\x82"), Tail: []byte("\xac!"), Total: 99}, assay.Output{Text: "a!", Bytes: 99, Truncated: true}},
		{"empty", sandbox.Output{}, assay.Output{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := session.Text(tt.out); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func FuzzTextIsUTF8(f *testing.F) {
	f.Add([]byte("a\xff"), []byte("\x80b"), int64(9))
	f.Fuzz(func(t *testing.T, head, tail []byte, cut int64) {
		out := sandbox.Output{Head: head, Tail: tail, Total: int64(len(head)+len(tail)) + max(0, cut%1000)}
		if got := session.Text(out); !utf8.ValidString(got.Text) {
			t.Errorf("%q is no UTF-8", got.Text)
		}
	})
}
