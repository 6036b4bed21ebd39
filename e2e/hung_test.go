package e2e_test

import (
	"encoding/json"
	"syscall"
	"testing"
	"time"

	"assay"
	"assay/client/wire"
	"assay/e2e/harness"
)

// hang stops the agent of a sandbox, and returns what lets it go on.
func hang(t *testing.T, p harness.Program, id string) (goOn func()) {
	t.Helper()
	pid, err := p.Agent(id)
	if err != nil || pid == 0 {
		t.Fatalf("the agent of %s is %d, %v", id, pid, err)
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
			t.Error(err)
		}
	}
}

// unreachable waits until a session is told to be, everywhere.
func unreachable(t *testing.T, c caller, p harness.Program, s *harness.Server, id string) {
	t.Helper()
	eventually(t, "the session is unreachable", func() bool {
		got := c.session(t, id)
		return got.StatusDetail != nil && *got.StatusDetail == "unreachable"
	})
	var health wire.Health
	_, body := fetch(t, s.APIBase()+"/health")
	if err := json.Unmarshal(body, &health); err != nil || health.UnreachableSessions != 1 || health.Status != "healthy" {
		t.Errorf("its health is %s, %v", body, err)
	}
	if n := scrape(t, metricsURL(t, p)).value("assay_sessions_unreachable", "", ""); n != 1 {
		t.Errorf("the metrics tell of %v", n)
	}
}

// An agent that hangs while the server runs is noticed, and told; what is done in its
// sandbox has its true end once it goes on.
func TestAgentThatHangs(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p, "--log-format", "json", "--metrics-listen", "127.0.0.1:0", "--unreachable-timeout", "45s")
	c := newCaller(t, p, srv)
	hung, other := c.open(t, "quick"), c.open(t, "quick")
	r := c.call(t, "POST", "/sessions/"+hung+"/exec", wire.ExecRequest{Command: "touch begun; sleep 1000", CommandTimeout: 3})
	timed := must[wire.ExecAccepted](t, r, 202).InteractionID
	appears(t, p, hung, "begun")
	goOn := hang(t, p, hung)

	began := time.Now()
	refused(t, c.call(t, "POST", "/sessions/"+hung+"/str_replace", wire.ReplaceRequest{FilePath: "begun", StrToReplace: "a", StrToInsert: "b"}), 503, assay.CodeUnavailable)
	if took := time.Since(began); took > 40*time.Second {
		t.Errorf("an edit was refused after %s", took)
	}
	unreachable(t, c, p, srv, hung)
	c.output(t, other, "echo nobody else waits")
	r = c.call(t, "GET", "/sessions/"+hung+"/interactions/"+timed+"?wait=0", nil)
	if in := must[wire.Interaction](t, r, 200); in.Final() {
		t.Errorf("its end is not known yet: %s", show(in))
	}
	goOn()
	if in := c.end(t, hung, timed); *in.ExitCode != assay.ExitTimeout {
		t.Errorf("the command had 3 seconds: %s", show(in))
	}
	eventually(t, "the session is reached again", func() bool { return c.session(t, hung).StatusDetail == nil })
	s := c.session(t, hung)
	if lived := time.Since(*s.CreatedAt); *s.DurationSeconds > (lived - 20*time.Second).Seconds() {
		t.Errorf("it was ready for %s, out of reach for 20 s of that, and is billed for %v s", lived, *s.DurationSeconds)
	}

	hang(t, p, hung) // for good
	lost := c.exec(t, hung, "true")
	for range 2 { // a held answer is shorter than this takes
		if in := must[wire.Interaction](t, c.call(t, "GET", "/sessions/"+hung+"/interactions/"+lost+"?wait=60", nil), 200); in.Final() {
			break
		}
	}
	if in := c.end(t, hung, lost); *in.ExitCode != assay.ExitUnknown || in.Message == nil {
		t.Errorf("the command of a session that was lost: %s", show(in))
	}
	if s := c.session(t, hung); s.Status != assay.SessionTerminated || s.Error == nil || s.Error.Code != string(assay.CodeSandboxLost) {
		t.Errorf("the session is %s: %+v", s.Status, s.Error)
	}
	c.close(t, other)
	if err := nothingLeft(p); err != nil {
		t.Error(err)
	}
}
