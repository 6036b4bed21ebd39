package verification_test

import (
	"context"
	"testing"

	"assay"
	"assay/internal/session"
	"assay/internal/store/storetest"
	"assay/internal/verification"
)

// lateErrors are those of a write that was committed.
var lateErrors = map[string]error{
	"out of time": context.DeadlineExceeded,
	"unknown":     assay.Wrap(storetest.Lost{}, assay.CodeUnavailable, "it is not known whether this was done"),
}

// late returns the service over a store that commits and answers with an error then, once.
func (f *fixture) late() (*verification.Service, *storetest.Late) {
	f.t.Helper()
	l := storetest.NewLate(f.store)
	service, err := verification.New(verification.Config{
		Store: l, Sessions: f.sessions, Samples: f.store, Runtime: f.runtime, Dir: f.dir,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { service.Close() })
	return service, l
}

// Whatever write of a verification loses its answer, there is one verdict, nothing is left
// under way, and no changes are lost or left.
func TestAWriteWhoseAnswerIsLostHasItsRightEnd(t *testing.T) {
	for name, lost := range lateErrors {
		for _, method := range []string{"MoveVerification", "SetVerificationHandle", "InsertVerification"} {
			for nth := range map[bool]int{true: 2, false: 1}[method == "MoveVerification"] {
				t.Run(name+"/"+method, func(t *testing.T) { judgedThrough(t, method, nth, lost) })
			}
		}
	}
}

// judgedThrough loses the answer of the nth move, or of the one call of another method.
func judgedThrough(t *testing.T, method string, nth int, lost error) {
	f := newFixture(t)
	service, l := f.late()
	sess := f.session(map[string]string{"a.txt": "fixed\n"})
	l.Nth(method, nth, lost)
	_, err := service.Start(t.Context(), verification.Reader{UserID: user}, sess.ID, session.Idempotency{})
	if (err != nil) != (method == "InsertVerification") {
		t.Errorf("it was asked for with %v", err)
	}
	v, err := f.store.LastVerification(t.Context(), user, sess.ID)
	if err != nil {
		t.Fatal(err)
	}
	f.workOf(service)
	if l.Fired(method) != 1 {
		t.Errorf("%s lost %d answers", method, l.Fired(method))
	}
	if got := f.outcome(v); got.Status != assay.VerificationCompleted || !got.Verdict.Solved || got.Attempt > 2 {
		t.Errorf("it is %s after %d attempts: %+v", got.Status, got.Attempt, got.Failure)
	}
	if open, err := f.store.OpenVerifications(t.Context()); err != nil || len(open) > 0 {
		t.Errorf("%d are under way, %v", len(open), err)
	}
	service.AwaitFreed()
	f.onlySessionsLeft()
}

// A patch that was kept, and of which nobody heard, is kept once.
func TestAPatchWhoseAnswerIsLostIsKept(t *testing.T) {
	for name, lost := range lateErrors {
		t.Run(name, func(t *testing.T) {
			var l *storetest.Late
			c := newCourt(t, func(cfg *verification.Config) {
				l = storetest.NewLate(cfg.Store.(storetest.Stores))
				cfg.Store = l
				l.After("SaveWork", lost)
			})
			v := c.judgedBy(user, map[string]string{"a.txt": "fixed\n"})
			if v.Status != assay.VerificationCompleted || !v.Verdict.Solved || l.Fired("SaveWork") != 1 {
				t.Errorf("it is %s, %d answers were lost: %+v", v.Status, l.Fired("SaveWork"), v.Failure)
			}
			if text, _ := c.diff(v.SessionID, v.ID); text == "" {
				t.Error("there is no patch")
			}
		})
	}
}
