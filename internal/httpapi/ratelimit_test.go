package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"assay"
)

// doorkeeper is Identity that counts who asks.
type doorkeeper struct {
	people
	asked   int
	revoked bool // Ada's token
}

func (d *doorkeeper) Authenticate(ctx context.Context, token string) (*assay.User, *assay.APIKey, error) {
	d.asked++
	if token == tokenAda && d.revoked {
		return nil, nil, assay.Errorf(assay.CodeUnauthenticated, "revoked")
	}
	return d.people.Authenticate(ctx, token)
}

// street is a server behind a proxy, with small limits and a clock of the test's.
type street struct {
	*server
	door     *doorkeeper
	now      time.Time
	registry *prometheus.Registry
}

// newStreet has limits of 2 a second with a key, 3 a second from an address, and 4
// logins and 12 refused tokens a minute.
func newStreet(t *testing.T, change ...func(*Config)) *street {
	t.Helper()
	s := &street{now: epoch, registry: prometheus.NewRegistry()}
	setup := func(c *Config) {
		s.door = &doorkeeper{people: c.Identity.(people)}
		c.Identity = s.door
		c.Now = func() time.Time { return s.now }
		c.Registry = s.registry
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")} // httptest's
		c.Limits = RateLimits{PerKey: 2, PerAddress: 3, AuthPerMinute: 4}
	}
	s.server = newServer(t, append([]func(*Config){setup}, change...)...)
	s.ready("ses_a")
	handle(s.api, huma.Operation{
		OperationID: "log-in", Method: http.MethodPost, Path: "/log-in", Security: public, Metadata: limitStrictly.metadata(),
	}, nil, func(ctx context.Context, _ *struct{}) (*answer[string], error) {
		return &answer[string]{Body: callOf(ctx).address}, nil
	})
	return s
}

// The visits of the tests.
var (
	withKey    = request{method: "GET", path: "/sessions/ses_a"}
	withNoKey  = request{method: "GET", path: "/sessions/ses_a", anonymous: true}
	publicly   = request{method: "GET", path: "/datasets", anonymous: true}
	withBadKey = request{method: "GET", path: "/sessions/ses_a", headers: []string{"Authorization: Bearer wrong"}}
	bobsKey    = request{method: "GET", path: "/sessions", headers: []string{"Authorization: Bearer " + tokenBob}}
	loggingIn  = request{method: "POST", path: "/log-in", anonymous: true}
	health     = request{method: "GET", path: "/health", anonymous: true}
)

// Addresses of the tests.
const (
	here  = "198.51.100.1"
	there = "198.51.100.2"
)

// from sends a request from an address.
func (s *street) from(t *testing.T, address string, r request) *httptest.ResponseRecorder {
	t.Helper()
	r.headers = append([]string{"X-Forwarded-For: " + address}, r.headers...)
	return s.do(t, r)
}

// statuses sends a request n times, and returns the statuses of the answers, each with
// how often it came in a row: "401x12 429x1".
func (s *street) statuses(t *testing.T, n int, address string, r request) string {
	t.Helper()
	var rows []string
	last, times := 0, 0
	for i := range n + 1 {
		code := 0
		if i < n {
			code = s.from(t, address, r).Code
		}
		if code != last && times > 0 {
			rows, times = append(rows, fmt.Sprintf("%dx%d", last, times)), 0
		}
		last, times = code, times+1
	}
	return strings.Join(rows, " ")
}

func (s *street) want(t *testing.T, n int, address string, r request, want string) {
	t.Helper()
	if got := s.statuses(t, n, address, r); got != want {
		t.Errorf("%s %s from %s: %s, want %s", r.method, r.path, address, got, want)
	}
}

// wantLimited checks an answer of a limit, with the numbers of its bucket.
func wantLimited(t *testing.T, rec *httptest.ResponseRecorder, retryAfter, limit, reset string) {
	t.Helper()
	h := rec.Header()
	got := []string{h.Get("Retry-After"), h.Get("X-RateLimit-Limit"), h.Get("X-RateLimit-Remaining"), h.Get("X-RateLimit-Reset")}
	if diff := cmp.Diff([]string{retryAfter, limit, "0", reset}, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	wantError(t, rec, http.StatusTooManyRequests, "rate_limited")
}

func TestKeyIsLimitedWhereverItIsUsed(t *testing.T) {
	s := newStreet(t)
	s.want(t, 3, here, withKey, "200x3")
	s.want(t, 1, there, withKey, "200x1")
	asked := s.door.asked
	wantLimited(t, s.from(t, there, withKey), "1", "4", "2")
	if s.door.asked != asked {
		t.Error("a request over the limit reached the database")
	}
	s.want(t, 1, here, bobsKey, "200x1")
	s.now = s.now.Add(500 * time.Millisecond)
	s.want(t, 2, here, withKey, "200x1 429x1")
	s.now = s.now.Add(time.Minute)
	s.want(t, 5, here, withKey, "200x4 429x1")
}

func TestUnknownCallersAreLimitedByAddress(t *testing.T) {
	for name, r := range map[string]request{
		"what is public":      publicly,
		"no token":            withNoKey,
		"no such path":        {method: "GET", path: "/nowhere", anonymous: true},
		"a wrong method":      {method: "DELETE", path: "/datasets", anonymous: true},
		"a path of no use":    {method: "GET", path: "/%ff", anonymous: true},
		"the document":        {method: "GET", path: "/openapi.json", anonymous: true},
		"the page":            {method: "GET", path: "/docs", anonymous: true},
		"public, with a key":  {method: "GET", path: "/datasets"},
		"a token of no sense": withBadKey,
	} {
		t.Run(name, func(t *testing.T) {
			s := newStreet(t)
			s.want(t, 1, here, withKey, "200x1") // known from now on
			for range 5 {
				if s.from(t, here, r).Code == http.StatusTooManyRequests {
					t.Fatal("limited too soon")
				}
			}
			wantLimited(t, s.from(t, here, r), "1", "6", "2")
			s.want(t, 1, here, withKey, "200x1")
			s.want(t, 20, here, health, "200x20")
			s.want(t, 1, there, publicly, "200x1")
			s.now = s.now.Add(time.Second / 3)
			if s.from(t, here, r).Code == http.StatusTooManyRequests {
				t.Error("limited too long")
			}
		})
	}
}

func TestNetworkOfIPv6IsOneAddress(t *testing.T) {
	s := newStreet(t)
	s.want(t, 3, "2001:db8::1", publicly, "200x3")
	s.want(t, 4, "2001:db8::2", publicly, "200x3 429x1")
	s.want(t, 1, "2001:db8:0:1::1", publicly, "200x1")
}

func TestTriedTokensReachTheDatabaseAtTheRateOfTheAddressAlone(t *testing.T) {
	s := newStreet(t)
	for n := range 100 {
		s.from(t, here, request{method: "GET", path: "/sessions", headers: []string{fmt.Sprintf("Authorization: Bearer try-%d", n)}})
	}
	if s.door.asked != 6 {
		t.Errorf("%d of 100 tokens were looked up, want 6", s.door.asked)
	}
}

func TestGoodKeyIsLetInFromWhereManyBadOnesCame(t *testing.T) {
	s := newStreet(t, func(c *Config) { c.Limits.PerAddress = 100 })
	s.want(t, 1, here, withKey, "200x1")
	s.want(t, 12, here, withBadKey, "401x12")
	wantLimited(t, s.from(t, here, withBadKey), "5", "12", "60")
	s.want(t, 1, here, withKey, "200x1")
	s.want(t, 1, here, bobsKey, "200x1") // which was never seen before
	s.want(t, 1, there, withBadKey, "401x1")
	s.want(t, 1, here, withNoKey, "401x1") // no token was tried
	s.now = s.now.Add(5 * time.Second)
	s.want(t, 2, here, withBadKey, "401x1 429x1")
}

func TestRevokedKeyIsNobodysFromThenOn(t *testing.T) {
	s := newStreet(t)
	s.want(t, 1, here, withKey, "200x1")
	s.door.revoked = true
	s.want(t, 8, here, withKey, "401x6 429x2") // the first one counted as a key's, the later ones by address
}

func TestLoginsAreLimitedMoreStrictly(t *testing.T) {
	s := newStreet(t)
	s.want(t, 4, here, loggingIn, "200x4")
	wantLimited(t, s.from(t, here, loggingIn), "15", "4", "60")
	s.want(t, 1, here, withKey, "200x1")
	s.want(t, 1, there, loggingIn, "200x1")
	s.now = s.now.Add(15 * time.Second)
	s.want(t, 2, here, loggingIn, "200x1 429x1")
	if got := decodeAs[string](t, s.from(t, there, loggingIn)); got != there {
		t.Errorf("an operation is told the address %q", got)
	}
}

func TestLimitsCanBeSwitchedOff(t *testing.T) {
	s := newStreet(t, func(c *Config) { c.Limits = RateLimits{PerKey: -1, PerAddress: -1, AuthPerMinute: -1} })
	s.want(t, 50, here, withKey, "200x50")
	s.want(t, 50, here, publicly, "200x50")
	s.want(t, 50, here, withBadKey, "401x50")
	s.want(t, 50, here, loggingIn, "200x50")

	s = newStreet(t, func(c *Config) { c.Limits.PerKey = -1 })
	s.want(t, 50, here, withKey, "200x50")
	s.want(t, 6, here, publicly, "200x5 429x1") // the key was known after its first request

	s = newStreet(t, func(c *Config) { c.Limits.AuthPerMinute = -1 })
	s.want(t, 7, here, loggingIn, "200x6 429x1") // like whatever is public
}

func TestLimitedRequestsAreCountedByRule(t *testing.T) {
	s := newStreet(t, func(c *Config) { c.Limits.PerAddress = 20 })
	s.statuses(t, 4+1, here, withKey)
	s.statuses(t, 4+2, here, loggingIn)
	s.statuses(t, 12+3, here, withBadKey)
	s.statuses(t, 20+4, here, publicly) // 20 of 40 are left
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "assay_http_limited_requests_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			got[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
		}
	}
	if diff := cmp.Diff(map[string]float64{"key": 1, "auth": 2, "auth_failure": 3, "address": 4}, got); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

func TestFirstRequestsWithAKeyShareItsBucket(t *testing.T) {
	s := newServer(t, func(c *Config) { c.Limits = RateLimits{PerKey: 5, PerAddress: 1000} })
	s.ready("ses_a")
	var mu sync.Mutex
	got := map[int]int{}
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			code := s.do(t, withKey).Code
			mu.Lock()
			defer mu.Unlock()
			got[code]++
		})
	}
	all.Wait()
	if diff := cmp.Diff(map[int]int{200: 10, 429: 30}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}
