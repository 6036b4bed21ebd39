package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"assay"
	"assay/internal/identity"
)

const loginColumns = `l.id, l.user_id, l.refresh_hash, l.created_at, l.expires_at, l.revoked_at, l.address, l.user_agent`

const (
	// One statement finds or makes the user, so that of two first logins at once one
	// makes it and the other finds it.
	upsertUser = `INSERT INTO users (id, name, email, github_id, created_at, last_login_at, active)
		VALUES ($1, $2, $3, $4, $5, $6, 1)
		ON CONFLICT (github_id) DO UPDATE SET name = excluded.name, email = excluded.email, last_login_at = excluded.last_login_at
		RETURNING id`

	insertLogin = `INSERT INTO logins (id, user_id, refresh_hash, created_at, expires_at, revoked_at, address, user_agent)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	deleteExpiredLogins = `DELETE FROM logins WHERE expires_at <= $1`
	deleteOldLogins     = `DELETE FROM logins WHERE user_id = $1
		AND id <= (SELECT id FROM logins WHERE user_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)`
	selectLogins = `SELECT ` + loginColumns + ` FROM logins l
		WHERE l.user_id = $1 AND l.revoked_at IS NULL AND l.expires_at > $2 ORDER BY l.id`
	selectLogin       = `SELECT ` + loginColumns + `, ` + userColumns + ` FROM logins l JOIN users u ON u.id = l.user_id WHERE l.id = $1`
	selectLoginByHash = `SELECT ` + loginColumns + `, ` + userColumns + ` FROM logins l JOIN users u ON u.id = l.user_id WHERE l.refresh_hash = $1`
	revokeLogin       = `UPDATE logins SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL`
	revokeLogins      = `UPDATE logins SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL`

	insertState         = `INSERT INTO login_states (hash, browser_hash, redirect_uri, expires_at) VALUES ($1, $2, $3, $4)`
	deleteExpiredStates = `DELETE FROM login_states WHERE expires_at <= $1`
	takeState           = `DELETE FROM login_states WHERE hash = $1 RETURNING browser_hash, redirect_uri, expires_at`
)

// loginRow is a login as its columns are read; dest and login go together.
type loginRow struct {
	assay.Login
	hash             string
	created, expires int64
	revoked          sql.NullInt64
}

func (r *loginRow) dest() []any {
	return []any{&r.ID, &r.UserID, &r.hash, &r.created, &r.expires, &r.revoked, &r.Address, &r.UserAgent}
}

func (r *loginRow) login() (*assay.Login, error) {
	var err error
	if r.RefreshHash, err = hex.DecodeString(r.hash); err != nil {
		return nil, fmt.Errorf("decode column refresh_hash: %w", err)
	}
	r.CreatedAt, r.ExpiresAt, r.RevokedAt = fromMicros(r.created), fromMicros(r.expires), fromMicrosOrNull(r.revoked)
	return &r.Login, nil
}

func scanLogin(row scanner) (*assay.Login, error) {
	var r loginRow
	if err := row.Scan(r.dest()...); err != nil {
		return nil, err
	}
	return r.login()
}

// LogIn implements identity.LoginStore.
func (s *Store) LogIn(ctx context.Context, r identity.LoginRecord) (u *assay.User, isNew bool, err error) {
	err = s.write(ctx, func(ctx context.Context, w txn) error {
		u, isNew, err = w.userOfGitHub(ctx, r)
		if err != nil {
			return err
		}
		if !u.Active {
			return assay.Errorf(assay.CodeUserDisabled, "the operator of this server has disabled your account")
		}
		return w.insertLogin(ctx, u.ID, r)
	})
	if err != nil {
		return nil, false, doing(err, "log in GitHub account %s", r.User.GitHubID)
	}
	return u, isNew, nil
}

// userOfGitHub finds or makes the user of a login.
func (t txn) userOfGitHub(ctx context.Context, r identity.LoginRecord) (u *assay.User, isNew bool, err error) {
	var id string
	err = t.row(ctx, upsertUser, r.User.ID, r.User.Name, r.User.Email, r.User.GitHubID,
		toMicros(r.User.CreatedAt), toMicrosOrNull(r.User.LastLoginAt)).Scan(&id)
	if err != nil {
		return nil, false, err
	}
	if u, err = scanUser(t.row(ctx, selectUser, id)); err != nil {
		return nil, false, err
	}
	if id != r.User.ID {
		return u, false, nil
	}
	return u, true, t.welcome(ctx, r)
}

// welcome writes what belongs to a user that a login has just made, with the credit
// that it is given.
func (t txn) welcome(ctx context.Context, r identity.LoginRecord) error {
	err := t.audit(ctx, assay.AuditEvent{
		At: r.User.CreatedAt, Actor: r.User.ID, Action: assay.AuditUserCreate, UserID: r.User.ID, Address: r.Login.Address,
		Detail: "GitHub account " + r.User.GitHubID,
	})
	if err != nil || r.WelcomeCredit == 0 {
		return err
	}
	credit, _, err := t.post(ctx, *assay.WelcomeOf(r.User, r.WelcomeCredit))
	if err != nil {
		return err
	}
	return t.audit(ctx, assay.AuditEvent{
		At: r.User.CreatedAt, Actor: assay.ActorServer, Action: assay.AuditCredit, UserID: r.User.ID, Subject: credit.ID, Detail: r.WelcomeCredit.String() + ": welcome",
	})
}

// insertLogin stores the login of a user, and lets those go that it is one too many for,
// and those that have expired.
func (t txn) insertLogin(ctx context.Context, userID string, r identity.LoginRecord) error {
	l := r.Login
	if _, err := t.exec(ctx, deleteExpiredLogins, toMicros(l.CreatedAt)); err != nil {
		return err
	}
	_, err := t.exec(ctx, insertLogin, l.ID, userID, hex.EncodeToString(l.RefreshHash), toMicros(l.CreatedAt),
		toMicros(l.ExpiresAt), toMicrosOrNull(l.RevokedAt), l.Address, l.UserAgent)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, deleteOldLogins, userID, r.MaxLogins); err != nil {
		return err
	}
	return t.audit(ctx, assay.AuditEvent{
		At: l.CreatedAt, Actor: userID, Action: assay.AuditLogin, UserID: userID, Subject: l.ID, Address: l.Address,
	})
}

// Logins implements identity.LoginStore.
func (s *Store) Logins(ctx context.Context, userID string, now time.Time) ([]*assay.Login, error) {
	rows, err := s.reader.rows(ctx, selectLogins, userID, toMicros(now))
	logins, err := collect(rows, err, scanLogin)
	return logins, doing(err, "list the logins of user %s", userID)
}

// Login implements identity.LoginStore.
func (s *Store) Login(ctx context.Context, id string) (*assay.Login, *assay.User, error) {
	return s.loginBy(ctx, selectLogin, id)
}

// LoginByRefreshHash implements identity.LoginStore.
func (s *Store) LoginByRefreshHash(ctx context.Context, hash []byte) (*assay.Login, *assay.User, error) {
	return s.loginBy(ctx, selectLoginByHash, hex.EncodeToString(hash))
}

func (s *Store) loginBy(ctx context.Context, query, arg string) (*assay.Login, *assay.User, error) {
	var (
		l loginRow
		u userRow
	)
	err := s.reader.row(ctx, query, arg).Scan(append(l.dest(), u.dest()...)...)
	if err != nil {
		return nil, nil, doing(orNone(err, assay.CodeUnauthenticated, "there is no such login"), "read a login")
	}
	login, err := l.login()
	if err != nil {
		return nil, nil, doing(err, "read login %s", l.ID)
	}
	return login, u.user(), nil
}

// RevokeLogin implements identity.LoginStore.
func (s *Store) RevokeLogin(ctx context.Context, id string, event assay.AuditEvent) error {
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		n, err := w.exec(ctx, revokeLogin, id, toMicros(event.At))
		if err != nil || n == 0 {
			return err
		}
		return w.audit(ctx, event)
	})
	return doing(err, "revoke login %s", id)
}

// InsertLoginState implements identity.LoginStore.
func (s *Store) InsertLoginState(ctx context.Context, st *identity.LoginState, now time.Time) error {
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		if _, err := w.exec(ctx, deleteExpiredStates, toMicros(now)); err != nil {
			return err
		}
		_, err := w.exec(ctx, insertState, hex.EncodeToString(st.Hash), hex.EncodeToString(st.BrowserHash), st.RedirectURI, toMicros(st.ExpiresAt))
		return err
	})
	return doing(err, "insert the state of a login")
}

// TakeLoginState implements identity.LoginStore.
func (s *Store) TakeLoginState(ctx context.Context, hash []byte) (*identity.LoginState, error) {
	var (
		browser string
		expires int64
		st      = identity.LoginState{Hash: hash}
	)
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		return w.row(ctx, takeState, hex.EncodeToString(hash)).Scan(&browser, &st.RedirectURI, &expires)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		st.BrowserHash, err = hex.DecodeString(browser)
	}
	if err != nil {
		return nil, doing(err, "take the state of a login")
	}
	st.ExpiresAt = fromMicros(expires)
	return &st, nil
}
