package assay

import "time"

// User is somebody who may call the API.
type User struct {
	ID              string
	Name            string
	Email           string
	GitHubID        string // "" until a GitHub login
	CreatedAt       time.Time
	LastLoginAt     *time.Time
	TermsAcceptedAt *time.Time
	Active          bool
}

// APIKey is a long-lived secret of a user. The secret itself is shown once, when the
// key is made; Hash is what is kept.
type APIKey struct {
	ID         string
	UserID     string
	Name       string
	Hash       []byte // SHA-256 of the secret
	Hint       string // the first characters of the secret, to show
	CreatedAt  time.Time
	ExpiresAt  *time.Time
	LastUsedAt *time.Time
	RevokedAt  *time.Time
	// Feedback is how much is told of verdicts to who has the key; "" is FeedbackFull.
	Feedback Feedback
}

// Active tells whether the key opens anything at the time now.
func (k *APIKey) Active(now time.Time) bool {
	return k.RevokedAt == nil && (k.ExpiresAt == nil || now.Before(*k.ExpiresAt))
}

// Login is one login of a user. The access tokens that are made for it, and its one
// refresh token, of which RefreshHash is what is kept, end with it.
type Login struct {
	ID          string
	UserID      string
	RefreshHash []byte // SHA-256 of the refresh token
	CreatedAt   time.Time
	ExpiresAt   time.Time
	RevokedAt   *time.Time
	Address     string // network address from which the user logged in
	UserAgent   string
}

// Active tells whether the login's tokens open anything at the time now.
func (l *Login) Active(now time.Time) bool {
	return l.RevokedAt == nil && now.Before(l.ExpiresAt)
}
