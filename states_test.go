package assay

import "testing"

func TestSessionNeverLeavesAFinalState(t *testing.T) {
	all := []SessionStatus{SessionCreating, SessionReady, SessionError, SessionClosed, SessionTerminated}
	for _, from := range all {
		for _, to := range all {
			final := from == SessionError || from == SessionClosed || from == SessionTerminated
			if final && from.CanBecome(to) {
				t.Errorf("%s can become %s", from, to)
			}
			if from == to && from.CanBecome(to) {
				t.Errorf("%s can become itself", from)
			}
		}
	}
	if SessionReady.CanBecome(SessionError) {
		t.Error("a session that was ready can become error: error means that it was never ready, and is never billed")
	}
}

func TestVerificationNeverLeavesAFinalState(t *testing.T) {
	for _, s := range []VerificationStatus{VerificationCompleted, VerificationError, VerificationCancelled} {
		if !s.Final() {
			t.Errorf("%s is not final", s)
		}
	}
	if VerificationPending.CanBecome(VerificationCompleted) {
		t.Error("a verification can complete without having started")
	}
}

// A death is witnessed by all that ran then: only who was tried alone has caused one.
func TestWhoSawServersDieIsTriedAlone(t *testing.T) {
	for crashes, want := range []Trial{0: TrialAsAll, 1: TrialAsAll, 2: TrialAlone, 3: TrialNone, 4: TrialNone} {
		if got := TrialAfter(crashes); got != want {
			t.Errorf("after %d deaths: tried %s, want %s", crashes, got, want)
		}
	}
}
