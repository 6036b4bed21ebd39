package e2e_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"assay"
	"assay/client/wire"
	"assay/e2e/harness"
	"assay/internal/store/pgtest"
)

// touch makes a file in the work tree of a sandbox from outside: a signal that needs
// no server.
func touch(t *testing.T, p harness.Program, session, name string) {
	t.Helper()
	if err := os.WriteFile(inTree(t, p, session, name), nil, 0o666); err != nil {
		t.Fatal(err)
	}
}

// appears waits for a file in the work tree of a sandbox, without a server.
func appears(t *testing.T, p harness.Program, session, name string) {
	t.Helper()
	file := inTree(t, p, session, name)
	eventually(t, name+" appears in the sandbox", func() bool { _, err := os.Lstat(file); return err == nil })
}

func inTree(t *testing.T, p harness.Program, session, name string) string {
	t.Helper()
	root, err := p.RootFS(session)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, "testbed", name)
}

// killSandbox kills every process of a sandbox from outside.
func killSandbox(t *testing.T, p harness.Program, id string) {
	t.Helper()
	pids := processes(t, p, id)
	if len(pids) == 0 {
		t.Fatalf("sandbox %s has no processes", id)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
			t.Fatal(err)
		}
	}
	eventually(t, "the processes of the sandbox are gone", func() bool { return len(processes(t, p, id)) == 0 })
}

func processes(t *testing.T, p harness.Program, id string) []int {
	t.Helper()
	pids, err := p.Processes(id)
	if err != nil {
		t.Fatal(err)
	}
	return pids
}

func kill(t *testing.T, s *harness.Server) {
	t.Helper()
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
}

func TestRestartAfterKill(t *testing.T) {
	t.Parallel()
	testRestart(t, ownProgram(t))
}

func TestRestartAfterKillOnPostgreSQL(t *testing.T) {
	t.Parallel()
	testRestart(t, programOn(t, pgtest.Database(t)))
}

func testRestart(t *testing.T, p harness.Program) {
	clean(t, p)
	srv := start(t, p)
	c := newCaller(t, p, srv)

	lives, dies := c.create(t, "quick"), c.create(t, "quick")
	c.ready(t, lives)
	c.ready(t, dies)
	c.output(t, lives, "echo here > file")
	ends := c.exec(t, lives, "until [ -e first ]; do sleep 0.02; done; echo ended meanwhile; touch ended; exit 3")
	goesOn := c.exec(t, lives, "echo begun; until [ -e second ]; do sleep 0.02; done; echo ended later >&2; exit 4")
	lost := c.exec(t, dies, "echo lost; sleep 1000")
	c.output(t, lives, "echo yes > answer; echo 2 > pause")
	verification := c.verify(t, lives)
	eventually(t, "the suite runs", func() bool {
		r := c.call(t, "GET", "/sessions/"+lives+"/verify/"+verification+"?wait=0", nil)
		return must[wire.Job](t, r, 200).Status == assay.VerificationRunning
	})
	closed := c.ready(t, c.create(t, "quick"))
	making := c.create(t, "quick", wire.HeaderIdempotencyKey, "made-again")
	c.close(t, closed)
	kill(t, srv)

	touch(t, p, lives, "first")
	appears(t, p, lives, "ended")
	killSandbox(t, p, dies)
	srv = start(t, p)
	c = c.at(srv)

	if s := c.session(t, lives); s.Status != assay.SessionReady {
		t.Fatalf("the session is %s: %+v; want it adopted", s.Status, s.Error)
	}
	if got := c.output(t, lives, "cat file"); got != "here\n" {
		t.Errorf("the session's file is %q", got)
	}
	if in := c.end(t, lives, ends); *in.ExitCode != 3 || *in.Stdout != "ended meanwhile\n" || in.Status != assay.InteractionCompleted {
		t.Errorf("the command that ended meanwhile: %s", show(in))
	}
	r := c.call(t, "GET", "/sessions/"+lives+"/interactions/"+goesOn+"?wait=0", nil)
	if in := must[wire.Interaction](t, r, 200); in.Final() || in.ExitCode != nil || in.Success != nil {
		t.Errorf("the command that goes on: %s", show(in))
	}
	touch(t, p, lives, "second")
	if in := c.end(t, lives, goesOn); *in.ExitCode != 4 || *in.Stdout != "begun\n" || *in.Stderr != "ended later\n" {
		t.Errorf("the command that ended later: %s", show(in))
	}
	if s := c.session(t, dies); s.Status != assay.SessionTerminated || s.Error == nil || s.Error.Code != string(assay.CodeSandboxLost) {
		t.Errorf("the session whose sandbox died is %s: %+v", s.Status, s.Error)
	}
	if in := c.end(t, dies, lost); *in.ExitCode != assay.ExitUnknown || *in.Success || in.Status != assay.InteractionFailed || in.Message == nil {
		t.Errorf("the command whose sandbox died: %s", show(in))
	}
	if s := c.session(t, making); s.Status != assay.SessionReady {
		t.Errorf("the session that was being made is %s: %+v", s.Status, s.Error)
	}
	if again := c.create(t, "quick", wire.HeaderIdempotencyKey, "made-again"); again != making {
		t.Errorf("the idempotency key made %s, and %s after the restart", making, again)
	}
	j := c.job(t, lives, verification)
	if j.Status != assay.VerificationCompleted || j.Result == nil || !j.Result.IsSuccess {
		t.Errorf("the verification is %s: %+v %+v", j.Status, j.Error, j.Result)
	}
	if err := nothingLeft(p, lives, making); err != nil {
		t.Errorf("two sessions live: %v", err)
	}
	for _, id := range []string{lives, dies, making, closed} {
		c.close(t, id)
	}
	if err := nothingLeft(p); err != nil {
		t.Error(err)
	}
}

// A sandbox that dies while the server runs ends its session and its commands.
func TestSandboxDies(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	command := c.exec(t, s, "echo begun; touch begun; sleep 1000")
	appears(t, world.shared, s, "begun")
	killSandbox(t, world.shared, s)
	if in := c.end(t, s, command); *in.ExitCode != assay.ExitUnknown || *in.Success || in.Status != assay.InteractionFailed {
		t.Errorf("the command: %s", show(in))
	}
	eventually(t, "the session is terminated", func() bool { return c.session(t, s).Status == assay.SessionTerminated })
	if got := c.session(t, s); got.Error == nil || got.Error.Code != string(assay.CodeSandboxLost) {
		t.Errorf("the session ended because of %+v", got.Error)
	}
	refused(t, c.call(t, "POST", "/sessions/"+s+"/exec", wire.ExecRequest{Command: "true"}), 409, assay.CodeSessionEnded)
}

// A server that is killed again and again during a verification gives it up in the
// end, and says so. One that ran beside it is judged as if nothing had been.
func TestVerificationIsGivenUp(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p, "--max-verifications", "2")
	c := newCaller(t, p, srv)
	begin := func(pause string) (session, verification string) {
		s := c.ready(t, c.create(t, "quick"))
		c.output(t, s, "echo yes > answer; echo "+pause+" > pause")
		return s, c.verify(t, s)
	}
	s, culprit := begin("50")
	w, witness := begin("10")
	status := func(s, id string) assay.VerificationStatus {
		return must[wire.Job](t, c.call(t, "GET", "/sessions/"+s+"/verify/"+id+"?wait=0", nil), 200).Status
	}
	for deaths := range assay.AloneAfter + 1 {
		beside := assay.VerificationRunning
		if deaths == assay.AloneAfter {
			beside = assay.VerificationPending // it is another's turn, alone
		}
		eventually(t, "the suite runs", func() bool {
			return status(s, culprit) == assay.VerificationRunning && status(w, witness) == beside
		})
		kill(t, srv)
		srv = start(t, p, "--max-verifications", "2")
		c = c.at(srv)
	}
	j := c.job(t, s, culprit)
	if j.Status != assay.VerificationError || j.Result != nil || j.Error == nil || j.Error.Code != string(assay.CodeInterrupted) {
		t.Errorf("after the third death the verification is %s: %+v %+v", j.Status, j.Error, j.Result)
	}
	if j := c.job(t, w, witness); j.Status != assay.VerificationCompleted || j.Result == nil || !j.Result.IsSuccess {
		t.Errorf("the one that ran beside it is %s: %+v %+v", j.Status, j.Error, j.Result)
	}
	if err := nothingLeft(p, s, w); err != nil {
		t.Error(err)
	}
}
