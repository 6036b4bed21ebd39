package oci_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"assay/internal/sandbox"
)

// TestOnlyDeathIsDeath tries what keeps an agent from answering and does not kill it. A
// server that comes to it then says that it does not answer, and not that it is gone.
func TestOnlyDeathIsDeath(t *testing.T) { onBoth(t, onlyDeath) }

func onlyDeath(t *testing.T, h host) {
	sb, err := h.runtime(t).Create(t.Context(), spec("alive"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sb.Destroy(context.Background()); err != nil {
			t.Error(err)
		}
	})
	dir := filepath.Join(h.dir, "sandboxes", "alive")
	init := initOf(t, dir)
	hide := func(name string) (away, back func() error) {
		name = filepath.Join(dir, name)
		return func() error { return os.Rename(name, name+".away") }, func() error { return os.Rename(name+".away", name) }
	}
	hideSocket, showSocket := hide("agent.sock")
	hideState, showState := hide("state.json")
	for _, c := range []struct {
		name       string
		away, back func() error
	}{
		{"it hangs", func() error { return unix.Kill(init, unix.SIGSTOP) }, func() error { return unix.Kill(init, unix.SIGCONT) }},
		{"nobody finds its socket", hideSocket, showSocket},
		{"nobody knows its process", hideState, showState},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.away(); err != nil {
				t.Fatal(err)
			}
			next := h.runtime(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := next.Open(ctx, sb.Handle())
			if err == nil || errors.Is(err, sandbox.ErrGone) || !errors.Is(err, sandbox.ErrUnreachable) {
				t.Errorf("open: %v, want that it does not answer", err)
			}
			if err := c.back(); err != nil {
				t.Fatal(err)
			}
			again, err := next.Open(t.Context(), sb.Handle())
			if err != nil {
				t.Fatalf("open what answers again: %v", err)
			}
			if res, err := again.Exec(t.Context(), sandbox.Command{ID: c.name, Argv: []string{"true"}}); err != nil || res.Exit.Code != 0 {
				t.Errorf("true: %+v, %v", res, err)
			}
		})
	}
	if err := unix.Kill(init, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if death, err := sb.Wait(t.Context()); err != nil || death != sandbox.DeathLost {
		t.Errorf("it was killed: %q, %v", death, err)
	}
	if _, err := h.runtime(t).Open(t.Context(), sb.Handle()); !errors.Is(err, sandbox.ErrGone) {
		t.Errorf("open what was killed: %v", err)
	}
}

// initOf reads the process of a sandbox.
func initOf(t *testing.T, dir string) int {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if err != nil {
		t.Fatal(err)
	}
	var state struct {
		Init struct {
			PID int `json:"pid"`
		} `json:"init"`
	}
	if err := json.Unmarshal(content, &state); err != nil || state.Init.PID <= 1 {
		t.Fatalf("%s: %v", content, err)
	}
	return state.Init.PID
}

// A sandbox that cannot be destroyed is counted, until it can be.
func TestWhatCannotBeDestroyedIsCounted(t *testing.T) {
	h := newHost(t)
	rt := h.runtime(t)
	sb, err := rt.Create(t.Context(), spec("stuck"))
	if err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(h.run, "stuck", "foreign") // nothing of ours: it is not removed
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	next := h.runtime(t)
	for range 2 {
		if err := next.Destroy(t.Context(), sb.Handle()); err == nil || next.Stuck() != 1 {
			t.Errorf("destroy: %v, %d are stuck", err, next.Stuck())
		}
	}
	if err := os.Remove(foreign); err != nil {
		t.Fatal(err)
	}
	if err := next.Destroy(t.Context(), sb.Handle()); err != nil || next.Stuck() != 0 {
		t.Errorf("destroy: %v, %d are stuck", err, next.Stuck())
	}
}
