package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"assay"
	"assay/client/wire"
)

// refusal is an error as it is answered. huma writes it.
type refusal struct {
	status int
	header http.Header
	body   any // wire.ErrorBody or wire.ValidationBody
}

func (r *refusal) Error() string                { return http.StatusText(r.status) }
func (r *refusal) GetStatus() int               { return r.status }
func (r *refusal) GetHeaders() http.Header      { return r.header }
func (r *refusal) MarshalJSON() ([]byte, error) { return json.Marshal(r.body) }

// statusClientGone is what is logged and counted of a request whose client hung up before
// it was answered. Nobody receives it.
const statusClientGone = 499

// refuse turns an error into its answer and logs what its user does not see.
func (a *API) refuse(ctx context.Context, err error) *refusal {
	var known *refusal
	if errors.As(err, &known) {
		return known
	}
	c := callOf(ctx)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return &refusal{status: statusClientGone, body: wire.ErrorBody{}}
	}
	code, kind := kindOf(assay.CodeOf(err))
	r := &refusal{status: kind.status, header: http.Header{}}
	message := "internal error"
	var e *assay.Error
	if errors.As(err, &e) && code != assay.CodeInternal {
		message = e.Message
	}
	if kind.status >= 500 {
		message = fmt.Sprintf("%s (request id %s)", message, c.requestID)
		a.logFault(ctx, err)
	}
	switch kind.status {
	case http.StatusUnauthorized:
		r.header["Www-Authenticate"] = []string{"Bearer"}
	case http.StatusConflict:
		r.header[wire.HeaderShouldRetry] = []string{"false"}
	case http.StatusTooManyRequests:
		r.header["X-Ratelimit-Remaining"] = []string{"0"}
		r.header["X-Ratelimit-Reset"] = []string{strconv.Itoa(kind.retryAfter)}
		if limit, ok := a.cfg.Quotas[code]; ok {
			r.header["X-Ratelimit-Limit"] = []string{strconv.Itoa(limit)}
		}
	}
	var l *limited
	if errors.As(err, &l) {
		r.header["X-Ratelimit-Limit"] = []string{strconv.Itoa(l.limit)}
		r.header["X-Ratelimit-Reset"] = []string{wholeSeconds(l.reset)}
		r.header["Retry-After"] = []string{wholeSeconds(l.wait)}
	} else if kind.retryAfter > 0 {
		r.header["Retry-After"] = []string{strconv.Itoa(kind.retryAfter)}
	}
	r.body = wire.ErrorBody{Detail: wire.ErrorDetail{Code: string(code), Message: message}}
	return r
}

// logFault logs a fault of the server.
func (a *API) logFault(ctx context.Context, err error) {
	a.cfg.Log.LogAttrs(ctx, slog.LevelError, "request failed", slog.String("err", err.Error()))
}

// write answers with r from outside a huma handler.
func (r *refusal) write(w http.ResponseWriter) {
	h := w.Header()
	for k, v := range r.header {
		h[k] = v
	}
	writeJSON(w, r.status, r.body)
}

var contentTypeJSON = []string{"application/json"}

// writeJSON answers with a body that always marshals.
func writeJSON(w http.ResponseWriter, status int, body any) {
	var data bytes.Buffer
	if err := encode(&data, body); err != nil {
		panic(fmt.Sprintf("marshal %T: %v", body, err)) // a fault of the program; the panic is answered with 500
	}
	w.Header()["Content-Type"] = contentTypeJSON
	w.WriteHeader(status)
	w.Write(data.Bytes()) //nolint:errcheck // the client is gone, or gets it
}

// render is the transformer through which every answer of huma goes: what huma itself
// refuses becomes an answer of ours.
func render(ctx huma.Context, _ string, v any) (any, error) {
	switch v := v.(type) {
	case *refusal:
		return v.body, nil
	case *huma.ErrorModel:
		ctx.SetHeader("Content-Type", "application/json")
		if v.Status == http.StatusUnprocessableEntity {
			return wire.ValidationBody{Detail: faultsOf(v.Errors)}, nil
		}
		return wire.ErrorBody{Detail: wire.ErrorDetail{Code: string(assay.CodeInvalid), Message: v.Detail}}, nil
	}
	return v, nil
}
