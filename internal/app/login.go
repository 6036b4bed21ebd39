package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"assay"
	"assay/client/wire"
	"assay/internal/attest"
	"assay/internal/github"
	"assay/internal/identity"
	"assay/internal/identity/token"
)

// keyringFile is the file of the data directory with the keys of access tokens.
const keyringFile = "tokens.keys"

// maxWelcomeCents bounds the welcome credit: 10,000 dollars are a mistake.
const maxWelcomeCents = 1_000_000

// logins returns how people log in to a server that clients reach at baseURL.
func (s *server) logins(baseURL string) (*identity.Logins, error) {
	keys, err := token.OpenKeyring(s.dir.path(keyringFile), nil)
	if err != nil {
		return nil, err
	}
	issuer := cmp.Or(s.Config.TokenIssuer, baseURL)
	tokens, err := token.NewAuthority(token.Config{Keys: keys, Issuer: issuer, Audience: issuer + wire.BasePath})
	if err != nil {
		return nil, err
	}
	stateKey, err := s.dir.secret("state.key")
	if err != nil {
		return nil, err
	}
	welcome, err := s.Config.welcomeCredit()
	if err != nil {
		return nil, err
	}
	c := identity.LoginConfig{
		Store: s.store, Tokens: tokens, StateKey: stateKey,
		RedirectURIs: s.Config.redirectURIs(baseURL),
		RequireState: s.Config.RequireState, WelcomeCredit: welcome, Log: s.Log,
	}
	if s.Config.GitHubClientID != "" {
		c.GitHub, err = github.New(github.Config{
			ClientID: s.Config.GitHubClientID, ClientSecret: s.Config.GitHubClientSecret, BaseURL: s.Config.GitHubBaseURL,
		})
		if err != nil {
			return nil, err
		}
	}
	return identity.NewLogins(c)
}

var errRotating = errors.New("another assay keys rotate is at work on this data directory; try again when it is done")

// RotateTokenKeys makes a new key that signs access tokens, which a server on this data
// directory uses within a second. The older keys check tokens for as long as those can
// live; with forget they check nothing from now on, so that every access token ends. It
// returns the id of the new key.
func (a *App) RotateTokenKeys(ctx context.Context, forget bool) (id string, err error) {
	lock, err := a.dir.lock("rotate.lock", errRotating)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	keys, err := token.OpenKeyring(a.dir.path(keyringFile), nil)
	if err != nil {
		return "", err
	}
	// The file and the database have no transaction in common. What is told first may
	// not have been done; what is done was told.
	detail := "a new key signs; the older ones check on for an hour"
	if forget {
		detail = "a new key signs; the older ones are forgotten"
	}
	if err := a.Identity.NoteKeysRotated(ctx, identity.Operator, detail); err != nil {
		return "", err
	}
	return keys.Rotate(forget)
}

// verdictKeysFile is the file of the data directory with the keys of verdicts.
const verdictKeysFile = "verdicts.keys"

// RotateVerdictKeys makes a new key that signs verdicts, which a server on this data
// directory uses at once. What the older keys signed still checks; with forget it does
// not any more. It returns the id of the new key.
func (a *App) RotateVerdictKeys(ctx context.Context, forget bool) (id string, err error) {
	lock, err := a.dir.lock("rotate.lock", errRotating)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	keys, err := attest.OpenKeyring(a.dir.path(verdictKeysFile), nil)
	if err != nil {
		return "", err
	}
	detail := "a new key signs verdicts; what the older ones signed still checks"
	if forget {
		detail = "a new key signs verdicts; the older ones are forgotten"
	}
	if err := a.Identity.NoteKeysRotated(ctx, identity.Operator, detail); err != nil { // see RotateTokenKeys
		return "", err
	}
	return keys.Rotate(forget)
}

// Logins returns a user's logins that are neither revoked nor expired, oldest first.
func (a *App) Logins(ctx context.Context, userID string) ([]*assay.Login, error) {
	return a.store.Logins(ctx, userID, time.Now())
}

// welcomeCredit is what a user is given at the first login.
func (c Config) welcomeCredit() (assay.MicroUSD, error) {
	cents, err := strconv.ParseInt(c.WelcomeCreditCents, 10, 64)
	if err != nil || cents < 0 || cents > maxWelcomeCents {
		return 0, fmt.Errorf("welcome_credit_cents: %q is not a number of whole cents from 0 to %d", c.WelcomeCreditCents, maxWelcomeCents)
	}
	return assay.FromCents(cents), nil
}

// redirectURIs is where GitHub may send browsers back to.
func (c Config) redirectURIs(baseURL string) []string {
	if c.GitHubRedirectURIs == "" {
		return []string{baseURL + "/login"}
	}
	uris := strings.Split(c.GitHubRedirectURIs, ",")
	for i := range uris {
		uris[i] = strings.TrimSpace(uris[i])
	}
	return uris
}

func (c Config) validateLogin() error {
	var errs []error
	if (c.GitHubClientID == "") != (c.GitHubClientSecret == "") {
		errs = append(errs, errors.New("github_client_id and github_client_secret: one is set without the other; set both, or none"))
	}
	errs = append(errs, c.validateRemote("github_base_url", c.GitHubBaseURL, "https://github.example.org"))
	if strings.HasSuffix(c.GitHubBaseURL, "/") || strings.ContainsAny(c.GitHubBaseURL, "?#") {
		errs = append(errs, errors.New("github_base_url: give the scheme and the host, without a slash at its end"))
	}
	if c.GitHubRedirectURIs != "" {
		for _, uri := range c.redirectURIs("") {
			errs = append(errs, c.validateRemote("github_redirect_uris", uri, "https://assay.example.org/login"))
			if strings.Contains(uri, "#") {
				errs = append(errs, fmt.Errorf("github_redirect_uris: %q has a fragment, which no server hears of", uri))
			}
		}
	}
	if strings.ContainsFunc(c.TokenIssuer, func(r rune) bool { return r <= ' ' || r > '~' }) || len(c.TokenIssuer) > 1000 {
		errs = append(errs, fmt.Errorf("token_issuer: %q is not a URL such as https://assay.example.org", c.TokenIssuer))
	}
	_, err := c.welcomeCredit()
	return errors.Join(append(errs, err)...)
}

// validateRemote refuses to send codes and secrets in clear text over a network.
func (c Config) validateRemote(key, text, example string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fmt.Errorf("%s: %q is not an http or https URL, such as %s", key, text, example)
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) && !c.InsecureHTTP {
		return fmt.Errorf("%s: %s would carry secrets in clear text; take https", key, text)
	}
	return nil
}
