package verification

import (
	"context"
	"time"

	"assay"
	"assay/internal/session"
)

// Store keeps verifications.
type Store interface {
	// InsertVerification stores a pending verification, and the request that it is done for.
	// More than limit of the session that have not ended: too_many_verifications. Idempotency
	// as for sessions.
	InsertVerification(ctx context.Context, v *assay.Verification, idem session.Idempotency, limit int, origin string) (got *assay.Verification, created bool, err error)
	// Verification returns a verification of a user's session: job_not_found. Any
	// user's and session's when both are "".
	Verification(ctx context.Context, userID, sessionID, id string) (*assay.Verification, error)
	// VerificationByKey returns the verification that a user's request with the same
	// Idempotency-Key made: session_not_found when the session is not the user's,
	// job_not_found when there is none, conflict when that was another request.
	VerificationByKey(ctx context.Context, userID, sessionID string, idem session.Idempotency) (*assay.Verification, error)
	// MoveVerification changes the state of a verification if it is still in state from, under
	// the lease of the change, as session.Store.MoveSession does.
	MoveVerification(ctx context.Context, id string, from assay.VerificationStatus, change Change) (v *assay.Verification, moved bool, err error)
	// SetVerificationHandle stores the clean sandbox of a verification that has not ended,
	// under a lease.
	SetVerificationHandle(ctx context.Context, id, lease, handle, location string) error
	// Lookups returns how a session's agent looked into its repository's history.
	Lookups(ctx context.Context, sessionID string) ([]assay.Lookup, error)
	// SaveWork stores what a verification judges: job_not_found. What was stored before is
	// replaced.
	SaveWork(ctx context.Context, id string, work Work) error
	// Work returns what a verification judges: not_found when nothing was stored.
	Work(ctx context.Context, id string) (*Work, error)
	// LastVerification returns the newest verification of a user's session: job_not_found.
	LastVerification(ctx context.Context, userID, sessionID string) (*assay.Verification, error)
	// ReusableVerification returns the oldest verification of any user whose work has a
	// cache key, and whose verdict was stored as one that may be reused: job_not_found.
	ReusableVerification(ctx context.Context, cacheKey string) (*assay.Verification, error)
	// Envelope returns the signed verdict that was stored with a move: job_not_found.
	Envelope(ctx context.Context, id string) ([]byte, error)
	// OpenVerifications returns all that have not ended.
	OpenVerifications(ctx context.Context) ([]*assay.Verification, error)

	PlayStore
	Withdrawals
}

// Change is what a move of state sets; nil fields stay as they are.
type Change struct {
	Status      assay.VerificationStatus
	Lease       string // of whose attempt it is: under another nothing moves
	CompletedAt *time.Time
	Failure     *assay.Failure
	Verdict     *assay.Verdict
	Envelope    []byte // the signed verdict; nil for none
	Reusable    bool   // the verdict may stand for one on the same work

	Play assay.PlayState // what became of its play; "" leaves it to how the verification ends
}

// Work is what a verification judges.
type Work struct {
	CacheKey string // the same of works that are judged alike; see Service.cacheKey
	Patch    StoredPatch
}

// StoredPatch is a judged patch as it is kept.
type StoredPatch struct {
	SHA256 string // of the patch, in hex
	Bytes  int64  // of the patch
	Gzip   []byte // the patch, compressed; nil when it is too large to be kept
}
