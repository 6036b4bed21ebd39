package sandboxtest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"assay/internal/sandbox"
)

var commandCases = []testCase{
	{"commands/exit", nothing, func(s *suite) {
		sb := s.create()
		s.expectExit("true", s.exec(sb, "true").Exit, sandbox.ExitStatus{})
		s.expectExit("false", s.exec(sb, "false").Exit, sandbox.ExitStatus{Code: 1})
		s.expectExit("no program", s.exec(sb, "no-such-program").Exit, sandbox.ExitStatus{Code: 127})
		s.expectText("echo", stdout(s.exec(sb, "echo", "hello", "you")), "hello you\n")
	}},
	{"commands/exit codes and signals", processes, func(s *suite) {
		sb := s.create()
		for text, want := range map[string]sandbox.ExitStatus{
			"exit 0":                      {},
			"exit 7":                      {Code: 7},
			"exit 255":                    {Code: 255},
			"kill -TERM $$":               {Code: 143, Signal: 15},
			"kill -SEGV $$":               {Code: 139, Signal: 11},
			"kill -KILL $$":               {Code: 137, Signal: 9},
			"exit 137":                    {Code: 137},
			"sh -c 'kill -9 $$'; exit $?": {Code: 137},
		} {
			s.expectExit(text, s.sh(sb, text).Exit, want)
		}
		s.expectExit("a directory", s.exec(sb, Workdir).Exit, sandbox.ExitStatus{Code: 126})
		s.expectExit("not executable", s.exec(sb, Workdir+"/README.md").Exit, sandbox.ExitStatus{Code: 126})
		s.expectExit("a script", s.exec(sb, Workdir+"/main.sh").Exit, sandbox.ExitStatus{})
	}},
	{"commands/streams", processes, func(s *suite) {
		res := s.sh(s.create(), "echo out; echo err >&2; echo out2; echo err2 >&2")
		s.expectText("stdout", stdout(res), "out\nout2\n")
		s.expectText("stderr", stderr(res), "err\nerr2\n")
	}},
	{"commands/output is bounded", processes, func(s *suite) {
		const total, limit = 100 << 20, 4096
		cmd := script(fmt.Sprintf("printf begin; yes 1234567 | head -c %d; printf end", total))
		cmd.OutputLimit = limit
		out := s.run(s.create(), cmd).Stdout
		if out.Total != total+8 || len(out.Head)+len(out.Tail) != limit {
			s.Errorf("kept %d and %d of %d bytes; want %d of %d", len(out.Head), len(out.Tail), out.Total, limit, total+8)
		}
		if !strings.HasPrefix(string(out.Head), "begin1234567\n") || !strings.HasSuffix(string(out.Tail), "end") {
			s.Errorf("kept neither the begin nor the end: %.20q ... %q", out.Head, out.Tail[max(len(out.Tail)-20, 0):])
		}
	}},
	{"commands/bounds that are none", nothing, func(s *suite) {
		sb := s.create()
		for name, change := range map[string]func(*sandbox.Command){
			"too much output":  func(c *sandbox.Command) { c.OutputLimit = sandbox.MaxOutputLimit + 1 },
			"negative output":  func(c *sandbox.Command) { c.OutputLimit = -1 },
			"negative spool":   func(c *sandbox.Command) { c.Spool = -1 },
			"negative timeout": func(c *sandbox.Command) { c.Timeout = -1 },
		} {
			cmd := command("echo", "x")
			change(&cmd)
			if res, err := sb.Exec(s.context(), cmd); err == nil {
				s.Errorf("%s: %+v", name, res)
			}
			if _, err := sb.Attach(s.context(), cmd.ID); !errors.Is(err, sandbox.ErrUnknownCommand) {
				s.Errorf("%s: it was started: %v", name, err)
			}
		}
		most := command("echo", "x")
		most.OutputLimit = sandbox.MaxOutputLimit
		s.expectText("the most", stdout(s.run(sb, most)), "x\n")
	}},
	{"commands/output costs neither side memory", processes, func(s *suite) {
		// The sandbox has less memory than the output, and this process would show it.
		sb := s.create(func(spec *sandbox.Spec) { spec.Limits.MemoryBytes = 96 << 20 })
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		res := s.sh(sb, "yes out | head -c 50m & yes err | head -c 50m >&2; wait")
		runtime.ReadMemStats(&after)
		s.expectExit("exit", res.Exit, sandbox.ExitStatus{})
		for name, out := range map[string]sandbox.Output{"stdout": res.Stdout, "stderr": res.Stderr} {
			if kept := len(out.Head) + len(out.Tail); out.Total != 50<<20 || kept != sandbox.DefaultOutputLimit {
				s.Errorf("%s: kept %d of %d bytes", name, kept, out.Total)
			}
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 32<<20 {
			s.Errorf("%d bytes were allocated for 100 MB of output", used)
		}
	}},
	{"commands/each stream is in order", processes, func(s *suite) {
		res := s.sh(s.create(), "for i in {1..3000}; do echo $i; echo $i >&2; done")
		var want strings.Builder
		for i := range 3000 {
			fmt.Fprintln(&want, i+1)
		}
		if stdout(res) != want.String() || stderr(res) != want.String() {
			s.Errorf("%d and %d bytes, or out of order; want %d", res.Stdout.Total, res.Stderr.Total, want.Len())
		}
	}},
	{"commands/bytes that are no text", processes, func(s *suite) {
		s.expectText("stdout", stdout(s.sh(s.create(), `printf '\377\000\376\r\n'`)), "\xff\x00\xfe\r\n")
	}},
	{"commands/standard input is empty", processes, func(s *suite) {
		sb := s.create()
		s.expectText("cat", stdout(s.sh(sb, "cat; echo $?")), "0\n")
		s.expectExit("read", s.sh(sb, "read line").Exit, sandbox.ExitStatus{Code: 1})
		for _, reader := range []string{"bash", "sh", "sort", "wc -c", "head -1", "tee", "xargs echo", "bc"} {
			cmd := script(reader)
			cmd.Timeout = 10 * time.Second
			if res := s.run(sb, cmd); res.Exit.TimedOut {
				s.Errorf("%s waits for input", reader)
			}
		}
		s.expectText("read by nobody", stdout(s.sh(sb, "exec 0<&-; echo fine")), "fine\n")
	}},
	{"commands/heredocs", processes, func(s *suite) {
		sb := s.create()
		s.expectText("plain", stdout(s.sh(sb, "cat <<E\nhere $((1+1))\nE")), "here 2\n")
		s.must(sb, "cat > f.py <<'EOF'\nprint(\"$HOME\", 'it''s', `x`)\n\tindented \\n\nEOF\ncat >> f.py <<-E\n\tmore\n\tE")
		s.expectText("quoted", s.read(sb, "f.py"), "print(\"$HOME\", 'it''s', `x`)\n\tindented \\n\nmore\n")
		s.expectText("to a shell", stdout(s.sh(sb, "bash -s <<< 'echo from a string'")), "from a string\n")
	}},
	{"commands/an interactive shell without a terminal", processes, func(s *suite) {
		sb := s.create()
		s.must(sb, "echo 'alias greet=\"echo hello\"; export FROM_RC=yes' > /root/.bashrc")
		cmd := command("bash", "-ic", "greet; echo $FROM_RC $-; sleep 0.1 & wait; exit 3")
		cmd.Timeout = 20 * time.Second
		res := s.run(sb, cmd)
		s.expectExit("exit", res.Exit, sandbox.ExitStatus{Code: 3})
		if out := stdout(res); !strings.HasPrefix(out, "hello\nyes ") || !strings.Contains(out, "i") {
			s.Errorf("stdout %q, stderr %q", out, stderr(res))
		}
	}},
	{"commands/directory and environment", processes, func(s *suite) {
		sb := s.create(func(spec *sandbox.Spec) { spec.Env = map[string]string{"A": "spec", "B": "spec b"} })
		print := script(`pwd; echo "$A,$B,$FROM_IMAGE,${ASSAY_AGENT_CONFIG-unset}"`)
		s.expectText("defaults", stdout(s.run(sb, print)), Workdir+"\nspec,spec b,yes,unset\n")
		print.ID, print.Dir, print.Env = "other", "lib/deep", map[string]string{"A": "command=1"}
		s.expectText("of the command", stdout(s.run(sb, print)), Workdir+"/lib/deep\ncommand=1,spec b,yes,unset\n")
		print.ID, print.Dir = "third", "/tmp"
		s.expectText("an absolute directory", stdout(s.run(sb, print)), "/tmp\ncommand=1,spec b,yes,unset\n")
	}},
	{"commands/defaults of the environment", processes, func(s *suite) {
		sb := s.create(func(spec *sandbox.Spec) { spec.Env = map[string]string{"SPEC": "spec", "EMPTY": ""} })
		cmd := script(`echo "$FROM_IMAGE,$SPEC,[${EMPTY}],$OWN,$ALONE,${HOME}"`)
		cmd.Env = map[string]string{"OWN": "command"}
		cmd.EnvDefaults = map[string]string{"FROM_IMAGE": "d", "SPEC": "d", "EMPTY": "d", "OWN": "d", "ALONE": "default=1", "HOME": "/d"}
		s.expectText("with defaults", stdout(s.run(sb, cmd)), "yes,spec,[],command,default=1,/root\n")
		cmd.ID, cmd.Env, cmd.EnvDefaults = "another", nil, map[string]string{"OWN": "d"}
		s.expectText("without an environment of its own", stdout(s.run(sb, cmd)), "yes,spec,[],d,,/root\n")
		cmd.ID, cmd.EnvDefaults = "last", nil
		s.expectText("of another command", stdout(s.run(sb, cmd)), "yes,spec,[],,,/root\n")
		cmd.ID, cmd.EnvDefaults = "path", map[string]string{"PATH": "/nowhere"}
		s.expectExit("a default of PATH", s.run(sb, cmd).Exit, sandbox.ExitStatus{})
	}},
	{"commands/a work tree that the image lacks is made", processes, func(s *suite) {
		sb := s.create(func(spec *sandbox.Spec) { spec.Workdir = "/made/for/you" })
		s.expectText("pwd", s.must(sb, "pwd; touch x; ls"), "/made/for/you\nx\n")
	}},
	{"commands/fifty at once", processes, func(s *suite) {
		sb := s.create()
		var group sync.WaitGroup
		for i := range 50 {
			group.Go(func() {
				res, err := sb.Exec(s.context(), script(fmt.Sprintf("sleep 0.2; echo %d; exit %d", i, i)))
				if err != nil || res.Exit.Code != i || stdout(res) != fmt.Sprintln(i) {
					s.Errorf("command %d: %+v, %q, %v", i, res.Exit, stdout(res), err)
				}
			})
		}
		group.Wait()
	}},
	{"commands/one per id", nothing, func(s *suite) {
		sb := s.create()
		cmd := command("echo", "once")
		first, again := s.run(sb, cmd), s.run(sb, cmd)
		if !first.Started.Equal(again.Started) || stdout(again) != "once\n" {
			s.Errorf("the same id ran twice: %v and %v, %q", first.Started, again.Started, stdout(again))
		}
		if err := sb.Forget(s.context(), cmd.ID); err != nil {
			s.Errorf("forget: %v", err)
		}
		if err := sb.Forget(s.context(), cmd.ID); err != nil {
			s.Errorf("forget again: %v", err)
		}
		if _, err := sb.Attach(s.context(), cmd.ID); !errors.Is(err, sandbox.ErrUnknownCommand) {
			s.Errorf("attach to a forgotten command: %v", err)
		}
	}},
	{"commands/one per id while it runs", processes, func(s *suite) {
		sb := s.create()
		cmd := script("echo x >> /tmp/count; touch /tmp/ready; sleep 0.5; exit 3")
		first := s.background(s.context(), sb, cmd)
		second := s.run(sb, cmd)
		s.expectExit("second", second.Exit, sandbox.ExitStatus{Code: 3})
		s.expectExit("first", s.await(first).res.Exit, sandbox.ExitStatus{Code: 3})
		s.expectText("runs", s.must(sb, "cat /tmp/count"), "x\n")
	}},
	{"commands/attach to an unknown one", nothing, func(s *suite) {
		if _, err := s.create().Attach(s.context(), "never"); !errors.Is(err, sandbox.ErrUnknownCommand) {
			s.Errorf("attach: %v", err)
		}
	}},
	{"commands/attach after a restart", nothing, func(s *suite) {
		sb := s.create()
		cmd := command("echo", "before")
		first := s.run(sb, cmd)
		res, err := s.reopen(sb).Attach(s.context(), cmd.ID)
		if err != nil || stdout(res) != "before\n" || !res.Started.Equal(first.Started) {
			s.Errorf("attach: %+v, %v", res, err)
		}
	}},
	{"commands/a running one outlives its server", processes, func(s *suite) {
		sb := s.create()
		ctx, cancel := context.WithCancel(s.context())
		cmd := script("touch /tmp/ready; until [ -e /tmp/go ]; do sleep 0.01; done; echo done; exit 9")
		done := s.background(ctx, sb, cmd)
		cancel()
		if e := s.await(done); !errors.Is(e.err, context.Canceled) {
			s.Errorf("exec whose context ended: %+v, %v", e.res.Exit, e.err)
		}
		again := s.reopen(sb)
		attached := make(chan ended, 1)
		go func() {
			res, err := again.Attach(s.context(), cmd.ID)
			attached <- ended{res, err}
		}()
		s.must(again, "touch /tmp/go")
		e := s.await(attached)
		if e.err != nil || e.res.Exit.Code != 9 || stdout(e.res) != "done\n" {
			s.Errorf("attach: %+v, %q, %v", e.res.Exit, stdout(e.res), e.err)
		}
	}},
	{"commands/a context that ends leaves the command", nothing, func(s *suite) {
		sb := s.create()
		ctx, cancel := context.WithTimeout(s.context(), 100*time.Millisecond)
		defer cancel()
		cmd := command("sleep", "0.5")
		if _, err := sb.Exec(ctx, cmd); !errors.Is(err, context.DeadlineExceeded) {
			s.Errorf("exec: %v", err)
		}
		res, err := sb.Attach(s.context(), cmd.ID)
		if err != nil || res.Exit != (sandbox.ExitStatus{}) || res.Duration < 400*time.Millisecond {
			s.Errorf("attach: %+v after %v, %v", res.Exit, res.Duration, err)
		}
	}},
}

// reopen is the sandbox in the eyes of the next server.
func (s *suite) reopen(sb sandbox.Sandbox) sandbox.Sandbox {
	s.Helper()
	again, err := s.Reopen(s.T).Open(s.context(), sb.Handle())
	if err != nil {
		s.Fatalf("open after a restart: %v", err)
	}
	return again
}
