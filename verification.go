package assay

import (
	"slices"
	"time"
)

// Verification is one judgement of a session's work, the wire's Job.
type Verification struct {
	ID            string
	SessionID     string
	UserID        string
	Dataset       string
	SampleID      string
	SampleVersion int
	Status        VerificationStatus
	Attempt       int // how often it was begun, but for attempts that a stop cut short
	Crashes       int // in how many of these the server died, see Trial
	CreatedAt     time.Time
	StartedAt     *time.Time
	CompletedAt   *time.Time
	Failure       *Failure // when Status is error: our fault, never the agent's
	Verdict       *Verdict // when Status is completed
	Handle        string   // of the clean sandbox while it runs, as JSON
	Location      string
	Lease         string   // whose attempt it is now; "" when nobody works on it
	Feedback      Feedback // how much the key that asked for it is told; "" for all

	// Withdrawn is set once an operator took the verdict back.
	Withdrawn *Withdrawal

	// Withheld marks a copy without what the suite said.
	Withheld bool
}

// Withdrawal says that an operator took a verdict back.
type Withdrawal struct {
	At     time.Time
	Reason string // for its user
}

// VerificationStatus is a state of a verification.
type VerificationStatus string

// The states of a verification.
const (
	VerificationPending   VerificationStatus = "pending"
	VerificationStarting  VerificationStatus = "starting"  // its sandbox is being made
	VerificationRunning   VerificationStatus = "running"   // the suite runs
	VerificationCompleted VerificationStatus = "completed" // there is a verdict, whichever
	VerificationError     VerificationStatus = "error"     // we could not judge
	VerificationCancelled VerificationStatus = "cancelled"
)

var verificationMoves = map[VerificationStatus][]VerificationStatus{
	VerificationPending:  {VerificationStarting, VerificationError, VerificationCancelled},
	VerificationStarting: {VerificationRunning, VerificationPending, VerificationCompleted, VerificationError, VerificationCancelled},
	VerificationRunning:  {VerificationPending, VerificationCompleted, VerificationError, VerificationCancelled},
}

// CanBecome tells whether a verification may go from s to next. Back to pending
// means that an attempt ended without an outcome: it failed, was cut short, or its server died.
func (s VerificationStatus) CanBecome(next VerificationStatus) bool {
	return slices.Contains(verificationMoves[s], next)
}

// Final tells whether the verification has ended.
func (s VerificationStatus) Final() bool { return len(verificationMoves[s]) == 0 }

// Trial is how a verification is tried next, by how often a server died while it was tried.
// A death is witnessed by all that ran then, and caused by one of them at most: so one that
// saw two is tried where nobody else can be the cause, and is judged by that alone.
type Trial string

// The trials of a verification.
const (
	TrialAsAll Trial = "as all"
	TrialAlone Trial = "alone" // and after all that are tried as all are
	TrialNone  Trial = "none"  // a server died while it was tried alone
)

// AloneAfter is the number of deaths after which a verification is tried alone.
const AloneAfter = 2

// TrialAfter returns how a verification is tried that saw so many deaths.
func TrialAfter(crashes int) Trial {
	switch {
	case crashes < AloneAfter:
		return TrialAsAll
	case crashes == AloneAfter:
		return TrialAlone
	}
	return TrialNone
}
