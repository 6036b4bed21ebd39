package verification_test

import (
	"testing"
	"time"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/verification"
)

// abandoned are the verifications that nobody works on.
func (f *fixture) abandoned(want ...string) []assay.Discrepancy {
	f.t.Helper()
	all, err := f.Discrepancies(f.t.Context(), nil)
	if err != nil || len(all) != len(want) {
		f.t.Fatalf("%v are abandoned, %v; want %q", all, err, want)
	}
	for i, d := range all {
		if d.Kind != assay.VerificationAbandoned || d.ID != want[i] {
			f.t.Errorf("%+v is abandoned, want %s", d, want[i])
		}
	}
	return all
}

func TestAVerificationThatNobodyWorksOnBeginsAgain(t *testing.T) {
	f := newFixture(t)
	v := f.started(f.session(map[string]string{"a.txt": "fixed\n"}))
	f.abandoned() // it waits for its turn
	f.queued = nil
	now := time.Now()
	if _, _, err := f.store.MoveVerification(t.Context(), v.ID, assay.VerificationPending, verification.Change{Status: assay.VerificationStarting, Attempt: 1, StartedAt: &now}, nil); err != nil {
		t.Fatal(err)
	}
	for _, d := range f.abandoned(v.ID) {
		if err := f.Mend(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	f.abandoned()
	f.runtime.SetFaults(memory.Faults{LoseExec: func(sandbox.Command) error {
		f.abandoned() // a worker has it
		return nil
	}})
	f.work()
	if got := f.outcome(v); got.Status != assay.VerificationCompleted || !got.Verdict.Solved || got.Attempt != 2 {
		t.Errorf("%s after %d attempts: %+v", got.Status, got.Attempt, got.Failure)
	}
}

func TestAVerificationThatIsAbandonedTooOftenIsGivenUp(t *testing.T) {
	f := newFixture(t)
	v := f.started(f.session(nil))
	f.queued = nil
	now := time.Now()
	if _, _, err := f.store.MoveVerification(t.Context(), v.ID, assay.VerificationPending, verification.Change{Status: assay.VerificationStarting, Attempt: 3, StartedAt: &now}, nil); err != nil {
		t.Fatal(err)
	}
	for _, d := range f.abandoned(v.ID) {
		if err := f.Mend(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.outcome(v); got.Status != assay.VerificationError || got.Failure.Code != assay.CodeInterrupted {
		t.Errorf("it is %s: %+v", got.Status, got.Failure)
	}
	f.onlySessionsLeft()
}
