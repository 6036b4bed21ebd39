package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"assay"
	"assay/client/wire"
	"assay/internal/attest"
)

func TestDiffOnTheWire(t *testing.T) {
	s := newServer(t)
	s.ready("ses_a")
	for query, want := range map[string]string{"": "diff of ses_a ", "?job_id=ver_1": "diff of ses_a ver_1"} {
		rec := s.do(t, request{method: "GET", path: "/sessions/ses_a/diff" + query})
		wantStatus(t, rec, 200)
		h := rec.Header()
		if rec.Body.String() != want || h.Get("Content-Type") != "text/x-diff; charset=utf-8" || h.Get("ETag") != `"sha256:abc123"` || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%q: %v %s", query, h, rec.Body)
		}
	}
	rec := s.do(t, request{method: "GET", path: "/sessions/ses_a/diff", headers: []string{`If-None-Match: "sha256:abc123"`}})
	if wantStatus(t, rec, 304); rec.Body.Len() != 0 {
		t.Errorf("304 with a body: %s", rec.Body)
	}
	rec = s.do(t, request{method: "HEAD", path: "/sessions/ses_a/diff"})
	if wantStatus(t, rec, 200); rec.Body.Len() != 0 || rec.Header().Get("Content-Length") != "14" {
		t.Errorf("HEAD: %v %s", rec.Header(), rec.Body)
	}
	wantError(t, s.do(t, request{method: "GET", path: "/sessions/ses_a/diff", anonymous: true, headers: []string{"Authorization: Bearer " + tokenBob}}), 404, "session_not_found")
	wantError(t, s.do(t, request{method: "GET", path: "/sessions/ses_a/diff", anonymous: true}), 401, "unauthenticated")
}

func TestSignedVerdictOnTheWire(t *testing.T) {
	s := newServer(t)
	s.ready("ses_a")
	j := judge{s.world}
	j.putJob(&assay.Verification{ID: "ver_1", SessionID: "ses_a", UserID: "usr_ada", Status: assay.VerificationRunning})
	const path = "/sessions/ses_a/verify/ver_1/verdict"
	wantError(t, s.do(t, request{method: "GET", path: path}), 404, "job_not_found")
	j.putJob(&assay.Verification{ID: "ver_1", SessionID: "ses_a", UserID: "usr_ada", Status: assay.VerificationCompleted, Verdict: &assay.Verdict{}})
	rec := s.do(t, request{method: "GET", path: path})
	wantStatus(t, rec, 200)
	if rec.Header().Get("Content-Type") != "application/vnd.dsse.envelope.v1+json" || rec.Body.String() != `{"payload":"e30="}`+"\n" {
		t.Errorf("%v %s", rec.Header(), rec.Body)
	}
	wantError(t, s.do(t, request{method: "GET", path: path, anonymous: true, headers: []string{"Authorization: Bearer " + tokenBob}}), 404, "session_not_found")
}

func TestKeysOfVerdictsAreEverybodys(t *testing.T) {
	s := newServer(t)
	rec := httptest.NewRecorder()
	s.api.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/.well-known/assay-keys.json", nil))
	wantStatus(t, rec, 200)
	var keys attest.KeySet
	if err := json.Unmarshal(rec.Body.Bytes(), &keys); err != nil || len(keys.Keys) != 1 || keys.Keys[0].ID != "k" {
		t.Errorf("%s: %v", rec.Body, err)
	}
}

func TestEvidenceOnTheWire(t *testing.T) {
	s := newServer(t)
	s.ready("ses_a")
	judge{s.world}.putJob(&assay.Verification{ID: "ver_1", SessionID: "ses_a", UserID: "usr_ada", Status: assay.VerificationCompleted, CreatedAt: epoch, Verdict: &assay.Verdict{
		Contradictions: []string{"the report counts 3 tests, and names 2"},
		Tampering:      []assay.Tampering{{Kind: assay.TamperingTest, Path: "a_test.go", Detail: "it was changed"}},
		Evidence: assay.Evidence{
			Grader: "2", ImageDigest: "sha256:ab", SampleVersion: 3, PatchSHA256: "cd", CachedFrom: "ver_0", SecondRun: assay.SecondRunAgreed, AnswersOpen: true, LeftOut: []string{".venv/"},
			Expected:  assay.Expected{FailToPass: []string{"TestA"}},
			Resources: assay.Resource{CPU: 1500 * time.Millisecond, MemoryPeakBytes: 7, OOMKills: 1},
			Durations: assay.Durations{Create: time.Second, Lay: 2 * time.Second, Suite: 3 * time.Second, Grade: 4 * time.Second},
		},
	}})
	rec := s.do(t, request{method: "GET", path: "/sessions/ses_a/verify/ver_1"})
	wantStatus(t, rec, 200)
	var got struct {
		Result struct{ Contradictions, Tampering, Evidence json.RawMessage }
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	wantJSON(t, got.Result.Contradictions, `["the report counts 3 tests, and names 2"]`)
	wantJSON(t, got.Result.Tampering, `[{"kind":"test","path":"a_test.go","detail":"it was changed"}]`)
	wantJSON(t, got.Result.Evidence, `{"grader":"2","image_digest":"sha256:ab","sample_version":3,"patch_sha256":"cd","cached_from":"ver_0","second_run":"agreed","answers_open":true,
		"expected":{"fail_to_pass":["TestA"],"pass_to_pass":[],"fail_to_fail":[]},"left_out":[".venv/"],"quarantined":[],
		"resources":{"cpu_seconds":1.5,"memory_peak_bytes":7,"oom_kills":1},
		"durations":{"create_seconds":1,"lay_seconds":2,"suite_seconds":3,"grade_seconds":4}}`)
}

func TestEvidenceOfRoundsOnTheWire(t *testing.T) {
	got := wireEvidence(&assay.Evidence{
		Rounds: 3, Odds: 0.125, OddsWithRetries: 0.25, OddsOfAll: 0.015625, Assurance: assay.AssuranceBlind, Doubted: 1,
		Covered: assay.Covered{Covered: 1, Of: 2}, Exposure: assay.Exposure{Plays: 9, Reached: 3, Refused: 1}, Fresh: assay.FreshTruths{Checked: 4, Differs: 2},
	})
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	wantJSON(t, text, `{"grader":"","image_digest":"","sample_version":0,"patch_sha256":"","answers_open":false,
		"rounds":3,"odds":0.125,"odds_with_retries":0.25,"odds_of_all":0.015625,"covered":{"covered":1,"of":2},
		"exposure":{"plays":9,"reached":3,"refused":1},"assurance":"blind","fresh":{"checked":4,"differs":2},"doubted":1,
		"expected":{"fail_to_pass":[],"pass_to_pass":[],"fail_to_fail":[]},"left_out":[],"quarantined":[],
		"resources":{"cpu_seconds":0,"memory_peak_bytes":0,"oom_kills":0},
		"durations":{"create_seconds":0,"lay_seconds":0,"suite_seconds":0,"grade_seconds":0}}`)
}

func TestStandingOfVerdictsIsEverybodys(t *testing.T) {
	s := newServer(t)
	s.ready("ses_a")
	judge{s.world}.putJob(&assay.Verification{
		ID: "ver_1", SessionID: "ses_a", UserID: "usr_ada", Status: assay.VerificationCompleted, CreatedAt: epoch, Verdict: &assay.Verdict{Solved: true},
		Withdrawn: &assay.Withdrawal{At: epoch, Reason: "it was <forged>"},
	})
	standing := func(id string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		s.api.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/.well-known/assay-withdrawn/"+id, nil))
		return rec
	}
	rec := standing("ver_1")
	wantStatus(t, rec, 200)
	wantJSON(t, rec.Body.Bytes(), `{"verification_id":"ver_1","withdrawn":{"at":"2026-03-01T11:00:00.123456Z","reason":"it was <forged>"}}`)
	rec = standing("ver_2")
	wantStatus(t, rec, 200)
	wantJSON(t, rec.Body.Bytes(), `{"verification_id":"ver_2","withdrawn":null}`)
	job := decodeAs[wire.Job](t, s.do(t, request{method: "GET", path: "/sessions/ses_a/verify/ver_1"}))
	if job.Withdrawn == nil || job.Withdrawn.Reason != "it was <forged>" || !job.Result.IsSuccess {
		t.Errorf("the job is told as %+v", job)
	}
	s.fail = errors.New("the database is away")
	wantStatus(t, standing("ver_1"), 500)
}
