package agent_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"assay/agent"
	"assay/internal/sandbox"
)

func TestAgentKilled(t *testing.T) {
	g := start(t, nil)
	end := g.begin("cmd", "touch up; sleep 1000", "up")
	death := make(chan sandbox.Death, 1)
	ctx := testContext(t)
	go func() {
		d, err := g.Wait(ctx)
		if err != nil {
			t.Error(err)
		}
		death <- d
	}()
	check(t, g.process.Process.Kill())
	if got := <-end; got.err == nil {
		t.Errorf("a command whose end nobody saw: %+v", got)
	} else {
		wantError(t, got.err, sandbox.ErrGone)
	}
	if d := <-death; d != sandbox.DeathLost {
		t.Errorf("death %q", d)
	}
	_, err := g.Hello(ctx)
	wantError(t, err, sandbox.ErrGone)
	_, err = g.Replace(ctx, sandbox.ReplaceRequest{Path: "x", Old: "a", New: "b"})
	wantError(t, err, sandbox.ErrGone)
	wantError(t, g.ApplyLayer(ctx, "x", strings.NewReader("")), sandbox.ErrGone)
}

func TestDeadline(t *testing.T) {
	g := start(t, func(c *agent.Config) { c.RemainingMS = 500 })
	ctx := testContext(t)
	ends := make(chan error, 1)
	go func() {
		_, err := g.Exec(ctx, sandbox.Command{ID: "cmd", Argv: []string{"bash", "-c", "trap '' TERM; setsid sleep 1000 & wait"}})
		ends <- err
	}()
	d, err := g.Wait(ctx)
	check(t, err)
	if d != sandbox.DeathExpired {
		t.Errorf("death %q", d)
	}
	wantError(t, <-ends, sandbox.ErrGone)
	<-g.exited
	if code := g.process.ProcessState.ExitCode(); code != agent.ExitExpired {
		t.Errorf("exit status %d", code)
	}
}

func TestWaitEndsWithContext(t *testing.T) {
	g := start(t, nil)
	ctx, cancel := context.WithTimeout(testContext(t), 50*time.Millisecond)
	defer cancel()
	_, err := g.Wait(ctx)
	wantError(t, err, context.DeadlineExceeded)
}

// What runs in the sandbox must not reach the agent.
func TestAgentIsSealed(t *testing.T) {
	g := start(t, nil)
	attacks := map[string]string{
		"environment": "cat /proc/1/environ",
		"memory":      "cat /proc/1/mem",
		"maps":        "cat /proc/1/maps",
		"descriptors": "ls /proc/1/fd/",
		"descriptor":  "cat /proc/1/fd/0",
		"root":        "ls /proc/1/root/",
		"binary":      "cat /proc/1/exe",
		"oom score":   "echo 1000 >/proc/1/oom_score_adj",
		"file limit":  "prlimit --pid 1 --nofile=1:1",
		"cpu limit":   "prlimit --pid 1 --cpu=1:1",
		"own mark":    "ulimit -Hx unlimited",
		"trace":       "python3 -c 'import ctypes,sys; sys.exit(0 if ctypes.CDLL(None).ptrace(16, 1, 0, 0) == 0 else 1)'",
	}
	for name, script := range attacks {
		t.Run(name, func(t *testing.T) {
			if res := g.run(name, script+" && echo made it"); strings.Contains(string(res.Stdout.Head), "made it") {
				t.Errorf("%s: %q %q", script, res.Stdout.Head, res.Stderr.Head)
			}
		})
	}
	g.run("signals", `for s in $(seq 64); do kill -$s 1 2>/dev/null; done; true`)
	if _, err := g.Hello(testContext(t)); err != nil {
		t.Errorf("the agent fell to a signal: %v", err)
	}
	// The command may be quicker than the agent, which gives it its score once it runs.
	const scored = "for i in $(seq 500); do grep -qx 500 /proc/$$/oom_score_adj && break; sleep 0.02; done; cat /proc/self/oom_score_adj"
	if res := g.run("config", "env; "+scored); strings.Contains(string(res.Stdout.Head), agent.ConfigEnv) {
		t.Error("the config is in a command's environment")
	} else if !strings.HasSuffix(string(res.Stdout.Head), "\n500\n") {
		t.Errorf("oom_score_adj of commands: %q", res.Stdout.Head)
	}
	score, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(g.process.Process.Pid), "oom_score_adj"))
	check(t, err)
	if string(score) != "0\n" {
		t.Errorf("oom_score_adj of the agent: %q", score)
	}
}

// A process inside cannot speak to the agent even where it can reach the socket,
// as it can in this test.
func TestPeersInsideAreRefused(t *testing.T) {
	g := start(t, nil)
	check(t, os.Chmod(g.socket, 0o666))
	res := g.run("peer", `python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.settimeout(10)
print("got", s.recv(10))' `+g.socket)
	if got := string(res.Stdout.Head); got != "got b''\n" {
		t.Errorf("stdout %q, stderr %q", got, res.Stderr.Head)
	}
}

func TestLongSocketPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 200))
	check(t, os.Mkdir(dir, 0o700))
	path := filepath.Join(dir, "agent.sock")
	l, err := agent.Listen(path)
	check(t, err)
	if _, err := agent.Listen(path); err == nil {
		t.Error("listening twice at one path")
	}
	ctx, cancel := context.WithTimeout(testContext(t), 50*time.Millisecond)
	defer cancel()
	_, err = agent.NewClient(path).Hello(ctx) // connects; nobody answers
	wantError(t, err, context.DeadlineExceeded)
	check(t, l.Close())
	_, err = agent.NewClient(path).Hello(testContext(t))
	wantError(t, err, sandbox.ErrGone)
	_, err = agent.NewClient(filepath.Join(dir, "none")).Hello(testContext(t))
	wantError(t, err, sandbox.ErrGone)
}
