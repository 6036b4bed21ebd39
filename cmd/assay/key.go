package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alecthomas/kong"

	"assay"
	"assay/internal/identity"
)

type keyCreateCmd struct {
	localFlags
	User    string        `required:"" placeholder:"ID" help:"Id of the user."`
	Name    string        `placeholder:"NAME" help:"To tell keys apart."`
	Expires time.Duration `placeholder:"TIME" help:"How long the key opens anything, such as 720h (for good)."`
	JSON    bool          `name:"json" help:"Print JSON."`

	Feedback assay.Feedback `enum:"full,verdict" default:"full" placeholder:"full|verdict" help:"How much is told of verifications to who has the key (full)."`
}

func (*keyCreateCmd) Help() string {
	return `The key is what the API takes as bearer token. It is stored hashed and cannot be shown again.

A key that is given to agents, or to whatever trains them, better has --feedback verdict: of a verification it is told
whether the task is solved and how sure that is, and nothing that the tests said.

    assay key create --user usr_... --name ci --expires 720h
    assay key create --user usr_... --name agent --feedback verdict`
}

// createdKey is what key create --json prints.
type createdKey struct {
	UserID    string         `json:"user_id"`
	KeyID     string         `json:"key_id"`
	Key       string         `json:"key"`
	ExpiresAt *time.Time     `json:"expires_at,omitempty"`
	Feedback  assay.Feedback `json:"feedback"`
}

func (c *keyCreateCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	r := identity.KeyRequest{Name: c.Name, Feedback: c.Feedback}
	if c.Expires < 0 {
		return usageError{errors.New("expires: want a time ahead, such as 720h")}
	}
	if c.Expires > 0 {
		r.ExpiresAt = new(time.Now().UTC().Add(c.Expires))
	}
	a, err := c.openExisting(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	secret, key, err := a.Identity.CreateKey(ctx, identity.Operator, c.User, r)
	if err != nil {
		return fmt.Errorf("create key: %w", err)
	}
	if c.JSON {
		return writeJSON(std.out, createdKey{key.UserID, key.ID, secret, key.ExpiresAt, key.Feedback})
	}
	_, err = fmt.Fprintf(std.out, "id    %s\nkey   %s\nends  %s\n\nThe key is shown this once.\n", key.ID, secret, whenever(key.ExpiresAt))
	return err
}

type keyRevokeCmd struct {
	localFlags
	Key string `arg:"" name:"key" help:"Id of the key: assay user show tells it."`
}

func (c *keyRevokeCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	if identity.LooksSecret(c.Key) { // an error would repeat it
		return usageError{errors.New("key: this is the key itself; give its id (key_...), which assay user show tells")}
	}
	a, err := c.openExisting(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	key, err := a.Identity.Key(ctx, c.Key)
	if err != nil {
		return err
	}
	if err := a.Identity.RevokeKey(ctx, identity.Operator, key.UserID, key.ID); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "key   %s is revoked\n", c.Key)
	return err
}

type keysRotateCmd struct {
	localFlags
	Verdicts bool `help:"Rotate the keys of verdicts, not those of access tokens."`
	Forget   bool `help:"Forget the older keys at once, as after a leak: every access token ends, and clients refresh; verdicts that they signed check no more."`
}

func (*keysRotateCmd) Help() string {
	return `A running server uses the new key within a second. The older keys check the tokens that they signed for as long as
those can live, an hour, and verdicts for ever. Refresh tokens and API keys are not signed, and stay as they are.`
}

func (c *keysRotateCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	a, err := c.openExisting(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	rotate, what := a.RotateTokenKeys, "access tokens"
	if c.Verdicts {
		rotate, what = a.RotateVerdictKeys, "verdicts"
	}
	id, err := rotate(ctx, c.Forget)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "key   %s signs %s from now on\n", id, what)
	return err
}
