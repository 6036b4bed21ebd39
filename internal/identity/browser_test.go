package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/internal/identity"
)

// browse goes to GitHub as a browser that is logged in there, and returns what it
// comes back with.
func browse(t *testing.T, begun *identity.Begun, login string) identity.LoginRequest {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(begun.URL + "&login=" + login)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	back, err := res.Location()
	if err != nil {
		t.Fatalf("GitHub answered %d: %v", res.StatusCode, err)
	}
	return identity.LoginRequest{Code: back.Query().Get("code"), State: back.Query().Get("state"), Browser: begun.Browser}
}

func TestABrowsersLogin(t *testing.T) {
	h := newHouse(t)
	h.octocat("octocat", "octo@example.org")
	other := h.another(t) // each step may be at another server
	for _, redirect := range []string{"", redirectURI, "https://assay.test/other"} {
		begun, err := h.Begin(t.Context(), redirect)
		if err != nil {
			t.Fatal(err)
		}
		q, _ := url.ParseQuery(begun.URL[strings.Index(begun.URL, "?")+1:])
		if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || begun.Expires != 10*time.Minute {
			t.Errorf("%v", q)
		}
		if in, err := other.LogIn(t.Context(), browse(t, begun, "octocat")); err != nil || in.User.Email != "octo@example.org" {
			t.Errorf("%v", err)
		}
	}
	for _, wrong := range []string{redirectURI + "/", redirectURI + "?x=1", "https://assay.test/LOGIN", "https://evil.test/login", "javascript:alert(1)"} {
		_, err := h.Begin(t.Context(), wrong)
		wantCode(t, wrong, err, assay.CodeInvalid)
	}
}

func TestAStateOfOursIsAlwaysChecked(t *testing.T) {
	h := newHouse(t)
	h.octocat("octocat", "octo@example.org")
	begin := func() (*identity.Begun, identity.LoginRequest) {
		t.Helper()
		begun, err := h.Begin(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		return begun, browse(t, begun, "octocat")
	}
	refused := func(what string, r identity.LoginRequest) {
		t.Helper()
		calls := h.github.Calls()
		_, err := h.LogIn(t.Context(), r)
		wantCode(t, what, err, assay.CodeUnauthenticated)
		if h.github.Calls() != calls {
			t.Errorf("%s: GitHub was asked", what)
		}
	}

	_, stolen := begin()
	stolen.Browser = ""
	refused("another browser, without a cookie", stolen)

	mallory, _ := begin()
	_, stolen = begin()
	stolen.Browser = mallory.Browser
	refused("another browser, with a cookie of its own", stolen)

	_, used := begin()
	if _, err := h.LogIn(t.Context(), used); err != nil {
		t.Fatal(err)
	}
	_, fresh := begin()
	used.Code = fresh.Code
	refused("used", used)

	_, late := begin()
	h.pass(10 * time.Minute)
	refused("expired", late)
	_, late = begin()
	h.pass(10 * time.Minute)
	begin() // removes what has expired
	refused("expired and removed", late)
}

func TestAForeignStateIsTakenUnlessOneOfOursIsRequired(t *testing.T) {
	h := newHouse(t)
	account := h.octocat("octocat", "octo@example.org")
	strict := h.another(t, func(c *identity.LoginConfig) { c.RequireState = true })
	for _, state := range []string{"", "a-state-of-the-client", strings.Repeat("A", 75)} {
		if _, err := h.LogIn(t.Context(), identity.LoginRequest{Code: h.github.Code(account), State: state}); err != nil {
			t.Errorf("%q: %v", state, err)
		}
		_, err := strict.LogIn(t.Context(), identity.LoginRequest{Code: h.github.Code(account), State: state})
		wantCode(t, state, err, assay.CodeUnauthenticated)
	}
	begun, err := strict.Begin(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := strict.LogIn(t.Context(), browse(t, begun, "octocat")); err != nil {
		t.Errorf("one of ours: %v", err)
	}
}
