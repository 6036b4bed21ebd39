package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"assay/client/wire"
)

// Diff writes the patch that a verification of a session judged to w, or with no
// verification what the session changed so far, and returns its SHA-256 in hex, which is
// checked. When it fails w may hold a part.
func (c *Client) Diff(ctx context.Context, sessionID, jobID string, w io.Writer) (digest string, err error) {
	r := get(path("sessions", sessionID, "diff"))
	r.query = url.Values{}
	setQuery(r.query, "job_id", jobID)
	r.header = http.Header{"Accept": {"text/x-diff"}}
	res, err := c.do(ctx, r)
	if err != nil {
		return "", err
	}
	defer closeBody(res)
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w, sum), res.Body); err != nil {
		return "", fmt.Errorf("read the diff of session %s: %w", sessionID, err)
	}
	digest = hex.EncodeToString(sum.Sum(nil))
	if want, told := strings.CutPrefix(strings.Trim(res.Header.Get("ETag"), `"`), "sha256:"); told && digest != want {
		return "", fmt.Errorf("read the diff of session %s: its SHA-256 is %s, not %s", sessionID, digest, want)
	}
	return digest, nil
}

// SignedVerdict returns the envelope with the verdict of a verification.
func (c *Client) SignedVerdict(ctx context.Context, sessionID, jobID string) ([]byte, error) {
	r := get(path("sessions", sessionID, "verify", jobID, "verdict"))
	r.header = http.Header{"Accept": {"*/*"}}
	return c.bytes(ctx, r)
}

// VerdictKeys returns the public keys that check the server's signed verdicts, as a JWK
// Set. It needs no token.
func (c *Client) VerdictKeys(ctx context.Context) ([]byte, error) {
	outside := *c
	outside.base = strings.TrimSuffix(c.base, wire.BasePath)
	return outside.bytes(ctx, get(wire.KeysPath))
}

// Standing tells whether the verdict of a verification was taken back since. No key is needed.
func (c *Client) Standing(ctx context.Context, jobID string) (*wire.VerdictStanding, error) {
	outside := *c
	outside.base = strings.TrimSuffix(c.base, wire.BasePath)
	return result[wire.VerdictStanding](&outside, ctx, get(wire.WithdrawnPath+url.PathEscape(jobID)))
}

// bytes makes a request and returns its answer as it is.
func (c *Client) bytes(ctx context.Context, r request) ([]byte, error) {
	res, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	defer closeBody(res)
	content, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s %s: %w", r.method, r.path, err)
	}
	return content, nil
}
