package identity_test

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"assay"
	"assay/internal/github"
	"assay/internal/github/githubtest"
	"assay/internal/identity"
	"assay/internal/identity/token"
	"assay/internal/store"
)

const redirectURI = "https://assay.test/login"

// house is a server's logins over a database, beside a GitHub, with a clock that a
// test turns.
type house struct {
	*identity.Logins
	github *githubtest.Server
	store  *store.Store
	users  *identity.Service
	keys   string // file of the keyring
	log    bytes.Buffer

	mu    sync.Mutex
	clock time.Time
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = h.clock.Add(d)
}

func newHouse(t testing.TB, change ...func(*identity.LoginConfig)) *house {
	t.Helper()
	h := &house{github: githubtest.New(), clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), keys: filepath.Join(t.TempDir(), "tokens.keys")}
	t.Cleanup(h.github.Close)
	h.github.SetNow(h.now)
	var err error
	if h.store, err = store.Open(t.Context(), filepath.Join(t.TempDir(), "assay.db"), store.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.store.Close() })
	h.users = identity.New(identity.Config{Store: h.store, Now: h.now})
	t.Cleanup(h.users.Close)
	h.Logins = h.another(t, change...)
	return h
}

// another is the logins of another server over the same database and keys.
func (h *house) another(t testing.TB, change ...func(*identity.LoginConfig)) *identity.Logins {
	t.Helper()
	gh, err := github.New(github.Config{ClientID: githubtest.ClientID, ClientSecret: githubtest.ClientSecret, BaseURL: h.github.URL})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := token.OpenKeyring(h.keys, h.now)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := token.NewAuthority(token.Config{Keys: keys, Issuer: "https://assay.test", Audience: "https://assay.test/api/v1", Now: h.now})
	if err != nil {
		t.Fatal(err)
	}
	c := identity.LoginConfig{
		Store: h.store, Tokens: tokens, StateKey: bytes.Repeat([]byte("k"), 32), GitHub: gh,
		RedirectURIs: []string{redirectURI, "https://assay.test/other"}, WelcomeCredit: assay.FromCents(500),
		Now: h.now, Log: slog.New(slog.NewTextHandler(&h.log, nil)),
	}
	for _, f := range change {
		f(&c)
	}
	l, err := identity.NewLogins(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// octocat adds an account with that address.
func (h *house) octocat(login, email string) int64 {
	return h.github.AddUser(githubtest.Verified(login, email))
}

// logIn logs an account in, without a browser.
func (h *house) logIn(t testing.TB, account int64) *identity.LoggedIn {
	t.Helper()
	in, err := h.LogIn(t.Context(), identity.LoginRequest{Code: h.github.Code(account), Address: "192.0.2.1", UserAgent: "curl/8"})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func wantCode(t *testing.T, what string, err error, want assay.Code) {
	t.Helper()
	if got := assay.CodeOf(err); got != want {
		t.Errorf("%s: got %v (%s), want %s", what, err, got, want)
	}
}

func TestALoginOpensAndRefreshesAndEnds(t *testing.T) {
	h := newHouse(t)
	account := h.octocat("octocat", "octo@example.org")
	in := h.logIn(t, account)
	if !in.IsNew || in.User.Name != "OCTOCAT" || in.User.Email != "octo@example.org" || in.Access.ExpiresIn != time.Hour {
		t.Errorf("%+v %+v", in, in.User)
	}
	if again := h.logIn(t, account); again.IsNew || again.User.ID != in.User.ID {
		t.Errorf("the second login: %+v", again)
	}
	user, login, err := h.Authenticate(t.Context(), in.Access.Token)
	if err != nil || user.ID != in.User.ID || login.Address != "192.0.2.1" || login.UserAgent != "curl/8" {
		t.Fatalf("%+v %+v %v", user, login, err)
	}

	h.pass(59 * time.Minute)
	if _, _, err := h.Authenticate(t.Context(), in.Access.Token); err != nil {
		t.Errorf("after 59 minutes: %v", err)
	}
	h.pass(2 * time.Minute)
	_, _, err = h.Authenticate(t.Context(), in.Access.Token)
	wantCode(t, "after an hour", err, assay.CodeUnauthenticated)
	access, err := h.Refresh(t.Context(), in.RefreshToken)
	if err != nil || access.ExpiresIn != time.Hour {
		t.Fatalf("%+v %v", access, err)
	}
	if _, _, err := h.Authenticate(t.Context(), access.Token); err != nil {
		t.Errorf("refreshed: %v", err)
	}

	if err := h.LogOut(t.Context(), login, "", "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	other := h.another(t)
	for name, l := range map[string]*identity.Logins{"here": h.Logins, "another server": other} {
		_, _, err = l.Authenticate(t.Context(), access.Token)
		wantCode(t, "logged out, "+name, err, assay.CodeUnauthenticated)
		_, err = l.Refresh(t.Context(), in.RefreshToken)
		wantCode(t, "logged out, "+name, err, assay.CodeUnauthenticated)
	}
}

func TestALoginEndsAfterThirtyDays(t *testing.T) {
	h := newHouse(t)
	in := h.logIn(t, h.octocat("octocat", "octo@example.org"))
	h.pass(30*24*time.Hour - 10*time.Minute)
	access, err := h.Refresh(t.Context(), in.RefreshToken)
	if err != nil || access.ExpiresIn != 10*time.Minute {
		t.Fatalf("an access token must not outlive its login: %+v %v", access, err)
	}
	h.pass(10 * time.Minute)
	_, err = h.Refresh(t.Context(), in.RefreshToken)
	wantCode(t, "refresh", err, assay.CodeUnauthenticated)
	_, _, err = h.Authenticate(t.Context(), access.Token) // within the leeway of its own time
	wantCode(t, "access", err, assay.CodeUnauthenticated)
}

func TestUsersAreKnownByTheirNumberAlone(t *testing.T) {
	h := newHouse(t)
	made, err := h.users.CreateUser(t.Context(), identity.Operator, "Octo", "octo@example.org")
	if err != nil {
		t.Fatal(err)
	}
	a, b := h.octocat("octocat", "octo@example.org"), h.octocat("hubot", "octo@example.org")
	ids := map[string]bool{made.ID: true, h.logIn(t, a).User.ID: true, h.logIn(t, b).User.ID: true}
	if len(ids) != 3 {
		t.Errorf("three users with one address became %d", len(ids))
	}
	// The account is renamed, and moves to another address: it stays the same user.
	h.github.AddUser(githubtest.User{ID: a, Login: "renamed", Emails: []githubtest.Email{{Email: "new@example.org", Primary: true, Verified: true}}})
	in := h.logIn(t, a)
	if !ids[in.User.ID] || in.IsNew || in.User.Name != "renamed" || in.User.Email != "new@example.org" || !in.User.LastLoginAt.Equal(h.now()) {
		t.Errorf("%+v", in.User)
	}
}

func TestFirstLoginsAtOnceMakeOneUser(t *testing.T) {
	h := newHouse(t)
	account := h.octocat("octocat", "octo@example.org")
	var (
		wg  sync.WaitGroup
		mu  sync.Mutex
		ids = map[string]int{}
	)
	for range 8 {
		code := h.github.Code(account)
		wg.Go(func() {
			in, err := h.LogIn(t.Context(), identity.LoginRequest{Code: code})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if ids[in.User.ID] += 0; in.IsNew {
				ids[in.User.ID]++
			}
		})
	}
	wg.Wait()
	for id, made := range ids {
		if len(ids) != 1 || made != 1 {
			t.Errorf("user %s was made %d times; %v", id, made, ids)
		}
	}
}

func TestNamesFromGitHubAreMadeFitToBeShown(t *testing.T) {
	h := newHouse(t)
	for name, want := range map[string]string{
		"Ada\x00 \x1b[31mLovelace\n": "Ada [31mLovelace",
		strings.Repeat("ä", 300):     strings.Repeat("ä", 100),
		" \t":                        "octocat",
		"":                           "octocat",
	} {
		id := h.github.AddUser(githubtest.User{Login: "octocat", Name: name, Emails: []githubtest.Email{{Email: "o@example.org", Primary: true, Verified: true}}})
		if got := h.logIn(t, id).User.Name; got != want {
			t.Errorf("%q became %q", name, got)
		}
	}
}

func TestWhatGitHubRefusesLogsNobodyIn(t *testing.T) {
	h := newHouse(t)
	account := h.octocat("octocat", "octo@example.org")
	logIn := func(code string) error {
		_, err := h.LogIn(t.Context(), identity.LoginRequest{Code: code})
		return err
	}
	used := h.github.Code(account)
	if err := logIn(used); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "a used code", logIn(used), assay.CodeUnauthenticated)
	wantCode(t, "a wrong code", logIn("nonsense"), assay.CodeUnauthenticated)
	unverified := h.github.AddUser(githubtest.User{Login: "hubot", Emails: []githubtest.Email{{Email: "h@example.org", Primary: true}}})
	wantCode(t, "an unverified address", logIn(h.github.Code(unverified)), assay.CodeEmailNotVerified)
	code := h.github.Code(account)
	h.github.Fail("", githubtest.Broken)
	wantCode(t, "an outage", logIn(code), assay.CodeUnavailable)
	h.github.Fail("", githubtest.None)
	if err := logIn(code); err != nil {
		t.Errorf("after the outage: %v", err)
	}
	none := h.another(t, func(c *identity.LoginConfig) { c.GitHub = nil })
	_, err := none.LogIn(t.Context(), identity.LoginRequest{Code: code})
	wantCode(t, "no OAuth app", err, assay.CodeLoginNotConfigured)
	_, err = none.Begin(t.Context(), "")
	wantCode(t, "no OAuth app", err, assay.CodeLoginNotConfigured)
	for _, secret := range append(h.github.Tokens(), used, code, githubtest.ClientSecret) {
		if strings.Contains(h.log.String(), secret) {
			t.Errorf("the log holds a secret: %s", &h.log)
		}
	}
}

func TestADisabledUserIsOutAtOnce(t *testing.T) {
	h := newHouse(t)
	account := h.octocat("octocat", "octo@example.org")
	in := h.logIn(t, account)
	secret, _, err := h.users.CreateKey(t.Context(), identity.Operator, in.User.ID, identity.KeyRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.users.SetActive(t.Context(), identity.Operator, in.User.ID, false); err != nil {
		t.Fatal(err)
	}
	_, _, err = h.Authenticate(t.Context(), in.Access.Token)
	wantCode(t, "access token", err, assay.CodeUnauthenticated)
	_, err = h.Refresh(t.Context(), in.RefreshToken)
	wantCode(t, "refresh token", err, assay.CodeUnauthenticated)
	_, _, err = h.users.Authenticate(t.Context(), secret)
	wantCode(t, "key", err, assay.CodeUnauthenticated)
	_, err = h.LogIn(t.Context(), identity.LoginRequest{Code: h.github.Code(account)})
	wantCode(t, "login", err, assay.CodeUserDisabled)

	if _, err := h.users.SetActive(t.Context(), identity.Operator, in.User.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.users.Authenticate(t.Context(), secret); err != nil {
		t.Errorf("the key of a user that is enabled again: %v", err)
	}
	_, _, err = h.Authenticate(t.Context(), in.Access.Token)
	wantCode(t, "access token of before", err, assay.CodeUnauthenticated)
}

func TestRefreshTokensAreRefusedInTheSameWords(t *testing.T) {
	h := newHouse(t)
	expired := h.logIn(t, h.octocat("expired", "a@example.org"))
	h.pass(30 * 24 * time.Hour)
	revoked, disabled := h.logIn(t, h.octocat("revoked", "b@example.org")), h.logIn(t, h.octocat("disabled", "c@example.org"))
	_, login, err := h.Authenticate(t.Context(), revoked.Access.Token)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.LogOut(t.Context(), login, revoked.RefreshToken, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := h.users.SetActive(t.Context(), identity.Operator, disabled.User.ID, false); err != nil {
		t.Fatal(err)
	}
	key, _, err := h.users.CreateKey(t.Context(), identity.Operator, revoked.User.ID, identity.KeyRequest{})
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]bool{}
	for name, secret := range map[string]string{
		"none": "", "nonsense": "x", "a key": key, "an access token": revoked.Access.Token,
		"expired": expired.RefreshToken, "revoked": revoked.RefreshToken, "disabled": disabled.RefreshToken,
		"unknown": "art_" + strings.TrimPrefix(key, "ask_"),
	} {
		_, err := h.Refresh(t.Context(), secret)
		wantCode(t, name, err, assay.CodeUnauthenticated)
		words[err.Error()] = true
	}
	if len(words) != 1 {
		t.Errorf("refused in other words: %v", words)
	}
}

func TestLogoutEndsNobodyElsesLogin(t *testing.T) {
	h := newHouse(t)
	ada, bob := h.octocat("ada", "a@example.org"), h.octocat("bob", "b@example.org")
	phone, laptop, bobs := h.logIn(t, ada), h.logIn(t, ada), h.logIn(t, bob)
	_, login, err := h.Authenticate(t.Context(), phone.Access.Token)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.LogOut(t.Context(), login, bobs.RefreshToken, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Refresh(t.Context(), bobs.RefreshToken); err != nil {
		t.Errorf("Ada ended Bob's login: %v", err)
	}
	if _, err := h.Refresh(t.Context(), laptop.RefreshToken); err != nil {
		t.Errorf("the other login of Ada's ended: %v", err)
	}
	_, login, err = h.Authenticate(t.Context(), laptop.Access.Token)
	if err != nil {
		t.Fatal(err)
	}
	tablet := h.logIn(t, ada)
	if err := h.LogOut(t.Context(), login, tablet.RefreshToken, ""); err != nil {
		t.Fatal(err)
	}
	_, err = h.Refresh(t.Context(), tablet.RefreshToken)
	wantCode(t, "the login of the refresh token that was given", err, assay.CodeUnauthenticated)
}

func TestARevokedKeyOpensNothingOnEveryServer(t *testing.T) {
	h := newHouse(t)
	other := identity.New(identity.Config{Store: h.store, Now: h.now})
	defer other.Close()
	u, err := h.users.CreateUser(t.Context(), identity.Operator, "Ada", "ada@example.org")
	if err != nil {
		t.Fatal(err)
	}
	secret, key, err := h.users.CreateKey(t.Context(), identity.Operator, u.ID, identity.KeyRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := other.Authenticate(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if err := h.users.RevokeKey(t.Context(), identity.Operator, u.ID, key.ID); err != nil {
		t.Fatal(err)
	}
	_, _, err = other.Authenticate(t.Context(), secret)
	wantCode(t, "at the other server", err, assay.CodeUnauthenticated)
}

// failing is a store that cannot be reached.
type failing struct{ identity.LoginStore }

func (failing) Login(context.Context, string) (*assay.Login, *assay.User, error) {
	return nil, nil, context.DeadlineExceeded
}

func TestADatabaseThatFailsIsNoRefusalOfAToken(t *testing.T) {
	h := newHouse(t)
	in := h.logIn(t, h.octocat("octocat", "octo@example.org"))
	sick := h.another(t, func(c *identity.LoginConfig) { c.Store = failing{c.Store} })
	_, _, err := sick.Authenticate(t.Context(), in.Access.Token)
	wantCode(t, "the token may be good", err, assay.CodeInternal)
}

// BenchmarkAuthenticate is what each request pays: a signature and a look at the login.
func BenchmarkAuthenticate(b *testing.B) {
	h := newHouse(b)
	in := h.logIn(b, h.octocat("octocat", "octo@example.org"))
	for b.Loop() {
		if _, _, err := h.Authenticate(b.Context(), in.Access.Token); err != nil {
			b.Fatal(err)
		}
	}
}
