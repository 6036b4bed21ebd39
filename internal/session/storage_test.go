package session_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/session"
)

// fullDisk is a store whose database takes no ends while it is full. It takes new rows:
// there was room for those before.
type fullDisk struct {
	session.Store
	full    atomic.Bool
	refused chan struct{} // gets one for each refusal, as long as somebody listens
}

var errFull = errors.New("database or disk is full")

func (d *fullDisk) room() error {
	if !d.full.Load() {
		return nil
	}
	select {
	case d.refused <- struct{}{}:
	default:
	}
	return errFull
}

func (d *fullDisk) MoveSession(ctx context.Context, id string, from assay.SessionStatus, change session.SessionChange) (*assay.Session, bool, error) {
	if err := d.room(); err != nil {
		return nil, false, err
	}
	return d.Store.MoveSession(ctx, id, from, change)
}

func (d *fullDisk) FinishInteraction(ctx context.Context, in *assay.Interaction) (bool, error) {
	if err := d.room(); err != nil {
		return false, err
	}
	return d.Store.FinishInteraction(ctx, in)
}

// onFullDisk returns a service whose database takes no ends as long as its disk is full.
func onFullDisk(t *testing.T) (*fixture, *fullDisk) {
	disk := &fullDisk{refused: make(chan struct{}, 1)}
	f := newFixture(t, func(c *session.Config) {
		disk.Store = c.Store
		c.Store = disk
	})
	return f, disk
}

// until waits for a refusal, and makes room.
func (d *fullDisk) until(t *testing.T) {
	t.Helper()
	select {
	case <-d.refused:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was to be stored")
	}
	d.full.Store(false)
}

func TestTheEndOfACommandOutlastsAFullDisk(t *testing.T) {
	f, disk := onFullDisk(t)
	sess := f.ready()
	disk.full.Store(true)
	in := f.exec(sess, "exit 5")
	disk.until(t)
	if end := f.ended(in); end.ExitCode != 5 || end.Status != assay.InteractionCompleted {
		t.Errorf("it ended as %s with %d", end.Status, end.ExitCode)
	}
}

func TestASessionThatIsReadyOnAFullDiskIsReadyLater(t *testing.T) {
	f, disk := onFullDisk(t)
	disk.full.Store(true)
	sess := f.created(time.Hour)
	disk.until(t)
	f.awaited(sess, assay.SessionReady)
	if end := f.ended(f.exec(sess, "echo here")); end.Stdout.Text != "here\n" {
		t.Errorf("its sandbox says %q", end.Stdout.Text)
	}
}

func TestTheEndOfASessionOutlastsAFullDisk(t *testing.T) {
	t.Run("not made", func(t *testing.T) {
		f, disk := onFullDisk(t)
		f.runtime.SetFaults(memory.Faults{Create: func(context.Context, sandbox.Spec) error { return errFull }})
		disk.full.Store(true)
		sess := f.created(time.Hour)
		disk.until(t)
		f.awaited(sess, assay.SessionError)
	})
	t.Run("lost", func(t *testing.T) {
		f, disk := onFullDisk(t)
		sess := f.ready()
		disk.full.Store(true)
		f.runtime.Kill(sess.ID, sandbox.DeathLost)
		disk.until(t)
		if got := f.awaited(sess, assay.SessionTerminated); got.Error == nil || got.Error.Code != assay.CodeSandboxLost {
			t.Errorf("its error is %+v", got.Error)
		}
		f.gone()
	})
}

// A start is not held up by an end that cannot be stored.
func TestStartDoesNotWaitForAFullDisk(t *testing.T) {
	f, disk := onFullDisk(t)
	sess := f.ready()
	in := f.exec(sess, "gate never")
	<-f.gates.gate("at never")
	f.stop(f.Service)()
	f.runtime.Kill(sess.ID, sandbox.DeathLost)
	if _, _, err := f.store.MoveSession(t.Context(), sess.ID, assay.SessionReady, session.SessionChange{Status: assay.SessionClosed, EndedAt: new(time.Now())}); err != nil {
		t.Fatal(err)
	}
	disk.full.Store(true)
	f.restart() // which returns
	disk.until(t)
	if end := f.ended(in); end.ExitCode != assay.ExitUnknown {
		t.Errorf("it ended with %d", end.ExitCode)
	}
}

func TestStopDoesNotWaitForAFullDisk(t *testing.T) {
	f, disk := onFullDisk(t)
	sess := f.ready()
	disk.full.Store(true)
	in := f.exec(sess, "exit 5")
	<-disk.refused
	f.stop(f.Service)()
	disk.full.Store(false)
	f.restart() // the sandbox remembers
	if end := f.ended(in); end.ExitCode != 5 {
		t.Errorf("after the next start it ended with %d: %s", end.ExitCode, end.Message)
	}
}
