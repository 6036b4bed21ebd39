package session_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"testing"

	"golang.org/x/sys/unix"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
)

// TestWhoHearsThatASessionEndedFindsItEnded lets sandboxes die under edits.
func TestWhoHearsThatASessionEndedFindsItEnded(t *testing.T) {
	f := newFixture(t)
	for range 30 {
		sess := f.ready()
		f.runtime.Kill(sess.ID, sandbox.DeathLost)
		_, err := f.Replace(t.Context(), user, sess.ID, sandbox.ReplaceRequest{Path: "/work/a.txt", Old: "one", New: "two"})
		if assay.CodeOf(err) != assay.CodeSessionEnded {
			t.Fatalf("an edit in a dead sandbox: %v", err)
		}
		if got, err := f.Get(t.Context(), user, sess.ID); err != nil || got.Status.Live() {
			t.Fatalf("it was told to have ended, and is %s: %v", got.Status, err)
		}
	}
}

func TestASandboxWhoseDiskIsDamagedIsLost(t *testing.T) {
	f := newFixture(t)
	sess := f.ready()
	f.runtime.SetFaults(memory.Faults{Changes: func(context.Context, sandbox.Handle) error {
		return &fs.PathError{Op: "readdirent", Path: "/upper", Err: unix.EBADMSG}
	}})
	_, err := f.Snapshot(t.Context(), user, sess.ID, sandbox.ChangeLimits{}, new(bytes.Buffer))
	if assay.CodeOf(err) != assay.CodeSessionEnded {
		t.Errorf("reading its changes: %v", err)
	}
	if got := f.awaited(sess, assay.SessionTerminated); got.Error.Code != assay.CodeSandboxLost {
		t.Errorf("it ended with %+v", got.Error)
	}
	f.gone()
}

// What lies in the work tree is told with the session, for whoever gives a verdict on it;
// what fails is not.
func TestChangesThatCannotBeToldAreOfTheWork(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct {
		fault  error
		code   assay.Code
		ofWork bool
	}{
		{sandbox.ChangeLimits{MaxFiles: 20_000}.TooManyFiles("/work"), assay.CodeTooLarge, true},
		{sandbox.TooDeep("/work"), assay.CodeTooLarge, true},
		{sandbox.RootGone("/work", ""), assay.CodeInvalid, true},
		{sandbox.RootGone("/work", "file"), assay.CodeInvalid, true},
		{&fs.PathError{Op: "open", Path: "/upper", Err: unix.EIO}, assay.CodeInternal, false},
		{&fs.PathError{Op: "open", Path: "/upper", Err: fs.ErrNotExist}, assay.CodeInternal, false},
		{context.DeadlineExceeded, assay.CodeInternal, false},
	} {
		sess := f.ready()
		f.runtime.SetFaults(memory.Faults{Changes: func(context.Context, sandbox.Handle) error { return tt.fault }})
		got, err := f.Snapshot(t.Context(), user, sess.ID, sandbox.ChangeLimits{}, new(bytes.Buffer))
		var work *sandbox.WorkError
		if assay.CodeOf(err) != tt.code || errors.As(err, &work) != tt.ofWork || (got != nil) != tt.ofWork {
			t.Errorf("%v: %v, with a session: %t", tt.fault, err, got != nil)
		}
		f.runtime.SetFaults(memory.Faults{})
	}
}
