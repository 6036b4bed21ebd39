package httpapi

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"assay"
	"assay/client/wire"
	"assay/internal/identity"
)

// secretJob is a verification of Ada's whose every detail says secret.
func secretJob(id string, solved bool) *assay.Verification {
	test := []assay.TestOutcome{{Name: "secret", Expected: "fail_to_pass", Duration: time.Second, Message: "secret", Details: "secret"}}
	return &assay.Verification{
		ID: id, SessionID: "ses_a", SampleID: "mux-1", Dataset: "starter", Status: assay.VerificationCompleted, CreatedAt: epoch,
		Verdict: &assay.Verdict{
			Tool: assay.VerifierTestSuite, Grading: assay.GradingSWEBench, Solved: solved, Reason: "secret",
			Passed: 5, Failed: 6, Skipped: 7, Duration: time.Second, ExitCode: 3, TimedOut: true, Passes: test, Failures: test, Skips: test, Missing: []string{"secret"},
			Contradictions: []string{"secret"}, Tampering: []assay.Tampering{{Kind: assay.TamperingCode, Path: "secret", Detail: "secret"}},
			Stdout: assay.Output{Text: "secret", Bytes: 6, Truncated: true}, Stderr: assay.Output{Text: "secret", Bytes: 6, Truncated: true},
			Evidence: assay.Evidence{
				Grader: "3", ImageDigest: "sha256:ab", SampleVersion: 2, PatchSHA256: "cd", CachedFrom: "secret", SecondRun: assay.SecondRunAgreed,
				Rounds: 3, Odds: 0.125, OddsWithRetries: 0.25, OddsOfAll: 0.0625, Assurance: assay.AssuranceBlind,
				Covered: assay.Covered{Covered: 1, Of: 2}, Exposure: assay.Exposure{Plays: 4, Reached: 3, Refused: 1}, Fresh: assay.FreshTruths{Checked: 5, Differs: 1}, Doubted: 1,
				Expected: assay.Expected{FailToPass: []string{"secret"}, PassToPass: []string{"secret"}, FailToFail: []string{"secret"}},
				LeftOut:  []string{"secret"}, Quarantined: []string{"secret"},
				Resources: assay.Resource{CPU: time.Second, MemoryPeakBytes: 1, OOMKills: 1},
				Durations: assay.Durations{Create: 1e9, Lay: 1e9, Suite: 1e9, Grade: 1e9},
			},
		},
	}
}

// coarseJob is what is told of secretJob without details.
const coarseJob = `{"job_id":"ver_1","session_id":"ses_a","sample_id":"mux-1","status":"completed","created_at":"2026-03-01T11:00:00.123456Z","started_at":null,"completed_at":null,
	"container_info":null,"error":null,"withdrawn":null,"details_withheld":true,"result":{"tool":"test_suite","is_success":true,"total":0,"passed":0,"failed":0,"skipped":0,"execution_duration_seconds":0,
	"failures":[],"passes":[],"skips":[],"stdout":"","stderr":"","reason":"the work solves the task","grading":"swe-bench","missing":[],"exit_code":0,"timed_out":false,
	"stdout_truncated":false,"stderr_truncated":false,"stdout_bytes":0,"stderr_bytes":0,"contradictions":[],"tampering":[],
	"evidence":{"grader":"3","image_digest":"sha256:ab","sample_version":2,"patch_sha256":"cd","answers_open":false,
	"rounds":3,"odds":0.125,"odds_with_retries":0.25,"odds_of_all":0.0625,"assurance":"blind",
	"expected":{"fail_to_pass":[],"pass_to_pass":[],"fail_to_fail":[]},"left_out":[],"quarantined":[],
	"resources":{"cpu_seconds":0,"memory_peak_bytes":0,"oom_kills":0},"durations":{"create_seconds":0,"lay_seconds":0,"suite_seconds":0,"grade_seconds":0}}}}`

// feedbackServer is a server with a user who has keys of each feedback and a login.
type feedbackServer struct {
	*auth
	full, verdict, access string
}

func newFeedbackServer(t *testing.T) *feedbackServer {
	t.Helper()
	s := &feedbackServer{auth: newAuth(t)}
	in := s.logIn(t, s.octocat("ada"))
	s.access = in.AccessToken
	for feedback, secret := range map[assay.Feedback]*string{assay.FeedbackFull: &s.full, assay.FeedbackVerdict: &s.verdict} {
		rec := s.do(t, as(s.access, request{method: "POST", path: "/users/me/api-keys", body: `{"feedback":"` + string(feedback) + `"}`}))
		wantStatus(t, rec, 201)
		key := decodeAs[wire.APIKeyCreated](t, rec).APIKey
		if key.Feedback != feedback {
			t.Fatalf("made %+v, want feedback %s", key, feedback)
		}
		*secret = key.Key
	}
	s.ready("ses_a")
	s.sessions["ses_a"].UserID = in.UserID
	judge{s.world}.putJob(secretJob("ver_1", true))
	return s
}

func TestAJobWithoutDetails(t *testing.T) {
	s := newFeedbackServer(t)
	get := request{method: "GET", path: "/sessions/ses_a/verify/ver_1"}
	rec := s.do(t, as(s.verdict, get))
	wantStatus(t, rec, 200)
	wantJSON(t, rec.Body.Bytes(), coarseJob)
	for _, token := range []string{s.full, s.access} {
		rec := s.do(t, as(token, get))
		wantStatus(t, rec, 200)
		if text := rec.Body.String(); !strings.Contains(text, `"details_withheld":false`) || strings.Count(text, "secret") < 15 {
			t.Errorf("details are withheld: %s", text)
		}
	}
	s.feedback = assay.FeedbackVerdict // of the dataset: then nobody is told more
	for _, token := range []string{s.full, s.access, s.verdict} {
		wantJSON(t, s.do(t, as(token, get)).Body.Bytes(), coarseJob)
	}
	judge{s.world}.putJob(secretJob("ver_2", false))
	job := decodeAs[wire.Job](t, s.do(t, as(s.verdict, request{method: "GET", path: "/sessions/ses_a/verify/ver_2"})))
	if job.Result.IsSuccess || job.Result.Reason == "" || strings.Contains(job.Result.Reason, "secret") {
		t.Errorf("got %+v", job.Result)
	}
	judge{s.world}.putJob(&assay.Verification{ID: "ver_3", SessionID: "ses_a", Status: assay.VerificationError, Failure: &assay.Failure{Code: assay.CodeSuiteNotRun, Message: "secret"}})
	job = decodeAs[wire.Job](t, s.do(t, as(s.verdict, request{method: "GET", path: "/sessions/ses_a/verify/ver_3"})))
	if job.Error.Code != string(assay.CodeSuiteNotRun) || strings.Contains(job.Error.Message, "secret") || job.Result != nil {
		t.Errorf("got %+v", job)
	}
}

// Every operation of the document is asked, with a key that is told verdicts alone, by the ids
// of a verification whose details are secret. What tells of a verification is named here, so
// that a new route is.
func TestNoRouteTellsDetailsToAKeyOfVerdicts(t *testing.T) {
	s := newFeedbackServer(t)
	var ofJobs []string
	for path, item := range s.api.huma.OpenAPI().Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "DELETE": item.Delete, "PUT": item.Put, "PATCH": item.Patch} {
			if op == nil || op.OperationID == "close-session" {
				continue
			}
			if op.Tags[0] == tagVerification {
				ofJobs = append(ofJobs, op.OperationID)
			}
			filled := strings.NewReplacer("{session_id}", "ses_a", "{job_id}", "ver_1", "{dataset}", "starter", "{sample_id}", "mux-1", "{interaction_id}", "int_1").Replace(path)
			if op.OperationID == "get-diff" {
				filled += "?job_id=ver_1"
			}
			r := request{method: method, path: filled}
			if op.RequestBody != nil {
				r.body = `{}`
			}
			rec := s.do(t, as(s.verdict, r))
			if strings.Contains(rec.Body.String(), "secret") && op.OperationID != "create-api-key" {
				t.Errorf("%s %s tells: %s", method, filled, rec.Body)
			}
			if rec.Code == http.StatusNotFound && strings.Contains(filled, "ses_a") && !strings.Contains(filled, "int_1") {
				t.Errorf("%s %s found nothing: %s", method, filled, rec.Body) // then it proves nothing
			}
			judge{s.world}.putJob(secretJob("ver_1", true)) // which a start has replaced
		}
	}
	slices.Sort(ofJobs)
	if want := []string{"get-diff", "get-verdict", "get-verification", "start-verification"}; !slices.Equal(ofJobs, want) {
		t.Errorf("routes of verifications are %q, want %q", ofJobs, want)
	}
	const envelope = "/sessions/ses_a/verify/ver_1/verdict"
	wantStatus(t, s.do(t, as(s.full, request{method: "GET", path: envelope})), 200)
	s.feedback = assay.FeedbackVerdict
	diff := s.do(t, as(s.verdict, request{method: "GET", path: "/sessions/ses_a/diff?job_id=ver_1"}))
	if diff.Code != 200 || diff.Body.String() != "diff of ses_a ver_1" {
		t.Errorf("the work of one's own is withheld: %d %s", diff.Code, diff.Body)
	}
}

func TestAKeyOfVerdictsMakesNoKeyThatIsToldMore(t *testing.T) {
	s := newFeedbackServer(t)
	create := func(token, body string) (*wire.APIKey, int) {
		rec := s.do(t, as(token, request{method: "POST", path: "/users/me/api-keys", body: body}))
		if rec.Code == http.StatusForbidden {
			wantError(t, rec, 403, "details_withheld")
		}
		if rec.Code != 201 {
			return nil, rec.Code
		}
		created := decodeAs[wire.APIKeyCreated](t, rec)
		return &created.APIKey, 201
	}
	for body, want := range map[string]assay.Feedback{"": assay.FeedbackVerdict, `{"name":"x"}`: assay.FeedbackVerdict, `{"feedback":"verdict"}`: assay.FeedbackVerdict} {
		if key, status := create(s.verdict, body); status != 201 || key.Feedback != want {
			t.Errorf("%q made %+v: %d", body, key, status)
		}
	}
	if _, status := create(s.verdict, `{"feedback":"full"}`); status != 403 {
		t.Errorf("a key that is told more: %d", status)
	}
	if _, status := create(s.full, `{"feedback":"none"}`); status != 422 {
		t.Errorf("a key of a feedback that is none: %d", status)
	}
	for _, token := range []string{s.full, s.access} {
		if key, status := create(token, ""); status != 201 || key.Feedback != assay.FeedbackFull {
			t.Errorf("made %+v: %d", key, status)
		}
	}
	me := decodeAs[wire.User](t, s.do(t, as(s.verdict, request{method: "GET", path: "/users/me"})))
	count := map[assay.Feedback]int{}
	for _, key := range me.APIKeys {
		count[key.Feedback]++
	}
	if count[assay.FeedbackVerdict] != 4 || count[assay.FeedbackFull] != 3 {
		t.Errorf("the keys are of %v", count)
	}
	events := must[[]assay.AuditEvent](t)(s.users.Audit(t.Context(), identity.AuditQuery{Action: assay.AuditKeyCreate, UserID: me.UserID, Limit: 100}))
	told := 0
	for _, e := range events {
		if strings.Contains(e.Detail, "feedback: verdict") {
			told++
		}
	}
	if told != 4 {
		t.Errorf("the audit log tells of %d keys of verdicts: %+v", told, events)
	}
}
