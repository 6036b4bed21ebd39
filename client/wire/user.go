package wire

import (
	"time"

	"assay"
)

// User is who calls.
type User struct {
	UserID          string     `json:"user_id" example:"usr_0dfm6k3b2tvc1r8h5n7pqa4e9s"`
	Name            string     `json:"name" example:"Ada"`
	Email           string     `json:"email" example:"ada@example.org"`
	GitHubID        *string    `json:"github_id" doc:"Null without a GitHub login"`
	APIKeys         []APIKey   `json:"api_keys" nullable:"false" doc:"Keys that are not revoked, oldest first"`
	CreatedAt       time.Time  `json:"created_at"`
	LastLoginAt     *time.Time `json:"last_login_at"`
	IsActive        bool       `json:"is_active"`
	TermsAcceptedAt *time.Time `json:"terms_accepted_at"`
}

// APIKey is a long-lived secret of a user.
type APIKey struct {
	KeyID      string     `json:"key_id" example:"key_0dfm6k3b2tvc1r8h5n7pqa4e9s"`
	Key        string     `json:"key" doc:"The secret, when the key was just made; its first characters and dots elsewhere"`
	Name       *string    `json:"name"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at" doc:"Null when it does not expire"`
	IsActive   bool       `json:"is_active"`
	LastUsedAt *time.Time `json:"last_used_at"`

	Feedback assay.Feedback `json:"feedback" enum:"full,verdict" example:"full" doc:"How much is told of a verification to who has the key: all, or whether the task is solved. Not in the Codeset API"`
}

// APIKeyCreate asks for an API key.
type APIKeyCreate struct {
	Name      string     `json:"name,omitempty" nullable:"true" maxLength:"100" pattern:"^[^\\x00]*$" patternDescription:"free of NUL characters" example:"laptop" doc:"To tell keys apart"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" nullable:"true" doc:"When the key ends by itself; never without it. Must be ahead"`

	Feedback assay.Feedback `json:"feedback,omitempty" enum:"full,verdict" example:"verdict" doc:"How much is told of a verification to who has the key: all, or (for keys that are given to agents) whether the task is solved. As of the key or token that makes it, when absent. Not in the Codeset API"`
}

// APIKeyCreated holds the new key with its secret, which is shown nowhere else.
type APIKeyCreated struct {
	APIKey APIKey `json:"api_key"`
}

// APIKeyRevoke names the key to revoke.
type APIKeyRevoke struct {
	KeyID string `json:"key_id" minLength:"1" maxLength:"255" pattern:"^[^\\x00]*$" patternDescription:"free of NUL characters" example:"key_0dfm6k3b2tvc1r8h5n7pqa4e9s"`
}

// APIKeyRevoked is the answer to APIKeyRevoke.
type APIKeyRevoked struct {
	Message      string `json:"message"`
	RevokedKeyID string `json:"revoked_key_id"`
}
