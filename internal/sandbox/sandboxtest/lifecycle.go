package sandboxtest

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"assay/internal/sandbox"
)

var lifecycleCases = []testCase{
	{"lifecycle/check", nothing, func(s *suite) {
		if err := s.Runtime.Check(s.context()); err != nil {
			s.Errorf("check: %v", err)
		}
		if s.Runtime.Location() == "" {
			s.Error("no location")
		}
	}},
	{"lifecycle/handle", nothing, func(s *suite) {
		spec := s.spec()
		spec.Labels = map[string]string{"session": "s_1"}
		sb, err := s.Runtime.Create(s.context(), spec)
		if err != nil {
			s.Fatal(err)
		}
		h := sb.Handle()
		if h.Version != sandbox.HandleVersion || h.ID != spec.ID || h.Workdir != Workdir || !h.Deadline.Equal(spec.Deadline) ||
			h.Labels["session"] != "s_1" || time.Since(h.CreatedAt) > time.Minute || h.Runtime == "" {
			s.Errorf("handle %+v", h)
		}
		listed, err := s.Reopen(s.T).List(s.context())
		if err != nil || len(listed) != 1 || listed[0].ID != h.ID || listed[0].Labels["session"] != "s_1" || !listed[0].Deadline.Equal(h.Deadline) {
			s.Errorf("list: %+v, %v", listed, err)
		}
	}},
	{"lifecycle/bad specs", nothing, func(s *suite) {
		for name, change := range map[string]func(*sandbox.Spec){
			"no id":               func(spec *sandbox.Spec) { spec.ID = "" },
			"id with a way out":   func(spec *sandbox.Spec) { spec.ID = "../x" },
			"id with a folder":    func(spec *sandbox.Spec) { spec.ID = "a/b" },
			"id with capitals":    func(spec *sandbox.Spec) { spec.ID = "Box" },
			"long id":             func(spec *sandbox.Spec) { spec.ID = strings.Repeat("a", 65) },
			"relative work tree":  func(spec *sandbox.Spec) { spec.Workdir = "src" },
			"no deadline":         func(spec *sandbox.Spec) { spec.Deadline = time.Time{} },
			"deadline has passed": func(spec *sandbox.Spec) { spec.Deadline = time.Now().Add(-time.Second) },
			"unknown network":     func(spec *sandbox.Spec) { spec.Network = "some" },
		} {
			spec := s.spec()
			change(&spec)
			if _, err := s.Runtime.Create(s.context(), spec); err == nil {
				s.Errorf("%s: created", name)
			}
		}
		spec := s.spec()
		spec.Image = "assay.test/no-such-image"
		if _, err := s.Runtime.Create(s.context(), spec); !errors.Is(err, sandbox.ErrImage) {
			s.Errorf("no image: %v", err)
		}
		for _, id := range []string{"", "../x", "a/b", "."} {
			if err := s.Runtime.Destroy(s.context(), sandbox.Handle{ID: id}); err == nil {
				s.Errorf("destroyed %q", id)
			}
		}
	}},
	{"lifecycle/an id is used once", nothing, func(s *suite) {
		spec := s.spec()
		first, err := s.Runtime.Create(s.context(), spec)
		if err != nil {
			s.Fatal(err)
		}
		if _, err := s.Runtime.Create(s.context(), spec); err == nil {
			s.Error("created the same sandbox twice")
		}
		s.expectExit("the first", s.exec(first, "true").Exit, sandbox.ExitStatus{})
	}},
	{"lifecycle/create whose context ends", nothing, func(s *suite) {
		for after := time.Duration(0); after <= 80*time.Millisecond; after += 5 * time.Millisecond {
			ctx, cancel := context.WithTimeout(s.context(), after)
			_, err := s.Runtime.Create(ctx, s.spec())
			cancel()
			if err == nil {
				return // done in time; the suite destroys it
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				s.Errorf("after %v: %v", after, err)
			}
			if left := s.Leftovers(s.T); len(left) > 0 {
				s.Fatalf("after %v, left:\n%s", after, strings.Join(left, "\n"))
			}
		}
	}},
	{"lifecycle/open after a restart", nothing, func(s *suite) {
		sb := s.create()
		again := s.reopen(sb)
		s.expectExit("true", s.exec(again, "true").Exit, sandbox.ExitStatus{})
		if err := again.Destroy(s.context()); err != nil {
			s.Errorf("destroy: %v", err)
		}
		if _, err := sb.Exec(s.context(), command("true")); !errors.Is(err, sandbox.ErrGone) {
			s.Errorf("the first server's view: %v", err)
		}
	}},
	{"lifecycle/orphans", nothing, func(s *suite) {
		for range 3 {
			s.create()
		}
		next := s.Reopen(s.T)
		handles, err := next.List(s.context())
		if err != nil || len(handles) != 3 {
			s.Fatalf("list: %+v, %v", handles, err)
		}
		for _, h := range handles {
			if err := next.Destroy(s.context(), h); err != nil {
				s.Errorf("destroy: %v", err)
			}
		}
		if left, err := next.List(s.context()); err != nil || len(left) > 0 {
			s.Errorf("left: %+v, %v", left, err)
		}
	}},
	{"lifecycle/destroy twice and at once", nothing, func(s *suite) {
		sb := s.create()
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				if err := sb.Destroy(s.context()); err != nil {
					s.Errorf("destroy: %v", err)
				}
			})
		}
		group.Wait()
		if err := s.Runtime.Destroy(s.context(), sb.Handle()); err != nil {
			s.Errorf("destroy again: %v", err)
		}
		if err := s.Runtime.Destroy(s.context(), sandbox.Handle{ID: "never_was"}); err != nil {
			s.Errorf("destroy what never was: %v", err)
		}
		if _, err := s.Runtime.Open(s.context(), sb.Handle()); !errors.Is(err, sandbox.ErrGone) {
			s.Errorf("open: %v", err)
		}
		for name, err := range s.useAll(sb) {
			if !errors.Is(err, sandbox.ErrGone) {
				s.Errorf("%s: %v, want ErrGone", name, err)
			}
		}
	}},
	{"lifecycle/destroy with commands running", processes, func(s *suite) {
		sb := s.create()
		done := s.background(s.context(), sb, script(daemons+"touch /tmp/ready; sleep 1005"))
		if err := sb.Destroy(s.context()); err != nil {
			s.Errorf("destroy: %v", err)
		}
		if e := s.await(done); e.err == nil {
			s.Errorf("a command that the end took along: exit %+v, want an error", e.res.Exit)
		}
	}},
	{"lifecycle/destroy while it is being made", nothing, func(s *suite) {
		for range 4 {
			spec := s.spec()
			made := make(chan error, 1)
			go func() {
				_, err := s.Runtime.Create(s.context(), spec)
				made <- err
			}()
			for creating := true; creating; {
				if err := s.Runtime.Destroy(s.context(), sandbox.Handle{ID: spec.ID}); err != nil {
					s.Errorf("destroy meanwhile: %v", err)
				}
				select {
				case <-made: // either of them may win
					creating = false
				case <-time.After(20 * time.Millisecond):
				}
			}
			if err := s.Runtime.Destroy(s.context(), sandbox.Handle{ID: spec.ID}); err != nil {
				s.Errorf("destroy in the end: %v", err)
			}
			if left := s.Leftovers(s.T); len(left) > 0 {
				s.Fatalf("left:\n%s", strings.Join(left, "\n"))
			}
		}
	}},
	{"lifecycle/destroy while it is used", snapshots, func(s *suite) {
		sb := s.create()
		var group sync.WaitGroup
		stop := make(chan struct{})
		for range 4 {
			group.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					res, err := sb.Exec(s.context(), command("echo", "x"))
					if err == nil && (res.Exit.Code != 0 || stdout(res) != "x\n") {
						s.Errorf("a command met the end, and has an end that is not its own: %+v %q", res.Exit, stdout(res))
					}
					sb.(sandbox.Snapshotter).Changes(s.context(), Workdir, roomy, io.Discard) //nolint:errcheck // the sandbox may be gone
				}
			})
		}
		<-time.After(100 * time.Millisecond)
		for range 2 {
			if err := sb.Destroy(s.context()); err != nil {
				s.Errorf("destroy: %v", err)
			}
		}
		close(stop)
		group.Wait()
	}},
	{"lifecycle/a hundred at once", nothing, func(s *suite) {
		const many, makers = 100, 8
		boxes := make(chan sandbox.Sandbox, many)
		s.inParallel(makers, many, func(int) {
			sb, err := s.Runtime.Create(s.context(), s.spec())
			if err != nil {
				s.Errorf("create: %v", err)
				return
			}
			boxes <- sb
		})
		close(boxes)
		var all []sandbox.Sandbox
		for sb := range boxes {
			all = append(all, sb)
		}
		if len(all) != many {
			s.Fatalf("%d sandboxes, want %d", len(all), many)
		}
		s.inParallel(many, many, func(i int) {
			cmd := command("echo", all[i].Handle().ID)
			if res, err := all[i].Exec(s.context(), cmd); err != nil || stdout(res) != all[i].Handle().ID+"\n" {
				s.Errorf("echo: %+v, %v", res, err)
			}
		})
		if listed, err := s.Runtime.List(s.context()); err != nil || len(listed) != many {
			s.Errorf("list: %d, %v", len(listed), err)
		}
		s.inParallel(makers, many, func(i int) {
			if err := all[i].Destroy(s.context()); err != nil {
				s.Errorf("destroy: %v", err)
			}
		})
	}},
}

// inParallel calls fn with 0 to n-1 from so many goroutines.
func (s *suite) inParallel(goroutines, n int, fn func(int)) {
	next := make(chan int)
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			for i := range next {
				fn(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	group.Wait()
}

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
	_, _, errs["read"] = sb.ReadFile(ctx, "README.md", 100)
	errs["collect"] = sb.Collect(ctx, sandbox.CollectRequest{Root: ".", Patterns: []string{"*"}, MaxFiles: 9, MaxBytes: 999}, discard)
	errs["layer"] = sb.ApplyLayer(ctx, ".", strings.NewReader(""))
	_, errs["replace"] = sb.Replace(ctx, sandbox.ReplaceRequest{Path: "README.md", Old: "a", New: "b"})
	return errs
}
