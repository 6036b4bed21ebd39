package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"assay/agent"
	"assay/internal/sandbox"
)

// Sandbox is a sandbox of this host.
type Sandbox struct {
	rt     *Runtime
	places places
	client *agent.Client

	freezing sync.Mutex   // held while the sandbox is frozen
	stops    atomic.Int64 // how often it was frozen, and how often it then went on; odd while it is frozen

	mu    sync.Mutex // guards state.OOMKills
	state state
}

var (
	_ sandbox.Sandbox     = (*Sandbox)(nil)
	_ sandbox.Snapshotter = (*Sandbox)(nil)
	_ sandbox.StatsReader = (*Sandbox)(nil)
	_ sandbox.Checker     = (*Sandbox)(nil)
	_ sandbox.Marker      = (*Sandbox)(nil)
	_ sandbox.Pinger      = (*Sandbox)(nil)
)

func newSandbox(rt *Runtime, st state) *Sandbox {
	p := rt.places(st.Handle.ID)
	client := agent.NewClient(p.socket())
	client.Ended = st.Init.ended
	return &Sandbox{rt: rt, places: p, client: client, state: st}
}

// letGo closes the connections to the agent.
func (sb *Sandbox) letGo() {
	sb.client.Close() // it has nothing to lose
}

// greet waits until the agent answers, and for the right sandbox.
func (sb *Sandbox) greet(ctx context.Context) error {
	hello, err := sb.client.Hello(ctx)
	if err != nil {
		return err
	}
	if id := sb.state.Handle.ID; hello.Sandbox != id {
		return fmt.Errorf("the agent says it is of sandbox %q, not %q", hello.Sandbox, id)
	}
	return nil
}

// Handle is what to store to find the sandbox again.
func (sb *Sandbox) Handle() sandbox.Handle { return sb.state.Handle }

func (sb *Sandbox) id() string { return sb.state.Handle.ID }

// Exec runs a command to its end.
func (sb *Sandbox) Exec(ctx context.Context, cmd sandbox.Command) (sandbox.Result, error) {
	before, err := sb.rt.cgroups.oomKills(sb.id())
	if err != nil {
		before = sb.knownKills()
	}
	res, err := sb.client.Exec(ctx, cmd)
	return sb.withOOM(before, res, err)
}

// Attach waits for the end of a command that was started earlier.
func (sb *Sandbox) Attach(ctx context.Context, id string) (sandbox.Result, error) {
	before := sb.knownKills() // by an earlier server, too: the command ran then
	res, err := sb.client.Attach(ctx, id)
	return sb.withOOM(before, res, err)
}

// knownKills is how many kills for memory the commands that have ended account for.
func (sb *Sandbox) knownKills() int64 {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	return sb.state.OOMKills
}

// withOOM fills in Exit.OOMKilled, which only the host can see: the count of kills
// has risen since before.
func (sb *Sandbox) withOOM(before int64, res sandbox.Result, err error) (sandbox.Result, error) {
	if err != nil {
		return res, err
	}
	now, err := sb.rt.cgroups.oomKills(sb.id())
	if err != nil || now <= before {
		return res, nil // without a counter nothing is claimed
	}
	res.Exit.OOMKilled = res.Exit.Signal == int(unix.SIGKILL) || res.Exit.Code == 128+int(unix.SIGKILL)
	sb.mu.Lock()
	defer sb.mu.Unlock()
	if now > sb.state.OOMKills {
		sb.state.OOMKills = now
		if err := sb.places.writeState(sb.state); err != nil && !errors.Is(err, fs.ErrNotExist) {
			sb.rt.cfg.Log.Warn("remember kills for memory", "sandbox", sb.id(), "err", err)
		}
	}
	return res, nil
}

// Kill kills the whole process tree of a running command.
func (sb *Sandbox) Kill(ctx context.Context, id string) error { return sb.client.Kill(ctx, id) }

// KillAll kills every process of the sandbox but its init.
func (sb *Sandbox) KillAll(ctx context.Context) error { return sb.client.KillAll(ctx) }

// ReadSpool hands out what the agent kept of a standard output.
func (sb *Sandbox) ReadSpool(ctx context.Context, id string, fn func(total int64, r io.Reader) error) error {
	return sb.client.ReadSpool(ctx, id, fn)
}

// Forget lets the agent drop the stored end of a finished command.
func (sb *Sandbox) Forget(ctx context.Context, id string) error { return sb.client.Forget(ctx, id) }

// ReadFile reads a regular file.
func (sb *Sandbox) ReadFile(ctx context.Context, path string, limit int64) ([]byte, fs.FileMode, error) {
	return sb.client.ReadFile(ctx, path, limit)
}

// Collect hands files that match patterns to fn.
func (sb *Sandbox) Collect(ctx context.Context, req sandbox.CollectRequest, fn func(name string, size int64, r io.Reader) error) error {
	return sb.client.Collect(ctx, req, fn)
}

// List hands the names of everything below root to fn.
func (sb *Sandbox) List(ctx context.Context, root string, fn func(name string, mode fs.FileMode) error) error {
	return sb.client.List(ctx, root, fn)
}

// Lstat tells what is at a name below root.
func (sb *Sandbox) Lstat(ctx context.Context, root, name string) (fs.FileMode, error) {
	return sb.client.Lstat(ctx, root, name)
}

// Readlink tells where the link at a name below root leads.
func (sb *Sandbox) Readlink(ctx context.Context, root, name string) (string, error) {
	return sb.client.Readlink(ctx, root, name)
}

// ApplyLayer lays an OCI layer tar on a directory.
func (sb *Sandbox) ApplyLayer(ctx context.Context, root string, layer io.Reader) error {
	return sb.client.ApplyLayer(ctx, root, layer)
}

// ProtectTree readies a tree for a user who is to change nothing of it.
func (sb *Sandbox) ProtectTree(ctx context.Context, req sandbox.ProtectRequest) error {
	return sb.client.ProtectTree(ctx, req)
}

// Replace replaces the one occurrence of a string in a text file.
func (sb *Sandbox) Replace(ctx context.Context, req sandbox.ReplaceRequest) (sandbox.ReplaceResult, error) {
	return sb.client.Replace(ctx, req)
}

// Destroy kills everything in the sandbox and frees all it holds.
func (sb *Sandbox) Destroy(ctx context.Context) error { return sb.rt.Destroy(ctx, sb.Handle()) }

// Wait returns when the sandbox's init process has ended, and why.
func (sb *Sandbox) Wait(ctx context.Context) (sandbox.Death, error) {
	death, err := sb.client.Wait(ctx)
	if err == nil {
		err = sb.state.Init.wait(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("wait for sandbox %s: %w", sb.id(), err)
	}
	return sb.explain(death), nil
}

// explain finds out what the agent could not say. The agent's word comes first:
// whoever is told that a sandbox expired may see it destroyed a moment later.
func (sb *Sandbox) explain(death sandbox.Death) sandbox.Death {
	if death == sandbox.DeathExpired {
		return death
	}
	kills, err := sb.rt.cgroups.oomKills(sb.id())
	switch {
	case sb.places.wasDestroyed():
		return sandbox.DeathDestroyed
	case err == nil && kills > sb.knownKills():
		return sandbox.DeathOOM
	case !time.Now().Before(sb.state.Handle.Deadline):
		return sandbox.DeathExpired // and nobody was there to hear it
	}
	sb.rt.cfg.Log.Warn("a sandbox's agent died", "sandbox", sb.id(), "last_words", tail("", sb.places.agentLog()))
	return sandbox.DeathLost
}

// Check tells whether the host has failed the sandbox: its disk is a sparse file, whose
// writes fail when the host's disk is full or broken.
func (sb *Sandbox) Check(context.Context) error {
	faults, err := diskFaults(sb.places.disk())
	if err == nil && faults > 0 {
		err = fmt.Errorf("its disk has failed %d times", faults)
	}
	if err != nil {
		return fmt.Errorf("check sandbox %s: %w", sb.id(), err)
	}
	return nil
}

// Stats tells what the sandbox has used so far.
func (sb *Sandbox) Stats(context.Context) (sandbox.Stats, error) {
	var s sandbox.Stats
	var err error
	if s.CPU, err = sb.rt.cgroups.cpu(sb.id()); err == nil {
		if s.MemoryPeakBytes, err = sb.rt.cgroups.memoryPeak(sb.id()); err == nil {
			s.OOMKills, err = sb.rt.cgroups.oomKills(sb.id())
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV):
		err = fmt.Errorf("read the use of sandbox %s: %w", sb.id(), sandbox.ErrGone)
	case err != nil:
		err = fmt.Errorf("read the use of sandbox %s: %w", sb.id(), err)
	}
	return s, err
}
