package sandboxtest

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"assay/internal/sandbox"
)

var deathCases = []testCase{
	{"death/wait ends with its context", nothing, func(s *suite) {
		ctx, cancel := context.WithTimeout(s.context(), 50*time.Millisecond)
		defer cancel()
		if death, err := s.create().Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			s.Errorf("wait: %q, %v", death, err)
		}
	}},
	{"death/expired", nothing, func(s *suite) {
		sb := s.create(func(spec *sandbox.Spec) { spec.Deadline = time.Now().Add(1500 * time.Millisecond) })
		done := make(chan ended, 1)
		go func() {
			res, err := sb.Exec(s.context(), command("sleep", "1000"))
			done <- ended{res, err}
		}()
		s.expectDeath(sb, sandbox.DeathExpired)
		if late := time.Since(sb.Handle().Deadline); late < 0 || late > 3*time.Second {
			s.Errorf("ended %v after the deadline", late)
		}
		if e := s.await(done); !errors.Is(e.err, sandbox.ErrGone) {
			s.Errorf("a command that the end took along: %+v, %v", e.res.Exit, e.err)
		}
		s.expectDead(sb)
	}},
	{"death/expired although clocks were set back", processes, func(s *suite) {
		sb := s.create(func(spec *sandbox.Spec) { spec.Deadline = time.Now().Add(2500 * time.Millisecond) })
		sb.Exec(s.context(), script("while :; do date -s 2001-01-01; hwclock -w; adjtimex -t 9000; done >/dev/null 2>&1")) //nolint:errcheck // the end takes it along
		s.expectDeath(sb, sandbox.DeathExpired)
		if late := time.Since(sb.Handle().Deadline); late < 0 || late > 10*time.Second {
			s.Errorf("ended %v after the deadline", late)
		}
	}},
	{"death/expired with nobody watching", nothing, func(s *suite) {
		sb := s.create(func(spec *sandbox.Spec) { spec.Deadline = time.Now().Add(time.Second) })
		<-time.After(time.Until(sb.Handle().Deadline) + time.Second)
		s.expectDeath(sb, sandbox.DeathExpired)
		s.expectDead(sb)
	}},
	{"death/destroyed", nothing, func(s *suite) {
		sb := s.create()
		waited := make(chan error, 1)
		go func() {
			death, err := sb.Wait(s.context())
			if err == nil && death != sandbox.DeathDestroyed {
				err = errors.New("death: " + string(death))
			}
			waited <- err
		}()
		if err := sb.Destroy(s.context()); err != nil {
			s.Fatal(err)
		}
		if err := <-waited; err != nil {
			s.Error(err)
		}
		s.expectDeath(sb, sandbox.DeathDestroyed)
	}},
	{"death/init killed from outside", processes, func(s *suite) {
		sb := s.create()
		done := s.background(s.context(), sb, script(daemons+"touch /tmp/ready; sleep 1005"))
		kill(s, s.InitPID(s.T, sb.Handle()))
		if e := s.await(done); !errors.Is(e.err, sandbox.ErrGone) {
			s.Errorf("a running command: exit %+v, %v; want ErrGone", e.res.Exit, e.err)
		}
		s.expectDeath(sb, sandbox.DeathLost)
		s.expectDead(sb)
	}},
}

func (s *suite) expectDeath(sb sandbox.Sandbox, want sandbox.Death) {
	s.Helper()
	death, err := sb.Wait(s.context())
	if err != nil || death != want {
		s.Errorf("wait: %q, %v; want %q", death, err, want)
	}
}

// expectDead checks what holds of a sandbox that is dead and not destroyed.
func (s *suite) expectDead(sb sandbox.Sandbox) {
	s.Helper()
	for name, err := range s.useAll(sb) {
		if !errors.Is(err, sandbox.ErrGone) {
			s.Errorf("%s on a dead sandbox: %v, want ErrGone", name, err)
		}
	}
	next := s.Reopen(s.T)
	if _, err := next.Open(s.context(), sb.Handle()); !errors.Is(err, sandbox.ErrGone) {
		s.Errorf("open a dead sandbox: %v, want ErrGone", err)
	}
	if handles, err := next.List(s.context()); err != nil || len(handles) != 1 {
		s.Errorf("list with a dead sandbox: %+v, %v", handles, err)
	}
	if err := sb.Destroy(s.context()); err != nil {
		s.Errorf("destroy a dead sandbox: %v", err)
	}
}

// useAll tries the operations that take a live sandbox.
func (s *suite) useAll(sb sandbox.Sandbox) map[string]error {
	ctx := s.context()
	errs := make(map[string]error)
	_, errs["exec"] = sb.Exec(ctx, command("true"))
	_, errs["attach"] = sb.Attach(ctx, "x")
	errs["kill"] = sb.Kill(ctx, "x")
	errs["kill all"] = sb.KillAll(ctx)
	errs["forget"] = sb.Forget(ctx, "x")
	errs["read spool"] = sb.ReadSpool(ctx, "x", func(int64, io.Reader) error { return nil })
	_, _, errs["read"] = sb.ReadFile(ctx, "README.md", 100)
	errs["collect"] = sb.Collect(ctx, sandbox.CollectRequest{Root: ".", Patterns: []string{"*"}, MaxFiles: 9, MaxBytes: 999}, discard)
	errs["layer"] = sb.ApplyLayer(ctx, ".", strings.NewReader(""))
	_, errs["replace"] = sb.Replace(ctx, sandbox.ReplaceRequest{Path: "README.md", Old: "a", New: "b"})
	return errs
}
