package memory_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
)

// Whoever starts commands does not know who ends the sandbox: every end is either
// before a command's start, or waited for with it.
func TestCommandsMeetEveryEnd(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, rt *memory.Runtime, sb sandbox.Sandbox){
		"destroy":           func(*testing.T, *memory.Runtime, sandbox.Sandbox) {},
		"kill":              func(_ *testing.T, rt *memory.Runtime, sb sandbox.Sandbox) { rt.Kill(sb.Handle().ID, sandbox.DeathLost) },
		"expire":            func(_ *testing.T, rt *memory.Runtime, _ sandbox.Sandbox) { rt.ExpireDue() },
		"kill all":          func(t *testing.T, _ *memory.Runtime, sb sandbox.Sandbox) { sb.KillAll(t.Context()) }, //nolint:errcheck // it may be gone
		"its own deadline":  func(t *testing.T, _ *memory.Runtime, sb sandbox.Sandbox) { sb.Wait(t.Context()) },    //nolint:errcheck // Destroy checks
		"a destroy at once": func(t *testing.T, _ *memory.Runtime, sb sandbox.Sandbox) { destroy(t, sb) },
	} {
		t.Run(name, func(t *testing.T) {
			for i := range 20 {
				meet(t, fmt.Sprintf("box_%d", i), end)
			}
		})
	}
}

// meet starts commands from many sides until the sandbox is gone. When a Destroy has
// returned, nothing runs.
func meet(t *testing.T, id string, end func(*testing.T, *memory.Runtime, sandbox.Sandbox)) {
	t.Helper()
	var running counter
	opts := memory.Options{Images: images(), Program: func(ctx context.Context, p *memory.Process) sandbox.ExitStatus {
		running.add(1)
		defer running.add(-1)
		return memory.Builtin(ctx, p)
	}}
	rt := memory.New(opts)
	sb := shortLived(t, rt, id)
	var group sync.WaitGroup
	for caller := range 8 {
		group.Go(func() {
			for n := 0; ; n++ {
				argv := [][]string{{"true"}, {"sleep", "0.001"}}[n%2]
				_, err := sb.Exec(t.Context(), sandbox.Command{ID: fmt.Sprintf("%d_%d", caller, n), Argv: argv})
				if errors.Is(err, sandbox.ErrGone) {
					return
				}
				if err != nil {
					t.Errorf("exec: %v", err)
					return
				}
			}
		})
	}
	for range 2 {
		group.Go(func() {
			end(t, rt, sb)
			destroy(t, sb)
			if left := running.add(0); left != 0 {
				t.Errorf("%d commands run in a sandbox that was destroyed", left)
			}
		})
	}
	group.Wait()
}

// shortLived makes a sandbox that ends soon.
func shortLived(t *testing.T, rt *memory.Runtime, id string) sandbox.Sandbox {
	t.Helper()
	s := spec(id)
	for life := 2 * time.Millisecond; ; life *= 2 {
		s.Deadline = time.Now().Add(life)
		sb, err := rt.Create(t.Context(), s)
		if err == nil {
			return sb
		}
		if time.Now().Before(s.Deadline) { // else it was the machine that was slow
			t.Fatal(err)
		}
	}
}

func destroy(t *testing.T, sb sandbox.Sandbox) {
	t.Helper()
	if err := sb.Destroy(t.Context()); err != nil {
		t.Errorf("destroy: %v", err)
	}
}

// counter counts what runs.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += n
	return c.n
}
