package httpapi

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/trace"

	"assay"
	"assay/client/wire"
	"assay/internal/dataset"
	"assay/internal/identity"
	"assay/internal/telemetry"
	"assay/internal/verification"
)

// bodyBound is how long a client may take to send a body, also one that nobody wants.
const bodyBound = 30 * time.Second

// writeBound is how long a client may take to read an answer, or the next part of a
// streamed one.
const writeBound = time.Minute

// call is one request on its way: what is known of the caller, and what is answered. It
// is the http.ResponseWriter of everything below serve.
type call struct {
	http.ResponseWriter
	requestID   string
	span        trace.Span     // one that does nothing unless traces are on
	address     string         // of the client, "" if its connection has none
	network     netip.Addr     // what the address is counted as
	userID      string         // "" until admitted, and of who sent no token where none is needed
	login       *assay.Login   // of the access token; nil for an API key
	feedback    assay.Feedback // what the API key is told of verdicts; "" for an access token
	requestHash string         // of an operation with an idempotency key
	status      int            // 0 until the header is written
	bytes       int64
}

type callKey struct{}

// callOf returns the call that ctx belongs to.
func callOf(ctx context.Context) *call {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		panic("httpapi: a context without a call") // only requests that serve let in have handlers
	}
	return c
}

// actor is the caller, for the audit log.
func (c *call) actor() identity.Actor {
	return identity.Actor{ID: c.userID, Address: c.address, Feedback: c.feedback}
}

// ofVerdicts is the caller, as one who reads verifications.
func (c *call) ofVerdicts() verification.Reader {
	return verification.Reader{UserID: c.userID, Feedback: c.feedback}
}

// reader is the caller, for what is not for everybody's eyes.
func (c *call) reader() dataset.Reader {
	if c.userID != "" {
		return dataset.User
	}
	return dataset.Anybody
}

// Unwrap lets http.ResponseController find the connection.
func (c *call) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// WriteHeader sends the header, once, and bounds the time for the rest.
func (c *call) WriteHeader(status int) {
	if c.status != 0 {
		return
	}
	c.status = status
	c.extend()
	c.ResponseWriter.WriteHeader(status)
}

func (c *call) Write(p []byte) (int, error) {
	if c.status == 0 {
		c.WriteHeader(http.StatusOK)
	}
	if c.bytes > 0 {
		c.extend() // a long answer
	}
	n, err := c.ResponseWriter.Write(p)
	c.bytes += int64(n)
	return n, err
}

// Flush and Hijack are for those who ask for the interfaces, and not by way of Unwrap.
var (
	_ http.Flusher  = (*call)(nil)
	_ http.Hijacker = (*call)(nil)
)

// Flush sends what was written so far.
func (c *call) Flush() {
	if c.status == 0 {
		c.WriteHeader(http.StatusOK)
	}
	http.NewResponseController(c.ResponseWriter).Flush() //nolint:errcheck // what cannot be flushed is sent at the end
}

// Hijack hands the connection out. What is said on it is not seen here: it counts as one
// whose protocol was switched.
func (c *call) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(c.ResponseWriter).Hijack()
	if err == nil && c.status == 0 {
		c.status = http.StatusSwitchingProtocols
	}
	return conn, rw, err
}

// extend gives the client another writeBound to read. The next answer on the connection
// does so again, so that no deadline outlives its request.
func (c *call) extend() {
	if conn, ok := c.ResponseWriter.(interface{ SetWriteDeadline(time.Time) error }); ok {
		conn.SetWriteDeadline(time.Now().Add(writeBound)) //nolint:errcheck // a connection without deadlines has none
	}
}

// Headers of every answer. The slices are shared: nobody changes them.
var (
	headerNosniff  = []string{"nosniff"}
	headerNoStore  = []string{"no-store"}
	headerReferrer = []string{"no-referrer"}
	headerVary     = []string{"Authorization"} // where it matters who calls
	headerPolicy   = []string{"default-src 'none'; frame-ancestors 'none'"}
)

func (a *API) serve(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	c := &call{ResponseWriter: w, requestID: requestID(r)}
	if addr := clientAddress(r, a.cfg.TrustedProxies); addr.IsValid() {
		c.address, c.network = addr.String(), networkOf(addr)
	}
	h := w.Header()
	h["X-Request-Id"] = []string{c.requestID}
	h["X-Content-Type-Options"] = headerNosniff
	h["Cache-Control"] = headerNoStore
	h["Referrer-Policy"] = headerReferrer
	h["Content-Security-Policy"] = headerPolicy
	if r.ContentLength != 0 { // its length, or -1
		http.NewResponseController(w).SetReadDeadline(start.Add(bodyBound)) //nolint:errcheck // a connection without deadlines has none
	}
	ctx, span := a.beginSpan(telemetry.WithRequest(r.Context(), c.requestID), r, c.requestID)
	c.span = span
	r = r.WithContext(context.WithValue(ctx, callKey{}, c))
	defer func() { a.finished(c, r, time.Since(start)) }()
	defer func() { a.recovered(c, r, recover()) }()
	if !utf8.ValidString(r.URL.Path) || strings.IndexByte(r.URL.Path, 0) >= 0 {
		a.anyone(a.notFound)(c, r) // no name of ours holds such bytes
		return
	}
	a.mux.ServeHTTP(c, r)
}

// recovered answers a request whose handler panicked.
func (a *API) recovered(c *call, r *http.Request, cause any) {
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler { //nolint:errorlint // panics compare by identity
		panic(cause)
	}
	a.cfg.Log.LogAttrs(r.Context(), slog.LevelError, "panic",
		slog.String("cause", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))
	if c.status != 0 {
		panic(http.ErrAbortHandler) // part of an answer is out: let the client see that it broke
	}
	a.refuse(r.Context(), assay.Errorf(assay.CodeInternal, "panic")).write(c)
}

// finished logs and counts a request.
func (a *API) finished(c *call, r *http.Request, took time.Duration) {
	route := r.Pattern
	if _, path, ok := strings.Cut(route, " "); ok {
		route = path
	}
	status := c.status
	if status == 0 {
		status = http.StatusOK // as net/http sends it
	}
	a.metrics.observe(r.Method, route, status, took)
	endSpan(c.span, r.Method, route, c.userID, status)
	a.cfg.Log.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("method", r.Method), slog.String("route", route), slog.Int("status", status),
		slog.Duration("took", took), slog.Int64("bytes", c.bytes), slog.String("user", c.userID))
}

// requestID returns the client's id of the request if it is fit to be logged and sent
// back, else a new one.
func requestID(r *http.Request) string {
	id := r.Header.Get(wire.HeaderRequestID)
	if id == "" || len(id) > 128 {
		return assay.NewID(assay.PrefixRequest)
	}
	for i := range len(id) {
		switch b := id[i]; {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '-', b == '_', b == '.':
		default:
			return assay.NewID(assay.PrefixRequest)
		}
	}
	return id
}

// methods are those that some operation has.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodDelete}

// serveUnknown answers what no route takes: 405 when the path has other methods.
func (a *API) serveUnknown(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, m := range methods {
		probe := *r
		probe.Method = m
		if _, pattern := a.mux.Handler(&probe); pattern != "" && pattern != "/" {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) == 0 {
		a.notFound(w, r)
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	a.refuse(r.Context(), assay.Errorf(codeMethodNotAllowed, "this path takes %s", strings.Join(allowed, ", "))).write(w)
}

func (a *API) notFound(w http.ResponseWriter, r *http.Request) {
	a.refuse(r.Context(), assay.Errorf(assay.CodeNotFound, "there is no such path; GET %s/openapi.json lists them", wire.BasePath)).write(w)
}
