package verification_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"assay"
	"assay/internal/verification"
)

// fullDisk is a store whose database takes no outcomes for a number of times.
type fullDisk struct {
	verification.Store
	refuse int
}

func (d *fullDisk) MoveVerification(ctx context.Context, id string, from assay.VerificationStatus, change verification.Change, enqueue verification.Enqueue) (*assay.Verification, bool, error) {
	if change.Status.Final() && d.refuse > 0 {
		d.refuse--
		return nil, false, errors.New("database or disk is full")
	}
	return d.Store.MoveVerification(ctx, id, from, change, enqueue)
}

func TestAVerdictOutlastsAFullDisk(t *testing.T) {
	f := newFixture(t)
	disk := &fullDisk{Store: f.store, refuse: 3}
	service, err := verification.New(verification.Config{
		Store: disk, Sessions: f.sessions, Samples: f.store, Runtime: f.runtime, Dir: f.dir, Enqueue: f.enqueue,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	v := f.started(f.session(map[string]string{"a.txt": "fixed\n"}))
	if err := service.Run(t.Context(), v.ID); err != nil {
		t.Fatal(err)
	}
	got := f.outcome(v)
	if got.Status != assay.VerificationCompleted || got.Verdict == nil || !got.Verdict.Solved || got.Attempt != 1 {
		t.Errorf("it is %s after %d attempts: %+v", got.Status, got.Attempt, got.Verdict)
	}
	if left, err := filepath.Glob(filepath.Join(f.dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("changes are left: %q, %v", left, err)
	}
}
