package identity

import (
	"bytes"
	"context"
	"maps"
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
	events  []assay.AuditEvent
	touches int
	fail    error // what every call answers, if set
}

func newMemoryStore() *memoryStore { return &memoryStore{users: map[string]*assay.User{}} }

func (m *memoryStore) InsertUser(_ context.Context, u *assay.User, e assay.AuditEvent) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := *u
	m.users[u.ID] = &c
	return m.tell(e)
}

// tell keeps an event.
func (m *memoryStore) tell(e assay.AuditEvent) error {
	m.events = append(m.events, e)
	return m.fail
}

func (m *memoryStore) Users(context.Context, string, int) ([]*assay.User, error) {
	return slices.Collect(maps.Values(m.users)), m.fail
}

func (m *memoryStore) SetUserActive(ctx context.Context, id string, active bool, e assay.AuditEvent) (*assay.User, error) {
	m.mu.Lock()
	if u, ok := m.users[id]; ok {
		u.Active = active
		m.events = append(m.events, e)
	}
	m.mu.Unlock()
	return m.User(ctx, id)
}

func (m *memoryStore) InsertAudit(_ context.Context, e assay.AuditEvent) error { return m.tell(e) }

func (m *memoryStore) Audit(_ context.Context, q AuditQuery) ([]assay.AuditEvent, error) {
	return m.events[max(0, len(m.events)-q.Limit):], m.fail
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

func (m *memoryStore) InsertAPIKey(_ context.Context, k *assay.APIKey, limit int, e assay.AuditEvent) error {
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
	return m.tell(e)
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

func (m *memoryStore) APIKey(_ context.Context, id string) (*assay.APIKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.keys {
		if k.ID == id {
			c := *k
			return &c, m.fail
		}
	}
	return nil, assay.Errorf(assay.CodeAPIKeyNotFound, "no such key")
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

func (m *memoryStore) RevokeAPIKey(_ context.Context, userID, keyID string, e assay.AuditEvent) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.keys, func(k *assay.APIKey) bool {
		return k.ID == keyID && k.UserID == userID && k.RevokedAt == nil
	})
	if i < 0 {
		return assay.Errorf(assay.CodeAPIKeyNotFound, "no such key")
	}
	m.keys[i].RevokedAt = &e.At
	return m.tell(e)
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
