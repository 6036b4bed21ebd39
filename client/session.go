package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"assay"
	"assay/client/wire"
)

// CreateSession begins to make a session. It is not ready yet: see WaitReady.
func (c *Client) CreateSession(ctx context.Context, req wire.SessionCreate) (*wire.SessionCreated, error) {
	return result[wire.SessionCreated](c, ctx, request{method: http.MethodPost, path: "/sessions", body: req, again: true})
}

// Session returns a session as it is now.
func (c *Client) Session(ctx context.Context, id string) (*wire.Session, error) {
	return held[wire.Session](c, ctx, path("sessions", id), 0)
}

// WaitSession returns a session once it is no longer being created: it is ready, or
// could not be made, or has ended.
func (c *Client) WaitSession(ctx context.Context, id string) (*wire.Session, error) {
	return wait(c, ctx, path("sessions", id), func(s *wire.Session) bool { return s.Status != assay.SessionCreating })
}

// WaitReady returns a session once it is ready. When it ends instead it is returned
// with an error that has the code of its end.
func (c *Client) WaitReady(ctx context.Context, id string) (*wire.Session, error) {
	s, err := c.WaitSession(ctx, id)
	if err != nil || s.Status == assay.SessionReady {
		return s, err
	}
	if s.Error != nil {
		return s, assay.Errorf(assay.Code(s.Error.Code), "session %s is %s: %s", id, s.Status, s.Error.Message)
	}
	return s, assay.Errorf(assay.CodeSessionEnded, "session %s is %s", id, s.Status)
}

// SessionQuery selects sessions. Its zero value is the first page of all.
type SessionQuery struct {
	Status  assay.SessionStatus
	Dataset string
	Limit   int    // sessions a page. Defaults to the server's choice
	Cursor  string // NextCursor of the page before
}

// Sessions returns a page of the user's sessions, newest first.
func (c *Client) Sessions(ctx context.Context, q SessionQuery) (*wire.SessionList, error) {
	r := get("/sessions")
	r.query = url.Values{}
	setQuery(r.query, "status", string(q.Status))
	setQuery(r.query, "dataset", q.Dataset)
	setQuery(r.query, "cursor", q.Cursor)
	if q.Limit != 0 {
		r.query.Set("limit", strconv.Itoa(q.Limit))
	}
	return result[wire.SessionList](c, ctx, r)
}

func setQuery(q url.Values, name, value string) {
	if value != "" {
		q.Set(name, value)
	}
}

// CloseSession ends a session. It works in every state, and again.
func (c *Client) CloseSession(ctx context.Context, id string) (*wire.SessionClosed, error) {
	return result[wire.SessionClosed](c, ctx, request{method: http.MethodDelete, path: path("sessions", id), again: true})
}

// Exec starts a command and does not wait for its end.
func (c *Client) Exec(ctx context.Context, sessionID string, req wire.ExecRequest) (*wire.ExecAccepted, error) {
	return result[wire.ExecAccepted](c, ctx, request{method: http.MethodPost, path: path("sessions", sessionID, "exec"), body: req, again: true})
}

// Interaction returns a command as it is now.
func (c *Client) Interaction(ctx context.Context, sessionID, id string) (*wire.Interaction, error) {
	return held[wire.Interaction](c, ctx, path("sessions", sessionID, "interactions", id), 0)
}

// WaitInteraction returns a command once it has ended.
func (c *Client) WaitInteraction(ctx context.Context, sessionID, id string) (*wire.Interaction, error) {
	return wait(c, ctx, path("sessions", sessionID, "interactions", id), (*wire.Interaction).Final)
}

// ExecWait runs a command to its end. A command that failed, or whose end was not seen
// (exit code -1000), is an answer, not an error.
func (c *Client) ExecWait(ctx context.Context, sessionID string, req wire.ExecRequest) (*wire.Interaction, error) {
	started, err := c.Exec(ctx, sessionID, req)
	if err != nil {
		return nil, err
	}
	return c.WaitInteraction(ctx, sessionID, started.InteractionID)
}

// Replace replaces a string in a file. An edit that could not be made is an answer with
// Success false. It is not tried again by itself.
func (c *Client) Replace(ctx context.Context, sessionID string, req wire.ReplaceRequest) (*wire.EditResult, error) {
	return result[wire.EditResult](c, ctx, request{method: http.MethodPost, path: path("sessions", sessionID, "str_replace"), body: req})
}

// Apply applies a unified diff to the work tree, wholly or not at all. One that does not
// apply is an answer with Success false. It is not tried again by itself.
func (c *Client) Apply(ctx context.Context, sessionID, diff string) (*wire.EditResult, error) {
	return result[wire.EditResult](c, ctx, request{method: http.MethodPost, path: path("sessions", sessionID, "apply"), body: wire.ApplyRequest{Diff: diff}})
}

// Verify starts a verification of the session's work as it is now.
func (c *Client) Verify(ctx context.Context, sessionID string) (*wire.JobStarted, error) {
	return result[wire.JobStarted](c, ctx, request{method: http.MethodPost, path: path("sessions", sessionID, "verify"), again: true})
}

// Job returns a verification as it is now.
func (c *Client) Job(ctx context.Context, sessionID, id string) (*wire.Job, error) {
	return held[wire.Job](c, ctx, path("sessions", sessionID, "verify", id), 0)
}

// WaitJob returns a verification once it has ended.
func (c *Client) WaitJob(ctx context.Context, sessionID, id string) (*wire.Job, error) {
	return wait(c, ctx, path("sessions", sessionID, "verify", id), (*wire.Job).Final)
}

// VerifyWait verifies the session's work. A verdict of not solved, or a job that the
// server could not judge (status error), is an answer, not an error.
func (c *Client) VerifyWait(ctx context.Context, sessionID string) (*wire.Job, error) {
	started, err := c.Verify(ctx, sessionID)
	if err != nil {
		return nil, err
	}
	return c.WaitJob(ctx, sessionID, started.JobID)
}

// result makes a request and returns its answer.
func result[T any](c *Client, ctx context.Context, r request) (*T, error) {
	var v T
	if err := c.call(ctx, r, &v); err != nil {
		return nil, err
	}
	return &v, nil
}

// held makes a GET that the server holds for at most d.
func held[T any](c *Client, ctx context.Context, path string, d time.Duration) (*T, error) {
	r := get(path)
	r.header = http.Header{wire.HeaderPrefer: {fmt.Sprintf("wait=%d", int(d.Seconds()))}}
	return result[T](c, ctx, r)
}

// calm is the least time between two requests of a wait: a server that is stopping
// answers at once.
const calm = 250 * time.Millisecond

// wait makes held GETs until final says so.
func wait[T any](c *Client, ctx context.Context, path string, final func(*T) bool) (*T, error) {
	for {
		start := time.Now()
		v, err := held[T](c, ctx, path, c.hold)
		if err != nil || final(v) {
			return v, err
		}
		if err := sleep(ctx, calm-time.Since(start)); err != nil {
			return v, fmt.Errorf("wait for %s: %w", path, err)
		}
	}
}
