package oci

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	runc "github.com/containerd/go-runc"

	"assay/agent"
	"assay/internal/sandbox"
)

// # Sandboxes of gVisor
//
// runsc puts a kernel of its own, the sentry, between commands and the host. The
// agent runs on it as on any kernel, with one difference: the sentry cannot listen on
// a socket that was opened outside (runsc --pass-fd takes it for a connected one). So
// the agent makes the socket itself, in a directory of the host that is bound into the
// sandbox for that, the door. As soon as the agent answers, and before any command
// runs, the socket is moved out of the door and the door is removed: from then on
// there is no name of the socket inside, and no directory of the host's to write to.
//
// Files are served by the gofer and opened by the sentry, both in the sandbox's user
// namespace, straight from the overlay that runc's sandboxes have; that is what keeps
// the disk's limit and Changes true.

const (
	doorPath   = "/.assay/run" // of the door in the sandbox
	doorSocket = "agent.sock"
)

// doorDir is the door on the host.
func (p places) doorDir() string { return filepath.Join(p.run, "door") }

// inDoor is the agent's socket until the door is closed.
func (p places) inDoor() string { return filepath.Join(p.doorDir(), doorSocket) }

// outside is where the agent's socket is once the door is closed. p.socket() leads
// here: only what was made below RunDir can be moved within it.
func (p places) outside() string { return filepath.Join(p.run, doorSocket) }

// runsc is how runsc is called. Its own state takes many names, so that each sandbox
// has a root of its own.
func (rt *Runtime) runsc(p places, network sandbox.Network) *runc.Runc {
	net := "none"
	if network == sandbox.NetworkFull {
		net = "host"
	}
	return &runc.Runc{Command: rt.runtime, Root: p.runtime, ExtraArgs: []string{
		"--platform=systrap",
		"--network=" + net,
		"--overlay2=none",      // files are written to our overlay, whose disk is limited, and not to one in memory
		"--file-access=shared", // written through at once: Changes reads them from the host
		"--host-uds=create",    // for the door; sockets of the host cannot be connected to
		"--gofer-network-namespace=new",
		"--host-settings=ignore", // it would only advise
		"--panic-log=" + p.agentLog(),
	}}
}

// makeDoor makes the door of a sandbox of gVisor, and returns "" on other runtimes.
func (rt *Runtime) makeDoor(p places) (string, error) {
	if !rt.gvisor {
		return "", nil
	}
	err := os.Mkdir(p.doorDir(), 0o700)
	if err == nil {
		err = os.Chown(p.doorDir(), int(rt.cfg.IDs.UIDBase), int(rt.cfg.IDs.GIDBase))
	}
	if err == nil {
		err = os.Symlink(p.outside(), p.socket())
	}
	if err != nil {
		return "", fmt.Errorf("make a door for the agent's socket: %w", err)
	}
	return p.doorDir(), nil
}

// doorPause is between two looks whether the agent answers.
const doorPause = 2 * time.Millisecond

// closeDoor waits until the agent answers, and takes its socket out of the sandbox.
func (rt *Runtime) closeDoor(ctx context.Context, p places, init process) error {
	inside := p.inDoor()
	client := agent.NewClient(inside)
	defer client.Close()
	for {
		_, err := client.Hello(ctx)
		if err == nil {
			break
		}
		if !errors.Is(err, sandbox.ErrGone) {
			return err
		}
		if alive, err := init.alive(); err == nil && !alive {
			return fmt.Errorf("the agent ended at once%s", tail(": ", p.agentLog()))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(doorPause):
		}
	}
	err := os.Rename(inside, p.outside())
	if err == nil {
		err = os.Chown(p.outside(), 0, 0)
	}
	if err == nil {
		err = os.Remove(p.doorDir())
	}
	if err != nil {
		return fmt.Errorf("close the door of the agent's socket: %w", err)
	}
	return nil
}

// freeze stops every process of a sandbox and returns when all have stopped.
//
// The cgroup's freezer is not for runsc: about one sandbox in twenty ends when the
// sentry and its threads are stopped and go on one by one. The sentry stops its own
// processes, at a moment when what they wrote has reached the disk.
func (rt *Runtime) freeze(ctx context.Context, id string) error {
	rt.guard.freezing(rt.thawingOf(id))
	if !rt.gvisor {
		return rt.cgroups.freeze(ctx, id)
	}
	p := rt.places(id)
	if err := rt.binary(p, sandbox.NetworkNone).Pause(ctx, id); err != nil {
		if st, serr := p.readState(); serr == nil {
			if alive, aerr := st.Init.alive(); aerr == nil && !alive {
				return fs.ErrNotExist
			}
		}
		return fmt.Errorf("freeze: %w", err)
	}
	return nil
}

// thawingOf is how the guard thaws a sandbox.
func (rt *Runtime) thawingOf(id string) thawing {
	if !rt.gvisor {
		file, text := rt.cgroups.freezer(id, false)
		return thawing{ID: id, File: file, Text: text}
	}
	binary := rt.binary(rt.places(id), sandbox.NetworkNone)
	run := append([]string{binary.Command, "--root", binary.Root}, binary.ExtraArgs...)
	return thawing{ID: id, Run: append(run, "resume", id)}
}

// thaw lets a sandbox go on, also when ctx has ended; nil when it is not frozen.
func (rt *Runtime) thaw(ctx context.Context, id string) (err error) {
	defer func() {
		if err == nil {
			rt.guard.thawed(id)
		}
	}()
	if !rt.gvisor {
		return rt.cgroups.thaw(id)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	binary := rt.binary(rt.places(id), sandbox.NetworkNone)
	if err = binary.Resume(ctx, id); err == nil {
		return nil
	}
	if st, serr := binary.State(ctx, id); serr != nil || st.Status != "paused" {
		return nil // it was not frozen, or is dead
	}
	return fmt.Errorf("thaw: %w", err)
}

// keepTmp puts something into /tmp when it is empty: runsc would mount a file system
// in memory over it, which the disk's limit does not know.
func (f *furnisher) keepTmp() {
	if f.err != nil {
		return
	}
	if info, err := f.root.Lstat("tmp"); err != nil || !info.IsDir() {
		return
	}
	if held, err := fs.ReadDir(f.root.FS(), "tmp"); err == nil && len(held) == 0 {
		f.mkdir("tmp/.keep", 0o755)
	}
}
