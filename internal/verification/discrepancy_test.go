package verification_test

import (
	"context"
	"testing"

	"assay"
	"assay/internal/queue"
	"assay/internal/verification"
)

// leases are those of the fixture: abandoned when the test says so.
type leases struct {
	*fixture
	working string
}

func (l *leases) Abandoned(lease string) bool { return lease != l.working }

func (l *leases) GiveBack(ctx context.Context, lease string) error {
	_, err := l.store.ReleaseVerification(ctx, lease, queue.Release{CutShort: true})
	return err
}

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
	l := &leases{}
	f := newFixture(t, func(c *verification.Config) { c.Leases = l })
	l.fixture = f
	v := f.started(f.session(map[string]string{"a.txt": "fixed\n"}))
	f.abandoned() // it waits for its turn
	l.working = f.claim().Lease
	f.abandoned() // somebody works
	l.working = ""
	for _, d := range f.abandoned(v.ID) {
		if err := f.Mend(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	f.abandoned()
	f.work()
	if got := f.outcome(v); got.Status != assay.VerificationCompleted || !got.Verdict.Solved || got.Crashes != 0 {
		t.Errorf("%s after %d attempts: %+v", got.Status, got.Attempt, got.Failure)
	}
	f.onlySessionsLeft()
}
