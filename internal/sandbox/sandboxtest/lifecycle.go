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
			made := make(chan struct{})
			go func() {
				defer close(made)
				s.Runtime.Create(s.context(), spec) //nolint:errcheck // either of them may win
			}()
			for creating := true; creating; {
				if err := s.Runtime.Destroy(s.context(), sandbox.Handle{ID: spec.ID}); err != nil {
					s.Errorf("destroy meanwhile: %v", err)
				}
				select {
				case <-made:
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
