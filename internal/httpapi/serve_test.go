package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"assay"
	"assay/client/wire"
)

func TestTokenIsAskedForBeforeAnythingElse(t *testing.T) {
	s := newServer(t)
	s.ready("ses_a")
	for _, auth := range []string{"", "Basic YWRhOnB3", "Bearer", "Bearer ", "Bearer wrong", tokenAda} {
		rec := s.do(t, request{method: "POST", path: "/sessions/ses_a/exec", body: "not even JSON", anonymous: true, headers: []string{"Authorization: " + auth}})
		if got := rec.Header().Get("WWW-Authenticate"); got != "Bearer" {
			t.Errorf("%q: WWW-Authenticate %q", auth, got)
		}
		wantError(t, rec, 401, "unauthenticated")
	}
	rec := s.do(t, request{method: "GET", path: "/sessions/ses_a", anonymous: true, headers: []string{"Authorization: bearer  " + tokenAda}})
	wantStatus(t, rec, 200)
}

func TestPublicOperationsNeedNoToken(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{"/health", "/datasets", "/samples", "/openapi.json", "/docs", "/docs/page.js", "/docs/page.css"} {
		wantStatus(t, s.do(t, request{method: "GET", path: path, anonymous: true}), 200)
	}
	wantStatus(t, s.do(t, request{method: "GET", path: "/samples/starter/mux-1/download", anonymous: true}), 401)
}

func TestSomebodyElsesObjectsAreNotFound(t *testing.T) {
	s := newServer(t)
	s.ready("ses_a")
	s.interactions["int_a"] = &assay.Interaction{ID: "int_a", SessionID: "ses_a", Status: assay.InteractionCompleted}
	judge{s.world}.putJob(&assay.Verification{ID: "ver_a", SessionID: "ses_a", Status: assay.VerificationCompleted})
	for _, r := range []request{
		{method: "GET", path: "/sessions/ses_a"},
		{method: "DELETE", path: "/sessions/ses_a"},
		{method: "POST", path: "/sessions/ses_a/exec", body: `{"command":"true"}`},
		{method: "GET", path: "/sessions/ses_a/interactions/int_a"},
		{method: "POST", path: "/sessions/ses_a/str_replace", body: `{"file_path":"f","str_to_replace":"a","str_to_insert":"b"}`},
		{method: "POST", path: "/sessions/ses_a/apply", body: `{"diff":"d"}`},
		{method: "POST", path: "/sessions/ses_a/verify"},
		{method: "GET", path: "/sessions/ses_a/verify/ver_a"},
	} {
		r.headers = []string{"Authorization: Bearer " + tokenBob}
		wantError(t, s.do(t, r), 404, "session_not_found")
	}
	rec := s.do(t, request{method: "GET", path: "/sessions", headers: []string{"Authorization: Bearer " + tokenBob}})
	if list := decodeAs[wire.SessionList](t, rec); list.TotalCount != 0 {
		t.Errorf("Bob sees %+v", list)
	}
}

func TestHeadersOfRefusals(t *testing.T) {
	s := newServer(t, func(c *Config) { c.Quotas = map[assay.Code]int{assay.CodeTooManySessions: 20} })
	tests := []struct {
		err    error
		status int
		want   map[string]string
	}{
		{assay.Errorf(assay.CodeSessionNotReady, "wait"), 409, map[string]string{"X-Should-Retry": "false", "Retry-After": ""}},
		{fmt.Errorf("insert: %w", assay.Errorf(assay.CodeConflict, "changed")), 409, map[string]string{"X-Should-Retry": "false"}},
		{assay.Errorf(assay.CodeTooManySessions, "20 live"), 429, map[string]string{"Retry-After": "5", "X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "5"}},
		{assay.Errorf(assay.CodeUnavailable, "stopping"), 503, map[string]string{"Retry-After": "2"}},
		{assay.Errorf(assay.CodeSessionNotFound, "none"), 404, map[string]string{"X-Should-Retry": "", "Retry-After": "", "X-RateLimit-Remaining": ""}},
		{assay.Errorf(assay.CodeTooLarge, "too much"), 413, nil},
		{assay.Errorf(assay.CodeInvalid, "cannot"), 400, nil},
	}
	for _, tt := range tests {
		s.fail = tt.err
		rec := s.do(t, request{method: "POST", path: "/sessions", body: `{"dataset":"starter","sample_id":"s"}`})
		for name, want := range tt.want {
			if got := rec.Header().Get(name); got != want {
				t.Errorf("%v: %s %q, want %q", tt.err, name, got, want)
			}
		}
		wantError(t, rec, tt.status, string(assay.CodeOf(tt.err)))
	}
}

func TestFaultsOfTheServerTellNothingButTheRequestID(t *testing.T) {
	s := newServer(t)
	s.ready("ses_a")
	secret := "dial unix /var/lib/assay.db: password hunter2"
	tests := []struct {
		name   string
		do     func() *httptest.ResponseRecorder
		status int
		code   string
	}{
		{"an unknown error", func() *httptest.ResponseRecorder {
			s.fail = errors.New(secret)
			return s.do(t, request{method: "GET", path: "/sessions/ses_a"})
		}, 500, "internal"},
		{"a wrapped cause", func() *httptest.ResponseRecorder {
			s.fail = assay.Wrap(errors.New(secret), assay.CodeUnavailable, "try again")
			return s.do(t, request{method: "GET", path: "/sessions/ses_a"})
		}, 503, "unavailable"},
		{"an internal error's message", func() *httptest.ResponseRecorder {
			s.fail = assay.Errorf(assay.CodeInternal, "%s", secret)
			return s.do(t, request{method: "GET", path: "/sessions/ses_a"})
		}, 500, "internal"},
		{"a panic", func() *httptest.ResponseRecorder {
			s.fail, s.panics = nil, secret
			return s.do(t, request{method: "POST", path: "/sessions/ses_a/str_replace", body: `{"file_path":"f","str_to_replace":"a","str_to_insert":"b"}`})
		}, 500, "internal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.log.Reset()
			rec := tt.do()
			id := rec.Header().Get("X-Request-Id")
			if body := rec.Body.String(); strings.Contains(body, "hunter2") || !strings.Contains(body, id) || id == "" {
				t.Errorf("request %q answered %s", id, body)
			}
			if log := s.log.String(); !strings.Contains(log, "hunter2") || !strings.Contains(log, id) {
				t.Errorf("the log does not tell the cause: %s", log)
			}
			wantError(t, rec, tt.status, tt.code)
		})
	}
}

func TestClientsThatHangUpAreNoFaultOfTheServer(t *testing.T) {
	s := newServer(t)
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	s.fail = fmt.Errorf("read session: %w", context.Canceled)
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/sessions/ses_a", nil)
	req.Header.Set("Authorization", "Bearer "+tokenAda)
	s.api.Handler().ServeHTTP(httptest.NewRecorder(), req)
	if log := s.log.String(); !strings.Contains(log, "status=499") || strings.Contains(log, "level=ERROR") {
		t.Errorf("logged %s", log)
	}
}

func TestRequestID(t *testing.T) {
	s := newServer(t)
	for given, kept := range map[string]bool{
		"trace-1.A_b":            true,
		strings.Repeat("a", 128): true,
		strings.Repeat("a", 129): false,
		"a b":                    false,
		`a"b`:                    false,
		"":                       false,
	} {
		rec := s.do(t, request{method: "GET", path: "/health", headers: []string{"X-Request-Id: " + given}})
		got := rec.Header().Get("X-Request-Id")
		if kept && got != given || !kept && !strings.HasPrefix(got, assay.PrefixRequest) {
			t.Errorf("given %q, answered %q", given, got)
		}
	}
	if got := s.do(t, request{method: "GET", path: "/nothing"}).Header().Get("X-Request-Id"); got == "" {
		t.Error("404 of an unknown path has no request id")
	}
}

func TestSecurityHeadersAreOnEveryAnswer(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{"/health", "/nothing", "/docs"} {
		h := s.do(t, request{method: "GET", path: path, headers: []string{"Origin: https://elsewhere.example"}}).Header()
		if h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", path, h)
		}
		if h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s allows other origins", path)
		}
	}
}

func TestDocsLoadNothingFromElsewhere(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{"/docs", "/docs/page.js", "/docs/page.css"} {
		rec := s.do(t, request{method: "GET", path: path})
		wantStatus(t, rec, 200)
		if body := rec.Body.String(); strings.Contains(body, "://") || strings.Contains(body, "innerHTML") || strings.Contains(body, " style=") {
			t.Errorf("%s names another host, or breaks the policy", path)
		}
	}
	wantStatus(t, s.do(t, request{method: "GET", path: "/docs/none.js"}), 404)
}

func TestLogAndMetricsNameRoutesAndNoSecrets(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := newServer(t, func(c *Config) { c.Registry = registry })
	s.ready("ses_a")
	s.do(t, request{method: "GET", path: "/sessions/ses_a?wait=1&signature=query-secret"})
	s.do(t, request{method: "POST", path: "/sessions/ses_a/exec", body: `{"command":"echo body-secret"}`})
	s.do(t, request{method: "GET", path: "/no/such/path-1"})
	s.do(t, request{method: "BREW", path: "/no/such/path-2"})
	log := s.log.String()
	for _, want := range []string{"method=GET route=/api/v1/sessions/{session_id} status=200", "user=usr_ada", "request_id=req_"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q: %s", want, log)
		}
	}
	for _, secret := range []string{tokenAda, "query-secret", "body-secret"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log tells %s", secret)
		}
	}
	got := gathered(t, registry)
	for metric, want := range map[string]float64{
		`assay_http_requests_total method=GET route=/api/v1/sessions/{session_id} status=200`:       1,
		`assay_http_requests_total method=POST route=/api/v1/sessions/{session_id}/exec status=202`: 1,
		`assay_http_requests_total method=other route=unknown status=404`:                           2,
		`assay_http_request_duration_seconds method=GET route=/api/v1/sessions/{session_id}`:        1,
		`assay_http_held_requests`: 0,
	} {
		if value, ok := got[metric]; !ok || value != want {
			t.Errorf("%s is %v, want %v", metric, value, want)
		}
	}
}

// gathered returns the metrics by name and labels; of histograms the count.
func gathered(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetName() + "=" + l.GetValue()
			}
			got[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return got
}

func TestHealthIsAskedForReal(t *testing.T) {
	s := newServer(t)
	rec := s.do(t, request{method: "GET", path: "/health", anonymous: true})
	wantStatus(t, rec, 200)
	if got := decodeAs[wire.Health](t, rec); got.Status != "healthy" || got.Service != "assay" || got.Version != "1.2.3" {
		t.Errorf("%+v", got)
	}
	s.troubles.Unreachable, s.troubles.Stuck = 2, 3
	rec = s.do(t, request{method: "GET", path: "/health", anonymous: true})
	wantStatus(t, rec, 200)
	if got := decodeAs[wire.Health](t, rec); got.UnreachableSessions != 2 || got.StuckSandboxes != 3 || got.Status != "healthy" {
		t.Errorf("with trouble in single sandboxes: %+v", got)
	}
	s.sick = errors.New("database is gone")
	rec = s.do(t, request{method: "GET", path: "/health", anonymous: true})
	wantStatus(t, rec, 503)
	if got := decodeAs[wire.Health](t, rec); got.Status != "unhealthy" {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(s.log.String(), "database is gone") {
		t.Error("the log does not say why")
	}
}

func TestAllowNamesTheMethodsOfAPath(t *testing.T) {
	s := newServer(t)
	rec := s.do(t, request{method: http.MethodPatch, path: "/users/me/api-keys"})
	if got := rec.Header().Get("Allow"); got != "POST, DELETE" {
		t.Errorf("Allow %q", got)
	}
	wantError(t, rec, 405, "method_not_allowed")
}
