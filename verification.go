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
	Attempt       int // how often it was begun
	CreatedAt     time.Time
	StartedAt     *time.Time
	CompletedAt   *time.Time
	Failure       *Failure // when Status is error: our fault, never the agent's
	Verdict       *Verdict // when Status is completed
	Handle        string   // of the clean sandbox while it runs, as JSON
	Location      string
}

// VerificationStatus is a state of a verification.
type VerificationStatus string

// The states of a verification.
const (
	VerificationPending   VerificationStatus = "pending"
	VerificationStarting  VerificationStatus = "starting"  // its sandbox is being made
	VerificationRunning   VerificationStatus = "running"   // the suite runs
	VerificationCompleted VerificationStatus = "completed" // the suite ran, whatever the verdict
	VerificationError     VerificationStatus = "error"     // we could not judge
	VerificationCancelled VerificationStatus = "cancelled"
)

var verificationMoves = map[VerificationStatus][]VerificationStatus{
	VerificationPending:  {VerificationStarting, VerificationError, VerificationCancelled},
	VerificationStarting: {VerificationRunning, VerificationPending, VerificationCompleted, VerificationError, VerificationCancelled},
	VerificationRunning:  {VerificationPending, VerificationCompleted, VerificationError, VerificationCancelled},
}

// CanBecome tells whether a verification may go from s to next. Back to pending
// means that a server was lost during it.
func (s VerificationStatus) CanBecome(next VerificationStatus) bool {
	return slices.Contains(verificationMoves[s], next)
}

// Final tells whether the verification has ended.
func (s VerificationStatus) Final() bool { return len(verificationMoves[s]) == 0 }

// Verdict is the outcome of a verification whose suite ran. It is stored as JSON.
type Verdict struct {
	Tool     VerifierKind  `json:"tool"`
	Grading  Grading       `json:"grading"`
	Solved   bool          `json:"solved"`
	Reason   string        `json:"reason"` // one sentence: why solved or not
	Passed   int           `json:"passed"`
	Failed   int           `json:"failed"`
	Skipped  int           `json:"skipped"`
	Duration time.Duration `json:"duration"` // of the suite
	ExitCode int           `json:"exit_code"`
	TimedOut bool          `json:"timed_out,omitempty"`

	Passes   []TestOutcome `json:"passes"`
	Failures []TestOutcome `json:"failures"`
	Skips    []TestOutcome `json:"skips"`
	Missing  []string      `json:"missing"` // expected tests that no report names

	Stdout Output `json:"stdout"` // of the verifier
	Stderr Output `json:"stderr"`
}

// TestOutcome is what one test did.
type TestOutcome struct {
	Name     string        `json:"name"`
	Expected string        `json:"expected,omitempty"` // fail_to_pass, pass_to_pass, fail_to_fail, or "" when in no list
	Duration time.Duration `json:"duration,omitempty"`
	Message  string        `json:"message,omitempty"`
	Details  string        `json:"details,omitempty"`
}
