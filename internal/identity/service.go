// Package identity knows who calls: users and their API keys.
package identity

import (
	"context"
	"fmt"
	"log/slog"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"assay"
)

// Limits of what is stored.
const (
	maxActiveKeys = 50  // a user
	maxNameRunes  = 100 // of a user or a key
	maxEmailBytes = 254 // RFC 5321, errata 1690
)

// Service is the rules of users and keys. It is safe for concurrent use.
type Service struct {
	store Store
	now   func() time.Time
	uses  *useLog
}

// Config is what a Service is made of.
type Config struct {
	Store Store            // required
	Now   func() time.Time // Defaults to time.Now
	Log   *slog.Logger     // Defaults to slog.Default(). Secrets are never logged
}

// New returns a Service. Its owner closes it.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Service{store: c.Store, now: c.Now, uses: newUseLog(c.Store, c.Log)}
}

// Close stores the uses of keys that are not stored yet, in at most a few seconds. The
// store must be open until then. It may be called again.
func (s *Service) Close() { s.uses.close() }

// CreateUser stores a new, active user: invalid_request when name or email cannot be
// one. Several users may have one e-mail address.
func (s *Service) CreateUser(ctx context.Context, name, email string) (*assay.User, error) {
	name, err := checkName("name", name)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, assay.Errorf(assay.CodeInvalid, "a user needs a name")
	}
	if err := checkEmail(email); err != nil {
		return nil, err
	}
	u := &assay.User{
		ID:        assay.NewID(assay.PrefixUser),
		Name:      name,
		Email:     email,
		CreatedAt: s.now().UTC(),
		Active:    true,
	}
	if err := s.store.InsertUser(ctx, u); err != nil {
		return nil, fmt.Errorf("store user: %w", err)
	}
	return u, nil
}

// User returns a user: user_not_found.
func (s *Service) User(ctx context.Context, id string) (*assay.User, error) {
	return s.store.User(ctx, id)
}

// AcceptTerms notes that a user accepts the terms, at the first time that it says so.
func (s *Service) AcceptTerms(ctx context.Context, userID string) (*assay.User, error) {
	return s.store.AcceptTerms(ctx, userID, s.now().UTC())
}

// CreateKey makes an API key for a user, who already has at most 49 active ones
// (conflict). The secret is returned here and never again.
func (s *Service) CreateKey(ctx context.Context, userID, name string) (secret string, key *assay.APIKey, err error) {
	name, err = checkName("name", name)
	if err != nil {
		return "", nil, err
	}
	secret = newSecret()
	hash := hashSecret(secret)
	key = &assay.APIKey{
		ID:        assay.NewID(assay.PrefixAPIKey),
		UserID:    userID,
		Name:      name,
		Hash:      hash[:],
		Hint:      secret[:hintLength],
		CreatedAt: s.now().UTC(),
	}
	if err := s.store.InsertAPIKey(ctx, key, maxActiveKeys); err != nil {
		return "", nil, fmt.Errorf("store API key: %w", err)
	}
	return secret, key, nil
}

// Keys returns a user's keys that are not revoked, oldest first.
func (s *Service) Keys(ctx context.Context, userID string) ([]*assay.APIKey, error) {
	return s.store.APIKeys(ctx, userID)
}

// RevokeKey revokes a key of a user, at once: api_key_not_found, also when it was
// revoked before.
func (s *Service) RevokeKey(ctx context.Context, userID, keyID string) error {
	return s.store.RevokeAPIKey(ctx, userID, keyID, s.now().UTC())
}

// checkName returns a name without blanks around it.
func checkName(field, name string) (string, error) {
	name = strings.TrimSpace(name)
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", assay.Errorf(assay.CodeInvalid, "%s holds characters that cannot be shown", field)
	}
	if utf8.RuneCountInString(name) > maxNameRunes {
		return "", assay.Errorf(assay.CodeInvalid, "%s has more than %d characters", field, maxNameRunes)
	}
	return name, nil
}

// checkEmail accepts a plain address, without a display name or comments. Whether it
// takes mail is not known until mail is sent.
func checkEmail(email string) error {
	addr, err := mail.ParseAddress(email)
	if err != nil || addr.Address != email || len(email) > maxEmailBytes || strings.ContainsAny(email, "\"<> ") {
		return assay.Errorf(assay.CodeInvalid, "%q is not an e-mail address such as ada@example.org", email)
	}
	return nil
}
