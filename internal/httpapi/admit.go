package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"assay"
	"assay/client/wire"
	"assay/internal/identity"
)

// admit lets a request through to its operation: it knows who calls and how often, refuses
// new work while the server stops, and reads the body, within bounds.
func (a *API) admit(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	op := ctx.Operation()
	if takesToken(op) {
		w.Header()["Vary"] = headerVary
	}
	if err := a.admissible(r, op); err != nil {
		a.refuse(r.Context(), err).write(w)
		return
	}
	if op.RequestBody == nil {
		if key := r.Header.Get(wire.HeaderIdempotencyKey); key != "" {
			callOf(r.Context()).requestHash = hashRequest(r, nil)
		}
		next(ctx)
		return
	}
	body, err := a.readBody(r, w, op)
	if err != nil {
		a.refuse(r.Context(), err).write(w)
		return
	}
	if r.Header.Get(wire.HeaderIdempotencyKey) != "" {
		callOf(r.Context()).requestHash = hashRequest(r, body)
	}
	if len(body) == 0 && op.RequestBody.Required {
		body = []byte("null") // which is missing, together with all the other faults
	}
	next(&readRequest{inner: ctx, body: body})
}

func (a *API) admissible(r *http.Request, op *huma.Operation) error {
	if err := a.identify(r, op); err != nil {
		return err
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && a.holds.draining() {
		return assay.Errorf(assay.CodeUnavailable, "the server is stopping; try again in a moment")
	}
	return checkQuery(r.URL.RawQuery, op.Parameters)
}

// bearerToken returns the token of a request, "" for none. Of two it is not known which
// one something in between has looked at, so that neither counts.
func bearerToken(r *http.Request) string {
	if len(r.Header["Authorization"]) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, tokenType) {
		return ""
	}
	return strings.TrimSpace(token)
}

// authenticate finds out whose API key or access token a request carries; the form of
// the token tells which it is.
func (a *API) authenticate(r *http.Request) (err error) {
	token := bearerToken(r)
	if token == "" {
		return assay.Errorf(assay.CodeUnauthenticated, "this needs an API key or an access token: send the header Authorization: Bearer TOKEN, once")
	}
	var (
		c    = callOf(r.Context())
		user *assay.User
	)
	if identity.IsAccessToken(token) {
		user, c.login, err = a.cfg.Logins.Authenticate(r.Context(), token)
	} else {
		var key *assay.APIKey
		if user, key, err = a.cfg.Identity.Authenticate(r.Context(), token); err == nil {
			c.feedback = key.Feedback
		}
	}
	if err != nil {
		return err
	}
	c.userID = user.ID
	return nil
}

// checkQuery finds in a query what huma would pass over: it drops what cannot be
// decoded, and takes an empty value for none.
func checkQuery(raw string, params []*huma.Param) error {
	if raw == "" {
		return nil
	}
	query, err := url.ParseQuery(raw)
	if err != nil {
		return unfit(wire.Fault{Loc: []string{"query"}, Msg: "Query should be percent-encoded", Type: "value_error"})
	}
	var faults []wire.Fault
	for _, p := range params {
		values := query[p.Name]
		if p.In != "query" || len(values) == 0 {
			continue
		}
		loc := []string{"query", p.Name}
		switch {
		case !utf8.ValidString(values[0]):
			faults = append(faults, wire.Fault{Loc: loc, Msg: "Input should be valid UTF-8", Type: "string_unicode"})
		case values[0] == "" && p.Schema.Type == huma.TypeInteger:
			faults = append(faults, faultOf(&huma.ErrorDetail{Location: "query." + p.Name, Message: "invalid integer"}))
		case values[0] == "" && (len(p.Schema.Enum) > 0 || p.Schema.Items != nil && len(p.Schema.Items.Enum) > 0):
			faults = append(faults, wire.Fault{Loc: loc, Msg: "Input should not be empty", Type: "enum"})
		}
	}
	if faults != nil {
		return unfit(faults...)
	}
	return nil
}

// readBody reads the body of an operation and sees that it is JSON.
func (a *API) readBody(r *http.Request, w http.ResponseWriter, op *huma.Operation) ([]byte, error) {
	limit := op.MaxBodyBytes - 1 // huma refuses what fills its limit
	tooLarge := assay.Errorf(assay.CodeTooLarge, "the body is larger than %d bytes", limit)
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close")
		return nil, tooLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		w.Header().Set("Connection", "close")
		return nil, assay.Wrap(err, assay.CodeInvalid, "the body did not arrive whole")
	case int64(len(body)) > limit:
		w.Header().Set("Connection", "close")
		return nil, tooLarge
	}
	// The deadline of the body must not outlive it: it would end the read that watches
	// for the client hanging up, and with it the request's context.
	http.NewResponseController(w).SetReadDeadline(time.Time{}) //nolint:errcheck // a connection without deadlines has none
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return nil, nil
	case !utf8.Valid(body):
		return nil, assay.Errorf(assay.CodeInvalid, "the body is not UTF-8")
	}
	return body, checkJSON(body)
}

// checkJSON says where a body is not JSON.
func checkJSON(body []byte) error {
	if json.Valid(body) {
		return nil
	}
	var v json.RawMessage
	err := json.Unmarshal(body, &v)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return assay.Errorf(assay.CodeInvalid, "the body is not JSON: at byte %d: %v", syntax.Offset, syntax)
	}
	return assay.Errorf(assay.CodeInvalid, "the body is not JSON")
}

// hashRequest names what a request asks, to tell a retry from another request that
// uses the same idempotency key.
func hashRequest(r *http.Request, body []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s\n", r.Method, r.URL.EscapedPath())
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// readRequest is a request whose body was read. Whatever its Content-Type says, it is JSON.
type readRequest struct {
	inner
	body []byte
}

// inner is huma.Context by a name that does not hide its method Context.
type inner = huma.Context

func (r *readRequest) Unwrap() huma.Context  { return r.inner }
func (r *readRequest) BodyReader() io.Reader { return bytes.NewReader(r.body) }

func (r *readRequest) Header(name string) string {
	if name == "Content-Type" {
		return "application/json"
	}
	return r.inner.Header(name)
}
