package oci

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"assay/internal/sandbox"
)

// Open takes over a running sandbox. One that a crash left frozen goes on.
func (rt *Runtime) Open(ctx context.Context, h sandbox.Handle) (sandbox.Sandbox, error) {
	if err := checkID(h.ID); err != nil {
		return nil, fmt.Errorf("open sandbox: %w", err)
	}
	sb, err := rt.adopt(ctx, h)
	if err != nil {
		return nil, fmt.Errorf("open sandbox %s: %w", h.ID, err)
	}
	return sb, nil
}

func (rt *Runtime) adopt(ctx context.Context, h sandbox.Handle) (*Sandbox, error) {
	switch {
	case h.Version != sandbox.HandleVersion || h.Runtime != Name:
		return nil, fmt.Errorf("its handle is of version %d of runtime %q, not %d of %q", h.Version, h.Runtime, sandbox.HandleVersion, Name)
	case rt.fault != nil:
		return nil, rt.fault
	}
	p := rt.places(h.ID)
	if p.isDestroyed() {
		return nil, sandbox.ErrGone
	}
	st, err := p.readState()
	if err != nil {
		return nil, rt.unknown(h.ID, err)
	}
	switch alive, err := st.Init.alive(); {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", sandbox.ErrUnreachable, err)
	case !alive:
		return nil, sandbox.ErrGone
	}
	rt.mu.Lock()
	sb := rt.open[h.ID]
	rt.mu.Unlock()
	if sb != nil && sb.state.Init == st.Init {
		return sb, sb.answers(ctx)
	}
	if err := rt.thaw(ctx, h.ID); err != nil {
		return nil, err
	}
	sb = newSandbox(rt, st)
	if err := sb.answers(ctx); err != nil {
		sb.letGo()
		return nil, err
	}
	return rt.keep(sb), nil
}

// greetTime is how long an agent may take to say who it is: it has run for a while.
const greetTime = 10 * time.Second

// answers greets the agent. That it does not answer is no proof that it is dead; its
// init process is asked for that.
func (sb *Sandbox) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, greetTime)
	defer cancel()
	err := sb.greet(ctx)
	if err == nil || errors.Is(err, sandbox.ErrGone) {
		return err
	}
	if alive, aerr := sb.state.Init.alive(); aerr == nil && !alive {
		return fmt.Errorf("%w: %w", sandbox.ErrGone, err)
	}
	if errors.Is(err, sandbox.ErrUnreachable) {
		return err
	}
	return fmt.Errorf("%w: %w", sandbox.ErrUnreachable, err)
}

// unknown is the error of a sandbox whose state cannot be read: it is gone when nothing
// is left in its cgroup.
func (rt *Runtime) unknown(id string, cause error) error {
	empty, err := rt.cgroups.empty(id)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w; %w", sandbox.ErrUnreachable, cause, err)
	case empty:
		return fmt.Errorf("%w: %w", sandbox.ErrGone, cause)
	}
	return fmt.Errorf("%w: %w", sandbox.ErrUnreachable, cause)
}

// keep remembers an open sandbox, or returns the one that somebody else opened
// meanwhile.
func (rt *Runtime) keep(sb *Sandbox) *Sandbox {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	id := sb.state.Handle.ID
	if have := rt.open[id]; have != nil && have.state.Init == sb.state.Init {
		sb.letGo()
		return have
	}
	rt.open[id] = sb
	return sb
}

// List tells every sandbox of which anything is left, by its folder, the runtime
// binary's state, its root file system or its cgroup, sorted by id. Of a sandbox
// without a readable folder only the id is known.
func (rt *Runtime) List(ctx context.Context) ([]sandbox.Handle, error) {
	ids := make(map[string]bool)
	for _, dir := range []string{filepath.Join(rt.cfg.Dir, "sandboxes"), rt.runtimeRoot(), rt.cfg.RunDir} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("list sandboxes: %w", err)
		}
		for _, entry := range entries {
			ids[entry.Name()] = true
		}
	}
	if rt.cgroups != nil {
		left, err := rt.cgroups.list()
		if err != nil {
			return nil, fmt.Errorf("list sandboxes: %w", err)
		}
		for _, id := range left {
			ids[id] = true
		}
	}
	var handles []sandbox.Handle
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("list sandboxes: %w", err)
		}
		if checkID(id) != nil {
			continue // nothing of ours
		}
		st, err := rt.places(id).readState()
		if err != nil || st.Handle.ID != id {
			st.Handle = sandbox.Handle{Version: sandbox.HandleVersion, Runtime: Name, ID: id}
		}
		handles = append(handles, st.Handle)
	}
	return handles, nil
}
