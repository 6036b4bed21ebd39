package client

import (
	"context"
	"net/http"

	"assay/client/wire"
)

// Me returns the user whose token the client has.
func (c *Client) Me(ctx context.Context) (*wire.User, error) {
	return result[wire.User](c, ctx, get("/users/me"))
}

// AcceptTerms notes that the user accepts the terms of the server.
func (c *Client) AcceptTerms(ctx context.Context) (*wire.User, error) {
	return result[wire.User](c, ctx, request{method: http.MethodPost, path: "/users/me/accept-terms", again: true})
}

// CreateAPIKey makes an API key, whose secret is in the answer and nowhere else. It is
// not tried again by itself.
func (c *Client) CreateAPIKey(ctx context.Context, name string) (*wire.APIKey, error) {
	created, err := result[wire.APIKeyCreated](c, ctx, request{method: http.MethodPost, path: "/users/me/api-keys", body: wire.APIKeyCreate{Name: name}})
	if err != nil {
		return nil, err
	}
	return &created.APIKey, nil
}

// RevokeAPIKey revokes an API key. It is not tried again by itself: revoking a key twice
// is api_key_not_found.
func (c *Client) RevokeAPIKey(ctx context.Context, keyID string) error {
	_, err := result[wire.APIKeyRevoked](c, ctx, request{method: http.MethodDelete, path: "/users/me/api-keys", body: wire.APIKeyRevoke{KeyID: keyID}})
	return err
}
