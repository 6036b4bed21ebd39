package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/alecthomas/kong"

	"assay"
	"assay/internal/billing"
	"assay/internal/identity"
)

// userPage is how many users are read at once.
const userPage = 500

type userListCmd struct {
	localFlags
	JSON bool `name:"json" help:"Print JSON, one user a line."`
}

func (c *userListCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	a, err := c.openExisting(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	t := newTable(std.out, "USER", "NAME", "E-MAIL", "GITHUB", "MADE", "LAST LOGIN", "STATE")
	for after := ""; ; {
		users, err := a.Identity.Users(ctx, after, userPage)
		if err != nil {
			return err
		}
		for _, u := range users {
			after = u.ID
			if !c.JSON {
				t.row(u.ID, u.Name, u.Email, dash(u.GitHubID), when(u.CreatedAt), whenever(u.LastLoginAt), stateOf(u))
			} else if err := writeLine(std.out, shownUser(u)); err != nil {
				return err
			}
		}
		if len(users) < userPage {
			break
		}
	}
	if c.JSON {
		return nil
	}
	return t.flush()
}

type userShowCmd struct {
	localFlags
	User string `arg:"" name:"user" help:"Id of the user."`
	JSON bool   `name:"json" help:"Print JSON."`
}

func (c *userShowCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	a, err := c.openExisting(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	u, err := a.Identity.User(ctx, c.User)
	if err != nil {
		return err
	}
	keys, err := a.Identity.Keys(ctx, u.ID)
	if err != nil {
		return err
	}
	logins, err := a.Logins(ctx, u.ID)
	if err != nil {
		return err
	}
	account, err := a.Billing.Ledger(ctx, u.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(std.out, shownUserWith(u, keys, logins, account))
	}
	return printUser(std.out, u, keys, logins, account)
}

// printUser prints a user for people.
func printUser(w io.Writer, u *assay.User, keys []*assay.APIKey, logins []*assay.Login, account billing.Balance) error {
	fmt.Fprintf(w, "user        %s\nname        %s\ne-mail      %s\nGitHub      %s\nmade        %s\nlast login  %s\nstate       %s\nbalance     %s, after %s in and %s spent\n",
		u.ID, u.Name, u.Email, dash(u.GitHubID), when(u.CreatedAt), whenever(u.LastLoginAt), stateOf(u), account.Balance, account.Deposited, account.Spent)
	if len(keys) > 0 {
		fmt.Fprintln(w)
		t := newTable(w, "KEY", "BEGINS", "NAME", "MADE", "EXPIRES", "LAST USED", "FEEDBACK")
		for _, k := range keys {
			t.row(k.ID, k.Hint, dash(k.Name), when(k.CreatedAt), whenever(k.ExpiresAt), whenever(k.LastUsedAt), string(k.Feedback))
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	if len(logins) > 0 {
		fmt.Fprintln(w)
		t := newTable(w, "LOGIN", "SINCE", "EXPIRES", "FROM", "WITH")
		for _, l := range logins {
			t.row(l.ID, when(l.CreatedAt), when(l.ExpiresAt), dash(l.Address), dash(l.UserAgent))
		}
		return t.flush()
	}
	return nil
}

type userDisableCmd struct {
	localFlags
	User string `arg:"" name:"user" help:"Id of the user."`
}

func (*userDisableCmd) Help() string {
	return `From this moment the user's API keys and tokens open nothing, on every server of the database. Logins end for
good; keys are kept, and open again after "assay user enable".`
}

func (c *userDisableCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) error {
	return setActive(ctx, &c.localFlags, parsed, std, c.User, false)
}

type userEnableCmd struct {
	localFlags
	User string `arg:"" name:"user" help:"Id of the user."`
}

func (c *userEnableCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) error {
	return setActive(ctx, &c.localFlags, parsed, std, c.User, true)
}

func setActive(ctx context.Context, flags *localFlags, parsed *kong.Context, std stdio, id string, active bool) (err error) {
	a, err := flags.openExisting(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	u, err := a.Identity.SetActive(ctx, identity.Operator, id, active)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "user  %s  %s <%s> is %s\n", u.ID, u.Name, u.Email, stateOf(u))
	return err
}

// userJSON is a user for programs. Secrets are not known here.
type userJSON struct {
	UserID      string       `json:"user_id"`
	Name        string       `json:"name"`
	Email       string       `json:"email"`
	GitHubID    string       `json:"github_id,omitempty"`
	CreatedAt   time.Time    `json:"created_at"`
	LastLoginAt *time.Time   `json:"last_login_at,omitempty"`
	IsActive    bool         `json:"is_active"`
	Keys        []keyJSON    `json:"keys,omitempty"`
	Logins      []loginJSON  `json:"logins,omitempty"`
	Account     *accountJSON `json:"account,omitempty"`
}

// accountJSON is in millionths of a US dollar.
type accountJSON struct {
	Balance   int64 `json:"balance_microusd"`
	Deposited int64 `json:"total_deposited_microusd"`
	Spent     int64 `json:"total_spent_microusd"`
}

type keyJSON struct {
	KeyID      string     `json:"key_id"`
	Hint       string     `json:"hint"`
	Name       string     `json:"name,omitempty"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty"`

	Feedback assay.Feedback `json:"feedback"`
}

type loginJSON struct {
	LoginID   string    `json:"login_id"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	Address   string    `json:"address,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
}

func shownUser(u *assay.User) userJSON {
	return userJSON{UserID: u.ID, Name: u.Name, Email: u.Email, GitHubID: u.GitHubID, CreatedAt: u.CreatedAt, LastLoginAt: u.LastLoginAt, IsActive: u.Active}
}

func shownUserWith(u *assay.User, keys []*assay.APIKey, logins []*assay.Login, account billing.Balance) userJSON {
	shown := shownUser(u)
	shown.Account = &accountJSON{int64(account.Balance), int64(account.Deposited), int64(account.Spent)}
	for _, k := range keys {
		shown.Keys = append(shown.Keys, keyJSON{k.ID, k.Hint, k.Name, k.CreatedAt, k.ExpiresAt, k.LastUsedAt, k.Feedback})
	}
	for _, l := range logins {
		shown.Logins = append(shown.Logins, loginJSON{l.ID, l.CreatedAt, l.ExpiresAt, l.Address, l.UserAgent})
	}
	return shown
}

func stateOf(u *assay.User) string {
	if u.Active {
		return "active"
	}
	return "disabled"
}
