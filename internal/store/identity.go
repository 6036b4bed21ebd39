package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"time"

	"assay"
)

const (
	userColumns = `u.id, u.name, u.email, u.github_id, u.created_at, u.last_login_at, u.terms_accepted_at, u.active`
	keyColumns  = `k.id, k.user_id, k.name, k.hash, k.hint, k.created_at, k.expires_at, k.last_used_at, k.revoked_at, k.feedback`
)

const (
	insertUser = `INSERT INTO users (id, name, email, github_id, created_at, last_login_at, terms_accepted_at, active)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	selectUser  = `SELECT ` + userColumns + ` FROM users u WHERE u.id = $1`
	selectUsers = `SELECT ` + userColumns + ` FROM users u WHERE u.id > $1 ORDER BY u.id LIMIT $2`
	setActive   = `UPDATE users SET active = $2 WHERE id = $1 AND active <> $2`
	acceptTerms = `UPDATE users SET terms_accepted_at = $2 WHERE id = $1 AND terms_accepted_at IS NULL`

	insertKey = `INSERT INTO api_keys (id, user_id, name, hash, hint, created_at, expires_at, last_used_at, revoked_at, feedback)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	countKeys = `SELECT count(*) FROM api_keys
		WHERE user_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)`
	selectKeys      = `SELECT ` + keyColumns + ` FROM api_keys k WHERE k.user_id = $1 AND k.revoked_at IS NULL ORDER BY k.id`
	selectKey       = `SELECT ` + keyColumns + ` FROM api_keys k WHERE k.id = $1`
	selectKeyByHash = `SELECT ` + keyColumns + `, ` + userColumns + ` FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.hash = $1`
	revokeKey       = `UPDATE api_keys SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL`
	touchKey        = `UPDATE api_keys SET last_used_at = $2 WHERE id = $1`
)

// userRow is a user as its columns are read; dest and user go together.
type userRow struct {
	assay.User
	github       sql.NullString
	created      int64
	login, terms sql.NullInt64
}

func (r *userRow) dest() []any {
	return []any{&r.ID, &r.Name, &r.Email, &r.github, &r.created, &r.login, &r.terms, &r.Active}
}

func (r *userRow) user() *assay.User {
	r.GitHubID, r.CreatedAt = r.github.String, fromMicros(r.created)
	r.LastLoginAt, r.TermsAcceptedAt = fromMicrosOrNull(r.login), fromMicrosOrNull(r.terms)
	return &r.User
}

func scanUser(row scanner) (*assay.User, error) {
	var r userRow
	if err := row.Scan(r.dest()...); err != nil {
		return nil, err
	}
	return r.user(), nil
}

// apiKeyRow is a key as its columns are read; dest and key go together.
type apiKeyRow struct {
	assay.APIKey
	hash                   string
	created                int64
	expires, used, revoked sql.NullInt64
}

func (r *apiKeyRow) dest() []any {
	return []any{&r.ID, &r.UserID, &r.Name, &r.hash, &r.Hint, &r.created, &r.expires, &r.used, &r.revoked, &r.Feedback}
}

func (r *apiKeyRow) key() (*assay.APIKey, error) {
	var err error
	if r.Hash, err = hex.DecodeString(r.hash); err != nil {
		return nil, fmt.Errorf("decode column hash: %w", err)
	}
	r.CreatedAt, r.ExpiresAt = fromMicros(r.created), fromMicrosOrNull(r.expires)
	r.LastUsedAt, r.RevokedAt = fromMicrosOrNull(r.used), fromMicrosOrNull(r.revoked)
	return &r.APIKey, nil
}

func scanAPIKey(row scanner) (*assay.APIKey, error) {
	var r apiKeyRow
	if err := row.Scan(r.dest()...); err != nil {
		return nil, err
	}
	return r.key()
}

// InsertUser implements identity.Store. A GitHub account that belongs to another user
// is a conflict.
func (s *Store) InsertUser(ctx context.Context, u *assay.User, event assay.AuditEvent) error {
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		_, err := w.exec(ctx, insertUser, u.ID, u.Name, u.Email, toNull(u.GitHubID), toMicros(u.CreatedAt),
			toMicrosOrNull(u.LastLoginAt), toMicrosOrNull(u.TermsAcceptedAt), toInt(u.Active))
		switch constraintOf(err).unique {
		case "users.id":
			return duplicate("user", u.ID)
		case "users.github_id":
			return assay.Errorf(assay.CodeConflict, "GitHub account %s belongs to another user", u.GitHubID)
		}
		if err != nil {
			return err
		}
		return w.audit(ctx, event)
	})
	return doing(err, "insert user %s", u.ID)
}

// User implements identity.Store.
func (s *Store) User(ctx context.Context, id string) (*assay.User, error) {
	u, err := scanUser(s.reader.row(ctx, selectUser, id))
	if err != nil {
		return nil, doing(orNone(err, assay.CodeUserNotFound, "user %s does not exist", id), "read user %s", id)
	}
	return u, nil
}

// Users implements identity.Store.
func (s *Store) Users(ctx context.Context, after string, limit int) ([]*assay.User, error) {
	rows, err := s.reader.rows(ctx, selectUsers, after, limit)
	users, err := collect(rows, err, scanUser)
	return users, doing(err, "list users")
}

// SetUserActive implements identity.Store.
func (s *Store) SetUserActive(ctx context.Context, id string, active bool, event assay.AuditEvent) (u *assay.User, err error) {
	err = s.write(ctx, func(ctx context.Context, w txn) error {
		n, err := w.exec(ctx, setActive, id, toInt(active))
		if err != nil {
			return err
		}
		if u, err = scanUser(w.row(ctx, selectUser, id)); err != nil || n == 0 {
			return orNone(err, assay.CodeUserNotFound, "user %s does not exist", id)
		}
		if !active {
			if _, err := w.exec(ctx, revokeLogins, id, toMicros(event.At)); err != nil {
				return err
			}
		}
		return w.audit(ctx, event)
	})
	if err != nil {
		return nil, doing(err, "enable or disable user %s", id)
	}
	return u, nil
}

// AcceptTerms implements identity.Store: user_not_found.
func (s *Store) AcceptTerms(ctx context.Context, id string, at time.Time) (u *assay.User, err error) {
	err = s.write(ctx, func(ctx context.Context, w txn) error {
		if _, err := w.exec(ctx, acceptTerms, id, toMicros(at)); err != nil {
			return err
		}
		u, err = scanUser(w.row(ctx, selectUser, id))
		return orNone(err, assay.CodeUserNotFound, "user %s does not exist", id)
	})
	if err != nil {
		return nil, doing(err, "store that user %s accepts the terms", id)
	}
	return u, nil
}

// InsertAPIKey implements identity.Store. A key is active when it is neither revoked
// nor expired at the time at which the new one is made. Limit 0 is no limit. A user
// that does not exist is user_not_found.
func (s *Store) InsertAPIKey(ctx context.Context, k *assay.APIKey, limit int, event assay.AuditEvent) error {
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		var active int
		if err := w.row(ctx, countKeys, k.UserID, toMicros(k.CreatedAt)).Scan(&active); err != nil {
			return err
		}
		if limit > 0 && active >= limit {
			return assay.Errorf(assay.CodeConflict, "you have %d active API keys, which is as many as you may have; revoke one first", active)
		}
		_, err := w.exec(ctx, insertKey, k.ID, k.UserID, k.Name, hex.EncodeToString(k.Hash), k.Hint, toMicros(k.CreatedAt),
			toMicrosOrNull(k.ExpiresAt), toMicrosOrNull(k.LastUsedAt), toMicrosOrNull(k.RevokedAt), string(cmp.Or(k.Feedback, assay.FeedbackFull)))
		switch broken := constraintOf(err); {
		case broken.foreign:
			return assay.Errorf(assay.CodeUserNotFound, "user %s does not exist", k.UserID)
		case broken.unique == "api_keys.id":
			return duplicate("API key", k.ID)
		case broken.unique == "api_keys.hash":
			return assay.Errorf(assay.CodeConflict, "another API key has the same secret")
		}
		if err != nil {
			return err
		}
		return w.audit(ctx, event)
	})
	return doing(err, "insert API key %s", k.ID)
}

// APIKeys implements identity.Store. Expired keys are among them.
func (s *Store) APIKeys(ctx context.Context, userID string) ([]*assay.APIKey, error) {
	rows, err := s.reader.rows(ctx, selectKeys, userID)
	keys, err := collect(rows, err, scanAPIKey)
	return keys, doing(err, "list the API keys of user %s", userID)
}

// APIKey implements identity.Store.
func (s *Store) APIKey(ctx context.Context, id string) (*assay.APIKey, error) {
	k, err := scanAPIKey(s.reader.row(ctx, selectKey, id))
	if err != nil {
		return nil, doing(orNone(err, assay.CodeAPIKeyNotFound, "API key %s does not exist", id), "read API key %s", id)
	}
	return k, nil
}

// APIKeyByHash implements identity.Store. The key may be revoked or expired: see
// assay.APIKey.Active.
func (s *Store) APIKeyByHash(ctx context.Context, hash []byte) (*assay.APIKey, *assay.User, error) {
	var (
		k apiKeyRow
		u userRow
	)
	err := s.reader.row(ctx, selectKeyByHash, hex.EncodeToString(hash)).Scan(append(k.dest(), u.dest()...)...)
	if err != nil {
		return nil, nil, doing(orNone(err, assay.CodeAPIKeyNotFound, "no API key has this secret"), "read an API key")
	}
	key, err := k.key()
	if err != nil {
		return nil, nil, doing(err, "read API key %s", k.ID)
	}
	return key, u.user(), nil
}

// RevokeAPIKey implements identity.Store.
func (s *Store) RevokeAPIKey(ctx context.Context, userID, keyID string, event assay.AuditEvent) error {
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		n, err := w.exec(ctx, revokeKey, keyID, userID, toMicros(event.At))
		if err := someKey(n, err, keyID); err != nil {
			return err
		}
		return w.audit(ctx, event)
	})
	return doing(err, "revoke API key %s", keyID)
}

// TouchAPIKey implements identity.Store: api_key_not_found.
func (s *Store) TouchAPIKey(ctx context.Context, keyID string, at time.Time) error {
	n, err := s.writer.exec(ctx, touchKey, keyID, toMicros(at))
	return doing(someKey(n, err, keyID), "store the use of API key %s", keyID)
}

func someKey(affected int64, err error, keyID string) error {
	if err == nil && affected == 0 {
		return assay.Errorf(assay.CodeAPIKeyNotFound, "API key %s does not exist", keyID)
	}
	return err
}
