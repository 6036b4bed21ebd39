// Package httpapi is the HTTP face of the services: operations, their wire types'
// conversion, middleware, the one table of errors, and the OpenAPI document.
//
// A request passes:
//
//	serve    request id, log, metrics, span, headers, panics   (every request)
//	admit    who calls, how often; refused while draining; the body  (every operation)
//	huma     decodes and validates: all faults at once
//	operation  asks a service, converts the answer
//
// Rules and authorisation are the services'; here is only what is HTTP.
package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"assay"
	"assay/client/wire"
	"assay/internal/attest"
)

// Config is what an API is made of.
type Config struct {
	Sessions      Sessions
	Verifications Verifications
	Datasets      Datasets
	Identity      Identity
	Billing       Billing
	Logins        Logins
	// Health tells whether the database and the runtime can be reached.
	Health func(ctx context.Context) error
	// Troubles counts what is wrong with single sandboxes, and keeps nobody else from
	// working. Defaults to nothing.
	Troubles func() Troubles

	// Version of the program.
	Version string
	// BaseURL is how clients reach the server, without a slash at its end.
	BaseURL string
	// URLKey signs download links: at least 32 random bytes.
	URLKey []byte
	// VerdictKeys returns the public keys that check signed verdicts.
	VerdictKeys func() attest.KeySet

	// PaymentOrigins are those that a checkout may lead back to beside the server's
	// own, such as https://app.example.org.
	PaymentOrigins []string

	// MaxTTLMinutes bounds the lifetime that a session may ask for. Defaults to 1440.
	MaxTTLMinutes int
	// MaxBodyBytes bounds the body of a request. Defaults to 1 MiB.
	MaxBodyBytes int64
	// MaxEditBytes bounds the body of a str_replace or an apply. Defaults to 16 MiB.
	MaxEditBytes int64
	// Quotas is what X-RateLimit-Limit says with a 429 of each code. Without an entry
	// the header is left out.
	Quotas map[assay.Code]int

	// Limits bounds how often clients may ask.
	Limits RateLimits
	// TrustedProxies are whose X-Forwarded-For is believed. Defaults to none.
	TrustedProxies []netip.Prefix

	// Registry takes the metrics. Defaults to none.
	Registry prometheus.Registerer
	// Tracer takes a span of every request. Defaults to none.
	Tracer trace.Tracer
	// Log hears of every request; never of tokens, bodies or queries. Defaults to none.
	Log *slog.Logger
	// Now is the clock of download links and limits. Defaults to time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.MaxTTLMinutes == 0 {
		c.MaxTTLMinutes = 1440
	}
	if c.MaxBodyBytes == 0 {
		c.MaxBodyBytes = 1 << 20
	}
	if c.MaxEditBytes == 0 {
		c.MaxEditBytes = 16 << 20
	}
	c.Limits = c.Limits.withDefaults()
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Sessions == nil || c.Verifications == nil || c.Datasets == nil || c.Health == nil,
		c.Identity == nil || c.Logins == nil || c.Billing == nil:
		return errors.New("httpapi: a service is missing")
	case c.VerdictKeys == nil:
		return errors.New("httpapi: the keys of verdicts are missing")
	case len(c.URLKey) < 32:
		return errors.New("httpapi: the key of download links needs at least 32 bytes")
	}
	return nil
}

// API is the HTTP API of a server.
type API struct {
	cfg     Config
	mux     *http.ServeMux
	huma    huma.API
	holds   *holds
	limits  *limits
	metrics *metrics
	openapi []byte
}

// New returns an API.
func New(cfg Config) (*API, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	m, err := newMetrics(cfg.Registry)
	if err != nil {
		return nil, err
	}
	a := &API{cfg: cfg, mux: http.NewServeMux(), metrics: m, holds: newHolds(m.held), limits: newLimits(cfg.Limits, m)}
	a.huma = humago.NewWithPrefix(a.mux, wire.BasePath, humaConfig(cfg.Version))
	a.huma.UseMiddleware(a.admit)
	a.registerOperations()
	if a.openapi, err = document(a.huma.OpenAPI(), cfg); err != nil {
		return nil, err
	}
	a.mux.HandleFunc("GET "+wire.BasePath+"/openapi.json", a.anyone(a.serveOpenAPI))
	a.registerPage()
	a.mux.HandleFunc("/", a.anyone(a.serveUnknown))
	return a, nil
}

// registerOperations adds the operations of the API, a file each.
func (a *API) registerOperations() {
	a.registerHealth()
	a.registerAuth()
	a.registerUsers()
	a.registerDatasets()
	a.registerSamples()
	a.registerDownload()
	a.registerSessions()
	a.registerCommands()
	a.registerEdits()
	a.registerVerifications()
	a.registerEvidence()
	a.registerBilling()
}

// Handler returns the handler of everything: the API and its documentation.
func (a *API) Handler() http.Handler { return http.HandlerFunc(a.serve) }

// Drain answers all held requests at once with the state as it is, and refuses work
// that begins from now on with 503. Reading goes on. It may be called again.
func (a *API) Drain() { a.holds.drain() }
