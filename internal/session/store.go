package session

import (
	"context"
	"time"

	"assay"
)

// Store keeps sessions and interactions. Its errors are *assay.Error where a
// caller can cause them (session_not_found, conflict, too_many_sessions, ...).
type Store interface {
	// InsertSession stores a new session, unless the user or the server has as many
	// live ones as limits allow: too_many_sessions, or its user's balance does not
	// cover its first minute: insufficient_balance. When idem names a key that the
	// user gave before, nothing is stored and the session of that time is
	// returned with created false; the same key for another request is a conflict.
	InsertSession(ctx context.Context, s *assay.Session, idem Idempotency, limits LiveLimits) (got *assay.Session, created bool, err error)
	// Session returns a session of a user; of any user when userID is "".
	// Somebody else's is session_not_found.
	Session(ctx context.Context, userID, id string) (*assay.Session, error)
	// Sessions returns a page, newest first.
	Sessions(ctx context.Context, q Query) (Page, error)
	// LiveSessions returns all sessions that are creating or ready.
	LiveSessions(ctx context.Context) ([]*assay.Session, error)
	// LiveOfDisabled returns the ids of the live sessions of users who are disabled.
	LiveOfDisabled(ctx context.Context) ([]string, error)
	// MoveSession changes the state of a session if it is still in state from, and
	// returns the session as it is then. Moved tells whether it was this call
	// that changed it. Fields of change that are zero stay as they are. A session
	// that was ready and ends is billed together with that, once; its end is moved
	// back to when its user's balance was used up, or its lifetime over, if that was before.
	MoveSession(ctx context.Context, id string, from assay.SessionStatus, change SessionChange) (s *assay.Session, moved bool, err error)
	// SeeSessions notes that sessions lived at a time; those that are not ready are
	// left alone.
	SeeSessions(ctx context.Context, ids []string, at time.Time) error
	// ShiftSessions puts the end of the lifetime of every live session off, and bills none of
	// that time.
	ShiftSessions(ctx context.Context, by time.Duration) error
	// LoseSession notes that the sandbox of a ready session does not answer since a time;
	// when it did not before either, the earlier time stays.
	LoseSession(ctx context.Context, id string, at time.Time) error
	// RegainSession notes that it answers again: what lies between is not billed.
	RegainSession(ctx context.Context, id string, at time.Time) error
	// SetHandle stores the sandbox of a session that is still live, and the digest of its image.
	SetHandle(ctx context.Context, id, handle, location, imageDigest string) error

	// InsertInteraction stores a new interaction in state processing, if the session
	// is ready (else session_not_ready or session_ended) and fewer than limit are
	// running in it (else too_many_commands). Idempotency as for sessions.
	InsertInteraction(ctx context.Context, in *assay.Interaction, idem Idempotency, limit int) (got *assay.Interaction, created bool, err error)
	// NoteLookup stores a look into the repository's history, the first of its kind.
	NoteLookup(ctx context.Context, sessionID string, l assay.Lookup) error
	// Interaction returns an interaction of a user's session: interaction_not_found.
	Interaction(ctx context.Context, userID, sessionID, id string) (*assay.Interaction, error)
	// FinishInteraction stores the end of an interaction if it has none yet.
	// Finished tells whether it was this call that stored it.
	FinishInteraction(ctx context.Context, in *assay.Interaction) (finished bool, err error)
	// RunningInteractions returns a session's interactions that have no end; of all
	// sessions when sessionID is "".
	RunningInteractions(ctx context.Context, sessionID string) ([]*assay.Interaction, error)
}

// Idempotency is a client's Idempotency-Key.
type Idempotency = assay.Idempotency

// LiveLimits bounds the number of live sessions; 0 is no bound.
type LiveLimits struct {
	PerUser int
	Total   int
}

// Query selects sessions of a user.
type Query struct {
	UserID  string // "" for all, an operator's view
	Status  assay.SessionStatus
	Dataset string
	Limit   int    // 0 for all
	Before  string // only sessions with a smaller id: the cursor
}

// Page is a part of a list.
type Page struct {
	Sessions []*assay.Session
	Total    int  // that match, on all pages
	More     bool // whether another page follows
}

// SessionChange is what a move of state sets.
type SessionChange struct {
	Status  assay.SessionStatus
	ReadyAt *time.Time
	EndedAt *time.Time
	Error   *assay.Failure
}
