package httpapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/client/wire"
	"assay/internal/sandbox"
)

// wantJSON compares a body with JSON text, whatever the order of fields.
func wantJSON(t *testing.T, body []byte, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal(body, &g); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func TestSessionOnTheWire(t *testing.T) {
	s := newServer(t)
	rec := s.do(t, request{method: "POST", path: "/sessions", body: `{"dataset":"starter","sample_id":"mux-1","ttl_minutes":5}`})
	wantStatus(t, rec, 201)
	wantJSON(t, rec.Body.Bytes(), `{"session_id":"ses_1","status":"creating","expires_at":"2026-03-01T11:05:00.123456Z"}`)

	rec = s.do(t, request{method: "POST", path: "/sessions", body: `{"dataset":"starter","sample_id":"mux-1"}`})
	if got := decodeAs[wire.SessionCreated](t, rec).ExpiresAt.Sub(epoch).Round(time.Second); got != 30*time.Minute {
		t.Errorf("ttl_minutes defaults to %s", got)
	}

	rec = s.do(t, request{method: "GET", path: "/sessions/ses_1?wait=0"})
	wantJSON(t, rec.Body.Bytes(), `{"session_id":"ses_1","user_id":"usr_ada","dataset":"starter","sample_id":"mux-1","sample_version":0,"status":"creating","status_detail":null,
		"requested_at":"2026-03-01T11:00:00.123456Z","created_at":null,"expires_at":"2026-03-01T11:05:00.123456Z","duration_seconds":0,"container_info":null,"error":null,"cost_microusd":0}`)

	s.ready("ses_2")
	rec = s.do(t, request{method: "GET", path: "/sessions/ses_2"})
	wantJSON(t, rec.Body.Bytes(), `{"session_id":"ses_2","user_id":"usr_ada","dataset":"starter","sample_id":"mux-1","sample_version":2,"status":"ready","status_detail":null,
		"requested_at":"2026-03-01T11:00:00.123456Z","created_at":"2026-03-01T11:00:01.123456Z","expires_at":"2026-03-01T12:00:00.123456Z","duration_seconds":60,
		"container_info":{"container_name":"ses_2","sample_id":"mux-1","status":"running","created_at":"2026-03-01T11:00:01.123456Z",
			"expires_at":"2026-03-01T12:00:00.123456Z","location":"here","service_url":"http://assay.test/api/v1/sessions/ses_2"},"error":null,"cost_microusd":10000}`)

	lost := *s.sessions["ses_2"]
	lost.ID, lost.UnreachableAt = "ses_lost", new(lost.ReadyAt.Add(10*time.Second))
	s.put(&lost)
	rec = s.do(t, request{method: "GET", path: "/sessions/ses_lost"})
	if got := decodeAs[wire.Session](t, rec); got.Status != assay.SessionReady || *got.StatusDetail != "unreachable" || *got.DurationSeconds != 10 {
		t.Errorf("whose sandbox does not answer: %+v", got)
	}

	for range 2 {
		rec = s.do(t, request{method: "DELETE", path: "/sessions/ses_2"})
		wantStatus(t, rec, 200)
		wantJSON(t, rec.Body.Bytes(), `{"message":"session ses_2 is closed","duration_seconds":90}`)
	}

	s.put(&assay.Session{ID: "ses_3", UserID: "usr_ada", Status: assay.SessionTerminated, Error: &assay.Failure{Code: assay.CodeExpired, Message: "its time was over"}})
	rec = s.do(t, request{method: "GET", path: "/sessions/ses_3"})
	if got := decodeAs[wire.Session](t, rec).Error; got == nil || got.Code != "expired" {
		t.Errorf("error %+v", got)
	}
}

func TestSessionListPages(t *testing.T) {
	s := newServer(t)
	wantJSON(t, s.do(t, request{method: "GET", path: "/sessions"}).Body.Bytes(), `{"sessions":[],"total_count":0,"has_more":false,"next_cursor":null}`)
	for _, id := range []string{"ses_1", "ses_2", "ses_3"} {
		s.ready(id)
	}
	var seen []string
	path := "/sessions?status=ready&dataset=starter&limit=2"
	for cursor := new(""); cursor != nil; {
		list := decodeAs[wire.SessionList](t, s.do(t, request{method: "GET", path: path + "&cursor=" + *cursor}))
		if list.TotalCount != 3 || list.HasMore != (list.NextCursor != nil) {
			t.Errorf("%+v", list)
		}
		for _, one := range list.Sessions {
			seen = append(seen, one.SessionID)
		}
		cursor = list.NextCursor
	}
	if diff := cmp.Diff([]string{"ses_3", "ses_2", "ses_1"}, seen); diff != "" {
		t.Error(diff)
	}
	if q := s.lastList; q.Status != assay.SessionReady || q.Dataset != "starter" || q.UserID != "usr_ada" {
		t.Errorf("asked for %+v", q)
	}
}

func TestIdempotencyKey(t *testing.T) {
	s := newServer(t)
	create := func(key, body string) *wire.SessionCreated {
		rec := s.do(t, request{method: "POST", path: "/sessions", body: body, headers: []string{"Idempotency-Key: " + key}})
		if rec.Code == http.StatusConflict {
			return nil
		}
		wantStatus(t, rec, 201)
		return new(decodeAs[wire.SessionCreated](t, rec))
	}
	one, other := `{"dataset":"starter","sample_id":"a"}`, `{"dataset":"starter","sample_id":"b"}`
	first := create("k1", one)
	if again := create("k1", one); again == nil || again.SessionID != first.SessionID {
		t.Errorf("the same request made %+v, then %+v", first, again)
	}
	if clash := create("k1", other); clash != nil {
		t.Errorf("another request with the same key made %+v", clash)
	}
	if second := create("k2", one); second.SessionID == first.SessionID {
		t.Error("another key made the same session")
	}
}

func TestCommandOnTheWire(t *testing.T) {
	s := newServer(t)
	s.ready("ses_a")
	rec := s.do(t, request{method: "POST", path: "/sessions/ses_a/exec", body: `{"command":"go test"}`, headers: []string{"Idempotency-Key: k"}})
	wantStatus(t, rec, 202)
	wantJSON(t, rec.Body.Bytes(), `{"interaction_id":"int_1","status":"processing"}`)
	if s.lastExec.Timeout != 300*time.Second || s.lastExec.Command != "go test" || s.lastExec.Idem.Key != "k" || len(s.lastExec.Idem.RequestHash) != 64 {
		t.Errorf("asked for %+v", s.lastExec)
	}
	rec = s.do(t, request{method: "GET", path: "/sessions/ses_a/interactions/int_1?wait=0"})
	wantJSON(t, rec.Body.Bytes(), `{"interaction_id":"int_1","session_id":"ses_a","created_at":"2026-03-01T11:00:00.123456Z","status":"processing","exit_code":null,
		"stdout":null,"stderr":null,"stdout_bytes":0,"stderr_bytes":0,"stdout_truncated":false,"stderr_truncated":false,
		"execution_time_seconds":null,"success":null,"message":null}`)
	s.end("int_1", assay.InteractionCompleted, 3, "out")
	rec = s.do(t, request{method: "GET", path: "/sessions/ses_a/interactions/int_1"})
	wantJSON(t, rec.Body.Bytes(), `{"interaction_id":"int_1","session_id":"ses_a","created_at":"2026-03-01T11:00:00.123456Z","status":"completed","exit_code":3,
		"stdout":"out","stderr":"","stdout_bytes":3,"stderr_bytes":0,"stdout_truncated":false,"stderr_truncated":false,
		"execution_time_seconds":1.5,"success":false,"message":null}`)
	wantError(t, s.do(t, request{method: "GET", path: "/sessions/ses_a/interactions/int_9"}), 404, "interaction_not_found")
}

func TestTimeoutHasAnOldName(t *testing.T) {
	s := newServer(t)
	s.ready("ses_a")
	for body, want := range map[string]time.Duration{
		`{"command":"a"}`:                                  300 * time.Second,
		`{"command":"a","timeout":7}`:                      7 * time.Second,
		`{"command":"a","timeout":7,"command_timeout":8}`:  8 * time.Second,
		`{"command":"a","command_timeout":null}`:           300 * time.Second,
		`{"command":"a","command_timeout":9,"unknown":{}}`: 9 * time.Second,
	} {
		wantStatus(t, s.do(t, request{method: "POST", path: "/sessions/ses_a/exec", body: body}), 202)
		if s.lastExec.Timeout != want {
			t.Errorf("%s: timeout %s, want %s", body, s.lastExec.Timeout, want)
		}
	}
}

var oldSDK = []string{"User-Agent: Codeset/Python 0.3.0", "X-Stainless-Lang: python", "X-Stainless-Package-Version: 0.3.0"}

func TestOldSDKsWaitForTheEndOfACommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.ready("ses_a")
		answer := s.held(t, request{method: "POST", path: "/sessions/ses_a/exec", body: `{"command":"sleep 100"}`, headers: append(oldSDK, "X-Stainless-Read-Timeout: 60")})
		time.Sleep(100 * time.Second) //nolint:forbidigo // the bubble's clock
		s.end("int_1", assay.InteractionCompleted, 0, "done")
		rec, took := answer()
		wantStatus(t, rec, 202)
		wantJSON(t, rec.Body.Bytes(), `{"interaction_id":"int_1","status":"completed","exit_code":0,"stdout":"done","stderr":"","execution_time_seconds":1.5}`)
		if took != 100*time.Second {
			t.Errorf("answered after %s", took)
		}
	})
}

func TestWhichSDKIsOld(t *testing.T) {
	for _, tt := range []struct {
		agent, lang, version string
		want                 bool
	}{
		{"Codeset/Python 0.3.0", "python", "0.3.0", true},
		{"AsyncCodeset/Python 0.1.0a19", "python", "0.1.0a19", true},
		{"Codeset/Python 0.4.0", "python", "0.4.0", false},
		{"Codeset/Python 0.9.1", "python", "0.9.1", false},
		{"Codeset/Python 1.0.0", "python", "1.0.0", false},
		{"OpenAI/Python 0.3.0", "python", "0.3.0", false},
		{"Codeset/JS 0.3.0", "js", "0.3.0", false},
		{"Codeset/Python", "python", "", false},
		{"curl/8", "", "", false},
	} {
		if got := (SDKHeaders{tt.agent, tt.lang, tt.version}).synchronous(); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

func TestEditsOnTheWire(t *testing.T) {
	s := newServer(t)
	s.ready("ses_a")
	rec := s.do(t, request{method: "POST", path: "/sessions/ses_a/str_replace", body: `{"file_path":"f","str_to_replace":"a","str_to_insert":""}`})
	wantStatus(t, rec, 200)
	wantJSON(t, rec.Body.Bytes(), `{"success":true,"message":"said"}`)
	if want := (sandbox.ReplaceRequest{Path: "f", Old: "a"}); s.lastEdit != want {
		t.Errorf("asked for %+v", s.lastEdit)
	}
	rec = s.do(t, request{method: "POST", path: "/sessions/ses_a/str_replace", body: `{"file_path":"f","str_to_replace":"gone","str_to_insert":"b"}`})
	wantJSON(t, rec.Body.Bytes(), `{"success":false,"message":"said"}`)
	rec = s.do(t, request{method: "POST", path: "/sessions/ses_a/apply", body: `{"diff":"--- a\n+++ b\n"}`})
	wantStatus(t, rec, 200)
	wantJSON(t, rec.Body.Bytes(), `{"success":true,"message":"applied; 1 files changed"}`)
}

func TestVerificationOnTheWire(t *testing.T) {
	s := newServer(t)
	s.ready("ses_a")
	rec := s.do(t, request{method: "POST", path: "/sessions/ses_a/verify"})
	wantStatus(t, rec, 202)
	wantJSON(t, rec.Body.Bytes(), `{"job_id":"ver_1","status":"pending","started_at":"2026-03-01T11:00:00.123456Z"}`)

	rec = s.do(t, request{method: "GET", path: "/sessions/ses_a/verify/ver_1?wait=0"})
	wantJSON(t, rec.Body.Bytes(), `{"job_id":"ver_1","session_id":"ses_a","sample_id":"mux-1","status":"pending","created_at":"2026-03-01T11:00:00.123456Z",
		"started_at":null,"completed_at":null,"container_info":null,"error":null,"result":null,"withdrawn":null,"details_withheld":false}`)

	judge{s.world}.putJob(&assay.Verification{
		ID: "ver_1", SessionID: "ses_a", SampleID: "mux-1", Status: assay.VerificationCompleted, CreatedAt: epoch,
		StartedAt: new(epoch.Add(time.Second)), CompletedAt: new(epoch.Add(3 * time.Second)),
		Verdict: &assay.Verdict{
			Tool: assay.VerifierLinter, Grading: assay.GradingSWEBench, Reason: "TestA failed", Passed: 1, Failed: 1, Duration: 2 * time.Second, ExitCode: 1,
			Passes:   []assay.TestOutcome{{Name: "TestB", Duration: time.Second}},
			Failures: []assay.TestOutcome{{Name: "TestA", Expected: "fail_to_pass", Message: "no", Details: "line 3"}},
			Stdout:   assay.Output{Text: "FAIL", Bytes: 4},
		},
	})
	rec = s.do(t, request{method: "GET", path: "/sessions/ses_a/verify/ver_1"})
	wantJSON(t, rec.Body.Bytes(), `{"job_id":"ver_1","session_id":"ses_a","sample_id":"mux-1","status":"completed","created_at":"2026-03-01T11:00:00.123456Z",
		"started_at":"2026-03-01T11:00:01.123456Z","completed_at":"2026-03-01T11:00:03.123456Z","container_info":null,"error":null,"withdrawn":null,"details_withheld":false,
		"result":{"tool":"test_suite","is_success":false,"total":2,"passed":1,"failed":1,"skipped":0,"execution_duration_seconds":2,
			"failures":[{"name":"TestA","expected":"fail_to_pass","message":"no","details":"line 3"}],
			"passes":[{"name":"TestB","duration_seconds":1,"message":"","details":""}],"skips":[],"stdout":"FAIL","stderr":"",
			"reason":"TestA failed","grading":"swe-bench","missing":[],"exit_code":1,"timed_out":false,
			"stdout_truncated":false,"stderr_truncated":false,"stdout_bytes":4,"stderr_bytes":0,"contradictions":[],"tampering":[],
			"evidence":{"grader":"","image_digest":"","sample_version":0,"patch_sha256":"","answers_open":false,"expected":{"fail_to_pass":[],"pass_to_pass":[],"fail_to_fail":[]},
				"left_out":[],"quarantined":[],"resources":{"cpu_seconds":0,"memory_peak_bytes":0,"oom_kills":0},
				"durations":{"create_seconds":0,"lay_seconds":0,"suite_seconds":0,"grade_seconds":0}}}}`)
}

func TestUserOnTheWire(t *testing.T) {
	s := newServer(t)
	rec := s.do(t, request{method: "POST", path: "/users/me/api-keys", body: `{"name":"laptop"}`})
	wantStatus(t, rec, 201)
	wantJSON(t, rec.Body.Bytes(), `{"api_key":{"key_id":"key_1","key":"ask_abcdefgh-whole-secret","name":"laptop","created_at":"2026-03-01T11:00:00.123456Z","expires_at":null,"is_active":true,"last_used_at":null,"feedback":"full"}}`)

	rec = s.do(t, request{method: "POST", path: "/users/me/accept-terms"})
	wantStatus(t, rec, 200)
	rec = s.do(t, request{method: "GET", path: "/users/me"})
	wantJSON(t, rec.Body.Bytes(), `{"user_id":"usr_ada","name":"Ada","email":"ada@example.org","github_id":null,
		"api_keys":[{"key_id":"key_1","key":"ask_abcd...","name":"laptop","created_at":"2026-03-01T11:00:00.123456Z","expires_at":null,"is_active":true,"last_used_at":null,"feedback":"full"}],
		"created_at":"2026-03-01T11:00:00.123456Z","last_login_at":null,"is_active":true,"terms_accepted_at":"2026-03-01T11:00:00.123456Z"}`)

	rec = s.do(t, request{method: "DELETE", path: "/users/me/api-keys", body: `{"key_id":"key_1"}`})
	wantStatus(t, rec, 200)
	wantJSON(t, rec.Body.Bytes(), `{"message":"the API key is revoked","revoked_key_id":"key_1"}`)
	wantError(t, s.do(t, request{method: "DELETE", path: "/users/me/api-keys", body: `{"key_id":"key_2"}`}), 404, "api_key_not_found")
	if log := s.log.String(); strings.Contains(log, "whole-secret") {
		t.Error("the log tells a secret")
	}
}
