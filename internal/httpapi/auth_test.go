package httpapi

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"assay"
	"assay/client/wire"
	"assay/internal/github"
	"assay/internal/github/githubtest"
	"assay/internal/identity"
	"assay/internal/identity/token"
	"assay/internal/store"
)

// auth is a server whose users, keys and logins are real, beside a GitHub.
type auth struct {
	*server
	github  *githubtest.Server
	users   *identity.Service
	store   *store.Store
	tokens  *token.Authority
	keyring string
	lapsed  time.Duration // of the clock, beyond the world's
}

const (
	testIssuer   = "https://assay.test"
	testAudience = testIssuer + "/api/v1"
)

func newAuth(t *testing.T, change ...func(*Config)) *auth {
	t.Helper()
	a := &auth{github: githubtest.New(), keyring: filepath.Join(t.TempDir(), "tokens.keys")}
	t.Cleanup(a.github.Close)
	now := func() time.Time { return epoch.Add(a.lapsed) }
	a.github.SetNow(now)
	var err error
	if a.store, err = store.Open(t.Context(), filepath.Join(t.TempDir(), "assay.db"), store.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.store.Close() })
	a.users = identity.New(identity.Config{Store: a.store, Now: now})
	t.Cleanup(a.users.Close)
	keys := must[*token.Keyring](t)(token.OpenKeyring(a.keyring, now))
	a.tokens = must[*token.Authority](t)(token.NewAuthority(token.Config{Keys: keys, Issuer: testIssuer, Audience: testAudience, Now: now}))
	gh := must[*github.Client](t)(github.New(github.Config{ClientID: githubtest.ClientID, ClientSecret: githubtest.ClientSecret, BaseURL: a.github.URL}))
	var log bytes.Buffer
	logins := must[*identity.Logins](t)(identity.NewLogins(identity.LoginConfig{
		Store: a.store, Tokens: a.tokens, StateKey: bytes.Repeat([]byte("k"), 32), GitHub: gh,
		RedirectURIs: []string{"https://assay.test/login"}, Now: now, Log: slog.New(slog.NewTextHandler(&log, nil)),
	}))
	a.server = newServer(t, append([]func(*Config){func(c *Config) {
		c.Identity, c.Logins = a.users, logins
		c.Limits.AuthPerMinute = -1 // attackers here come from one address, and the clock stands
	}}, change...)...)
	return a
}

// octocat adds an account.
func (a *auth) octocat(login string) int64 {
	return a.github.AddUser(githubtest.Verified(login, login+"@example.org"))
}

// logIn logs an account in.
func (a *auth) logIn(t *testing.T, account int64) wire.LoggedIn {
	t.Helper()
	rec := a.do(t, request{method: "POST", path: "/auth/github", body: `{"code":"` + a.github.Code(account) + `"}`, anonymous: true})
	wantStatus(t, rec, 200)
	return decodeAs[wire.LoggedIn](t, rec)
}

// as is a request with a bearer token.
func as(token string, r request) request {
	r.anonymous = true
	r.headers = append(r.headers, "Authorization: Bearer "+token)
	return r
}

func TestLoginOnTheWire(t *testing.T) {
	a := newAuth(t)
	octo := a.octocat("octocat")
	in := a.logIn(t, octo)
	if in.TokenType != "Bearer" || in.ExpiresIn != 3600 || !in.IsNewUser || !strings.HasPrefix(in.UserID, "usr_") || !strings.HasPrefix(in.RefreshToken, "art_") {
		t.Errorf("%+v", in)
	}
	me := decodeAs[wire.User](t, a.do(t, as(in.AccessToken, request{method: "GET", path: "/users/me"})))
	if me.UserID != in.UserID || me.GitHubID == nil || me.Email != "octocat@example.org" || me.LastLoginAt == nil {
		t.Errorf("%+v", me)
	}
	if again := a.logIn(t, octo); again.IsNewUser || again.UserID != in.UserID {
		t.Errorf("%+v", again)
	}

	rec := a.do(t, request{method: "POST", path: "/auth/refresh", body: `{"refresh_token":"` + in.RefreshToken + `"}`, anonymous: true})
	wantStatus(t, rec, 200)
	fresh := decodeAs[wire.TokenRefreshed](t, rec)
	if fresh.TokenType != "Bearer" || fresh.ExpiresIn != 3600 {
		t.Errorf("%+v", fresh)
	}
	rec = a.do(t, as(fresh.AccessToken, request{method: "POST", path: "/auth/logout"}))
	wantStatus(t, rec, 200)
	wantJSON(t, rec.Body.Bytes(), `{"message":"logged out"}`)
	for _, tok := range []string{in.AccessToken, fresh.AccessToken} {
		wantError(t, a.do(t, as(tok, request{method: "GET", path: "/users/me"})), 401, "unauthenticated")
	}
	wantError(t, a.do(t, request{method: "POST", path: "/auth/refresh", body: `{"refresh_token":"` + in.RefreshToken + `"}`, anonymous: true}), 401, "unauthenticated")
}

func TestLoginIsRefusedOnTheWire(t *testing.T) {
	a := newAuth(t)
	octo := a.octocat("octocat")
	in := a.logIn(t, octo)
	unverified := a.github.AddUser(githubtest.User{Login: "new", Emails: []githubtest.Email{{Email: "n@example.org", Primary: true}}})
	logIn := func(code string) *httptest.ResponseRecorder {
		return a.do(t, request{method: "POST", path: "/auth/github", body: `{"code":"` + code + `","state":null}`, anonymous: true})
	}
	wantError(t, logIn("nonsense"), 401, "unauthenticated")
	wantError(t, logIn(a.github.Code(unverified)), 403, "email_not_verified")
	a.github.Fail("", githubtest.Broken)
	rec := logIn(a.github.Code(octo))
	wantError(t, rec, 503, "unavailable")
	if rec.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	a.github.Fail("", githubtest.None)
	if _, err := a.users.SetActive(t.Context(), identity.Operator, in.UserID, false); err != nil {
		t.Fatal(err)
	}
	wantError(t, logIn(a.github.Code(octo)), 403, "user_disabled")

	for _, body := range []string{`{}`, `{"code":""}`, `{"code":1}`, `{"code":"` + strings.Repeat("x", 513) + `"}`, `null`} {
		wantStatus(t, a.do(t, request{method: "POST", path: "/auth/github", body: body, anonymous: true}), 422)
	}
	if strings.Contains(a.log.String(), githubtest.ClientSecret) || strings.Contains(a.log.String(), in.RefreshToken) {
		t.Errorf("the log holds a secret: %s", a.log)
	}
}

func TestAServerWithoutAnOAuthAppSaysSo(t *testing.T) {
	a := newAuth(t)
	a.api.cfg.Logins = must[*identity.Logins](t)(identity.NewLogins(identity.LoginConfig{Store: a.store, Tokens: a.tokens, StateKey: make([]byte, 32)}))
	wantError(t, a.do(t, request{method: "POST", path: "/auth/github", body: `{"code":"x"}`, anonymous: true}), 503, "login_not_configured")
	wantError(t, a.do(t, request{method: "GET", path: "/auth/github/login", anonymous: true}), 503, "login_not_configured")
}

// begin begins a login, and returns GitHub's URL and the cookie.
func (a *auth) begin(t *testing.T, query string) (*url.URL, *http.Cookie) {
	t.Helper()
	rec := a.do(t, request{method: "GET", path: "/auth/github/login" + query, anonymous: true})
	wantStatus(t, rec, 302)
	to, err := rec.Result().Location()
	if err != nil || len(rec.Result().Cookies()) != 1 {
		t.Fatalf("%v %v", rec.Header(), err)
	}
	return to, rec.Result().Cookies()[0]
}

func TestALoginInABrowser(t *testing.T) {
	a := newAuth(t, func(c *Config) { c.BaseURL = "https://assay.test" })
	a.octocat("octocat")
	to, cookie := a.begin(t, "?redirect_uri=https%3A%2F%2Fassay.test%2Flogin")
	if !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/api/v1/auth" || cookie.MaxAge != 600 {
		t.Errorf("%+v", cookie)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(to.String() + "&login=octocat")
	if err != nil {
		t.Fatal(err)
	}
	back, err := res.Location()
	if err != nil || back.Host != "assay.test" || back.Path != "/login" {
		t.Fatalf("%v %v", back, err)
	}
	q := back.Query()
	post := request{method: "POST", path: "/auth/github", body: `{"code":"` + q.Get("code") + `","state":"` + q.Get("state") + `"}`, anonymous: true}
	post.headers = []string{"Cookie: " + cookie.Name + "=" + cookie.Value}
	rec := a.do(t, post)
	wantStatus(t, rec, 200)
	if ended := rec.Result().Cookies(); len(ended) != 1 || ended[0].MaxAge >= 0 || ended[0].Path != cookie.Path {
		t.Errorf("the cookie goes on: %v", ended)
	}
	wantError(t, a.do(t, post), 401, "unauthenticated")

	to, _ = a.begin(t, "")
	stolen := to.Query().Get("state")
	wantError(t, a.do(t, request{
		method: "POST", path: "/auth/github", body: `{"code":"x","state":"` + stolen + `"}`, anonymous: true, headers: []string{"Cookie: assay_login=mine"},
	}), 401, "unauthenticated")
	wantError(t, a.do(t, request{method: "GET", path: "/auth/github/login?redirect_uri=https://evil.test/", anonymous: true}), 400, "invalid_request")
	if !strings.HasPrefix(to.String(), a.github.URL+"/login/oauth/authorize?") {
		t.Errorf("sent to %s", to)
	}
}

func TestACookieOverPlainHTTPIsNotSecure(t *testing.T) {
	a := newAuth(t)
	if _, cookie := a.begin(t, ""); cookie.Secure || !cookie.HttpOnly {
		t.Errorf("a browser would not send it back: %+v", cookie)
	}
}

func TestAKeyHasNoLoginToEnd(t *testing.T) {
	a := newAuth(t)
	in := a.logIn(t, a.octocat("octocat"))
	rec := a.do(t, as(in.AccessToken, request{method: "POST", path: "/users/me/api-keys", body: `{"name":"ci","expires_at":"2026-03-01T12:00:00+01:00"}`}))
	wantError(t, rec, 400, "invalid_request") // the epoch of the tests has just passed
	wantStatus(t, a.do(t, as(in.AccessToken, request{method: "POST", path: "/users/me/api-keys", body: `{"expires_at":"tomorrow"}`})), 422)
	rec = a.do(t, as(in.AccessToken, request{method: "POST", path: "/users/me/api-keys", body: `{"name":"ci","expires_at":"2026-03-02T00:00:00Z"}`}))
	wantStatus(t, rec, 201)
	key := decodeAs[wire.APIKeyCreated](t, rec).APIKey
	if key.ExpiresAt == nil || !key.ExpiresAt.Equal(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", key)
	}
	wantStatus(t, a.do(t, as(in.AccessToken, request{method: "POST", path: "/users/me/api-keys", body: `{"name":null,"expires_at":null}`})), 201)
	wantError(t, a.do(t, as(key.Key, request{method: "POST", path: "/auth/logout", body: `{}`})), 400, "invalid_request")
	wantStatus(t, a.do(t, as(key.Key, request{method: "GET", path: "/users/me"})), 200)
}

func TestClientLogsIn(t *testing.T) {
	a := newAuth(t)
	ctx, anyone := t.Context(), a.dial(t, "")
	in := must[*wire.LoggedIn](t)(anyone.GitHubLogin(ctx, wire.GitHubLogin{Code: a.github.Code(a.octocat("octocat"))}))
	fresh := must[*wire.TokenRefreshed](t)(anyone.RefreshToken(ctx, in.RefreshToken))
	octo := a.dial(t, fresh.AccessToken)
	if me := must[*wire.User](t)(octo.Me(ctx)); me.UserID != in.UserID {
		t.Errorf("%+v", me)
	}
	if err := octo.LogOut(ctx, in.RefreshToken); err != nil {
		t.Fatal(err)
	}
	if _, err := octo.Me(ctx); assay.CodeOf(err) != assay.CodeUnauthenticated {
		t.Errorf("logged out: %v", err)
	}
}

func TestLoginsAndKeysAreAuditedWithTheAddress(t *testing.T) {
	a := newAuth(t)
	in := a.logIn(t, a.octocat("octocat"))
	rec := a.do(t, as(in.AccessToken, request{method: "POST", path: "/users/me/api-keys"}))
	key := decodeAs[wire.APIKeyCreated](t, rec).APIKey
	a.do(t, as(in.AccessToken, request{method: "DELETE", path: "/users/me/api-keys", body: `{"key_id":"` + key.KeyID + `"}`}))
	a.do(t, as(in.AccessToken, request{method: "POST", path: "/auth/logout", body: `{"refresh_token":"` + in.RefreshToken + `"}`}))
	events, err := a.users.Audit(t.Context(), identity.AuditQuery{UserID: in.UserID})
	if err != nil {
		t.Fatal(err)
	}
	want := []assay.AuditAction{assay.AuditUserCreate, assay.AuditLogin, assay.AuditKeyCreate, assay.AuditKeyRevoke, assay.AuditLogout}
	if len(events) != len(want) {
		t.Fatalf("%+v", events)
	}
	for i, e := range events {
		if e.Action != want[i] || e.Address != "192.0.2.1" || e.Actor != in.UserID { // the address of httptest's requests
			t.Errorf("%+v, want %s", e, want[i])
		}
	}
}

func TestWhatTakesASecretOfAStrangerIsLimitedStrictly(t *testing.T) {
	a := newAuth(t)
	seen := 0
	for path, item := range a.api.huma.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post} {
			if op == nil || !strings.HasPrefix(path, "/auth/") || len(op.Security) > 0 {
				continue
			}
			seen++
			if strictnessOf(op) != limitStrictly {
				t.Errorf("%s can be tried as often as anything", op.OperationID)
			}
		}
	}
	if seen != 3 {
		t.Errorf("saw %d operations", seen)
	}

	a = newAuth(t, func(c *Config) { c.Limits.AuthPerMinute = 2 })
	for i := range 3 {
		rec := a.do(t, request{method: "POST", path: "/auth/github", body: `{"code":"guess"}`, anonymous: true})
		if want := []int{401, 401, 429}[i]; rec.Code != want {
			t.Errorf("guess %d: %d, want %d: %s", i, rec.Code, want, rec.Body)
		}
	}
	if calls := a.github.Calls(); calls != 2 {
		t.Errorf("GitHub was asked %d times", calls)
	}
}
