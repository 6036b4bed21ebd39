package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"assay/client/wire"
)

// caller is a client that does not give up: it makes a request again, with the same
// idempotency key, until it is answered by a server that is well.
type caller struct {
	base   string // with the path of the API
	key    string
	http   *http.Client
	failed func(what string, r reply) // told of every answer that is the server's fault
}

// reply is an answer of the server.
type reply struct {
	status int
	body   []byte
}

// code is the code of a refusal.
func (r reply) code() string {
	var e wire.ErrorBody
	if json.Unmarshal(r.body, &e) != nil {
		return ""
	}
	return e.Detail.Code
}

func (r reply) String() string { return fmt.Sprintf("%d %.500s", r.status, r.body) }

// tryBound is longer than the server holds a request.
const tryBound = 40 * time.Second

// try makes a request once.
func (c *caller) try(ctx context.Context, method, path string, body any, idem string) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, tryBound)
	defer cancel()
	content, err := json.Marshal(body)
	if err != nil {
		return reply{}, err
	}
	if body == nil {
		content = nil
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(content))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	if idem != "" {
		req.Header.Set(wire.HeaderIdempotencyKey, idem)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	r := reply{status: res.StatusCode}
	r.body, err = io.ReadAll(res.Body)
	return r, err
}

// hangUp makes a POST and closes the connection as soon as it is sent.
func (c *caller) hangUp(ctx context.Context, path string, body any, idem string) error {
	content, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set(wire.HeaderIdempotencyKey, idem)
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", req.URL.Host)
	if err != nil {
		return err
	}
	defer conn.Close()
	return req.Write(conn)
}

// send makes a request until it is answered, and returns how many tries had an
// unknown outcome. It fails when ctx ends.
func (c *caller) send(ctx context.Context, method, path string, body any, idem string) (r reply, unknown int, err error) {
	for {
		r, err = c.try(ctx, method, path, body, idem)
		switch {
		case err != nil:
			unknown++
		case r.status == http.StatusTooManyRequests || r.status == http.StatusServiceUnavailable:
		case r.status >= 500:
			c.failed(method+" "+path, r)
			unknown++
		default:
			return r, unknown, nil
		}
		if e := pause(ctx, 50*time.Millisecond); e != nil {
			return r, unknown, fmt.Errorf("%s %s: %w", method, path, e)
		}
	}
}

// get reads an object. found is false for 404.
func get[T any](ctx context.Context, c *caller, path string) (v T, found bool, err error) {
	r, _, err := c.send(ctx, http.MethodGet, path, nil, "")
	switch {
	case err != nil:
		return v, false, err
	case r.status == http.StatusNotFound:
		return v, false, nil
	case r.status != http.StatusOK:
		return v, false, fmt.Errorf("GET %s: %s", path, r)
	}
	if err := json.Unmarshal(r.body, &v); err != nil {
		return v, false, fmt.Errorf("GET %s: %w", path, err)
	}
	return v, true, nil
}

// pause waits for d: for a server that is down, or as a user who thinks.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
