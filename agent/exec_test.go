package agent_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/agent"
	"assay/internal/sandbox"
)

func TestHello(t *testing.T) {
	g := start(t, nil)
	h, err := g.Hello(testContext(t))
	check(t, err)
	if h.Sandbox != "sb_test" || h.Protocol != agent.Protocol || h.Version == "" || time.Since(h.StartedAt) > time.Minute {
		t.Fatalf("hello: %+v", h)
	}
}

func TestExitStatus(t *testing.T) {
	g := start(t, nil)
	g.write("plain", "no program\n")
	g.write("bad", "#!/no/such/interpreter\n")
	check(t, os.Chmod(g.work+"/bad", 0o755))
	bash := func(script string) []string { return []string{"bash", "-c", script} }
	tests := []struct {
		name   string
		cmd    sandbox.Command
		want   sandbox.ExitStatus
		stdout string
		stderr string // a part of it
	}{
		{"true", sandbox.Command{Argv: bash("true")}, sandbox.ExitStatus{}, "", ""},
		{"code", sandbox.Command{Argv: bash("exit 7")}, sandbox.ExitStatus{Code: 7}, "", ""},
		{"255", sandbox.Command{Argv: bash("exit -1")}, sandbox.ExitStatus{Code: 255}, "", ""},
		{"signal", sandbox.Command{Argv: bash("kill -TERM $$")}, sandbox.ExitStatus{Code: 143, Signal: 15}, "", ""},
		{"segv", sandbox.Command{Argv: bash("kill -SEGV $$")}, sandbox.ExitStatus{Code: 139, Signal: 11}, "", ""},
		{"streams", sandbox.Command{Argv: bash("echo out; echo err >&2")}, sandbox.ExitStatus{}, "out\n", "err\n"},
		{"bytes", sandbox.Command{Argv: bash(`printf '\377\0\n'`)}, sandbox.ExitStatus{}, "\xff\x00\n", ""},
		{"stdin", sandbox.Command{Argv: []string{"cat"}}, sandbox.ExitStatus{}, "", ""},
		{"workdir", sandbox.Command{Argv: []string{"pwd"}}, sandbox.ExitStatus{}, g.work + "\n", ""},
		{"dir", sandbox.Command{Argv: []string{"pwd"}, Dir: ".."}, sandbox.ExitStatus{}, strings.TrimSuffix(g.work, "/work") + "\n", ""},
		{"bad dir", sandbox.Command{Argv: []string{"pwd"}, Dir: "/none"}, sandbox.ExitStatus{Code: 126}, "", "/none: No such file or directory"},
		{"file as dir", sandbox.Command{Argv: []string{"pwd"}, Dir: "plain"}, sandbox.ExitStatus{Code: 126}, "", "Not a directory"},
		{"env", sandbox.Command{Argv: []string{"env"}, Env: map[string]string{"HOME": "/h"}}, sandbox.ExitStatus{}, "FROM_IMAGE=yes\nHOME=/h\nPATH=/usr/local/bin:/usr/bin:/bin\n", ""},
		{"leader", sandbox.Command{Argv: bash(`read -r _ _ _ _ pgrp sid _ </proc/$$/stat; [ $pgrp = $$ -a $sid = $$ ]`)}, sandbox.ExitStatus{}, "", ""},
		{"descriptors", sandbox.Command{Argv: []string{"ls", "/proc/self/fd"}}, sandbox.ExitStatus{}, "0\n1\n2\n3\n", ""}, // the last is ls's own
		{"heredoc", sandbox.Command{Argv: bash("cat <<X\na\nX\n")}, sandbox.ExitStatus{}, "a\n", ""},
		{"interactive", sandbox.Command{Argv: []string{"bash", "-ic", "exit 3"}}, sandbox.ExitStatus{Code: 3}, "", ""},
		{"missing", sandbox.Command{Argv: []string{"no-such-program"}}, sandbox.ExitStatus{Code: 127}, "", "no-such-program: command not found"},
		{"missing path", sandbox.Command{Argv: []string{"./none"}}, sandbox.ExitStatus{Code: 127}, "", "No such file"},
		{"not executable", sandbox.Command{Argv: []string{"./plain"}}, sandbox.ExitStatus{Code: 126}, "", "Permission denied"},
		{"bad interpreter", sandbox.Command{Argv: []string{"./bad"}}, sandbox.ExitStatus{Code: 127}, "", "No such file"},
		{"long argument", sandbox.Command{Argv: bash(": " + strings.Repeat("x", 1<<20))}, sandbox.ExitStatus{Code: 126}, "", "Argument list too long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.cmd.ID = tt.name
			tt.cmd.Timeout = 20 * time.Second
			before := time.Now()
			res := g.exec(tt.cmd)
			if res.Exit != tt.want {
				t.Errorf("exit %+v, want %+v; stderr %q", res.Exit, tt.want, res.Stderr.Head)
			}
			if got := string(res.Stdout.Head); got != tt.stdout {
				t.Errorf("stdout %q, want %q", got, tt.stdout)
			}
			if got := string(res.Stderr.Head); !strings.Contains(got, tt.stderr) {
				t.Errorf("stderr %q, want %q in it", got, tt.stderr)
			}
			if res.Started.Before(before.Add(-time.Second)) || res.Duration < 0 || res.Duration > 20*time.Second {
				t.Errorf("started %v, duration %v", res.Started, res.Duration)
			}
		})
	}
}

func TestInvalidCommands(t *testing.T) {
	g := start(t, nil)
	for _, cmd := range []sandbox.Command{
		{Argv: []string{"true"}},
		{ID: "a"},
		{ID: "a", Argv: []string{"bash", "-c", "a\x00b"}},
		{ID: "a", Argv: []string{"bash", "-c", "\xff"}},
		{ID: "a", Argv: []string{"true"}, Timeout: -1},
		{ID: "a", Argv: []string{"true"}, OutputLimit: -1},
	} {
		if res, err := g.Exec(testContext(t), cmd); err == nil {
			t.Errorf("%+v: ran: %+v", cmd, res)
		}
	}
	_, err := g.Exec(testContext(t), sandbox.Command{ID: "a", Argv: []string{strings.Repeat("x", 10<<20)}})
	wantError(t, err, sandbox.ErrTooLarge)
	if res := g.run("a", "exit 4"); res.Exit.Code != 4 {
		t.Errorf("a refused id cannot be used: %+v", res)
	}
}

func TestOutputIsBounded(t *testing.T) {
	g := start(t, nil)
	res := g.exec(sandbox.Command{
		ID: "big", OutputLimit: 1001, Timeout: time.Minute,
		Argv: []string{"bash", "-c", "head -c 500 /dev/zero | tr '\\0' a; head -c 100000000 /dev/zero; printf %500s | tr ' ' z; printf 1234567 >&2"},
	})
	if want := int64(100001000); res.Stdout.Total != want {
		t.Errorf("total %d, want %d", res.Stdout.Total, want)
	}
	head := append(bytes.Repeat([]byte("a"), 500), 0)
	if !bytes.Equal(res.Stdout.Head, head) || !bytes.Equal(res.Stdout.Tail, bytes.Repeat([]byte("z"), 500)) {
		t.Errorf("head %q, tail %q", res.Stdout.Head, res.Stdout.Tail)
	}
	if string(res.Stderr.Head)+string(res.Stderr.Tail) != "1234567" || res.Stderr.Total != 7 {
		t.Errorf("stderr %+v", res.Stderr)
	}
	if rss := g.memory("VmHWM"); rss > 24<<20 {
		t.Errorf("the agent grew to %d bytes", rss)
	}
}

// memory reads a line of the agent's /proc/PID/status, in bytes.
func (g *guest) memory(line string) int64 {
	g.t.Helper()
	p, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.process.Process.Pid))
	check(g.t, err)
	_, rest, _ := strings.Cut(string(p), line+":")
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	check(g.t, err)
	return kib << 10
}

func TestTimeoutKillsTheTree(t *testing.T) {
	tests := map[string]string{
		"plain":        `echo before; touch up; sleep 1000`,
		"ignores TERM": `trap '' TERM HUP INT; echo before; touch up; while :; do sleep 1000; done`,
		"double fork":  `echo before; ( ( setsid nohup sleep 1001 >/dev/null 2>&1 & ) & ); touch up; sleep 1000`,
		"other user":   `echo before; setsid setpriv --reuid 33 --regid 33 --clear-groups sleep 1001 & touch up; wait`,
		"off with it":  `echo before; ( ulimit -x 5; setsid sleep 1001 & ); touch up; sleep 1000`,
		"new env":      `echo before; env -i setsid sleep 1001 & touch up; sleep 1000`,
		"forks":        `echo before; touch up; f() { f & f & sleep 1000; }; ulimit -u 300; f`,
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			g := start(t, nil)
			other := g.begin("other", "touch other; sleep 900 & wait", "other")
			res := g.exec(sandbox.Command{ID: "late", Argv: []string{"bash", "-c", script}, Timeout: 400 * time.Millisecond})
			if res.Exit.Code != 124 || !res.Exit.TimedOut || !strings.HasPrefix(string(res.Stdout.Head), "before\n") {
				t.Errorf("ended with %+v, stdout %q", res.Exit, res.Stdout.Head)
			}
			if res.Duration < 400*time.Millisecond || res.Duration > 5*time.Second {
				t.Errorf("took %v", res.Duration)
			}
			if left := strings.Join(g.processes(), "\n"); strings.Contains(left, "sleep 100") {
				t.Errorf("still there after the answer: %s", left)
			}
			if left := strings.Join(g.processes(), "\n"); !strings.Contains(left, "sleep 900") {
				t.Errorf("another command was killed; left: %s", left)
			}
			check(t, g.Kill(testContext(t), "other"))
			if end := <-other; end.err != nil || end.Exit.Code != 137 || end.Exit.TimedOut {
				t.Errorf("other: %+v", end)
			}
		})
	}
}

func TestBackgroundProcess(t *testing.T) {
	g := start(t, nil)
	began := time.Now()
	res := g.run("server", `(while :; do echo beat; date +%N >beat.tmp; mv beat.tmp beat; sleep 0.01; done) & echo started`)
	if time.Since(began) > 5*time.Second || !strings.Contains(string(res.Stdout.Head), "started\n") {
		t.Fatalf("held for %v: %q", time.Since(began), res.Stdout.Head)
	}
	g.await("beat")
	first := g.read("beat")
	eventually(t, "the background process goes on writing", func() bool { return g.read("beat") != first })

	// Those that write without pause neither hold the answer nor die of SIGPIPE.
	res = g.run("flood", `yes & echo $! >yes.pid`)
	if res.Exit.Code != 0 {
		t.Fatalf("flood: %+v", res.Exit)
	}
	if res := g.run("alive", `sleep 0.1; kill -0 $(cat yes.pid)`); res.Exit.Code != 0 {
		t.Error("a background process died with its command")
	}
	check(t, g.KillAll(testContext(t)))
	if left := g.processes(); len(left) != 0 {
		t.Errorf("left after KillAll: %q", left)
	}
}

func TestZombiesAreReaped(t *testing.T) {
	g := start(t, nil)
	g.run("orphans", `for i in $(seq 50); do ( sleep 0.05 & ) ; done`)
	eventually(t, "orphans are reaped", func() bool {
		res := g.run(fmt.Sprintf("count_%d", time.Now().UnixNano()), `cat /proc/[0-9]*/stat 2>/dev/null | grep -c ' Z '; cat /proc/[0-9]*/comm | grep -c sleep`)
		return string(res.Stdout.Head) == "0\n0\n"
	})
}

func TestParallelCommands(t *testing.T) {
	g := start(t, nil)
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			res, err := g.Exec(testContext(t), sandbox.Command{ID: fmt.Sprint(i), Argv: []string{"bash", "-c", fmt.Sprintf("sleep 0.2; echo %d; exit %d", i, i)}})
			if err != nil || res.Exit.Code != i || string(res.Stdout.Head) != fmt.Sprintln(i) {
				t.Errorf("command %d: %+v %v", i, res, err)
			}
		})
	}
	group.Wait()
}

func TestTooManyCommands(t *testing.T) {
	g := start(t, func(c *agent.Config) { c.MaxRunning = 1 })
	end := g.begin("one", "touch up; sleep 1000", "up")
	if res, err := g.Exec(testContext(t), sandbox.Command{ID: "two", Argv: []string{"true"}}); err == nil {
		t.Errorf("a second command ran: %+v", res)
	}
	check(t, g.Kill(testContext(t), "one"))
	<-end
	if res := g.run("two", "exit 2"); res.Exit.Code != 2 {
		t.Errorf("refused later: %+v", res)
	}
}

func TestExecIsIdempotent(t *testing.T) {
	g := start(t, nil)
	script := `echo x >>count; touch up; until [ -e go ]; do sleep 0.01; done; exit 5`
	first := g.begin("same", script, "up")
	second := g.begin("same", script, "up")
	g.write("go", "")
	for _, end := range []outcome{<-first, <-second, {g.run("same", "exit 6"), nil}} {
		if end.err != nil || end.Exit.Code != 5 {
			t.Errorf("%+v", end)
		}
	}
	if got := g.read("count"); got != "x\n" {
		t.Errorf("ran %d times", len(got)/2)
	}
}

func TestAttachFromAnotherClient(t *testing.T) {
	g := start(t, nil)
	ctx, cancel := context.WithCancel(testContext(t))
	failed := make(chan error, 1)
	go func() {
		_, err := g.Exec(ctx, sandbox.Command{ID: "long", Argv: []string{"bash", "-c", "touch up; until [ -e go ]; do sleep 0.01; done; echo done; exit 9"}})
		failed <- err
	}()
	g.await("up")
	cancel()
	wantError(t, <-failed, context.Canceled)
	g.Close()

	next := agent.NewClient(g.socket)
	defer next.Close()
	_, err := next.Attach(testContext(t), "other")
	wantError(t, err, sandbox.ErrUnknownCommand)
	wantError(t, next.Kill(testContext(t), "other"), sandbox.ErrUnknownCommand)
	if err := next.Forget(testContext(t), "long"); err == nil {
		t.Error("a running command was forgotten")
	}
	g.write("go", "")
	res, err := next.Attach(testContext(t), "long")
	check(t, err)
	if res.Exit.Code != 9 || string(res.Stdout.Head) != "done\n" {
		t.Errorf("%+v", res)
	}
	check(t, next.Forget(testContext(t), "long"))
	check(t, next.Forget(testContext(t), "long"))
	_, err = next.Attach(testContext(t), "long")
	wantError(t, err, sandbox.ErrUnknownCommand)
}

func TestOldEndsAreDropped(t *testing.T) {
	g := start(t, nil)
	const size = 8 << 20
	for i := range 9 { // more than is kept
		res := g.exec(sandbox.Command{ID: fmt.Sprint(i), OutputLimit: size, Argv: []string{"head", "-c", fmt.Sprint(size), "/dev/zero"}})
		if got := len(res.Stdout.Head) + len(res.Stdout.Tail); got != size {
			t.Fatalf("kept %d bytes", got)
		}
	}
	_, err := g.Attach(testContext(t), "0")
	wantError(t, err, sandbox.ErrUnknownCommand)
	if res, err := g.Attach(testContext(t), "8"); err != nil || res.Stdout.Total != size {
		t.Errorf("the newest: %v %v", res.Stdout.Total, err)
	}
}
