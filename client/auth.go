package client

import (
	"context"
	"net/http"

	"assay/client/wire"
)

// GitHubLogin logs in with a code of GitHub's. The client keeps its own token: the new
// one is for another client. It is not tried again by itself: a code works once.
func (c *Client) GitHubLogin(ctx context.Context, login wire.GitHubLogin) (*wire.LoggedIn, error) {
	return result[wire.LoggedIn](c, ctx, request{method: http.MethodPost, path: "/auth/github", body: login})
}

// RefreshToken returns a new access token for the login of a refresh token.
func (c *Client) RefreshToken(ctx context.Context, refreshToken string) (*wire.TokenRefreshed, error) {
	return result[wire.TokenRefreshed](c, ctx, request{method: http.MethodPost, path: "/auth/refresh", body: wire.TokenRefresh{RefreshToken: refreshToken}, again: true})
}

// LogOut ends the login whose access token the client has, and that of a refresh token
// of the same user, unless it is "".
func (c *Client) LogOut(ctx context.Context, refreshToken string) error {
	_, err := result[wire.LoggedOut](c, ctx, request{method: http.MethodPost, path: "/auth/logout", body: wire.Logout{RefreshToken: refreshToken}})
	return err
}
