package identity

import (
	"context"
	"errors"
)

// GitHub vouches for people: github.com, or an Enterprise host.
type GitHub interface {
	// AuthURL returns where a browser is sent, to come back to redirectURI with a code.
	// The challenge is of the PKCE method S256.
	AuthURL(state, challenge, redirectURI string) string
	// Exchange takes a code, once, and returns whose it is. The verifier and the
	// redirectURI are those of AuthURL; "" for a flow that was begun elsewhere. It
	// takes at most 10 seconds. Its errors are one of the following, wrapped, and hold
	// no secret.
	Exchange(ctx context.Context, code, verifier, redirectURI string) (*GitHubUser, error)
}

// GitHubUser is an account of GitHub.
type GitHubUser struct {
	ID    string // its number, which stays when the login changes; not empty
	Login string // not empty
	Name  string // "" when it has none
	Email string // its primary address, verified
}

// Errors of GitHub.
var (
	ErrCodeRefused      = errors.New("GitHub does not know the code: it is wrong, used or expired, or of another flow")
	ErrEmailNotVerified = errors.New("the GitHub account has no verified primary e-mail address")
	ErrGitHubAway       = errors.New("GitHub does not answer as it should")
)
