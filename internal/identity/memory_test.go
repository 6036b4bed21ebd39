package identity

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"assay"
)

// memoryStore is a Store in memory that can be made to fail.
type memoryStore struct {
	mu      sync.Mutex
	users   map[string]*assay.User
	keys    []*assay.APIKey
	touches int
	fail    error // what every call answers, if set
}

func newMemoryStore() *memoryStore { return &memoryStore{users: map[string]*assay.User{}} }

func (m *memoryStore) InsertUser(_ context.Context, u *assay.User) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := *u
	m.users[u.ID] = &c
	return m.fail
}

func (m *memoryStore) User(_ context.Context, id string) (*assay.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u, ok := m.users[id]
	if !ok {
		return nil, assay.Errorf(assay.CodeUserNotFound, "no user %s", id)
	}
	c := *u
	return &c, m.fail
}

func (m *memoryStore) AcceptTerms(ctx context.Context, id string, at time.Time) (*assay.User, error) {
	m.mu.Lock()
	if u, ok := m.users[id]; ok && u.TermsAcceptedAt == nil {
		u.TermsAcceptedAt = &at
	}
	m.mu.Unlock()
	return m.User(ctx, id)
}

func (m *memoryStore) InsertAPIKey(_ context.Context, k *assay.APIKey, limit int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	active := 0
	for _, other := range m.keys {
		if other.UserID == k.UserID && other.Active(k.CreatedAt) {
			active++
		}
	}
	if active >= limit {
		return assay.Errorf(assay.CodeConflict, "there are %d active keys", active)
	}
	c := *k
	m.keys = append(m.keys, &c)
	return m.fail
}

func (m *memoryStore) APIKeys(_ context.Context, userID string) ([]*assay.APIKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []*assay.APIKey
	for _, k := range m.keys {
		if k.UserID == userID && k.RevokedAt == nil {
			c := *k
			keys = append(keys, &c)
		}
	}
	return keys, m.fail
}

func (m *memoryStore) APIKeyByHash(_ context.Context, hash []byte) (*assay.APIKey, *assay.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return nil, nil, m.fail
	}
	for _, k := range m.keys {
		if bytes.Equal(k.Hash, hash) {
			key, user := *k, *m.users[k.UserID]
			return &key, &user, nil
		}
	}
	return nil, nil, assay.Errorf(assay.CodeAPIKeyNotFound, "no such key")
}

func (m *memoryStore) RevokeAPIKey(_ context.Context, userID, keyID string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.keys, func(k *assay.APIKey) bool {
		return k.ID == keyID && k.UserID == userID && k.RevokedAt == nil
	})
	if i < 0 {
		return assay.Errorf(assay.CodeAPIKeyNotFound, "no such key")
	}
	m.keys[i].RevokedAt = &at
	return m.fail
}

func (m *memoryStore) TouchAPIKey(_ context.Context, keyID string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.touches++
	for _, k := range m.keys {
		if k.ID == keyID {
			k.LastUsedAt = &at
		}
	}
	return m.fail
}

// count returns how often the use of a key was stored.
func (m *memoryStore) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.touches
}
