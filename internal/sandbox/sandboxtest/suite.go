// Package sandboxtest is the conformance suite of sandbox runtimes: what the port
// promises, each runtime proves by passing it. A runtime's test is
//
//	sandboxtest.Run(t, func(t *testing.T) sandboxtest.Factory { ... })
//
// Nothing is skipped. What a runtime cannot do it declares in its Factory, and the
// suite asserts that it is so.
package sandboxtest

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"assay/internal/sandbox"
)

// Factory is a runtime to test, and what the suite must know about it.
type Factory struct {
	// Runtime has no sandboxes yet.
	Runtime sandbox.Runtime
	// Image is an image in Runtime's store made by rootfs.Write(dir, Workdir, Tree).
	Image string
	// Reopen makes another Runtime over the same state, as a server does that was
	// started again. The first one is not closed.
	Reopen func(t *testing.T) sandbox.Runtime
	// Leftovers names everything that sandboxes left on the host. The suite expects
	// nothing when all are destroyed.
	Leftovers func(t *testing.T) []string

	// Processes says that commands are real programs. A runtime without them knows
	// true, false, echo and sleep.
	Processes bool
	// Snapshots says that its sandboxes implement sandbox.Snapshotter.
	Snapshots bool
	// Stats says that its sandboxes implement sandbox.StatsReader.
	Stats bool
	// Load says that Runtime implements sandbox.HostLoad.
	Load bool
	// Lacks says what the runtime does not do of what the suite asks, and why. The
	// suite asserts that it is so.
	Lacks map[Item]string
	// Untouched are files and directories of the host that no sandbox may change,
	// among them what its files are shared with. Required with Processes.
	Untouched []string
	// AttackTool is the path of the program attack, built for sandboxes. Required with
	// Processes.
	AttackTool string
	// InitPID tells the host's PID of a sandbox's init process. Required with Processes.
	InitPID func(t *testing.T, h sandbox.Handle) int
}

// needs is what a case asks of a runtime.
type needs int

const (
	nothing   needs = 0
	processes needs = 1 << iota
	snapshots
	stats
	load
)

type testCase struct {
	name  string
	needs needs
	run   func(s *suite)
}

// Run runs every case that the runtime can do, each with a Factory of its own.
func Run(t *testing.T, newFactory func(t *testing.T) Factory) {
	for _, cases := range [][]testCase{commandCases, spoolCases, treeCases, lifecycleCases, deathCases, fileCases, changeCases, markCases, limitCases, isolationCases, escapeCases} {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				s := newSuite(t, newFactory(t))
				if missing := c.needs &^ s.able(); missing != 0 {
					s.assertMissing(missing)
					return
				}
				c.run(s)
			})
		}
	}
}

// suite is one case being run.
type suite struct {
	*testing.T
	Factory
}

// caseTime bounds a case.
const caseTime = 2 * time.Minute

var serial atomic.Int64

func newSuite(t *testing.T, f Factory) *suite {
	t.Helper()
	s := &suite{T: t, Factory: f}
	t.Cleanup(s.checkNothingLeft)
	return s
}

// context outlives no case, but its cleanup does not outlive the context of t.
func (s *suite) context() context.Context {
	ctx, cancel := context.WithTimeout(s.Context(), caseTime)
	s.Cleanup(cancel)
	return ctx
}

func (s *suite) able() needs {
	var n needs
	for has, what := range map[needs]bool{processes: s.Processes, snapshots: s.Snapshots, stats: s.Stats, load: s.Load} {
		if what {
			n |= has
		}
	}
	return n
}

// assertMissing holds a runtime to what it declares that it cannot do.
func (s *suite) assertMissing(what needs) {
	sb := s.create()
	if _, can := sb.(sandbox.Snapshotter); what&snapshots != 0 && can {
		s.Error("the Factory says that there are no snapshots, but the sandbox implements Snapshotter")
	}
	if _, can := sb.(sandbox.StatsReader); what&stats != 0 && can {
		s.Error("the Factory says that there are no stats, but the sandbox implements StatsReader")
	}
	if _, can := s.Runtime.(sandbox.HostLoad); what&load != 0 && can {
		s.Error("the Factory says that the host's load is not told, but the Runtime implements HostLoad")
	}
	if what&processes != 0 {
		if res := s.exec(sb, "bash", "-c", "true"); res.Exit.Code != 127 {
			s.Errorf("the Factory says that there are no processes, but bash was run: %+v", res.Exit)
		}
	}
}

func (s *suite) checkNothingLeft() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	handles, err := s.Runtime.List(ctx)
	if err != nil {
		s.Errorf("list what is left: %v", err)
	}
	for _, h := range handles {
		if err := s.Runtime.Destroy(ctx, h); err != nil {
			s.Errorf("destroy %s: %v", h.ID, err)
		}
	}
	if left := s.Leftovers(s.T); len(left) > 0 {
		s.Errorf("left on the host after every sandbox was destroyed:\n%s", strings.Join(left, "\n"))
	}
}

// spec is an ordinary sandbox.
func (s *suite) spec() sandbox.Spec {
	return sandbox.Spec{
		ID:       fmt.Sprintf("box_%d", serial.Add(1)),
		Image:    s.Image,
		Workdir:  Workdir,
		Deadline: time.Now().Add(caseTime),
		Limits:   sandbox.Limits{CPUs: 2, MemoryBytes: 512 << 20, PIDs: 512, DiskBytes: 256 << 20},
	}
}

// create makes a sandbox that the case need not destroy.
func (s *suite) create(changes ...func(*sandbox.Spec)) sandbox.Sandbox {
	s.Helper()
	spec := s.spec()
	for _, change := range changes {
		change(&spec)
	}
	sb, err := s.Runtime.Create(s.context(), spec)
	if err != nil {
		s.Fatalf("create: %v", err)
	}
	return sb
}

func command(argv ...string) sandbox.Command {
	return sandbox.Command{ID: fmt.Sprintf("cmd_%d", serial.Add(1)), Argv: argv}
}

func script(text string) sandbox.Command { return command("bash", "-c", text) }

// exec runs a command that must come to its end.
func (s *suite) exec(sb sandbox.Sandbox, argv ...string) sandbox.Result {
	s.Helper()
	return s.run(sb, command(argv...))
}

// sh runs a script that must come to its end.
func (s *suite) sh(sb sandbox.Sandbox, text string) sandbox.Result {
	s.Helper()
	return s.run(sb, script(text))
}

func (s *suite) run(sb sandbox.Sandbox, cmd sandbox.Command) sandbox.Result {
	s.Helper()
	res, err := sb.Exec(s.context(), cmd)
	if err != nil {
		s.Fatalf("run %q: %v", cmd.Argv, err)
	}
	return res
}

// must runs a script that must succeed and returns what it printed.
func (s *suite) must(sb sandbox.Sandbox, text string) string {
	s.Helper()
	res := s.sh(sb, text)
	if res.Exit != (sandbox.ExitStatus{}) {
		s.Fatalf("%s: %+v\n%s%s", text, res.Exit, stdout(res), stderr(res))
	}
	return stdout(res)
}

// ended is the end of a command that runs beside the case.
type ended struct {
	res sandbox.Result
	err error
}

// background runs a command beside the case, and returns when it has made the file
// /tmp/ready.
func (s *suite) background(ctx context.Context, sb sandbox.Sandbox, cmd sandbox.Command) <-chan ended {
	s.Helper()
	done := make(chan ended, 1)
	go func() {
		res, err := sb.Exec(ctx, cmd)
		done <- ended{res, err}
	}()
	s.must(sb, "until [ -e /tmp/ready ]; do sleep 0.01; done")
	return done
}

// await waits for a background command.
func (s *suite) await(done <-chan ended) ended {
	s.Helper()
	select {
	case e := <-done:
		return e
	case <-time.After(caseTime):
		s.Fatal("the command did not end")
		return ended{}
	}
}

func (s *suite) expectExit(what string, got, want sandbox.ExitStatus) {
	s.Helper()
	if got != want {
		s.Errorf("%s: exit %+v, want %+v", what, got, want)
	}
}

func (s *suite) expectText(what, got, want string) {
	s.Helper()
	if got != want {
		s.Errorf("%s: %q, want %q", what, got, want)
	}
}

func stdout(r sandbox.Result) string { return string(r.Stdout.Head) + string(r.Stdout.Tail) }
func stderr(r sandbox.Result) string { return string(r.Stderr.Head) + string(r.Stderr.Tail) }
