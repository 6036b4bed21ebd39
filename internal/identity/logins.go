package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"assay"
	"assay/internal/identity/token"
)

// Bounds of logins.
const (
	loginLifetime = 30 * 24 * time.Hour // of a login, and so of its refresh token
	stateLifetime = 10 * time.Minute    // of a login that a browser has begun
	maxLogins     = 100                 // of a user; the oldest end
	maxAgentBytes = 256                 // kept of a user agent
)

// Logins is the rules of logging in through GitHub, and of the tokens that come of it.
// It is safe for concurrent use.
type Logins struct {
	cfg LoginConfig
	key stateKey
}

// LoginConfig is what Logins are made of.
type LoginConfig struct {
	Store  LoginStore       // required
	Tokens *token.Authority // required
	// StateKey is at least 32 random bytes, the same on all servers of a database and
	// after a restart.
	StateKey []byte
	// GitHub vouches for people. Without it nobody logs in: login_not_configured.
	GitHub GitHub
	// RedirectURIs is where GitHub may send a browser back to. The first one is the
	// default. Required with GitHub.
	RedirectURIs []string
	// RequireState refuses logins that did not begin here.
	RequireState bool
	// WelcomeCredit is what a user is given who logs in for the first time.
	WelcomeCredit assay.MicroUSD
	Now           func() time.Time // Defaults to time.Now
	Log           *slog.Logger     // Defaults to slog.Default(). Secrets are never logged
}

// NewLogins returns Logins.
func NewLogins(c LoginConfig) (*Logins, error) {
	switch {
	case c.Store == nil || c.Tokens == nil || len(c.StateKey) < 32:
		return nil, errors.New("logins need a store, tokens and a key of 32 bytes")
	case c.GitHub != nil && len(c.RedirectURIs) == 0:
		return nil, errors.New("logins through GitHub need a redirect URI")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Logins{cfg: c, key: c.StateKey}, nil
}

var errLoginNotConfigured = &assay.Error{
	Code:    assay.CodeLoginNotConfigured,
	Message: "this server has no GitHub login; use an API key, which its operator can make",
}

// Begun is a login that a browser has begun.
type Begun struct {
	URL     string        // at GitHub, where the browser goes next
	Browser string        // secret of this browser, which it keeps in a cookie
	Expires time.Duration // from now
}

// Begin begins the login of a browser, which comes back to redirectURI, or the default
// if that is "": invalid_request when it is not one of the list.
func (l *Logins) Begin(ctx context.Context, redirectURI string) (*Begun, error) {
	if l.cfg.GitHub == nil {
		return nil, errLoginNotConfigured
	}
	if redirectURI == "" {
		redirectURI = l.cfg.RedirectURIs[0]
	}
	if !slices.Contains(l.cfg.RedirectURIs, redirectURI) {
		return nil, assay.Errorf(assay.CodeInvalid, "redirect_uri is none of those that this server's operator allows (github_redirect_uris)")
	}
	now := l.cfg.Now().UTC()
	state, browser := l.key.newState(), rand.Text()
	err := l.cfg.Store.InsertLoginState(ctx, &LoginState{
		Hash: hashOf(state), BrowserHash: hashOf(browser),
		RedirectURI: redirectURI, ExpiresAt: now.Add(stateLifetime),
	}, now)
	if err != nil {
		return nil, fmt.Errorf("store the state of a login: %w", err)
	}
	url := l.cfg.GitHub.AuthURL(state, challengeOf(l.key.verifier(state, browser)), redirectURI)
	return &Begun{URL: url, Browser: browser, Expires: stateLifetime}, nil
}

// LoginRequest asks to log in with a code of GitHub's.
type LoginRequest struct {
	Code    string
	State   string // "" when the login did not begin here
	Browser string // what Begin gave the browser; "" for none

	Address   string // network address of the caller
	UserAgent string
}

// Access is an access token.
type Access struct {
	Token     string
	ExpiresIn time.Duration // to the second
}

// LoggedIn is a login that was made. The refresh token is shown here and never again.
type LoggedIn struct {
	User         *assay.User
	IsNew        bool
	Access       Access
	RefreshToken string
}

// LogIn exchanges a code at GitHub and logs in whose it is. Users are known by GitHub's
// number of their account alone: e-mail addresses change hands. Nothing is stored of a
// login that fails, but a state is used up by it. Its errors are login_not_configured,
// unauthenticated for a code or a state that is refused, email_not_verified,
// user_disabled, and unavailable while GitHub does not answer.
func (l *Logins) LogIn(ctx context.Context, r LoginRequest) (*LoggedIn, error) {
	if l.cfg.GitHub == nil {
		return nil, errLoginNotConfigured
	}
	verifier, redirectURI, err := l.flowOf(ctx, r)
	if err != nil {
		return nil, err
	}
	account, err := l.cfg.GitHub.Exchange(ctx, r.Code, verifier, redirectURI)
	if err != nil {
		l.cfg.Log.InfoContext(ctx, "login refused", "address", r.Address, "err", err)
		return nil, refusalOf(err)
	}
	now := l.cfg.Now().UTC()
	refresh := newSecret(prefixRefresh)
	login := &assay.Login{
		ID: assay.NewID(assay.PrefixLogin), RefreshHash: hashOf(refresh),
		CreatedAt: now, ExpiresAt: now.Add(loginLifetime),
		Address: r.Address, UserAgent: shown(r.UserAgent, maxAgentBytes),
	}
	user, isNew, err := l.cfg.Store.LogIn(ctx, LoginRecord{
		User: userOf(account, now), Login: login, MaxLogins: maxLogins, WelcomeCredit: l.cfg.WelcomeCredit,
	})
	if err != nil {
		return nil, fmt.Errorf("store a login: %w", err)
	}
	access, err := l.issue(user.ID, login, now)
	if err != nil {
		return nil, err
	}
	l.cfg.Log.InfoContext(ctx, "logged in", "user", user.ID, "login", login.ID, "new", isNew)
	return &LoggedIn{User: user, IsNew: isNew, Access: access, RefreshToken: refresh}, nil
}

// flowOf returns what the code of a request is bound to, and sees that its state is
// good: once, in time, in the browser that it was made for.
func (l *Logins) flowOf(ctx context.Context, r LoginRequest) (verifier, redirectURI string, err error) {
	if !l.key.made(r.State) {
		if l.cfg.RequireState {
			return "", "", assay.Errorf(assay.CodeUnauthenticated, "this server takes logins alone that began at its own login page")
		}
		return "", "", nil
	}
	s, err := l.cfg.Store.TakeLoginState(ctx, hashOf(r.State))
	if err != nil {
		return "", "", fmt.Errorf("look up the state of a login: %w", err)
	}
	if s == nil || !l.cfg.Now().Before(s.ExpiresAt) || subtle.ConstantTimeCompare(s.BrowserHash, hashOf(r.Browser)) != 1 {
		return "", "", assay.Errorf(assay.CodeUnauthenticated, "this login was used, took too long, or began in another browser; begin again")
	}
	return l.key.verifier(r.State, r.Browser), s.RedirectURI, nil
}

// refusalOf is what the caller hears of an error of GitHub's.
func refusalOf(err error) error {
	switch {
	case errors.Is(err, ErrCodeRefused):
		return assay.Wrap(err, assay.CodeUnauthenticated, "GitHub does not take the code: it is wrong, used or expired; log in again")
	case errors.Is(err, ErrEmailNotVerified):
		return assay.Wrap(err, assay.CodeEmailNotVerified, "your GitHub account has no verified primary e-mail address; verify one there, and log in again")
	case errors.Is(err, ErrGitHubAway):
		return assay.Wrap(err, assay.CodeUnavailable, "GitHub does not answer as it should; log in again in a moment")
	}
	return fmt.Errorf("ask GitHub: %w", err)
}

// userOf is a new user with an account.
func userOf(account *GitHubUser, now time.Time) *assay.User {
	name := shown(account.Name, 4*maxNameRunes)
	if name == "" {
		name = shown(account.Login, 4*maxNameRunes)
	}
	if runes := []rune(name); len(runes) > maxNameRunes {
		name = string(runes[:maxNameRunes])
	}
	return &assay.User{
		ID: assay.NewID(assay.PrefixUser), Name: name, Email: account.Email, GitHubID: account.ID,
		CreatedAt: now, LastLoginAt: &now, Active: true,
	}
}

// messageTokenRefused is all that a token that is refused hears.
const messageTokenRefused = "the token is wrong, expired or revoked; log in again"

// Refresh returns a new access token for the login of a refresh token:
// unauthenticated, in the same words whatever is wrong with it.
func (l *Logins) Refresh(ctx context.Context, refreshToken string) (Access, error) {
	refused := assay.Errorf(assay.CodeUnauthenticated, messageTokenRefused)
	if !wellFormed(prefixRefresh, refreshToken) {
		return Access{}, refused
	}
	hash := hashOf(refreshToken)
	login, user, err := l.cfg.Store.LoginByRefreshHash(ctx, hash)
	if assay.CodeOf(err) == assay.CodeUnauthenticated {
		return Access{}, refused
	}
	if err != nil {
		return Access{}, fmt.Errorf("look up a refresh token: %w", err)
	}
	now := l.cfg.Now().UTC()
	same := subtle.ConstantTimeCompare(hash, login.RefreshHash) == 1
	if !same || !login.Active(now) || !user.Active {
		return Access{}, refused
	}
	return l.issue(user.ID, login, now)
}

func (l *Logins) issue(userID string, login *assay.Login, now time.Time) (Access, error) {
	t, expires, err := l.cfg.Tokens.Issue(token.Claims{UserID: userID, LoginID: login.ID}, login.ExpiresAt)
	if err != nil {
		return Access{}, err
	}
	return Access{Token: t, ExpiresIn: max(0, expires.Sub(now).Round(time.Second))}, nil
}

// IsAccessToken tells access tokens from API keys by their form.
func IsAccessToken(token string) bool { return strings.Count(token, ".") == 2 }

// Authenticate returns the user and the login of an access token: unauthenticated for
// any other. Every call looks the login up: one that was revoked, or whose user was
// disabled, opens nothing from that moment, whichever server did it.
func (l *Logins) Authenticate(ctx context.Context, accessToken string) (*assay.User, *assay.Login, error) {
	claims, err := l.cfg.Tokens.Check(accessToken)
	if err != nil {
		return nil, nil, assay.Wrap(err, assay.CodeUnauthenticated, messageTokenRefused)
	}
	login, user, err := l.cfg.Store.Login(ctx, claims.LoginID)
	if assay.CodeOf(err) == assay.CodeUnauthenticated {
		return nil, nil, assay.Errorf(assay.CodeUnauthenticated, messageTokenRefused)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("look up a login: %w", err)
	}
	if login.UserID != claims.UserID || !login.Active(l.cfg.Now()) || !user.Active {
		return nil, nil, assay.Errorf(assay.CodeUnauthenticated, messageTokenRefused)
	}
	return user, login, nil
}

// LogOut revokes a login, and that of a refresh token if it is the same user's; any
// other refresh token is passed over, as RFC 7009 has it.
func (l *Logins) LogOut(ctx context.Context, login *assay.Login, refreshToken, address string) error {
	ids := []string{login.ID}
	if wellFormed(prefixRefresh, refreshToken) {
		other, _, err := l.cfg.Store.LoginByRefreshHash(ctx, hashOf(refreshToken))
		switch {
		case err != nil && assay.CodeOf(err) != assay.CodeUnauthenticated:
			return fmt.Errorf("look up a refresh token: %w", err)
		case err == nil && other.UserID == login.UserID && other.ID != login.ID:
			ids = append(ids, other.ID)
		}
	}
	for _, id := range ids {
		err := l.cfg.Store.RevokeLogin(ctx, id, assay.AuditEvent{
			At: l.cfg.Now().UTC(), Actor: login.UserID, Action: assay.AuditLogout, UserID: login.UserID, Subject: id, Address: address,
		})
		if err != nil {
			return fmt.Errorf("revoke a login: %w", err)
		}
	}
	return nil
}
