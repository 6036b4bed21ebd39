package e2e_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/client"
	"assay/client/wire"
	"assay/e2e/harness"
	"assay/internal/github/githubtest"
)

// withGitHub starts a server of p's that people log in to through gh.
func withGitHub(t *testing.T, p harness.Program, gh *githubtest.Server, args ...string) *harness.Server {
	t.Helper()
	return start(t, p, append([]string{
		"--github-client-id", githubtest.ClientID, "--github-client-secret", githubtest.ClientSecret,
		"--github-base-url", gh.URL, "--token-issuer", "https://assay.invalid",
	}, args...)...)
}

func clientOf(t *testing.T, s *harness.Server, token string) *client.Client {
	t.Helper()
	c, err := client.New(s.URL, token)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// browser is somebody's browser: it has cookies, and follows no redirect by itself.
func browser(t *testing.T, s *harness.Server, gh *githubtest.Server, login string) (code, state string, cookie *http.Cookie) {
	t.Helper()
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	visit := func(to string) (*url.URL, *http.Response) {
		res, err := c.Get(to)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		next, err := res.Location()
		if err != nil {
			t.Fatalf("%s answered %d: %v", to, res.StatusCode, err)
		}
		return next, res
	}
	authorize, res := visit(s.APIBase() + "/auth/github/login")
	if !strings.HasPrefix(authorize.String(), gh.URL) || len(res.Cookies()) != 1 {
		t.Fatalf("sent to %s with %v", authorize, res.Cookies())
	}
	back, _ := visit(authorize.String() + "&login=" + login)
	return back.Query().Get("code"), back.Query().Get("state"), res.Cookies()[0]
}

// TestPeopleLogIn: a browser's login, across a restart of the server, a rotation of
// its keys and the end of the user.
func TestPeopleLogIn(t *testing.T) {
	t.Parallel()
	ctx, p, gh := t.Context(), ownProgram(t), githubtest.New()
	defer gh.Close()
	gh.AddUser(githubtest.Verified("octocat", "octo@example.org"))
	s := withGitHub(t, p, gh, "--require-state")

	code, state, cookie := browser(t, s, gh, "octocat")
	if err := s.Stop(); err != nil { // the state outlives the server that made it
		t.Fatal(err)
	}
	s = withGitHub(t, p, gh, "--require-state")
	page := caller{base: s.APIBase()}
	post := func(body wire.GitHubLogin, cookie string) reply {
		t.Helper()
		return page.call(t, "POST", "/auth/github", body, "Cookie", "assay_login="+cookie)
	}
	refused(t, post(wire.GitHubLogin{Code: code}, cookie.Value), 401, assay.CodeUnauthenticated) // without a state
	refused(t, post(wire.GitHubLogin{Code: code, State: state + "x"}, cookie.Value), 401, assay.CodeUnauthenticated)
	in := must[wire.LoggedIn](t, post(wire.GitHubLogin{Code: code, State: state}, cookie.Value), 200)
	refused(t, post(wire.GitHubLogin{Code: code, State: state}, cookie.Value), 401, assay.CodeUnauthenticated) // again

	octo := clientOf(t, s, in.AccessToken)
	if me, err := octo.Me(ctx); err != nil || me.UserID != in.UserID {
		t.Fatalf("%+v %v", me, err)
	}
	if _, err := p.Run(ctx, "keys", "rotate"); err != nil {
		t.Fatal(err)
	}
	if _, err := octo.Me(ctx); err != nil {
		t.Errorf("after a rotation the token of before: %v", err)
	}
	fresh, err := octo.RefreshToken(ctx, in.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := clientOf(t, s, fresh.AccessToken).Me(ctx); err != nil {
		t.Errorf("a token of the new key: %v", err)
	}
	if _, err := p.Run(ctx, "keys", "rotate", "--forget"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server forgets the older keys", func() bool {
		_, err := octo.Me(ctx)
		return assay.CodeOf(err) == assay.CodeUnauthenticated
	})
	if fresh, err = octo.RefreshToken(ctx, in.RefreshToken); err != nil {
		t.Fatal(err)
	}
	octo = clientOf(t, s, fresh.AccessToken)
	key, err := octo.CreateAPIKey(ctx, "ci")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(ctx, "user", "disable", in.UserID); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*client.Client{"token": octo, "key": clientOf(t, s, key.Key)} {
		if _, err := c.Me(ctx); assay.CodeOf(err) != assay.CodeUnauthenticated {
			t.Errorf("the %s of a disabled user: %v", name, err)
		}
	}
	if _, err := octo.RefreshToken(ctx, in.RefreshToken); assay.CodeOf(err) != assay.CodeUnauthenticated {
		t.Errorf("the refresh token of a disabled user: %v", err)
	}
	told, err := p.Run(ctx, "audit", "--limit", "1000")
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range []assay.AuditAction{assay.AuditUserCreate, assay.AuditLogin, assay.AuditKeysRotate, assay.AuditKeyCreate, assay.AuditUserDisable} {
		if !bytes.Contains(told, []byte(action)) {
			t.Errorf("the audit log does not tell of %s:\n%s", action, told)
		}
	}
}

// TestGitHubIsSlow: a login is answered in time.
func TestGitHubIsSlow(t *testing.T) {
	t.Parallel()
	gh := githubtest.New()
	defer gh.Close()
	id := gh.AddUser(githubtest.Verified("octocat", "octo@example.org"))
	s := withGitHub(t, ownProgram(t), gh)
	gh.Fail("", githubtest.Slow)
	r := caller{base: s.APIBase()}.call(t, "POST", "/auth/github", wire.GitHubLogin{Code: gh.Code(id)})
	refused(t, r, 503, assay.CodeUnavailable)
	if r.took > 11*time.Second {
		t.Errorf("answered after %s", r.took)
	}
}
