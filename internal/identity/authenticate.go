package identity

import (
	"context"
	"crypto/subtle"
	"fmt"

	"assay"
)

// Messages of refused tokens. A token that was once a key, or is another's, is
// refused in the same words as one that never was.
const (
	messageMalformed = "this is not an API key: a key starts with " + prefixAPIKey + " and a mistyped one is told by its checksum; copy it again"
	messageRefused   = "the API key is unknown, revoked or expired; make a new one"
)

// Authenticate returns the user whose API key token is, and the key: unauthenticated for
// any other token. Every call looks the key up, which takes SQLite some 20 µs, and
// nothing is cached: a revoked key opens nothing from that moment, whichever server
// revoked it.
func (s *Service) Authenticate(ctx context.Context, token string) (*assay.User, *assay.APIKey, error) {
	if !wellFormed(prefixAPIKey, token) {
		return nil, nil, assay.Errorf(assay.CodeUnauthenticated, messageMalformed)
	}
	hash := hashOf(token)
	key, user, err := s.store.APIKeyByHash(ctx, hash)
	if assay.CodeOf(err) == assay.CodeAPIKeyNotFound {
		return nil, nil, assay.Errorf(assay.CodeUnauthenticated, messageRefused)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("look up API key: %w", err)
	}
	now := s.now().UTC()
	same := subtle.ConstantTimeCompare(hash, key.Hash) == 1
	if !same || !key.Active(now) || !user.Active {
		return nil, nil, assay.Errorf(assay.CodeUnauthenticated, messageRefused)
	}
	s.uses.note(key, now)
	return user, key, nil
}
