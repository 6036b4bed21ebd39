package github

import (
	"errors"
	"io"
	"net/http"
)

// errTooLarge says that an answer is no answer of GitHub's.
var errTooLarge = errors.New("the answer is too large")

// bounded is a transport that reads at most maxAnswer bytes of an answer, and asks for
// JSON where nothing else is asked for.
type bounded struct{ inner http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", "application/json")
	}
	r.Header.Set("User-Agent", "assay")
	res, err := b.inner.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = &boundedBody{res.Body, maxAnswer}
	return res, nil
}

// boundedBody is a body that fails beyond its bound, instead of ending as if it were whole.
type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, errTooLarge
	}
	return n, err
}
