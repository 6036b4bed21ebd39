package httpapi

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"assay"
	"assay/client/wire"
)

// held starts a request and returns a function that waits for its answer and tells how
// long it took, in a bubble's time.
func (s *server) held(t *testing.T, r request) func() (*httptest.ResponseRecorder, time.Duration) {
	t.Helper()
	start := time.Now()
	var rec *httptest.ResponseRecorder
	var took time.Duration
	done := make(chan struct{})
	go func() {
		defer close(done)
		rec = s.do(t, r)
		took = time.Since(start)
	}()
	synctest.Wait()
	return func() (*httptest.ResponseRecorder, time.Duration) {
		<-done
		return rec, took
	}
}

func (s *server) running(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interactions[id] = &assay.Interaction{ID: id, SessionID: "ses_a", CreatedAt: epoch, Status: assay.InteractionProcessing, Timeout: time.Minute}
}

func TestHowLongARequestIsHeld(t *testing.T) {
	const get = "/sessions/ses_a/interactions/int_a"
	tests := []struct {
		name    string
		path    string
		headers []string
		first   time.Duration
		later   time.Duration
		applied string
	}{
		{name: "as the server chooses", path: get, first: 5 * time.Second, later: 25 * time.Second},
		{name: "verification", path: "/sessions/ses_a/verify/ver_a", first: 5 * time.Second, later: 25 * time.Second},
		{name: "session", path: "/sessions/ses_new", first: 25 * time.Second, later: 25 * time.Second},
		{name: "not at all", path: get + "?wait=0"},
		{name: "as the query says", path: get + "?wait=55", first: 55 * time.Second, later: 55 * time.Second},
		{name: "less long than proxies wait", path: get + "?wait=60", first: 55 * time.Second, later: 55 * time.Second},
		{name: "as the client prefers", path: get, headers: []string{"Prefer: wait=7"}, first: 7 * time.Second, later: 7 * time.Second, applied: "wait=7"},
		{name: "among preferences", path: get, headers: []string{`Prefer: respond-async, Wait = "3"; x=y`}, first: 3 * time.Second, later: 3 * time.Second, applied: "wait=3"},
		{name: "prefers not to wait", path: get, headers: []string{"Prefer: wait=0"}, applied: "wait=0"},
		{name: "prefers too long", path: get, headers: []string{"Prefer: wait=3600"}, first: 55 * time.Second, later: 55 * time.Second, applied: "wait=55"},
		{name: "prefers nonsense", path: get, headers: []string{"Prefer: wait=soon"}, first: 5 * time.Second, later: 25 * time.Second},
		{name: "the query wins", path: get + "?wait=2", headers: []string{"Prefer: wait=9"}, first: 2 * time.Second, later: 2 * time.Second},
		{name: "half of a short read timeout", path: get, headers: []string{"X-Stainless-Read-Timeout: 2"}, first: time.Second, later: time.Second},
		{name: "half of a middling read timeout", path: get, headers: []string{"X-Stainless-Read-Timeout: 20.0"}, first: 5 * time.Second, later: 10 * time.Second},
		{name: "a long read timeout", path: get, headers: []string{"X-Stainless-Read-Timeout: 600"}, first: 5 * time.Second, later: 25 * time.Second},
		{name: "a session's read timeout", path: "/sessions/ses_new", headers: []string{"X-Stainless-Read-Timeout: 3"}, first: 1500 * time.Millisecond, later: 1500 * time.Millisecond},
		{name: "a wish is obeyed to the letter", path: get + "?wait=9", headers: []string{"X-Stainless-Read-Timeout: 2"}, first: 9 * time.Second, later: 9 * time.Second},
		{name: "a read timeout that is none", path: get, headers: []string{"X-Stainless-Read-Timeout: NaN"}, first: 5 * time.Second, later: 25 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				s.ready("ses_a")
				s.running("int_a")
				judge{s.world}.putJob(&assay.Verification{ID: "ver_a", SessionID: "ses_a", Status: assay.VerificationRunning})
				s.put(&assay.Session{ID: "ses_new", UserID: "usr_ada", Status: assay.SessionCreating})
				for i, want := range []time.Duration{tt.first, tt.later, tt.later} {
					rec, took := s.held(t, request{method: "GET", path: tt.path, headers: tt.headers})()
					wantStatus(t, rec, 200)
					if took != want {
						t.Errorf("request %d was held %s, want %s", i+1, took, want)
					}
					if got := rec.Header().Get("Preference-Applied"); got != tt.applied {
						t.Errorf("Preference-Applied %q, want %q", got, tt.applied)
					}
				}
			})
		})
	}
}

func TestHeldRequestsAreAnsweredByTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		s := newServer(t, func(c *Config) { c.Registry = registry })
		s.ready("ses_a")
		s.running("int_a")
		command := s.held(t, request{method: "GET", path: "/sessions/ses_a/interactions/int_a?wait=60"})
		s.put(&assay.Session{ID: "ses_new", UserID: "usr_ada", Status: assay.SessionCreating})
		session := s.held(t, request{method: "GET", path: "/sessions/ses_new"})
		if got := gathered(t, registry)["assay_http_held_requests"]; got != 2 {
			t.Errorf("%v requests are held, want 2", got)
		}
		time.Sleep(300 * time.Millisecond) //nolint:forbidigo // the bubble's clock

		s.end("int_a", assay.InteractionCompleted, 0, "hello")
		rec, took := command()
		got := decodeAs[wire.Interaction](t, rec)
		if took != 300*time.Millisecond || got.ExitCode == nil || *got.ExitCode != 0 || !*got.Success {
			t.Errorf("after %s: %+v", took, got)
		}
		s.put(&assay.Session{ID: "ses_new", UserID: "usr_ada", Status: assay.SessionReady})
		rec, took = session()
		if got := decodeAs[wire.Session](t, rec); took != 300*time.Millisecond || got.Status != assay.SessionReady {
			t.Errorf("after %s: %+v", took, got)
		}
		if got := gathered(t, registry)["assay_http_held_requests"]; got != 0 {
			t.Errorf("%v requests are held, want 0", got)
		}
	})
}

func TestDrainAnswersHeldRequestsAndRefusesNewWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, func(c *Config) { c.Registry = prometheus.NewRegistry() })
		s.ready("ses_a")
		s.running("int_a")
		waiting := s.held(t, request{method: "GET", path: "/sessions/ses_a/interactions/int_a?wait=60"})
		old := s.held(t, request{method: "POST", path: "/sessions/ses_a/exec", body: `{"command":"sleep 9"}`, headers: oldSDK})

		s.api.Drain()
		s.api.Drain()
		rec, took := waiting()
		wantStatus(t, rec, 200)
		if got := decodeAs[wire.Interaction](t, rec); took != 0 || got.Status != assay.InteractionProcessing || got.ExitCode != nil {
			t.Errorf("after %s: %+v", took, got)
		}
		rec, _ = old()
		if got := decodeAs[wire.ExecAccepted](t, rec); got.ExitCode == nil || *got.ExitCode != assay.ExitUnknown {
			t.Errorf("a synchronous exec whose end was not seen: %+v", got)
		}
		rec, took = s.held(t, request{method: "GET", path: "/sessions/ses_a/interactions/int_a"})()
		if wantStatus(t, rec, 200); took != 0 {
			t.Errorf("held %s while draining", took)
		}
		for _, path := range []string{"/sessions", "/sessions/ses_a/exec", "/sessions/ses_a/verify"} {
			rec := s.do(t, request{method: "POST", path: path, body: `{}`})
			if rec.Header().Get("Retry-After") == "" {
				t.Errorf("%s: no Retry-After", path)
			}
			wantError(t, rec, 503, "unavailable")
		}
	})
}

func TestClientGoneEndsTheHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.ready("ses_a")
		s.running("int_a")
		ctx, hangUp := context.WithCancel(t.Context())
		req := httptest.NewRequestWithContext(ctx, "GET", "/api/v1/sessions/ses_a/interactions/int_a?wait=60", nil)
		req.Header.Set("Authorization", "Bearer "+tokenAda)
		start, done := time.Now(), make(chan struct{})
		go func() {
			defer close(done)
			s.api.Handler().ServeHTTP(httptest.NewRecorder(), req)
		}()
		synctest.Wait()
		hangUp()
		<-done
		if took := time.Since(start); took != 0 {
			t.Errorf("the hold went on for %s", took)
		}
	})
}

func TestVisitsForgetsTheOldAndStaysSmall(t *testing.T) {
	var v visits
	at := epoch
	v.note("first", at)
	if !v.before("first", at.Add(visitsAge)) || v.before("other", at) {
		t.Error("a visit is not remembered")
	}
	if v.before("first", at.Add(4*visitsAge)) {
		t.Error("a visit is remembered for ever")
	}
	for i := range 10 * visitsKept {
		v.note(fmt.Sprint(i), at)
	}
	if n := len(v.now) + len(v.old); n > 2*visitsKept {
		t.Errorf("%d visits are kept", n)
	}
	if !v.before(fmt.Sprint(10*visitsKept-1), at) {
		t.Error("the newest visit was forgotten")
	}
}
