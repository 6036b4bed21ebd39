package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/alecthomas/kong"

	"assay/internal/identity"
)

type userCreateCmd struct {
	localFlags
	Name  string `required:"" placeholder:"NAME" help:"Name of the user."`
	Email string `required:"" placeholder:"ADDRESS" help:"E-mail address of the user."`
	JSON  bool   `name:"json" help:"Print JSON."`
}

func (*userCreateCmd) Help() string {
	return `The key is what the API takes as bearer token. It is stored hashed and cannot be shown again.

    export ASSAY_API_KEY=$(assay user create --name Ada --email ada@example.org --json | jq -r .key)`
}

// createdUser is what user create --json prints.
type createdUser struct {
	UserID string `json:"user_id"`
	Name   string `json:"name"`
	Email  string `json:"email"`
	KeyID  string `json:"key_id"`
	Key    string `json:"key"`
}

func (c *userCreateCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	a, err := c.open(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	user, err := a.Identity.CreateUser(ctx, identity.Operator, c.Name, c.Email)
	if err != nil {
		return fmt.Errorf("create user: %w", err)
	}
	secret, key, err := a.Identity.CreateKey(ctx, identity.Operator, user.ID, identity.KeyRequest{Name: "made with the user"})
	if err != nil {
		return fmt.Errorf("user %s was made, but no key: %w", user.ID, err)
	}
	if c.JSON {
		return writeJSON(std.out, createdUser{user.ID, user.Name, user.Email, key.ID, secret})
	}
	_, err = fmt.Fprintf(std.out, "user  %s  %s <%s>\nkey   %s\n\nThe key is shown this once. Keep it: export ASSAY_API_KEY=...\n",
		user.ID, user.Name, user.Email, secret)
	return err
}
