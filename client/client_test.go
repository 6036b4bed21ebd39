package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"assay"
	"assay/client/wire"
)

// script answers requests one after the other, as a test lays down. It is the transport
// of a client: no network, so that time can be a bubble's.
type script struct {
	answers []answer // the last one again for all that follow
	seen    []*http.Request
	bodies  []string
	at      []time.Time
}

type answer struct {
	status int
	body   string
	after  string // Retry-After
	err    error
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	a := s.answers[min(len(s.seen), len(s.answers)-1)]
	s.seen, s.bodies, s.at = append(s.seen, r), append(s.bodies, string(body)), append(s.at, time.Now())
	if a.err != nil {
		return nil, a.err
	}
	h := http.Header{"X-Request-Id": {"req_1"}}
	if a.after != "" {
		h.Set("Retry-After", a.after)
	}
	return &http.Response{StatusCode: a.status, Status: fmt.Sprint(a.status), Header: h, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

func scripted(t *testing.T, answers ...answer) (*Client, *script) {
	t.Helper()
	s := &script{answers: answers}
	c, err := New("http://assay.test", "secret", WithHTTPClient(&http.Client{Transport: s}))
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

const (
	busy    = `{"detail":{"code":"too_many_sessions","message":"close one"}}`
	created = `{"session_id":"ses_1","status":"creating","expires_at":"2026-01-01T00:00:00Z"}`
)

func TestBusyServersAreAskedAgainAsTheySay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, answer{status: 429, body: busy, after: "5"}, answer{status: 503, after: "0"}, answer{status: 201, body: created})
		got, err := c.CreateSession(t.Context(), wire.SessionCreate{Dataset: "d", SampleID: "s"})
		if err != nil || got.SessionID != "ses_1" {
			t.Fatalf("%+v, %v", got, err)
		}
		if first, second := s.at[1].Sub(s.at[0]), s.at[2].Sub(s.at[1]); first != 5*time.Second || second != leastPause {
			t.Errorf("waited %s, then %s", first, second)
		}
		key := s.seen[0].Header.Get("Idempotency-Key")
		for i, r := range s.seen {
			if r.Header.Get("Idempotency-Key") != key || key == "" {
				t.Errorf("attempt %d has idempotency key %q, want %q", i, r.Header.Get("Idempotency-Key"), key)
			}
			if s.bodies[i] != `{"dataset":"d","sample_id":"s"}` {
				t.Errorf("attempt %d sent %s", i, s.bodies[i])
			}
		}
	})
}

func TestAttemptsEnd(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for _, tt := range []struct {
		name     string
		answer   answer
		call     func(context.Context, *Client) error
		attempts int // 0: several
		code     assay.Code
	}{
		{"a server that stays away", answer{err: refused}, listDatasets, 0, assay.CodeUnavailable},
		{"a server that stays busy", answer{status: 429, body: busy, after: "5"}, listDatasets, 4, assay.CodeTooManySessions},
		{"a server that is busy for long", answer{status: 429, body: busy, after: "60"}, listDatasets, 1, assay.CodeTooManySessions},
		{"a fault", answer{status: 500, body: `{"detail":{"code":"internal","message":"m"}}`}, listDatasets, 1, assay.CodeInternal},
		{"an edit", answer{status: 503}, func(ctx context.Context, c *Client) error {
			_, err := c.Replace(ctx, "ses_1", wire.ReplaceRequest{})
			return err
		}, 1, assay.CodeUnavailable},
		{"a new key", answer{err: refused}, func(ctx context.Context, c *Client) error {
			_, err := c.CreateAPIKey(ctx, "n")
			return err
		}, 1, assay.CodeUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := scripted(t, tt.answer)
				start := time.Now()
				err := tt.call(t.Context(), c)
				if assay.CodeOf(err) != tt.code {
					t.Errorf("error %v, want code %s", err, tt.code)
				}
				if took := time.Since(start); took > 15*time.Second {
					t.Errorf("gave up after %s", took)
				}
				if n := len(s.seen); tt.attempts != 0 && n != tt.attempts || n == 1 && tt.attempts == 0 {
					t.Errorf("%d attempts", n)
				}
			})
		})
	}
}

func listDatasets(ctx context.Context, c *Client) error {
	_, err := c.Datasets(ctx)
	return err
}

func TestContextEndsThePauseBetweenAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := scripted(t, answer{status: 429, body: busy, after: "5"})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := c.Datasets(ctx); err == nil || time.Since(start) != time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

func TestRefusalsAreTheServersErrors(t *testing.T) {
	for _, tt := range []struct {
		answer answer
		code   assay.Code
		text   string
	}{
		{answer{status: 404, body: `{"detail":{"code":"session_not_found","message":"there is no session ses_1"}}`}, assay.CodeSessionNotFound, "there is no session ses_1"},
		{answer{status: 409, body: `{"detail":{"code":"session_ended","message":"m"}}`}, assay.CodeSessionEnded, "m"},
		{answer{status: 422, body: `{"detail":[{"loc":["body","ttl_minutes"],"msg":"too small","type":"greater_than_equal"},{"loc":["body","dataset"],"msg":"Field required","type":"missing"}]}`}, assay.CodeInvalid, "body.ttl_minutes: too small; body.dataset: Field required"},
		{answer{status: 403, body: `<html>a proxy`}, assay.CodeUnauthenticated, "the server answered 403"},
		{answer{status: 404, body: `{"detail":"Not Found"}`}, assay.CodeNotFound, "the server answered 404"},
		{answer{status: 307}, assay.CodeInternal, "the server answered 307"},
	} {
		c, _ := scripted(t, tt.answer)
		_, err := c.Session(t.Context(), "ses_1")
		if !errors.Is(err, &assay.Error{Code: tt.code}) || err.Error() != tt.text {
			t.Errorf("%d: %q with code %s, want %q with %s", tt.answer.status, err, assay.CodeOf(err), tt.text, tt.code)
		}
		var e *Error
		if !errors.As(err, &e) || e.Status != tt.answer.status || e.RequestID != "req_1" {
			t.Errorf("%d: %+v", tt.answer.status, e)
		}
		if want := strings.Count(tt.answer.body, `"loc"`); len(e.Faults) != want {
			t.Errorf("%d faults, want %d", len(e.Faults), want)
		}
	}
}

func TestWaitsAreHeldAndCalm(t *testing.T) {
	const running = `{"interaction_id":"int_1","status":"processing"}`
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, answer{status: 200, body: running}, answer{status: 200, body: running}, answer{status: 200, body: `{"interaction_id":"int_1","status":"completed","exit_code":3}`})
		in, err := c.WaitInteraction(t.Context(), "ses_1", "int_1")
		if err != nil || *in.ExitCode != 3 {
			t.Fatalf("%+v, %v", in, err)
		}
		if s.at[1].Sub(s.at[0]) != calm {
			t.Errorf("asked again after %s", s.at[1].Sub(s.at[0]))
		}
		if got := s.seen[0].Header.Get("Prefer"); got != "wait=50" {
			t.Errorf("Prefer %q", got)
		}
		if got := s.seen[0].URL.String(); got != "http://assay.test/api/v1/sessions/ses_1/interactions/int_1" {
			t.Error(got)
		}
		if got := s.seen[0].Header.Get("Authorization"); got != "Bearer secret" {
			t.Error(got)
		}
	})
}

func TestWaitReadyTellsWhyThereIsNone(t *testing.T) {
	c, _ := scripted(t, answer{status: 200, body: `{"session_id":"ses_1","status":"error","error":{"code":"image_unavailable","message":"not here"}}`})
	s, err := c.WaitReady(t.Context(), "ses_1")
	if s == nil || assay.CodeOf(err) != assay.CodeImageUnavailable || !strings.Contains(err.Error(), "not here") {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestSamplesStopAtAnErrorAndAtABrokenList(t *testing.T) {
	enough := errors.New("enough")
	for body, want := range map[string]int{
		`{"total_count":2,"samples":[{"sample_id":"a"},{"sample_id":"b"}],"page":1,"has_more":false}`: 2,
		`{"samples":[{"sample_id":"a"},{"sample_id":"stop"},{"sample_id":"b"}]}`:                      -1,
		`{"samples":[{"sample_id":"a"},{"sample_id":"b"`:                                              -2,
		`{"samples":[{"sample_id":"a"}]`:                                                              -2,
		`[]`:                                                                                          -2,
	} {
		c, _ := scripted(t, answer{status: 200, body: body})
		n := 0
		err := c.Samples(t.Context(), SampleQuery{}, func(s *wire.Sample) error {
			if n++; s.SampleID == "stop" {
				return enough
			}
			return nil
		})
		switch want {
		case -1:
			if !errors.Is(err, enough) || n != 2 {
				t.Errorf("%s: %d samples, %v", body, n, err)
			}
		case -2:
			if err == nil {
				t.Errorf("%s: no error", body)
			}
		default:
			if err != nil || n != want {
				t.Errorf("%s: %d samples, %v", body, n, err)
			}
		}
	}
}

func TestNewTakesURLsOfServers(t *testing.T) {
	for given, want := range map[string]string{
		"http://127.0.0.1:8080":         "http://127.0.0.1:8080/api/v1",
		"http://127.0.0.1:8080/api/v1/": "http://127.0.0.1:8080/api/v1",
		"https://h/assay?x=1#y":         "https://h/assay/api/v1",
		"127.0.0.1:8080":                "",
		"ftp://h":                       "",
		"http://":                       "",
	} {
		c, err := New(given, "")
		if (err != nil) != (want == "") || err == nil && c.base != want {
			t.Errorf("%s: %+v, %v", given, c, err)
		}
	}
	if _, err := New("http://h", "a\nb"); err == nil {
		t.Error("a key with a line break was taken")
	}
}

func TestTokenIsNotCarriedElsewhere(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer elsewhere.Close()
	srv := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer srv.Close()
	c, err := New(srv.URL, "secret")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Me(t.Context()); assay.CodeOf(err) != assay.CodeInternal {
		t.Errorf("%v", err)
	}
}

func TestFilenameIsNeverAPath(t *testing.T) {
	for given, want := range map[string]string{
		`attachment; filename="a.tar.gz"`:         "a.tar.gz",
		`attachment; filename="../../etc/passwd"`: "passwd",
		`attachment; filename=".."`:               "s.tar.gz",
		``:                                        "s.tar.gz",
	} {
		if got := filenameOf(http.Header{"Content-Disposition": {given}}, "../s"); got != want {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
}
