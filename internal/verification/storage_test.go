package verification_test

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"assay"
	"assay/internal/queue"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/session"
	"assay/internal/verification"
)

// fullDisk is a store whose database refuses some moves a number of times.
type fullDisk struct {
	verification.Store
	refuses func(assay.VerificationStatus) bool
	with    error
	times   int
}

func (d *fullDisk) MoveVerification(ctx context.Context, id string, from assay.VerificationStatus, change verification.Change) (*assay.Verification, bool, error) {
	if d.times > 0 && d.refuses(change.Status) {
		d.times--
		return nil, false, d.with
	}
	return d.Store.MoveVerification(ctx, id, from, change)
}

// onFullDisk returns the service over another database.
func (f *fixture) onFullDisk(disk *fullDisk) *verification.Service {
	f.t.Helper()
	disk.Store = f.store
	service, err := verification.New(verification.Config{
		Store: disk, Sessions: f.sessions, Samples: f.store, Runtime: f.runtime, Dir: f.dir,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { service.Close() })
	return service
}

// A verification waits for a database that is full when it ends: what came of it is not lost.
func TestAVerificationOutlastsAFullDisk(t *testing.T) {
	f := newFixture(t)
	service := f.onFullDisk(&fullDisk{refuses: assay.VerificationStatus.Final, with: errors.New("database or disk is full"), times: 3})
	f.judgedAtOnce(service)
}

// judgedAtOnce verifies a work that solves its task, and expects a verdict of the first attempt
// and nothing left.
func (f *fixture) judgedAtOnce(service *verification.Service) {
	f.t.Helper()
	v := f.started(f.session(map[string]string{"a.txt": "fixed\n"}))
	if err := service.Run(f.t.Context(), f.claim()); err != nil {
		f.t.Fatal(err)
	}
	got := f.outcome(v)
	if got.Status != assay.VerificationCompleted || got.Verdict == nil || !got.Verdict.Solved || got.Attempt != 1 {
		f.t.Errorf("it is %s after %d attempts: %+v", got.Status, got.Attempt, got.Verdict)
	}
	if left, err := filepath.Glob(filepath.Join(f.dir, "*")); err != nil || len(left) > 0 {
		f.t.Errorf("changes are left: %q, %v", left, err)
	}
}

// A database that is away in the midst of a verification is worth another attempt, and
// never the reason that its user is told.
func TestADatabaseThatIsAwayIsWorthAnotherAttempt(t *testing.T) {
	runs := func(s assay.VerificationStatus) bool { return s == assay.VerificationRunning }
	away := assay.Errorf(assay.CodeUnavailable, "the database is away")
	for _, tt := range []struct {
		times, attempts int
		want            assay.VerificationStatus
	}{
		{1, 2, assay.VerificationCompleted},
		{9, 2, assay.VerificationError},
	} {
		f := newFixture(t)
		service := f.onFullDisk(&fullDisk{refuses: runs, with: away, times: tt.times})
		v := f.started(f.session(map[string]string{"a.txt": "fixed\n"}))
		for range tt.attempts {
			if w := f.claim(); service.Run(t.Context(), w) != nil {
				f.release(w, queue.Release{})
			}
		}
		got := f.outcome(v)
		if got.Status != tt.want || got.Attempt != tt.attempts {
			t.Errorf("refused %d times, it is %s after %d attempts; want %s after %d", tt.times, got.Status, got.Attempt, tt.want, tt.attempts)
		}
		if got.Failure != nil && got.Failure.Code != assay.CodeInternal {
			t.Errorf("its reason is %s", got.Failure.Code)
		}
	}
}

func TestNoRoomForChangesIsSomethingToTryAgain(t *testing.T) {
	f := newFixture(t)
	sess := f.session(nil)
	f.runtime.SetFaults(memory.Faults{Changes: func(context.Context, sandbox.Handle) error {
		return &fs.PathError{Op: "write", Path: "ver.tar", Err: unix.ENOSPC}
	}})
	if _, err := f.Start(t.Context(), verification.Reader{UserID: user}, sess.ID, session.Idempotency{}); assay.CodeOf(err) != assay.CodeUnavailable {
		t.Errorf("it is answered with %v", err)
	}
	f.onlySessionsLeft()
	f.runtime.SetFaults(memory.Faults{})
	v := f.started(sess)
	f.work()
	if got := f.outcome(v); got.Status != assay.VerificationCompleted {
		t.Errorf("with room again it is %s: %+v", got.Status, got.Failure)
	}
}
