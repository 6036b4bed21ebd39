package sandboxtest

import (
	"errors"
	"strings"
	"time"

	"assay/internal/sandbox"
)

// daemons leaves its process group, its session, its parent, and ignores what it can.
const daemons = `trap "" TERM HUP INT
(setsid sleep 1001 > /dev/null 2>&1 &)
( (setsid sh -c 'trap "" TERM; sleep 1002; sleep 1003' &) & )
nohup sleep 1004 &
`

// sleepers counts what is left of daemons.
const sleepers = `ps | grep -c '[s]leep 100'`

var treeCases = []testCase{
	{"trees/timeout", nothing, func(s *suite) {
		cmd := command("sleep", "1000")
		cmd.Timeout = 200 * time.Millisecond
		res := s.run(s.create(), cmd)
		if !res.Exit.TimedOut || res.Exit.Code != 124 || res.Duration < cmd.Timeout || res.Duration > 5*time.Second {
			s.Errorf("%+v after %v", res.Exit, res.Duration)
		}
	}},
	{"trees/timeout kills daemons, too", processes, func(s *suite) {
		sb := s.create()
		cmd := script(daemons + "echo printed; sleep 1005")
		cmd.Timeout = 500 * time.Millisecond
		res := s.run(sb, cmd)
		if !res.Exit.TimedOut || res.Exit.Code != 124 || stdout(res) != "printed\n" || res.Duration > 5*time.Second {
			s.Errorf("%+v after %v: %q", res.Exit, res.Duration, stdout(res))
		}
		s.expectText("left", stdout(s.sh(sb, sleepers)), "0\n")
	}},
	{"trees/timeout kills what has stopped", processes, func(s *suite) {
		sb := s.create()
		cmd := script("(setsid sh -c 'trap \"\" HUP; kill -STOP $$; sleep 1001' &); until ps -o stat,args | grep -q '^T.*[k]ill -STOP'; do sleep 0.02; done; sleep 1003")
		cmd.Timeout = time.Second
		if res := s.run(sb, cmd); !res.Exit.TimedOut || res.Exit.Code != 124 || res.Duration > 10*time.Second {
			s.Errorf("%+v after %v", res.Exit, res.Duration)
		}
		s.expectText("left", stdout(s.sh(sb, sleepers)), "0\n")
	}},
	{"trees/background processes live on and hold no answer", processes, func(s *suite) {
		sb := s.create()
		start := time.Now()
		s.expectText("answer", s.must(sb, "sleep 1001 & echo started"), "started\n")
		if took := time.Since(start); took > 5*time.Second {
			s.Errorf("the answer took %v", took)
		}
		s.expectText("alive", s.must(sb, sleepers), "1\n")
	}},
	{"trees/kill", processes, func(s *suite) {
		sb := s.create()
		other := s.background(s.context(), sb, script("touch /tmp/ready; until [ -e /tmp/end ]; do sleep 0.05; done; exit 5"))
		s.must(sb, "rm /tmp/ready")
		cmd := script(daemons + "touch /tmp/ready; sleep 1005")
		done := s.background(s.context(), sb, cmd)
		if err := sb.Kill(s.context(), cmd.ID); err != nil {
			s.Fatalf("kill: %v", err)
		}
		e := s.await(done)
		if e.err != nil {
			s.Errorf("exec: %v", e.err)
		}
		s.expectExit("killed", e.res.Exit, sandbox.ExitStatus{Code: 137, Signal: 9})
		s.expectText("left", stdout(s.sh(sb, sleepers)), "0\n")
		s.must(sb, "touch /tmp/end")
		s.expectExit("another command", s.await(other).res.Exit, sandbox.ExitStatus{Code: 5})
		if err := sb.Kill(s.context(), cmd.ID); err != nil {
			s.Errorf("kill a command that has ended: %v", err)
		}
	}},
	{"trees/kill an unknown command", nothing, func(s *suite) {
		if err := s.create().Kill(s.context(), "never"); !errors.Is(err, sandbox.ErrUnknownCommand) {
			s.Errorf("kill: %v", err)
		}
	}},
	{"trees/kill all", processes, func(s *suite) {
		sb := s.create()
		done := s.background(s.context(), sb, script(daemons+"touch /tmp/ready; sleep 1005"))
		s.must(sb, daemons)
		if err := sb.KillAll(s.context()); err != nil {
			s.Fatalf("kill all: %v", err)
		}
		if e := s.await(done); e.err != nil || e.res.Exit.Signal != 9 {
			s.Errorf("a running command: %+v, %v", e.res.Exit, e.err)
		}
		s.expectText("daemons", stdout(s.sh(sb, sleepers)), "0\n")
		s.must(sb, "[ $(ls /proc | grep -c '^[0-9]') -le 5 ]") // init, two of bash, ls, grep
	}},
	{"trees/zombies are reaped", processes, func(s *suite) {
		sb := s.create()
		s.must(sb, "for i in 1 2 3 4 5; do (sh -c 'sleep 0.05' &) ; done")
		s.must(sb, "while ps | grep -q '[s]leep 0.05'; do sleep 0.02; done")
		if left := stdout(s.sh(sb, "ps -o stat,args | grep '^Z'")); strings.Contains(left, "Z") {
			s.Errorf("zombies:\n%s", left)
		}
	}},
}
