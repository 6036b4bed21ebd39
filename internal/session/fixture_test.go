package session_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/session"
	"assay/internal/store"
)

// fixture is a service over a real database and sandboxes in memory.
type fixture struct {
	t       *testing.T
	store   *store.Store
	runtime *memory.Runtime
	gates   *gates
	cfg     session.Config
	*session.Service
}

const user = "usr_ada"

func newFixture(t *testing.T, change ...func(*session.Config)) *fixture {
	t.Helper()
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "assay.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	for _, id := range []string{user, "usr_bob"} {
		if err := st.InsertUser(t.Context(), &assay.User{ID: id, Name: id, Email: id + "@assay.invalid", CreatedAt: time.Now(), Active: true}, assay.AuditEvent{}); err != nil {
			t.Fatal(err)
		}
	}
	sample := &assay.Sample{Dataset: "d", ID: "s", FailToPass: []string{"t"}, Task: assay.Task{Image: "img", Workdir: "/work"}}
	if _, err := st.ImportDataset(t.Context(), &assay.Dataset{Name: "d"}, []*assay.Sample{sample}); err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, store: st, gates: &gates{open: map[string]chan struct{}{}}}
	f.runtime = memory.New(memory.Options{
		Images:  map[string]memory.Image{"img": {Files: map[string]memory.File{"/work/a.txt": {Content: []byte("one\n")}}}},
		Program: f.gates.run,
	})
	f.cfg = session.Config{Store: st, Samples: st, Runtime: f.runtime}
	for _, c := range change {
		c(&f.cfg)
	}
	f.serve()
	return f
}

// serve starts a service, as a server does that starts.
func (f *fixture) serve() {
	f.t.Helper()
	f.Service = session.New(f.cfg)
	f.t.Cleanup(f.stop(f.Service))
	found, err := f.cfg.Runtime.List(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.Recover(f.t.Context(), found); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) stop(s *session.Service) func() {
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			f.t.Errorf("stop: %v", err)
		}
	}
}

// restart does what kill -9 and another start do, as far as the service can tell:
// whatever was not stored is gone.
func (f *fixture) restart() {
	f.t.Helper()
	f.stop(f.Service)()
	f.cfg.Runtime = f.runtime.Reopen()
	f.serve()
}

// ready creates a session and waits until it is ready.
func (f *fixture) ready() *assay.Session {
	f.t.Helper()
	return f.awaited(f.created(time.Hour), assay.SessionReady)
}

func (f *fixture) created(ttl time.Duration) *assay.Session {
	f.t.Helper()
	sess, err := f.Create(f.t.Context(), user, session.CreateRequest{Dataset: "d", SampleID: "s", TTL: ttl})
	if err != nil {
		f.t.Fatal(err)
	}
	return sess
}

// beingMade creates a session whose sandbox is being made, until that is given up.
func (f *fixture) beingMade() *assay.Session {
	f.t.Helper()
	entered := make(chan struct{})
	f.runtime.SetFaults(memory.Faults{Create: func(ctx context.Context, _ sandbox.Spec) error {
		close(entered)
		<-ctx.Done()
		return ctx.Err()
	}})
	sess := f.created(time.Hour)
	<-entered
	return sess
}

// orphan makes a sandbox that the service did not.
func (f *fixture) orphan(id string) {
	f.t.Helper()
	if _, err := f.runtime.Create(f.t.Context(), sandbox.Spec{ID: id, Image: "img", Workdir: "/work", Deadline: time.Now().Add(time.Hour)}); err != nil {
		f.t.Fatal(err)
	}
}

// awaited waits until a session is in a state.
func (f *fixture) awaited(sess *assay.Session, want assay.SessionStatus) *assay.Session {
	f.t.Helper()
	return eventually(f.t, func() (*assay.Session, error) {
		got, err := f.Get(f.t.Context(), user, sess.ID)
		if err == nil && got.Status != want {
			err = fmt.Errorf("session is %s (%+v), want %s", got.Status, got.Error, want)
		}
		return got, err
	})
}

// gone waits until there is no sandbox left.
func (f *fixture) gone() {
	f.t.Helper()
	eventually(f.t, func() (struct{}, error) {
		if names := f.runtime.Names(); len(names) > 0 {
			return struct{}{}, fmt.Errorf("sandboxes are left: %q", names)
		}
		return struct{}{}, nil
	})
}

// exec starts a command.
func (f *fixture) exec(sess *assay.Session, command string) *assay.Interaction {
	f.t.Helper()
	in, err := f.Exec(f.t.Context(), user, sess.ID, session.ExecRequest{Command: command, Timeout: time.Minute})
	if err != nil {
		f.t.Fatal(err)
	}
	return in
}

// ended waits for the end of a command.
func (f *fixture) ended(in *assay.Interaction) *assay.Interaction {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 10*time.Second)
	defer cancel()
	got, err := f.AwaitInteraction(ctx, user, in.SessionID, in.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	if !got.Status.Final() {
		f.t.Fatalf("command %q has not ended", in.Command)
	}
	return got
}

// eventually calls f until it returns no error, for 10 seconds at most.
func eventually[T any](t *testing.T, f func() (T, error)) T {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		v, err := f()
		if err == nil {
			return v
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(err)
		}
	}
}

// clock is the time, which can be moved on.
type clock struct{ moved atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.moved.Load())) }
func (c *clock) advance(d time.Duration) { c.moved.Add(int64(d)) }

// gates is the programs of the sandboxes: "echo TEXT", "exit CODE", and "gate
// NAME", which opens the gate "at NAME", and ends with code 7 once the gate NAME is
// opened.
type gates struct {
	mu   sync.Mutex
	open map[string]chan struct{}
}

func (g *gates) gate(name string) chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open[name] == nil {
		g.open[name] = make(chan struct{})
	}
	return g.open[name]
}

func (g *gates) run(ctx context.Context, p *memory.Process) sandbox.ExitStatus {
	verb, rest, _ := strings.Cut(p.Command.Argv[2], " ")
	switch verb {
	case "echo":
		fmt.Fprintln(p.Stdout, rest)
		return sandbox.ExitStatus{}
	case "exit":
		var code int
		fmt.Sscan(rest, &code)
		return sandbox.ExitStatus{Code: code}
	case "gate":
		close(g.gate("at " + rest))
		select {
		case <-g.gate(rest):
			return sandbox.ExitStatus{Code: 7}
		case <-ctx.Done():
			return sandbox.ExitStatus{Code: 137, Signal: 9}
		}
	}
	return sandbox.ExitStatus{Code: 127}
}
