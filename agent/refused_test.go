package agent_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"assay/internal/sandbox"
)

// An agent whose kernel gives it no descriptor does not start commands, says so, and lives.
func TestAgentWithoutDescriptors(t *testing.T) {
	g := start(t, nil)
	g.run("before", "true") // its connection stays
	var limits unix.Rlimit
	check(t, unix.Prlimit(g.process.Process.Pid, unix.RLIMIT_NOFILE, nil, &limits))
	limit := func(n uint64) {
		t.Helper()
		check(t, unix.Prlimit(g.process.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: limits.Max}, nil))
	}
	limit(4)
	_, err := g.Exec(testContext(t), sandbox.Command{ID: "refused", Argv: []string{"bash", "-c", "echo ran >ran"}})
	wantError(t, err, sandbox.ErrNotStarted)
	limit(limits.Cur)
	if res := g.run("after", "test ! -e ran && echo well"); string(res.Stdout.Head) != "well\n" {
		t.Errorf("afterwards: %+v", res)
	}
}
