package session_test

import (
	"bytes"
	"context"
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
