package agent_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"assay/agent"
	"assay/internal/sandbox"
)

// refuse lets the kernel refuse the agent more than a number of something, and returns what
// ends that.
func (g *guest) refuse(resource int, n uint64) (relent func()) {
	g.t.Helper()
	pid := g.process.Process.Pid
	var old unix.Rlimit
	check(g.t, unix.Prlimit(pid, resource, nil, &old))
	check(g.t, unix.Prlimit(pid, resource, &unix.Rlimit{Cur: n, Max: old.Max}, nil))
	return func() {
		g.t.Helper()
		check(g.t, unix.Prlimit(pid, resource, &old, nil))
	}
}

// An agent whose kernel gives it no descriptor does not start commands, says so, and lives.
func TestAgentWithoutDescriptors(t *testing.T) {
	g := start(t, nil)
	g.run("before", "true") // its connection stays
	relent := g.refuse(unix.RLIMIT_NOFILE, 4)
	_, err := g.Exec(testContext(t), sandbox.Command{ID: "refused", Argv: []string{"bash", "-c", "echo ran >ran"}})
	wantError(t, err, sandbox.ErrNotStarted)
	relent()
	if res := g.run("after", "test ! -e ran && echo well"); string(res.Stdout.Head) != "well\n" {
		t.Errorf("afterwards: %+v", res)
	}
}

// An agent whose kernel gives it neither processes nor threads has the threads that it
// needs: it goes on with much at once, and says what it could not start.
func TestAgentWithoutThreads(t *testing.T) {
	g := start(t, nil)
	const atOnce = 20
	var running []<-chan outcome
	for i := range atOnce {
		id := fmt.Sprint("running", i)
		running = append(running, g.begin(id, "touch "+id+"; until [ -e go ]; do read -t 0.05 <> <(:); done; exit 5", id))
	}
	relent := g.refuse(unix.RLIMIT_NPROC, 1)
	var asking sync.WaitGroup
	for i := range atOnce {
		asking.Go(func() {
			_, err := g.Exec(testContext(t), sandbox.Command{ID: fmt.Sprint("refused", i), Argv: []string{"bash", "-c", "echo ran >ran"}})
			if !errors.Is(err, sandbox.ErrNotStarted) {
				t.Errorf("error %v, want %v", err, sandbox.ErrNotStarted)
			}
			if _, err := g.Hello(testContext(t)); err != nil {
				t.Error(err)
			}
		})
	}
	asking.Wait()
	check(t, g.Kill(testContext(t), "running0"))
	if end := <-running[0]; end.err != nil || end.Exit.Code != 137 {
		t.Errorf("what was killed meanwhile: %+v, %v", end.Exit, end.err)
	}
	relent()
	g.write("go", "")
	for _, r := range running[1:] {
		if end := <-r; end.err != nil || end.Exit.Code != 5 {
			t.Errorf("what ran meanwhile: %+v, %v", end.Exit, end.err)
		}
	}
	if res := g.run("after", "test ! -e ran && echo well"); string(res.Stdout.Head) != "well\n" {
		t.Errorf("afterwards: %+v", res)
	}
}

// An agent whose kernel gives it no timer (timer_create(2) takes a signal that may be
// refused) keeps the time of its commands, and its own.
func TestAgentWithoutTimers(t *testing.T) {
	g := start(t, func(c *agent.Config) { c.RemainingMS = 4000 })
	g.run("before", "true") // it has started
	g.refuse(unix.RLIMIT_SIGPENDING, 0)
	began := time.Now()
	res := g.exec(sandbox.Command{ID: "late", Argv: []string{"bash", "-c", "sleep 1000 & wait"}, Timeout: 500 * time.Millisecond})
	if !res.Exit.TimedOut || time.Since(began) > 3*time.Second {
		t.Errorf("a command of half a second: %+v after %s", res.Exit, time.Since(began))
	}
	if d, err := g.Wait(testContext(t)); err != nil || d != sandbox.DeathExpired {
		t.Errorf("its deadline: %q, %v", d, err)
	}
}
