package identity

import (
	"context"
	"time"

	"assay"
)

// Store keeps users and their API keys.
type Store interface {
	InsertUser(ctx context.Context, u *assay.User) error
	User(ctx context.Context, id string) (*assay.User, error) // user_not_found
	// AcceptTerms stores the time unless one is stored, and returns the user.
	AcceptTerms(ctx context.Context, id string, at time.Time) (*assay.User, error)
	// InsertAPIKey stores a key, unless the user has limit active ones: conflict.
	InsertAPIKey(ctx context.Context, k *assay.APIKey, limit int) error
	APIKeys(ctx context.Context, userID string) ([]*assay.APIKey, error) // not revoked, oldest first
	// APIKeyByHash returns the key with that hash and its user: api_key_not_found.
	APIKeyByHash(ctx context.Context, hash []byte) (*assay.APIKey, *assay.User, error)
	// RevokeAPIKey revokes a key of a user: api_key_not_found, also when revoked before.
	RevokeAPIKey(ctx context.Context, userID, keyID string, at time.Time) error
	TouchAPIKey(ctx context.Context, keyID string, at time.Time) error
}
