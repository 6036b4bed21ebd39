package identity

import (
	"context"
	"time"

	"assay"
)

// Store keeps users, their API keys and logins, and the audit log. A method that takes
// an event stores it in the transaction of what it tells, and not when that fails.
type Store interface {
	InsertUser(ctx context.Context, u *assay.User, event assay.AuditEvent) error
	User(ctx context.Context, id string) (*assay.User, error) // user_not_found
	// Users returns at most limit users whose ids come after a given one, by id.
	Users(ctx context.Context, after string, limit int) ([]*assay.User, error)
	// SetUserActive enables or disables a user, and returns it: user_not_found. To
	// disable also revokes the user's logins. What is so already stays as it is, and
	// is not told.
	SetUserActive(ctx context.Context, id string, active bool, event assay.AuditEvent) (*assay.User, error)
	// AcceptTerms stores the time unless one is stored, and returns the user.
	AcceptTerms(ctx context.Context, id string, at time.Time) (*assay.User, error)

	// InsertAPIKey stores a key, unless the user has limit active ones: conflict.
	InsertAPIKey(ctx context.Context, k *assay.APIKey, limit int, event assay.AuditEvent) error
	APIKeys(ctx context.Context, userID string) ([]*assay.APIKey, error) // not revoked, oldest first
	// APIKeyByHash returns the key with that hash and its user: api_key_not_found.
	APIKeyByHash(ctx context.Context, hash []byte) (*assay.APIKey, *assay.User, error)
	APIKey(ctx context.Context, id string) (*assay.APIKey, error) // api_key_not_found
	// RevokeAPIKey revokes a key of a user at the time of the event:
	// api_key_not_found, also when revoked before.
	RevokeAPIKey(ctx context.Context, userID, keyID string, event assay.AuditEvent) error
	TouchAPIKey(ctx context.Context, keyID string, at time.Time) error

	// InsertAudit stores an event of something that is not in the database.
	InsertAudit(ctx context.Context, event assay.AuditEvent) error
	// Audit returns the newest events that q asks for, oldest first.
	Audit(ctx context.Context, q AuditQuery) ([]assay.AuditEvent, error)
}

// AuditQuery asks for events of the audit log. A zero field asks for any.
type AuditQuery struct {
	UserID string // whom it is about, or who did it
	Action assay.AuditAction
	Since  time.Time
	Limit  int // at most so many, the newest; required
}

// LoginStore keeps logins, and those that are under way.
type LoginStore interface {
	// LogIn stores a login of whoever has the GitHub account of r.User, and returns
	// that user. When nobody has it, r.User is stored, and isNew. A user who is not
	// active is user_disabled.
	LogIn(ctx context.Context, r LoginRecord) (u *assay.User, isNew bool, err error)
	// Logins returns a user's logins that are neither revoked nor expired, oldest first.
	Logins(ctx context.Context, userID string, now time.Time) ([]*assay.Login, error)
	// Login and LoginByRefreshHash return a login, which may be revoked or expired,
	// and its user: unauthenticated when there is none.
	Login(ctx context.Context, id string) (*assay.Login, *assay.User, error)
	LoginByRefreshHash(ctx context.Context, hash []byte) (*assay.Login, *assay.User, error)
	// RevokeLogin revokes a login at the time of the event. What is revoked already
	// stays so, and is not told.
	RevokeLogin(ctx context.Context, id string, event assay.AuditEvent) error

	// InsertLoginState stores a state, and removes those that have expired by now.
	InsertLoginState(ctx context.Context, s *LoginState, now time.Time) error
	// TakeLoginState removes a state and returns it; nil when there is none.
	TakeLoginState(ctx context.Context, hash []byte) (*LoginState, error)
}

// LoginRecord is a login that GitHub vouches for.
type LoginRecord struct {
	// User is the user as it is stored when it is new. Of one that is known, the name,
	// the e-mail address and the time of the last login are taken over.
	User *assay.User
	// Login is the login; whose it is, LogIn finds out.
	Login *assay.Login
	// MaxLogins is how many logins of a user are kept; the oldest ones go.
	MaxLogins int
	// WelcomeCredit is what a new user is given. 0 is nothing.
	WelcomeCredit assay.MicroUSD
}

// LoginState is what is known of a login that a browser has begun. The state and the
// browser's secret are kept as hashes.
type LoginState struct {
	Hash        []byte // of the state
	BrowserHash []byte // of the cookie
	RedirectURI string
	ExpiresAt   time.Time
}
