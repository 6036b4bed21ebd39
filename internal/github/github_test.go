package github

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/github/githubtest"
	"assay/internal/identity"
)

func fake(t *testing.T) (*githubtest.Server, *Client) {
	t.Helper()
	gh := githubtest.New()
	t.Cleanup(gh.Close)
	c, err := New(Config{ClientID: githubtest.ClientID, ClientSecret: githubtest.ClientSecret, BaseURL: gh.URL})
	if err != nil {
		t.Fatal(err)
	}
	return gh, c
}

func TestACodeTellsWhoItIs(t *testing.T) {
	gh, c := fake(t)
	id := gh.AddUser(githubtest.User{ID: 583231, Login: "octocat", Emails: []githubtest.Email{
		{Email: "other@example.org", Verified: true},
		{Email: "octo@example.org", Primary: true, Verified: true},
	}})
	code := gh.Code(id)
	got, err := c.Exchange(t.Context(), code, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&identity.GitHubUser{ID: "583231", Login: "octocat", Email: "octo@example.org"}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := c.Exchange(t.Context(), code, "", ""); !errors.Is(err, identity.ErrCodeRefused) {
		t.Errorf("a used code: %v", err)
	}
	late := gh.Code(id)
	gh.SetNow(func() time.Time { return time.Now().Add(10 * time.Minute) })
	if _, err := c.Exchange(t.Context(), late, "", ""); !errors.Is(err, identity.ErrCodeRefused) {
		t.Errorf("an expired code: %v", err)
	}
}

// browse follows an authorize URL as a browser that is logged in at GitHub, and returns
// the parameters that it comes back with.
func browse(t *testing.T, authURL, login string) url.Values {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(authURL + "&login=" + login)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	back, err := res.Location()
	if err != nil {
		t.Fatalf("status %d: %v", res.StatusCode, err)
	}
	return back.Query()
}

func TestACodeIsBoundToItsFlow(t *testing.T) {
	gh, c := fake(t)
	gh.AddUser(githubtest.Verified("octocat", "octo@example.org"))
	const verifier, redirect = "a-verifier-that-has-at-least-forty-three-characters", "https://assay.test/login"
	sum := sha256.Sum256([]byte(verifier))
	authURL := c.AuthURL("st&te", base64.RawURLEncoding.EncodeToString(sum[:]), redirect)
	for _, tt := range []struct {
		verifier, redirect string
		want               error
	}{
		{verifier, redirect, nil},
		{"", redirect, identity.ErrCodeRefused},
		{verifier + "x", redirect, identity.ErrCodeRefused},
		{verifier, "https://evil.test/login", identity.ErrCodeRefused},
	} {
		back := browse(t, authURL, "octocat")
		if back.Get("state") != "st&te" {
			t.Fatalf("came back with %v", back)
		}
		if _, err := c.Exchange(t.Context(), back.Get("code"), tt.verifier, tt.redirect); !errors.Is(err, tt.want) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

func TestOnlyAPrimaryVerifiedAddressCounts(t *testing.T) {
	gh, c := fake(t)
	for name, emails := range map[string][]githubtest.Email{
		"none":                 {},
		"primary, unverified":  {{Email: "a@example.org", Primary: true}},
		"verified, other":      {{Email: "a@example.org", Primary: true}, {Email: "b@example.org", Verified: true}},
		"no address":           {{Email: "nobody", Primary: true, Verified: true}},
		"with a line break":    {{Email: "a@example.org\nb", Primary: true, Verified: true}},
		"longer than any real": {{Email: strings.Repeat("a", 300) + "@example.org", Primary: true, Verified: true}},
	} {
		id := gh.AddUser(githubtest.User{Login: "octocat", Emails: emails})
		if _, err := c.Exchange(t.Context(), gh.Code(id), "", ""); !errors.Is(err, identity.ErrEmailNotVerified) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAGitHubThatFailsIsAwayAndNothingLeaks(t *testing.T) {
	faults := map[string]githubtest.Fault{
		"down": githubtest.Down, "broken": githubtest.Broken, "garbage": githubtest.Garbage,
		"empty": githubtest.Empty, "oversized": githubtest.Oversized, "moved": githubtest.Moved,
	}
	for name, fault := range faults {
		for _, path := range []string{"/login/oauth/access_token", "/api/v3/user", "/api/v3/user/emails"} {
			t.Run(name+path, func(t *testing.T) {
				gh, c := fake(t)
				code := gh.Code(gh.AddUser(githubtest.Verified("octocat", "octo@example.org")))
				gh.Fail(path, fault)
				_, err := c.Exchange(t.Context(), code, "", "")
				if !errors.Is(err, identity.ErrGitHubAway) {
					t.Fatalf("%v", err)
				}
				for _, secret := range append(gh.Tokens(), code, githubtest.ClientSecret) {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("the error tells a secret: %v", err)
					}
				}
			})
		}
	}
}

func TestASlowGitHubIsGivenUpOn(t *testing.T) {
	for _, path := range []string{"/login/oauth/access_token", "/api/v3/user/emails"} {
		gh, c := fake(t)
		code := gh.Code(gh.AddUser(githubtest.Verified("octocat", "octo@example.org")))
		gh.Fail(path, githubtest.Slow)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := c.Exchange(ctx, code, "", ""); !errors.Is(err, identity.ErrGitHubAway) {
			t.Errorf("%s: %v", path, err)
		}
		cancel()
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		if _, err := c.Exchange(ctx, code, "", ""); !errors.Is(err, context.Canceled) || errors.Is(err, identity.ErrGitHubAway) {
			t.Errorf("a caller that hung up: %v", err)
		}
	}
	if exchangeBound > 10*time.Second {
		t.Errorf("a login may take %s", exchangeBound)
	}
}

func TestAWrongClientSecretIsTheOperatorsFault(t *testing.T) {
	gh, _ := fake(t)
	c, err := New(Config{ClientID: githubtest.ClientID, ClientSecret: "wrong", BaseURL: gh.URL})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Exchange(t.Context(), gh.Code(gh.AddUser(githubtest.Verified("octocat", "octo@example.org"))), "", "")
	if !errors.Is(err, identity.ErrGitHubAway) || !strings.Contains(err.Error(), "client id and secret") {
		t.Errorf("%v", err)
	}
}

func TestWhereTheAPIIs(t *testing.T) {
	for base, want := range map[string]string{
		"":                           "https://api.github.com",
		"https://github.com":         "https://api.github.com",
		"https://github.example.org": "https://github.example.org/api/v3",
	} {
		c, err := New(Config{ClientID: "id", ClientSecret: "s", BaseURL: base})
		if err != nil || c.api != want {
			t.Errorf("%q: %v, %v", base, c, err)
		}
	}
	for _, base := range []string{"github.com", "https://github.com/", "https://"} {
		if _, err := New(Config{ClientID: "id", ClientSecret: "s", BaseURL: base}); err == nil {
			t.Errorf("%q was taken", base)
		}
	}
}
