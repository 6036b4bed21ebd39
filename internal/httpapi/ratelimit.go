package httpapi

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/time/rate"

	"assay"
)

// RateLimits bounds how often clients may ask. A negative number is no limit.
type RateLimits struct {
	// PerKey is requests a second with one API key or access token; twice as many may
	// come at once. Defaults to 1000.
	PerKey int
	// PerAddress is requests a second from one network address (IPv6: one /64) of
	// callers who are not known: without a token, to what needs none, or with a token
	// that was not seen of late. Twice as many may come at once. Defaults to 200.
	PerAddress int
	// AuthPerMinute is logins and refreshes a minute from one network address. Three
	// times as many refused tokens are answered with 401, further ones with 429.
	// Defaults to 20.
	AuthPerMinute int
}

func (r RateLimits) withDefaults() RateLimits {
	for _, d := range []struct {
		v   *int
		def int
	}{{&r.PerKey, 1000}, {&r.PerAddress, 200}, {&r.AuthPerMinute, 20}} {
		if *d.v == 0 {
			*d.v = d.def
		}
	}
	return r
}

// strictness is how an operation is limited, beside what its caller is.
type strictness int

const (
	limitUsually   strictness = iota
	limitStrictly             // it checks secrets of those who are not known yet
	limitNever                // it tells whether the server lives
	limitForgeries            // its caller signs: who does so is served however often, others count
)

// metadata is that of an operation that is not limited as usual: huma.Operation.Metadata.
func (s strictness) metadata() map[string]any { return map[string]any{"limit": s} }

func strictnessOf(op *huma.Operation) strictness {
	s, _ := op.Metadata["limit"].(strictness)
	return s
}

// tokenName is what a token's bucket is called: its SHA-256, so that the table of them
// opens nothing.
type tokenName [sha256.Size]byte

// limits is the rules: one table of buckets each.
type limits struct {
	keys      *buckets[tokenName] // those of tokens that opened something
	addresses *buckets[netip.Addr]
	auth      *buckets[netip.Addr]
	failures  *buckets[netip.Addr]
}

func newLimits(cfg RateLimits, m *metrics) *limits {
	newRule := func(name string, number int, per time.Duration, burst int, message string) rule {
		fill := rate.Limit(float64(number) / per.Seconds())
		if number < 0 {
			fill = rate.Inf
		}
		return rule{fill: fill, burst: burst, refused: m.limited.WithLabelValues(name), message: fmt.Sprintf(message, number)}
	}
	failures := 3 * cfg.AuthPerMinute
	return &limits{
		keys: newBuckets[tokenName](newRule("key", cfg.PerKey, time.Second, 2*cfg.PerKey,
			"more than %d requests a second with this key")),
		addresses: newBuckets[netip.Addr](newRule("address", cfg.PerAddress, time.Second, 2*cfg.PerAddress,
			"more than %d requests a second from your address")),
		auth: newBuckets[netip.Addr](newRule("auth", cfg.AuthPerMinute, time.Minute, cfg.AuthPerMinute,
			"more than %d logins a minute from your address")),
		failures: newBuckets[netip.Addr](newRule("auth_failure", failures, time.Minute, failures,
			"more than %d refused tokens a minute from your address: yours is unknown, revoked or expired too")),
	}
}

// identify counts a request by who makes it, and finds out who that is if its operation
// needs to know, or wants to and is told: whoever sends something for a token is who it
// says, or nobody at all.
func (a *API) identify(r *http.Request, op *huma.Operation) error {
	c, how := callOf(r.Context()), strictnessOf(op)
	if how == limitStrictly {
		if err := a.limits.auth.take(c.network, a.cfg.Now()); err != nil {
			return err
		}
	}
	switch {
	case needsToken(op), takesToken(op) && len(r.Header["Authorization"]) > 0:
		return a.identifyToken(r, c)
	case how == limitNever, how == limitForgeries:
		return nil
	}
	return a.limits.addresses.take(c.network, a.cfg.Now())
}

// identifyToken counts a token that opened something of late against its own bucket,
// before anything else is done. Others count against their address like every caller
// who is not known: that bounds how often somebody who tries tokens reaches the
// database.
//
// A refused token also counts as a failure, but an address of many failures locks
// nobody out: a good token is let in, and a bad one hears 429 in place of 401. Were
// tokens refused there unseen, one bad request a second would be enough to keep
// everybody out who shares the address, and it would stop nobody from guessing 256 bits
// who could not try.
func (a *API) identifyToken(r *http.Request, c *call) error {
	l, now, token := a.limits, a.cfg.Now(), bearerToken(r)
	name := tokenName(sha256.Sum256([]byte(token)))
	known := token != "" && l.keys.has(name)
	var err error
	if known {
		err = l.keys.take(name, now)
	} else {
		err = l.addresses.take(c.network, now)
	}
	if err != nil {
		return err
	}
	if err := a.authenticate(r); err != nil {
		if token == "" || assay.CodeOf(err) != assay.CodeUnauthenticated {
			return err
		}
		l.keys.forget(name)
		if many := l.failures.take(c.network, now); many != nil {
			return many
		}
		return err
	}
	if !known {
		return l.keys.take(name, now)
	}
	return nil
}

// forged counts a request of an operation whose caller signs, and did not, against its
// address. The requests of the one who does must not wait for what others send in its
// name, nor for those who share an address with it behind a proxy.
func (a *API) forged(ctx context.Context) error {
	return a.limits.addresses.take(callOf(ctx).network, a.cfg.Now())
}

// anyone limits a handler that is no operation by its callers' addresses.
func (a *API) anyone(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := a.limits.addresses.take(callOf(r.Context()).network, a.cfg.Now()); err != nil {
			a.refuse(r.Context(), err).write(w)
			return
		}
		next(w, r)
	}
}
