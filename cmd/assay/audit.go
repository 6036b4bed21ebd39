package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"assay"
	"assay/internal/identity"
)

type auditCmd struct {
	localFlags
	User   string `placeholder:"ID" help:"Only what a user did, or what was done to it."`
	Action string `placeholder:"ACTION" help:"Only one kind of act, such as login or key.create."`
	Since  string `placeholder:"TIME" help:"Only what happened since: a time such as 2026-03-01T12:00:00Z, a day, or how long ago, such as 24h."`
	Limit  int    `default:"100" placeholder:"N" help:"The newest N at most (100)."`
	JSON   bool   `name:"json" help:"Print JSON, one event a line."`
}

func (*auditCmd) Help() string {
	return `The log is written together with what it tells, and cannot be changed. Refused logins are not in it: anybody can make
any number of them; the server's own log tells of their requests.

    assay audit --user usr_... --since 24h`
}

// auditJSON is an event for programs.
type auditJSON struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Action  string    `json:"action"`
	UserID  string    `json:"user_id,omitempty"`
	Subject string    `json:"subject,omitempty"`
	Address string    `json:"address,omitempty"`
	Detail  string    `json:"detail,omitempty"`
}

func (c *auditCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	since, err := sinceWhen(c.Since, time.Now())
	if err != nil {
		return usageError{err}
	}
	if c.Limit < 1 {
		return usageError{errors.New("limit: want at least 1")}
	}
	a, err := c.openExisting(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	events, err := a.Identity.Audit(ctx, identity.AuditQuery{
		UserID: c.User, Action: assay.AuditAction(c.Action), Since: since, Limit: c.Limit,
	})
	if err != nil {
		return err
	}
	t := newTable(std.out, "AT", "ACTION", "ACTOR", "USER", "SUBJECT", "FROM", "DETAIL")
	for _, e := range events {
		if !c.JSON {
			t.row(when(e.At), string(e.Action), e.Actor, dash(e.UserID), dash(e.Subject), dash(e.Address), e.Detail)
			continue
		}
		line := auditJSON{e.ID, e.At, e.Actor, string(e.Action), e.UserID, e.Subject, e.Address, e.Detail}
		if err := writeLine(std.out, line); err != nil {
			return err
		}
	}
	if c.JSON {
		return nil
	}
	return t.flush()
}

// sinceWhen reads a time, a day in UTC, or how long ago something was.
func sinceWhen(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 && !strings.HasPrefix(text, "-") {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("since: %q is neither a time such as 2026-03-01T12:00:00Z, nor a day, nor how long ago, such as 24h", text)
}
