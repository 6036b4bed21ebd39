package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"assay"
	"assay/client/wire"
	"assay/internal/identity"
)

func (a *API) registerUsers() {
	handle(a, huma.Operation{
		OperationID: "get-user", Method: http.MethodGet, Path: "/users/me", Tags: []string{tagUsers},
		Summary:     "Get who calls",
		Description: "The user whose key or access token the request carries, with the API keys that are not revoked. Secrets are masked.",
	}, []int{404}, func(ctx context.Context, _ *struct{}) (*answer[wire.User], error) {
		u, err := a.cfg.Identity.User(ctx, callOf(ctx).userID)
		return a.userAnswer(ctx, u, err)
	})
	handle(a, huma.Operation{
		OperationID: "accept-terms", Method: http.MethodPost, Path: "/users/me/accept-terms", Tags: []string{tagUsers},
		Summary:     "Accept the terms",
		Description: "Notes when the user first accepted the terms of this server. Doing it again changes nothing.",
	}, []int{404}, func(ctx context.Context, _ *struct{}) (*answer[wire.User], error) {
		u, err := a.cfg.Identity.AcceptTerms(ctx, callOf(ctx).userID)
		return a.userAnswer(ctx, u, err)
	})
	a.registerAPIKeys()
}

func (a *API) userAnswer(ctx context.Context, u *assay.User, err error) (*answer[wire.User], error) {
	if err != nil {
		return nil, err
	}
	keys, err := a.cfg.Identity.Keys(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	return &answer[wire.User]{Body: a.wireUser(u, keys)}, nil
}

type createKeyInput struct {
	Body *wire.APIKeyCreate
}

type revokeKeyInput struct {
	Body wire.APIKeyRevoke
}

func (a *API) registerAPIKeys() {
	handle(a, huma.Operation{
		OperationID: "create-api-key", Method: http.MethodPost, Path: "/users/me/api-keys", Tags: []string{tagUsers},
		DefaultStatus: http.StatusCreated,
		Summary:       "Make an API key",
		Description:   "The whole key is in this answer and nowhere else. Idempotency-Key has no effect here: a lost answer is a lost key; revoke it. A key whose `feedback` is `verdict` makes none whose is `full`.",
	}, []int{403, 404, 409}, func(ctx context.Context, in *createKeyInput) (*answer[wire.APIKeyCreated], error) {
		var r identity.KeyRequest
		if in.Body != nil {
			r = identity.KeyRequest{Name: in.Body.Name, ExpiresAt: in.Body.ExpiresAt, Feedback: in.Body.Feedback}
		}
		by := callOf(ctx).actor()
		secret, key, err := a.cfg.Identity.CreateKey(ctx, by, by.ID, r)
		if err != nil {
			return nil, err
		}
		return &answer[wire.APIKeyCreated]{Body: wire.APIKeyCreated{APIKey: a.wireKey(key, secret)}}, nil
	})
	handle(a, huma.Operation{
		OperationID: "revoke-api-key", Method: http.MethodDelete, Path: "/users/me/api-keys", Tags: []string{tagUsers},
		Summary:     "Revoke an API key",
		Description: "From this moment the key opens nothing. Revoking it again is 404.",
	}, []int{404}, func(ctx context.Context, in *revokeKeyInput) (*answer[wire.APIKeyRevoked], error) {
		by := callOf(ctx).actor()
		if err := a.cfg.Identity.RevokeKey(ctx, by, by.ID, in.Body.KeyID); err != nil {
			return nil, err
		}
		return &answer[wire.APIKeyRevoked]{Body: wire.APIKeyRevoked{Message: "the API key is revoked", RevokedKeyID: in.Body.KeyID}}, nil
	})
}
