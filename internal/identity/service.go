// Package identity knows who calls: users, their API keys, and their logins through
// GitHub.
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

// Service is the rules of users and keys, and reads the audit log. It is safe for concurrent use.
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
func (s *Service) CreateUser(ctx context.Context, by Actor, name, email string) (*assay.User, error) {
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
	if err := s.store.InsertUser(ctx, u, s.event(by, assay.AuditUserCreate, u.ID, "", "")); err != nil {
		return nil, fmt.Errorf("store user: %w", err)
	}
	return u, nil
}

// User returns a user: user_not_found.
func (s *Service) User(ctx context.Context, id string) (*assay.User, error) {
	return s.store.User(ctx, id)
}

// Users returns at most limit users whose ids come after a given one, in the order in
// which they were made.
func (s *Service) Users(ctx context.Context, after string, limit int) ([]*assay.User, error) {
	return s.store.Users(ctx, after, limit)
}

// SetActive disables a user, whose logins end at once and whose keys open nothing any
// more, or enables one, whose keys open again: user_not_found.
func (s *Service) SetActive(ctx context.Context, by Actor, userID string, active bool) (*assay.User, error) {
	action := assay.AuditUserDisable
	if active {
		action = assay.AuditUserEnable
	}
	return s.store.SetUserActive(ctx, userID, active, s.event(by, action, userID, "", ""))
}

// AcceptTerms notes that a user accepts the terms, at the first time that it says so.
func (s *Service) AcceptTerms(ctx context.Context, userID string) (*assay.User, error) {
	return s.store.AcceptTerms(ctx, userID, s.now().UTC())
}

// KeyRequest is what an API key is to be.
type KeyRequest struct {
	Name      string     // to tell keys apart; may be ""
	ExpiresAt *time.Time // nil for a key that does not expire
	// Feedback is how much is told of verdicts to who has the key. Defaults to what is told
	// to who makes it.
	Feedback assay.Feedback
}

// CreateKey makes an API key for a user, who already has at most 49 active ones
// (conflict). The time of its expiry must be ahead (invalid_request). A key that is told
// verdicts alone makes none that is told more (details_withheld). The secret is returned
// here and never again.
func (s *Service) CreateKey(ctx context.Context, by Actor, userID string, r KeyRequest) (secret string, key *assay.APIKey, err error) {
	name, err := checkName("name", r.Name)
	if err != nil {
		return "", nil, err
	}
	now := s.now().UTC()
	if r.ExpiresAt != nil && !r.ExpiresAt.After(now) {
		return "", nil, assay.Errorf(assay.CodeInvalid, "expires_at is not in the future")
	}
	if r.ExpiresAt != nil && r.ExpiresAt.Year() > 9999 {
		return "", nil, assay.Errorf(assay.CodeInvalid, "expires_at is beyond the year 9999")
	}
	feedback, err := feedbackOf(by, r)
	if err != nil {
		return "", nil, err
	}
	secret = newSecret(prefixAPIKey)
	key = &assay.APIKey{
		ID:        assay.NewID(assay.PrefixAPIKey),
		UserID:    userID,
		Name:      name,
		Hash:      hashOf(secret),
		Hint:      secret[:hintLength],
		CreatedAt: now,
		ExpiresAt: r.ExpiresAt,
		Feedback:  feedback,
	}
	detail := name
	if feedback != assay.FeedbackFull {
		detail = strings.TrimSpace(fmt.Sprintf("%s (feedback: %s)", name, feedback))
	}
	if err := s.store.InsertAPIKey(ctx, key, maxActiveKeys, s.event(by, assay.AuditKeyCreate, userID, key.ID, detail)); err != nil {
		return "", nil, fmt.Errorf("store API key: %w", err)
	}
	return secret, key, nil
}

// feedbackOf is how much will be told to who has a new key.
func feedbackOf(by Actor, r KeyRequest) (assay.Feedback, error) {
	if err := (assay.Judging{Feedback: r.Feedback}).Validate(); err != nil {
		return "", assay.Wrap(err, assay.CodeInvalid, "%s", err)
	}
	least := by.Feedback.Least(assay.FeedbackFull)
	if r.Feedback == "" {
		return least, nil
	}
	if r.Feedback.Least(least) != r.Feedback {
		return "", assay.Errorf(assay.CodeDetailsWithheld, "this key is told verdicts alone, and makes no key that is told more; ask for feedback %q, or use another key", assay.FeedbackVerdict)
	}
	return r.Feedback, nil
}

// Keys returns a user's keys that are not revoked, oldest first.
func (s *Service) Keys(ctx context.Context, userID string) ([]*assay.APIKey, error) {
	return s.store.APIKeys(ctx, userID)
}

// Key returns a key, whosever it is, also one that was revoked: api_key_not_found.
func (s *Service) Key(ctx context.Context, id string) (*assay.APIKey, error) {
	return s.store.APIKey(ctx, id)
}

// RevokeKey revokes a key of a user, at once: api_key_not_found, also when it was
// revoked before.
func (s *Service) RevokeKey(ctx context.Context, by Actor, userID, keyID string) error {
	return s.store.RevokeAPIKey(ctx, userID, keyID, s.event(by, assay.AuditKeyRevoke, userID, keyID, ""))
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

// shown returns at most a number of bytes of a text from elsewhere that people will
// see: what cannot be shown is left out.
func shown(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return strings.TrimSpace(text)
}
