package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"assay"
	"assay/client/wire"
	"assay/internal/identity"
)

// tokenType is how access tokens are sent.
const tokenType = "Bearer"

// loginCookie binds a login to the browser that began it.
const loginCookie = "assay_login"

type beginLoginInput struct {
	RedirectURI string `query:"redirect_uri" maxLength:"2048" example:"https://assay.example.org/login" doc:"Where GitHub sends the browser back to: one of the list that the operator allows. Defaults to the first of it"`
}

// loginBegun sends a browser to GitHub.
type loginBegun struct {
	Location  string `header:"Location" doc:"At GitHub"`
	SetCookie string `header:"Set-Cookie" doc:"Binds the login to this browser"`
}

type logInInput struct {
	UserAgent string `header:"User-Agent" hidden:"true"`
	Browser   string `cookie:"assay_login" hidden:"true"`
	Body      wire.GitHubLogin
}

type loggedIn struct {
	SetCookie string `header:"Set-Cookie" doc:"Ends the cookie of a login that began here"`
	Body      wire.LoggedIn
}

type refreshInput struct {
	Body wire.TokenRefresh
}

type logOutInput struct {
	Body *wire.Logout
}

func (a *API) registerAuth() {
	handle(a, huma.Operation{
		OperationID: "begin-github-login", Method: http.MethodGet, Path: "/auth/github/login", Tags: []string{tagAuth}, Security: public, Metadata: limitStrictly.metadata(),
		DefaultStatus: http.StatusFound,
		Summary:       "Begin a login in a browser",
		Description: "Sends the browser to GitHub, which sends it back to redirect_uri with a code and a state. The page there POSTs both to /auth/github " +
			"from the same browser, once and within ten minutes.",
	}, []int{400}, a.beginLogin)
	handle(a, huma.Operation{
		OperationID: "github-login", Method: http.MethodPost, Path: "/auth/github", Tags: []string{tagAuth}, Security: public, Metadata: limitStrictly.metadata(),
		Summary: "Log in with a code of GitHub's",
		Description: "The first login makes the user. Users are known by the number of their GitHub account; several may have one e-mail address. " +
			"A state that this server issued is always checked.",
	}, []int{401, 403}, a.logIn)
	handle(a, huma.Operation{
		OperationID: "refresh-token", Method: http.MethodPost, Path: "/auth/refresh", Tags: []string{tagAuth}, Security: public, Metadata: limitStrictly.metadata(),
		Summary:     "Get a new access token",
		Description: "The refresh token stays the same, and ends 30 days after the login.",
	}, []int{401}, func(ctx context.Context, in *refreshInput) (*answer[wire.TokenRefreshed], error) {
		access, err := a.cfg.Logins.Refresh(ctx, in.Body.RefreshToken)
		if err != nil {
			return nil, err
		}
		return &answer[wire.TokenRefreshed]{Body: wire.TokenRefreshed{
			AccessToken: access.Token, TokenType: tokenType, ExpiresIn: int(access.ExpiresIn / time.Second),
		}}, nil
	})
	handle(a, huma.Operation{
		OperationID: "log-out", Method: http.MethodPost, Path: "/auth/logout", Tags: []string{tagAuth},
		Summary:     "End a login",
		Description: "From this moment the access token of the request, and the refresh token that came with it, open nothing. An API key has no login to end.",
	}, nil, a.logOut)
}

func (a *API) beginLogin(ctx context.Context, in *beginLoginInput) (*loginBegun, error) {
	begun, err := a.cfg.Logins.Begin(ctx, in.RedirectURI)
	if err != nil {
		return nil, err
	}
	return &loginBegun{Location: begun.URL, SetCookie: a.cookie(begun.Browser, begun.Expires)}, nil
}

func (a *API) logIn(ctx context.Context, in *logInInput) (*loggedIn, error) {
	c := callOf(ctx)
	l, err := a.cfg.Logins.LogIn(ctx, identity.LoginRequest{
		Code: in.Body.Code, State: in.Body.State, Browser: in.Browser, Address: c.address, UserAgent: in.UserAgent,
	})
	if err != nil {
		return nil, err
	}
	c.userID = l.User.ID
	out := &loggedIn{Body: wire.LoggedIn{
		UserID: l.User.ID, AccessToken: l.Access.Token, RefreshToken: l.RefreshToken,
		TokenType: tokenType, ExpiresIn: int(l.Access.ExpiresIn / time.Second), IsNewUser: l.IsNew,
	}}
	if in.Browser != "" {
		out.SetCookie = a.cookie("", 0)
	}
	return out, nil
}

func (a *API) logOut(ctx context.Context, in *logOutInput) (*answer[wire.LoggedOut], error) {
	c := callOf(ctx)
	if c.login == nil {
		return nil, assay.Errorf(assay.CodeInvalid, "this is an API key, which has no login to end; to end the key, DELETE /users/me/api-keys")
	}
	refresh := ""
	if in.Body != nil {
		refresh = in.Body.RefreshToken
	}
	if err := a.cfg.Logins.LogOut(ctx, c.login, refresh, c.address); err != nil {
		return nil, err
	}
	return &answer[wire.LoggedOut]{Body: wire.LoggedOut{Message: "logged out"}}, nil
}

// cookie is the cookie of a login with a value, or its end if that is "".
func (a *API) cookie(value string, lives time.Duration) string {
	c := http.Cookie{ //nolint:gosec // without TLS a browser would not send a secure one back
		Name: loginCookie, Value: value, Path: wire.BasePath + "/auth", MaxAge: int(lives / time.Second),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(a.cfg.BaseURL, "https:"),
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c.String()
}
