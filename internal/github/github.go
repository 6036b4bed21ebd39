// Package github asks GitHub who somebody is: github.com, or an Enterprise host.
//
// The exchange of codes is golang.org/x/oauth2's. GitHub answers a refused code with
// status 200 and {"error": "bad_verification_code"}, which x/oauth2 takes for an error as
// it does status 400; its other errors print bodies, so that none of them is passed on.
package github

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/oauth2"

	"assay/internal/identity"
)

// DefaultBaseURL is github.com.
const DefaultBaseURL = "https://github.com"

const (
	exchangeBound = 10 * time.Second // of all requests of an exchange
	maxAnswer     = 1 << 20          // bytes of one answer
	maxEmailBytes = 254
	scopeEmail    = "user:email" // to read the addresses; who somebody is needs none
)

// Config is what a Client is made of.
type Config struct {
	ClientID     string // of the OAuth app; required
	ClientSecret string // required
	// BaseURL is the host of the OAuth app, without a slash at its end. That of an
	// Enterprise host has its API at BaseURL/api/v3. Defaults to DefaultBaseURL.
	BaseURL string
	// Transport makes the requests. Defaults to http.DefaultTransport.
	Transport http.RoundTripper
}

// Client is an OAuth app at GitHub. It implements identity.GitHub, and is safe for
// concurrent use.
type Client struct {
	oauth oauth2.Config
	api   string
	http  *http.Client
}

var _ identity.GitHub = (*Client)(nil)

// New returns a Client.
func New(c Config) (*Client, error) {
	if c.ClientID == "" || c.ClientSecret == "" {
		return nil, errors.New("a GitHub login needs the id and the secret of an OAuth app")
	}
	c.BaseURL = cmp.Or(c.BaseURL, DefaultBaseURL)
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Host == "" || strings.HasSuffix(c.BaseURL, "/") {
		return nil, fmt.Errorf("%q is not the URL of a GitHub host, such as https://github.example.org", c.BaseURL)
	}
	api := c.BaseURL + "/api/v3"
	if base.Host == "github.com" {
		api = "https://api.github.com"
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	return &Client{
		oauth: oauth2.Config{
			ClientID: c.ClientID, ClientSecret: c.ClientSecret,
			Endpoint: oauth2.Endpoint{
				AuthURL: c.BaseURL + "/login/oauth/authorize", TokenURL: c.BaseURL + "/login/oauth/access_token",
				AuthStyle: oauth2.AuthStyleInParams, // else it is found out by trying, which uses the code up
			},
			Scopes: []string{scopeEmail},
		},
		api: api,
		http: &http.Client{
			Transport: bounded{c.Transport},
			// A redirect would carry the secret elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// AuthURL implements identity.GitHub.
func (c *Client) AuthURL(state, challenge, redirectURI string) string {
	return c.oauth.AuthCodeURL(state,
		oauth2.SetAuthURLParam("redirect_uri", redirectURI),
		oauth2.SetAuthURLParam("code_challenge", challenge),
		oauth2.SetAuthURLParam("code_challenge_method", "S256"))
}

// Exchange implements identity.GitHub.
func (c *Client) Exchange(ctx context.Context, code, verifier, redirectURI string) (*identity.GitHubUser, error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeBound)
	defer cancel()
	token, err := c.token(ctx, code, verifier, redirectURI)
	if err != nil {
		return nil, err
	}
	var who account
	if err := c.get(ctx, token, "/user", &who); err != nil {
		return nil, err
	}
	if who.ID <= 0 || who.Login == "" {
		return nil, fmt.Errorf("%w: it names nobody", identity.ErrGitHubAway)
	}
	var addresses []address
	if err := c.get(ctx, token, "/user/emails?per_page=100", &addresses); err != nil {
		return nil, err
	}
	for _, a := range addresses {
		if a.Primary && a.Verified && a.plausible() {
			return &identity.GitHubUser{ID: strconv.FormatInt(who.ID, 10), Login: who.Login, Name: who.Name, Email: a.Email}, nil
		}
	}
	return nil, identity.ErrEmailNotVerified
}

// token exchanges a code.
func (c *Client) token(ctx context.Context, code, verifier, redirectURI string) (*oauth2.Token, error) {
	var options []oauth2.AuthCodeOption
	if verifier != "" {
		options = append(options, oauth2.VerifierOption(verifier))
	}
	if redirectURI != "" {
		options = append(options, oauth2.SetAuthURLParam("redirect_uri", redirectURI))
	}
	token, err := c.oauth.Exchange(context.WithValue(ctx, oauth2.HTTPClient, c.http), code, options...)
	if err == nil {
		return token, nil
	}
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return nil, away(ctx, "exchange a code", err)
	}
	switch refused.ErrorCode {
	case "bad_verification_code", "invalid_grant", "redirect_uri_mismatch":
		return nil, fmt.Errorf("%w (%s)", identity.ErrCodeRefused, refused.ErrorCode)
	case "unverified_user_email":
		return nil, identity.ErrEmailNotVerified
	case "incorrect_client_credentials":
		return nil, fmt.Errorf("%w: it does not know this server's client id and secret", identity.ErrGitHubAway)
	}
	return nil, fmt.Errorf("%w: exchange a code: status %d", identity.ErrGitHubAway, refused.Response.StatusCode)
}

// account is what is read of GET /user.
type account struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Name  string `json:"name"` // null when there is none
}

// address is one of GET /user/emails.
type address struct {
	Email    string `json:"email"`
	Primary  bool   `json:"primary"`
	Verified bool   `json:"verified"`
}

// plausible tells whether the address can be stored and shown.
func (a address) plausible() bool {
	return len(a.Email) <= maxEmailBytes && strings.Contains(a.Email, "@") && utf8.ValidString(a.Email) &&
		!strings.ContainsFunc(a.Email, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// get reads what the API says of the user whose token it is.
func (c *Client) get(ctx context.Context, token *oauth2.Token, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.api+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token.AccessToken)
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	res, err := c.http.Do(req)
	if err != nil {
		return away(ctx, "GET "+path, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: GET %s: status %d", identity.ErrGitHubAway, path, res.StatusCode)
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		return away(ctx, "GET "+path, err)
	}
	return nil
}

// away is the error of a GitHub that cannot be reached, is slow, or does not make
// sense. A caller that hung up is its own error.
func away(ctx context.Context, doing string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	var failed *url.Error
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, errTooLarge):
		return fmt.Errorf("%w: %s: %w", identity.ErrGitHubAway, doing, errTooLarge)
	case errors.As(err, &failed): // without its URL
		return fmt.Errorf("%w: %s: %w", identity.ErrGitHubAway, doing, failed.Err)
	case errors.As(err, &syntax), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %s: %w", identity.ErrGitHubAway, doing, err)
	}
	return fmt.Errorf("%w: %s: the answer makes no sense", identity.ErrGitHubAway, doing)
}
