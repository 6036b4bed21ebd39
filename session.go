package assay

import (
	"log/slog"
	"slices"
	"time"
)

// Session is a sandbox made from a sample, as its user sees it.
type Session struct {
	ID            string
	UserID        string
	Dataset       string
	SampleID      string
	SampleVersion int // a session keeps the version it was made from
	Status        SessionStatus
	RequestedAt   time.Time
	ReadyAt       *time.Time // the wire's created_at: billing runs from here
	EndedAt       *time.Time
	ExpiresAt     time.Time
	SeenAt        *time.Time    // when its sandbox was last known to live, some seconds late
	UnreachableAt *time.Time    // since when its sandbox does not answer, without proof that it is dead; nil while it does
	Unbilled      time.Duration // how long it did not answer, before it did again
	Price         MicroUSD      // of a minute, for the whole life of the session; 0 is free
	Error         *Failure      // why it ended otherwise than by its user
	Location      string        // node or region of its sandbox
	Handle        string        // of its sandbox, as JSON; "" before there is one
	ImageDigest   string        // of the image that it began with; "" before there is a sandbox
}

// Failure says why something ended early: a stable code and a sentence.
type Failure struct {
	Code    Code
	Message string
}

// LogValue is how a log shows it: its code and its sentence; nothing for none.
func (f *Failure) LogValue() slog.Value {
	if f == nil {
		return slog.StringValue("")
	}
	return slog.StringValue(string(f.Code) + ": " + f.Message)
}

// SessionStatus is a state of a session.
type SessionStatus string

// The states of a session.
const (
	SessionCreating   SessionStatus = "creating"
	SessionReady      SessionStatus = "ready"
	SessionError      SessionStatus = "error"      // could not be made
	SessionClosed     SessionStatus = "closed"     // by its user
	SessionTerminated SessionStatus = "terminated" // by the system: Error says why
)

var sessionMoves = map[SessionStatus][]SessionStatus{
	SessionCreating: {SessionReady, SessionError, SessionClosed, SessionTerminated},
	SessionReady:    {SessionClosed, SessionTerminated},
}

// CanBecome tells whether a session may go from s to next. Every change of state in
// the database is a compare-and-set along these moves.
func (s SessionStatus) CanBecome(next SessionStatus) bool {
	return slices.Contains(sessionMoves[s], next)
}

// Live tells whether the session has, or may get, a sandbox.
func (s SessionStatus) Live() bool { return len(sessionMoves[s]) > 0 }

// Known tells whether s is a state.
func (s SessionStatus) Known() bool {
	switch s {
	case SessionCreating, SessionReady, SessionError, SessionClosed, SessionTerminated:
		return true
	}
	return false
}

// Duration is how long the session was, or has been by now, ready and of use: what is
// billed. The time in which its sandbox could not be reached is none of it.
func (s *Session) Duration(now time.Time) time.Duration {
	if s.ReadyAt == nil {
		return 0
	}
	end := now
	if s.EndedAt != nil {
		end = *s.EndedAt
	}
	if s.UnreachableAt != nil && s.UnreachableAt.Before(end) {
		end = *s.UnreachableAt
	}
	return max(0, end.Sub(*s.ReadyAt)-s.Unbilled)
}

// Cost is what the session costs, or has cost by now.
func (s *Session) Cost(now time.Time) MicroUSD { return CostOf(s.Duration(now), s.Price) }

// LastSeen is the last moment at which the session is known to have lived: what is
// billed of one that was lost while nobody watched.
func (s *Session) LastSeen() time.Time {
	at := s.RequestedAt
	for _, t := range []*time.Time{s.ReadyAt, s.SeenAt} {
		if t != nil && t.After(at) {
			at = *t
		}
	}
	if at.After(s.ExpiresAt) {
		return s.ExpiresAt
	}
	return at
}

// Interaction is one command that ran in a session.
type Interaction struct {
	ID        string
	SessionID string
	CreatedAt time.Time
	Command   string
	Timeout   time.Duration
	Status    InteractionStatus

	// The rest is set once Status is final.
	ExitCode int // as bash tells it; ExitUnknown when the end was not seen
	Stdout   Output
	Stderr   Output
	Duration time.Duration
	Message  string
}

// Lookup is a way in which an agent looked into its repository's history, where a
// solution might have been. It finds none.
type Lookup struct {
	At   time.Time // of the first of its kind in the session
	What string    // a phrase: "git reflog"
}

// ExitUnknown is the exit code of a command that could not be run, or whose end was
// not seen.
const ExitUnknown = -1000

// ExitTimeout is the exit code of a command that ran into its timeout.
const ExitTimeout = 124

// InteractionStatus is a state of an interaction.
type InteractionStatus string

// The states of an interaction.
const (
	InteractionPending    InteractionStatus = "pending"
	InteractionProcessing InteractionStatus = "processing"
	InteractionCompleted  InteractionStatus = "completed" // it ended, with whatever exit code
	InteractionFailed     InteractionStatus = "failed"    // it could not be run, or its end was not seen: ExitUnknown
)

// Final tells whether the interaction has ended.
func (s InteractionStatus) Final() bool {
	return s == InteractionCompleted || s == InteractionFailed
}
