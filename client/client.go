// Package client speaks the HTTP API of an Assay server.
//
//	c, err := client.New("http://127.0.0.1:8080", token)
//	s, err := c.CreateSession(ctx, wire.SessionCreate{Dataset: "starter", SampleID: id})
//	_, err = c.WaitReady(ctx, s.SessionID)
//	out, err := c.ExecWait(ctx, s.SessionID, wire.ExecRequest{Command: "go test ./..."})
//	job, err := c.VerifyWait(ctx, s.SessionID)
//	_, err = c.CloseSession(ctx, s.SessionID)
//
// A refusal is an *Error, and errors.Is and assay.CodeOf find in it the *assay.Error
// that the server had. Calls that may be made twice are: when the server is busy,
// stopping or away for a moment, they are tried again for a while. Every call ends
// with its context.
package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"assay/client/wire"
)

// Option changes how a Client works.
type Option func(*Client)

// WithHTTPClient makes the requests with h, instead of a client without an overall
// timeout that follows no redirects.
func WithHTTPClient(h *http.Client) Option { return func(c *Client) { c.http = h } }

// WithRetryFor bounds how long a call waits, in all, between its attempts, instead of 15
// seconds. 0 tries nothing again.
func WithRetryFor(d time.Duration) Option { return func(c *Client) { c.retryFor = d } }

// WithHold bounds how long the server is to hold one request of a wait, instead of 50
// seconds. Servers take up to 60.
func WithHold(d time.Duration) Option { return func(c *Client) { c.hold = d } }

// WithUserAgent names the program, instead of assay-client.
func WithUserAgent(name string) Option { return func(c *Client) { c.userAgent = name } }

func newHTTPClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	transport.ResponseHeaderTimeout = 3 * time.Minute // longer than a hold, and than a sample takes to be packed
	return &http.Client{Transport: transport, CheckRedirect: refuseRedirects}
}

// refuseRedirects keeps the token with the server that it is for.
func refuseRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Client is a client of one server, for one user. It is safe for concurrent use.
type Client struct {
	base      string // without a slash at its end
	token     string
	http      *http.Client
	retryFor  time.Duration
	hold      time.Duration
	userAgent string
}

// New returns a client of the server at baseURL, such as http://127.0.0.1:8080, with or
// without /api/v1. The token is an API key or an access token; without one only public calls work.
func New(baseURL, token string, options ...Option) (*Client, error) {
	u, err := url.Parse(baseURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is not the URL of a server, such as http://127.0.0.1:8080", baseURL)
	}
	if strings.ContainsAny(token, "\r\n") {
		return nil, errors.New("the API key or token holds a line break; copy it again")
	}
	u.RawQuery, u.Fragment = "", ""
	base := strings.TrimSuffix(u.String(), "/")
	if !strings.HasSuffix(base, wire.BasePath) {
		base += wire.BasePath
	}
	c := &Client{
		base: base, token: token,
		http: newHTTPClient(), retryFor: 15 * time.Second, hold: 50 * time.Second, userAgent: "assay-client",
	}
	for _, o := range options {
		o(c)
	}
	return c, nil
}

// path joins the parts of a path, escaped.
func path(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}
