package e2e_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/client/wire"
	"assay/e2e/harness"
	"assay/internal/session"
	"assay/internal/store"
	"assay/internal/store/pgtest"
)

// asked is what a doctor tells who asked the running server.
func asked(t *testing.T, p harness.Program) (status map[string]string, all string, err error) {
	t.Helper()
	out, err := p.Run(t.Context(), "doctor", "--running", "--json")
	var got struct {
		Checks []struct{ Name, Status, Text string }
	}
	if e := json.Unmarshal(out, &got); e != nil {
		t.Fatalf("%v, %v: %s", err, e, out)
	}
	status = make(map[string]string)
	for _, c := range got.Checks {
		status[c.Name] = c.Status
	}
	return status, string(out), err
}

func TestADoctorAsksTheRunningServer(t *testing.T) {
	t.Parallel()
	status, all, err := asked(t, world.shared)
	if err != nil {
		t.Fatalf("%v: %s", err, all)
	}
	for _, name := range []string{"running server", "comparisons", "session overdue", "session unowned", "session without sandbox", "sandbox outlives session", "sandbox unowned", "interaction abandoned", "verification abandoned"} {
		if status[name] != "ok" {
			t.Errorf("%s is %q: %s", name, status[name], all)
		}
	}
	alone := ownProgram(t)
	if status, all, err := asked(t, alone); err == nil || status["running server"] != "missing" || !strings.Contains(all, "assay serve") {
		t.Errorf("where no server runs: %v, %s", err, all)
	}
}

func TestRowsAndTheWorldAreCompared(t *testing.T) {
	t.Parallel()
	testReconcile(t, ownProgram(t))
}

func TestRowsAndTheWorldAreComparedOnPostgreSQL(t *testing.T) {
	t.Parallel()
	testReconcile(t, programOn(t, pgtest.Database(t)))
}

// testReconcile stores rows behind the back of a server.
func testReconcile(t *testing.T, p harness.Program) {
	clean(t, p)
	srv := start(t, p, "--reconcile-every", "1s", "--log-format", "json", "--metrics-listen", "127.0.0.1:0")
	c := newCaller(t, p, srv)
	mine := c.open(t, "quick")
	lost, command := intrude(t, p, c.session(t, mine))

	eventually(t, "the session that nobody owns ends", func() bool { return !c.session(t, lost).Status.Live() })
	if s := c.session(t, lost); s.Status != assay.SessionTerminated || s.Error.Code != string(assay.CodeSandboxLost) {
		t.Errorf("it is %s, %+v", s.Status, s.Error)
	}
	if in := c.end(t, mine, command); *in.ExitCode != assay.ExitUnknown || in.Message == nil {
		t.Errorf("the command that nobody waits for: %s", show(in))
	}
	eventually(t, "it is told", func() bool {
		status, _, _ := asked(t, p)
		return status["session unowned"] == "advice" && status["interaction abandoned"] == "advice"
	})
	status, all, err := asked(t, p)
	if err != nil || status["comparisons"] != "ok" || status["session overdue"] != "ok" || !strings.Contains(all, lost) || !strings.Contains(all, command) {
		t.Errorf("the doctor says %v: %s", err, all)
	}
	got := scrape(t, metricsURL(t, p))
	if n := got.value("assay_discrepancies_total", "", ""); n != 2 {
		t.Errorf("the metrics tell of %v", n)
	}
	if at := got.value("assay_reconciled_timestamp_seconds", "", ""); time.Since(time.Unix(int64(at), 0)) > time.Minute {
		t.Errorf("the last comparison was at %v", at)
	}
	c.output(t, mine, "echo the rest is left alone")
	c.close(t, mine)
}

// intrude stores a ready session that has no sandbox, and a command that nobody runs.
func intrude(t *testing.T, p harness.Program, like wire.Session) (lost, command string) {
	t.Helper()
	url := p.DatabaseURL
	if url == "" {
		url = filepath.Join(p.DataDir, "assay.db")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	st, err := store.Open(ctx, url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	now := time.Now().UTC()
	sess, _, err := st.InsertSession(ctx, &assay.Session{
		ID: assay.NewID(assay.PrefixSession), UserID: like.UserID, Dataset: like.Dataset, SampleID: like.SampleID, SampleVersion: like.SampleVersion,
		Status: assay.SessionCreating, RequestedAt: now, ExpiresAt: now.Add(time.Hour), Location: "here",
	}, session.Idempotency{}, session.LiveLimits{})
	if err == nil {
		_, _, err = st.MoveSession(ctx, sess.ID, assay.SessionCreating, session.SessionChange{Status: assay.SessionReady, ReadyAt: &now})
	}
	if err != nil {
		t.Fatal(err)
	}
	in, _, err := st.InsertInteraction(ctx, &assay.Interaction{
		ID: assay.NewID(assay.PrefixInteraction), SessionID: like.SessionID, CreatedAt: now, Command: "true", Timeout: time.Minute, Status: assay.InteractionProcessing,
	}, session.Idempotency{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	return sess.ID, in.ID
}
