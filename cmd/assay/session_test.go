package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/client/wire"
)

// fakeAPI answers requests with what a test lays down for them.
type fakeAPI struct {
	answers map[string]string // "METHOD /path below /api/v1" to a JSON body; "404 ..." to an error
	bodies  map[string]string // what was sent
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/api/v1")
	body, _ := io.ReadAll(r.Body)
	f.bodies[key] = string(body)
	w.Header().Set("Content-Type", "application/json")
	if r.Header.Get("Authorization") != "Bearer ask_secret" {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"detail":{"code":"unauthenticated","message":"the key is not known"}}`)
		return
	}
	answer, ok := f.answers[key]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"detail":{"code":"session_not_found","message":"there is no such session"}}`)
		return
	}
	fmt.Fprint(w, answer)
}

// cli runs one command line against an API with these answers.
func cli(t *testing.T, answers map[string]string, stdin string, args ...string) (status int, stdout, stderr string, api *fakeAPI) {
	t.Helper()
	api = &fakeAPI{answers: answers, bodies: map[string]string{}}
	srv := httptest.NewServer(api)
	t.Cleanup(srv.Close)
	t.Setenv("ASSAY_SERVER", srv.URL)
	t.Setenv("ASSAY_API_KEY", "ask_secret")
	t.Setenv("ASSAY_RETRY", "0")
	var out, errOut bytes.Buffer
	err := run(t.Context(), args, stdio{strings.NewReader(stdin), &out, &errOut})
	return report(&errOut, err), out.String(), errOut.String(), api
}

const (
	accepted    = `{"interaction_id":"int_1","status":"processing"}`
	interaction = `{"interaction_id":"int_1","session_id":"ses_1","created_at":"2026-01-01T00:00:00Z","status":"%s","exit_code":%d,
		"stdout":"out\n","stderr":"err\n","stdout_bytes":4,"stderr_bytes":4,"stdout_truncated":%t,"stderr_truncated":false,
		"execution_time_seconds":1.5,"success":false,"message":%q}`
)

func TestExecPassesTheStatusOn(t *testing.T) {
	for name, c := range map[string]struct {
		status  string
		code    int
		cut     bool
		message string
		want    int
		stderr  string
	}{
		"success":        {"completed", 0, false, "", 0, "err\n"},
		"failure":        {"completed", 7, false, "", 7, "err\n"},
		"timeout":        {"completed", 124, false, "killed after 300 s", 124, "err\nassay: killed after 300 s\n"},
		"cut":            {"completed", 0, true, "", 0, "err\nassay: of 4 bytes of output the first and the last are shown\n"},
		"not seen":       {"failed", -1000, false, "the sandbox died", 125, "err\nassay: the end of the command was not seen: the sandbox died\n"},
		"a code of ours": {"completed", -1000, false, "lost", 125, "err\nassay: the end of the command was not seen: lost\n"},
	} {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr, api := cli(t, map[string]string{
				"POST /sessions/ses_1/exec":              accepted,
				"GET /sessions/ses_1/interactions/int_1": fmt.Sprintf(interaction, c.status, c.code, c.cut, c.message),
			}, "", "session", "exec", "ses_1", "--timeout", "9", "--", "go", "test", "-v")
			if status != c.want || stdout != "out\n" || stderr != c.stderr {
				t.Errorf("got status %d, %q, %q; want %d, %q", status, stdout, stderr, c.want, c.stderr)
			}
			var sent map[string]any
			if err := json.Unmarshal([]byte(api.bodies["POST /sessions/ses_1/exec"]), &sent); err != nil {
				t.Fatal(err)
			}
			if sent["command"] != "go test -v" || sent["command_timeout"] != 9.0 {
				t.Errorf("sent %v", sent)
			}
		})
	}
}

func TestExecThatCannotBeRunIs125(t *testing.T) {
	status, _, stderr, _ := cli(t, nil, "", "session", "exec", "ses_1", "true")
	if status != 125 || !strings.Contains(stderr, "there is no such session") {
		t.Errorf("got status %d, %q", status, stderr)
	}
}

func TestAnInterruptIs130(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer srv.Close()
	t.Setenv("ASSAY_SERVER", srv.URL)
	t.Setenv("ASSAY_API_KEY", "ask_secret")
	for _, args := range [][]string{{"session", "exec", "ses_1", "true"}, {"session", "verify", "ses_1"}, {"session", "list"}} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var out, errOut bytes.Buffer
		if status := report(&errOut, run(ctx, args, stdio{strings.NewReader(""), &out, &errOut})); status != exitInterrupted {
			t.Errorf("%v: got status %d, %q", args, status, errOut.String())
		}
	}
}

const (
	jobStarted = `{"job_id":"ver_1","status":"pending","started_at":"2026-01-01T00:00:00Z"}`
	job        = `{"job_id":"ver_1","session_id":"ses_1","sample_id":"s","status":%q,"created_at":"2026-01-01T00:00:00Z","error":%s,"result":%s}`
	result     = `{"tool":"test_suite","is_success":%t,"passed":1,"failed":2,"skipped":0,"total":3,"execution_duration_seconds":1.25,"reason":"because",
		"failures":[{"name":"TestA","expected":"fail_to_pass"},{"name":"TestOther"}],"passes":[],"skips":[{"name":"TestS","expected":"pass_to_pass"}],
		"missing":["TestB"],"stdout":"","stderr":""}`
)

func TestVerifyTellsTheVerdictByItsStatus(t *testing.T) {
	for name, c := range map[string]struct {
		job    string
		want   int
		stdout string
		stderr string
	}{
		"solved": {
			fmt.Sprintf(job, "completed", "null", fmt.Sprintf(result, true)), 0,
			"solved: because\n1 passed, 2 failed, 0 skipped, 1 missing, in 1.25s\n", "",
		},
		"not solved": {
			fmt.Sprintf(job, "completed", "null", fmt.Sprintf(result, false)), 1,
			"not solved: because\n1 passed, 2 failed, 0 skipped, 1 missing, in 1.25s\nanswers: closed to the session's user\n  failed   TestA\n  skipped  TestS\n  missing  TestB\n", "",
		},
		"no verdict": {
			fmt.Sprintf(job, "error", `{"code":"suite_not_run","message":"no report"}`, "null"), 125,
			"", "assay: verification ver_1 ended as error, without a verdict: no report (suite_not_run)\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr, _ := cli(t, map[string]string{
				"POST /sessions/ses_1/verify":      jobStarted,
				"GET /sessions/ses_1/verify/ver_1": c.job,
			}, "", "session", "verify", "ses_1")
			if status != c.want || !strings.HasPrefix(stdout, c.stdout) || stderr != c.stderr {
				t.Errorf("got status %d, %q, %q; want %d, %q, %q", status, stdout, stderr, c.want, c.stdout, c.stderr)
			}
		})
	}
}

const session = `{"session_id":"ses_1","user_id":"usr_1","dataset":"small","sample_id":"one","sample_version":2,"status":%q,
	"requested_at":"2026-01-01T00:00:00Z","created_at":null,"expires_at":"2026-01-01T01:00:00Z","error":%s}`

func TestCreateWaitsUntilTheSessionIsReady(t *testing.T) {
	created := `{"session_id":"ses_1","status":"creating","expires_at":"2026-01-01T01:00:00Z"}`
	status, stdout, stderr, _ := cli(t, map[string]string{
		"POST /sessions":      created,
		"GET /sessions/ses_1": fmt.Sprintf(session, "ready", "null"),
	}, "", "session", "create", "small", "one")
	if status != 0 || stdout != "ses_1\n" || stderr != "" {
		t.Errorf("got status %d, %q, %q", status, stdout, stderr)
	}
	status, stdout, stderr, _ = cli(t, map[string]string{
		"POST /sessions":      created,
		"GET /sessions/ses_1": fmt.Sprintf(session, "error", `{"code":"image_unavailable","message":"no image"}`),
	}, "", "session", "create", "small", "one")
	if status != 1 || stdout != "" || !strings.Contains(stderr, "session ses_1 is error: no image") {
		t.Errorf("got status %d, %q, %q", status, stdout, stderr)
	}
	status, stdout, _, _ = cli(t, map[string]string{"POST /sessions": created}, "", "session", "create", "--no-wait", "small", "one")
	if status != 0 || stdout != "ses_1\n" {
		t.Errorf("without waiting: got status %d, %q", status, stdout)
	}
}

func TestListShowAndClose(t *testing.T) {
	one := fmt.Sprintf(session, "terminated", `{"code":"expired","message":"its time was over"}`)
	answers := map[string]string{
		"GET /sessions":          `{"sessions":[` + one + `],"total_count":3,"has_more":true}`,
		"GET /sessions/ses_1":    one,
		"DELETE /sessions/ses_1": `{"message":"closed","duration_seconds":61.2}`,
	}
	status, stdout, stderr, _ := cli(t, answers, "", "session", "list")
	if status != 0 || !strings.Contains(stdout, "ses_1    terminated  small    one") || !strings.Contains(stderr, "1 of 3") {
		t.Errorf("list: got status %d, %q, %q", status, stdout, stderr)
	}
	status, stdout, _, _ = cli(t, answers, "", "session", "show", "ses_1")
	if status != 0 || !strings.Contains(stdout, "its time was over (expired)") || !strings.Contains(stdout, "small/one, version 2") {
		t.Errorf("show: got status %d, %q", status, stdout)
	}
	status, stdout, stderr, _ = cli(t, answers, "", "session", "close", "ses_1", "ses_2")
	if status != 1 || stdout != "closed ses_1 after 1m1s\n" || !strings.Contains(stderr, "close session ses_2") {
		t.Errorf("close: got status %d, %q, %q", status, stdout, stderr)
	}
}

func TestEditTakesTextsFromAnywhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.txt")
	if err := os.WriteFile(path, []byte("old\ntext\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const key = "POST /sessions/ses_1/str_replace"
	done := map[string]string{key: `{"success":true,"message":"replaced in line 3"}`}
	for name, c := range map[string]struct {
		args  []string
		stdin string
		want  map[string]any
	}{
		"flags":            {[]string{"--old", "a", "--new", ""}, "", map[string]any{"file_path": "f.go", "str_to_replace": "a", "str_to_insert": ""}},
		"a file and stdin": {[]string{"--old-file", path, "--new-file", "-"}, "new\n", map[string]any{"file_path": "f.go", "str_to_replace": "old\ntext\n", "str_to_insert": "new\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr, api := cli(t, done, c.stdin, append([]string{"session", "edit", "ses_1", "f.go"}, c.args...)...)
			if status != 0 || stdout != "replaced in line 3\n" || stderr != "" {
				t.Errorf("got status %d, %q, %q", status, stdout, stderr)
			}
			var sent map[string]any
			if err := json.Unmarshal([]byte(api.bodies[key]), &sent); err != nil {
				t.Fatal(err)
			}
			for field, want := range c.want {
				if sent[field] != want {
					t.Errorf("sent %s %q, want %q", field, sent[field], want)
				}
			}
		})
	}
	refused := map[string]string{key: `{"success":false,"message":"it occurs in lines 1 and 2"}`}
	status, stdout, stderr, _ := cli(t, refused, "", "session", "edit", "ses_1", "f.go", "--old", "a", "--new", "b")
	if status != 1 || stdout != "" || stderr != "assay: edit f.go: it occurs in lines 1 and 2\n" {
		t.Errorf("a refusal: got status %d, %q, %q", status, stdout, stderr)
	}
}

// What an agent wrote into names and messages does not speak to the terminal of who reads
// a verdict.
func TestAVerdictDoesNotControlTheTerminal(t *testing.T) {
	verdict := &wire.JobResult{
		Reason:    "no\x1b[2Jsolved: all tests passed",
		Tampering: []wire.Tampering{{Kind: "test", Path: "a\nsolved: b", Detail: "\u202ec"}},
		Missing:   []string{"t\rsolved", "ä > ö"},
	}
	var out bytes.Buffer
	showVerdict(stdio{out: &out}, verdict, false)
	if text := out.String(); strings.ContainsAny(text, "\x1b\r\u202e") || strings.Contains(text, "\nsolved") || !strings.Contains(text, "ä > ö") {
		t.Errorf("it shows %q", text)
	}
}
