package verification_test

import (
	"context"
	"testing"

	"assay"
	"assay/internal/persist"
	"assay/internal/session"
	"assay/internal/verification"
)

// lossy is a store behind a connection that is lost, once for each of some states, after a
// verification was stored in it and before that was answered.
type lossy struct {
	verification.Store
	loses map[assay.VerificationStatus]bool
}

// lostAnswer is the error of a write that was stored.
type lostAnswer struct{}

func (lostAnswer) Error() string                        { return "the connection was lost" }
func (lostAnswer) Settle(context.Context) (bool, error) { return true, nil }

func (l *lossy) answer(status assay.VerificationStatus, err error) error {
	if err != nil || !l.loses[status] {
		return err
	}
	delete(l.loses, status)
	return assay.Wrap(lostAnswer{}, assay.CodeUnavailable, "it is not known whether this was done")
}

func (l *lossy) MoveVerification(ctx context.Context, id string, from assay.VerificationStatus, change verification.Change) (*assay.Verification, bool, error) {
	v, moved, err := l.Store.MoveVerification(ctx, id, from, change)
	return v, moved, l.answer(change.Status, err)
}

func (l *lossy) InsertVerification(ctx context.Context, v *assay.Verification, idem session.Idempotency, limit int, origin string) (*assay.Verification, bool, error) {
	got, created, err := l.Store.InsertVerification(ctx, v, idem, limit, origin)
	if err = l.answer(v.Status, err); err != nil {
		got, created = nil, false
	}
	return got, created, err
}

// behindALossyConnection returns the service over a database whose answers are lost.
func (f *fixture) behindALossyConnection(loses ...assay.VerificationStatus) *verification.Service {
	f.t.Helper()
	l := &lossy{Store: f.store, loses: map[assay.VerificationStatus]bool{}}
	for _, status := range loses {
		l.loses[status] = true
	}
	service, err := verification.New(verification.Config{
		Store: l, Sessions: f.sessions, Samples: f.store, Runtime: f.runtime, Dir: f.dir,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { service.Close() })
	return service
}

// What a verification has become is not lost on who made it so, and no judge is held.
func TestAVerificationOutlastsLostAnswers(t *testing.T) {
	f := newFixture(t)
	f.judgedAtOnce(f.behindALossyConnection(assay.VerificationCompleted))
}

// An attempt that another has ended meanwhile ends, whatever came of it.
func TestAnOutcomeOfWhatHasEndedIsDropped(t *testing.T) {
	f := newFixture(t)
	service := f.onFullDisk(&fullDisk{})
	v := f.started(f.session(map[string]string{"a.txt": "fixed\n"}))
	attempt := f.claim()
	if err := service.Run(t.Context(), attempt); err != nil {
		t.Fatal(err)
	}
	if err := service.StoreOutcome(t.Context(), attempt, &assay.Verdict{}); err != nil {
		t.Errorf("it is answered with %v", err)
	}
	if again := f.outcome(v); !again.Verdict.Solved {
		t.Error("a verdict was replaced")
	}
}

// A job that was stored unseen finds the changes that it judges.
func TestChangesOfAVerificationThatWasStoredUnseenStay(t *testing.T) {
	f := newFixture(t)
	service := f.behindALossyConnection(assay.VerificationPending)
	sess := f.session(map[string]string{"a.txt": "fixed\n"})
	if _, err := service.Start(t.Context(), verification.Reader{UserID: user}, sess.ID, session.Idempotency{}); !persist.IsUnknown(err) {
		t.Fatalf("it is answered with %v", err)
	}
	v, err := f.store.LastVerification(t.Context(), user, sess.ID)
	if err != nil {
		t.Fatal(err)
	}
	f.work()
	if got := f.outcome(v); got.Status != assay.VerificationCompleted || !got.Verdict.Solved {
		t.Errorf("it is %s: %+v %+v", got.Status, got.Failure, got.Verdict)
	}
}
