package identity

import (
	"context"
	"crypto/subtle"
	"fmt"
	"sync"
	"time"

	"assay"
)

// Messages of refused tokens. A token that was once a key, or is another's, is
// refused in the same words as one that never was.
const (
	messageMalformed = "this is not an API key: a key starts with " + secretPrefix + " and a mistyped one is told by its checksum; copy it again"
	messageRefused   = "the API key is unknown, revoked or expired; make a new one"
)

// touchEvery is how often the last use of a key is stored, at most.
const touchEvery = time.Minute

// touchTimeout bounds how long a request waits for that.
const touchTimeout = time.Second

// Authenticate returns the user whose API key token is: unauthenticated for any
// other token. Every call looks the key up, so a revoked key opens nothing any more
// from that moment, whichever server revoked it.
func (s *Service) Authenticate(ctx context.Context, token string) (*assay.User, error) {
	if !wellFormed(token) {
		return nil, assay.Errorf(assay.CodeUnauthenticated, messageMalformed)
	}
	hash := hashSecret(token)
	key, user, err := s.store.APIKeyByHash(ctx, hash[:])
	if assay.CodeOf(err) == assay.CodeAPIKeyNotFound {
		return nil, assay.Errorf(assay.CodeUnauthenticated, messageRefused)
	}
	if err != nil {
		return nil, fmt.Errorf("look up API key: %w", err)
	}
	now := s.now().UTC()
	same := subtle.ConstantTimeCompare(hash[:], key.Hash) == 1
	if !same || !key.Active(now) || !user.Active {
		return nil, assay.Errorf(assay.CodeUnauthenticated, messageRefused)
	}
	s.touch(ctx, key, now)
	return user, nil
}

// touch notes that a key was used, unless that was noted within the last minute. A
// failure is no reason to turn the caller away.
func (s *Service) touch(ctx context.Context, key *assay.APIKey, now time.Time) {
	if key.LastUsedAt != nil && now.Sub(*key.LastUsedAt) < touchEvery {
		return
	}
	if !s.seen.first(key.ID, now) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), touchTimeout)
	defer cancel()
	if err := s.store.TouchAPIKey(ctx, key.ID, now); err != nil {
		s.log.WarnContext(ctx, "note the use of an API key", "key_id", key.ID, "error", err)
	}
}

// recent remembers which keys were noted lately, so that of many requests at once one
// writes, and so that a database that fails is asked once a minute.
type recent struct {
	mu   sync.Mutex
	keys map[string]time.Time
}

// maxRecent bounds recent: beyond, all is forgotten, and a few writes more are made.
const maxRecent = 10_000

func newRecent() *recent { return &recent{keys: map[string]time.Time{}} }

// first tells whether id was not noted within the last minute, and notes it.
func (r *recent) first(id string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, ok := r.keys[id]; ok && now.Sub(at) < touchEvery {
		return false
	}
	if len(r.keys) >= maxRecent {
		clear(r.keys)
	}
	r.keys[id] = now
	return true
}
