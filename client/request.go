package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"assay"
	"assay/client/wire"
)

// maxAnswer bounds an answer that is kept in memory, in bytes.
const maxAnswer = 256 << 20

// request is one call of the API.
type request struct {
	method string
	path   string
	query  url.Values
	body   any // nil for none
	header http.Header
	// again tells that making the call twice does no harm. A POST gets an idempotency
	// key with it.
	again bool
	// take tells which answers beside 2xx are not refusals.
	take func(status int) bool
}

// get is a request that only reads.
func get(path string) request {
	return request{method: http.MethodGet, path: path, again: true}
}

// call makes a request and decodes the answer into out.
func (c *Client) call(ctx context.Context, r request, out any) error {
	res, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	defer closeBody(res)
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("read the answer of %s %s: %w", r.method, r.path, err)
	}
	return nil
}

// closeBody lets the connection be used again if little is left unread.
func closeBody(res *http.Response) {
	io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) //nolint:errcheck // else it is closed
	res.Body.Close()
}

// do makes a request, again where that may help. The caller closes the answer's body.
func (c *Client) do(ctx context.Context, r request) (*http.Response, error) {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return nil, fmt.Errorf("marshal %T: %w", r.body, err)
		}
	}
	if r.again && r.method == http.MethodPost {
		r.header = r.header.Clone()
		if r.header == nil {
			r.header = http.Header{}
		}
		r.header.Set(wire.HeaderIdempotencyKey, assay.NewID("idem_"))
	}
	var waited time.Duration
	for attempt := 0; ; attempt++ {
		res, err := c.send(ctx, r, body)
		if err == nil || !r.again || !transient(err) {
			return res, err
		}
		pause := pauseAfter(attempt, err)
		if waited += pause; waited > c.retryFor {
			return nil, err
		}
		if sleep(ctx, pause) != nil {
			return nil, err
		}
	}
}

// send makes one attempt.
func (c *Client) send(ctx context.Context, r request, body []byte) (*http.Response, error) {
	u := c.base + r.path
	if len(r.query) > 0 {
		u += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	res, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s %s: %w", r.method, r.path, ctx.Err())
		}
		return nil, assay.Wrap(err, assay.CodeUnavailable, "the server cannot be reached")
	}
	if res.StatusCode/100 == 2 || r.take != nil && r.take(res.StatusCode) {
		return res, nil
	}
	defer closeBody(res)
	return nil, errorOf(res)
}

// transient tells whether trying again may help: the server is busy, stopping or away.
func transient(err error) bool {
	var r *Error
	if errors.As(err, &r) {
		switch r.Status {
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return false
	}
	return assay.CodeOf(err) == assay.CodeUnavailable
}

// leastPause is the first and least time between two attempts.
const leastPause = 100 * time.Millisecond

// pauseAfter returns how long to wait after an attempt that failed: as the server says,
// or leastPause, doubled with each attempt up to 5 s, less up to half by chance so that
// clients do not come back together.
func pauseAfter(attempt int, err error) time.Duration {
	var r *Error
	if errors.As(err, &r) && r.after >= 0 {
		return max(r.after, leastPause)
	}
	pause := min(5*time.Second, leastPause<<min(attempt, 10))
	return pause - rand.N(pause/2+1) //nolint:gosec // spreads load, hides nothing
}

// sleep waits for d, or for the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
