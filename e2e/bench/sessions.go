package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"assay/client/wire"
)

// sessionRounds is how often a session is made and closed.
const sessionRounds = 40

// sessions measures the life of a session against the least that runc does for a
// container: the same root file system, mounted before, and the same namespaces, limits
// and profile, written before.
func (b *bench) sessions(ctx context.Context) ([]Result, error) {
	model, err := b.open(ctx, anySample)
	if err != nil {
		return nil, err
	}
	c, err := b.containerLike(model)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(c.dir)
	var session string
	times, err := byTurns(ctx, 3, sessionRounds,
		timing(c.run),
		timing(c.delete),
		timing(func(ctx context.Context) (err error) { session, err = b.open(ctx, anySample); return err }),
		timing(func(ctx context.Context) error { _, err := b.api.CloseSession(ctx, session); return err }),
		timing(func(ctx context.Context) error { return b.freed(ctx, session) }))
	if err != nil {
		return nil, errors.Join(err, c.delete(context.WithoutCancel(ctx)))
	}
	whole := make([]float64, sessionRounds) // close, and all that follows from it
	for i := range whole {
		whole[i] = times[3][i] + times[4][i]
	}
	return []Result{
		timed("session create to ready / runc run --detach on a prepared bundle", times[0], times[2]).atMostTimes(1.5),
		timed("close / runc delete --force", times[1], times[3]).atMostTimes(1),
		timed("close until the host has everything back / runc delete --force", times[1], whole),
	}, b.close(ctx, model)
}

// open makes a session and waits until it is ready.
func (b *bench) open(ctx context.Context, sample string) (string, error) {
	return b.openIn(ctx, dataset, sample)
}

func (b *bench) openIn(ctx context.Context, dataset, sample string) (string, error) {
	created, err := b.api.CreateSession(ctx, wire.SessionCreate{Dataset: dataset, SampleID: sample})
	if err != nil {
		return "", err
	}
	_, err = b.api.WaitReady(ctx, created.SessionID)
	return created.SessionID, err
}

// close closes a session and waits until the host has everything back.
func (b *bench) close(ctx context.Context, session string) error {
	if _, err := b.api.CloseSession(ctx, session); err != nil {
		return err
	}
	return b.freed(ctx, session)
}

// freeBound is how long a sandbox may take to be gone.
const freeBound = time.Minute

// freed waits until the sandbox of a closed session is gone. Its folder goes last.
func (b *bench) freed(ctx context.Context, session string) error {
	ctx, cancel := context.WithTimeout(ctx, freeBound)
	defer cancel()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		if _, err := os.Lstat(b.folder(session)); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("the sandbox of session %s is still there: %w", session, ctx.Err())
		}
	}
}

// folder is where the server keeps the sandbox of a session.
func (b *bench) folder(session string) string {
	return filepath.Join(b.program.DataDir, "sandboxes", "sandboxes", session)
}

// container is one that runc makes from a prepared bundle.
type container struct{ dir string }

const containerID = "floor"

// containerLike prepares the bundle of a container that is like the sandbox of a live
// session, and in the same root file system, but runs sleep in place of an agent.
func (b *bench) containerLike(session string) (*container, error) {
	content, err := os.ReadFile(filepath.Join(b.folder(session), "bundle", "config.json"))
	if err != nil {
		return nil, err
	}
	var spec specs.Spec
	if err := json.Unmarshal(content, &spec); err != nil {
		return nil, fmt.Errorf("read the bundle of session %s: %w", session, err)
	}
	spec.Process.Args = []string{"sleep", "86400"}
	spec.Process.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin"}
	spec.Linux.CgroupsPath += "-floor"
	if content, err = json.Marshal(&spec); err != nil {
		return nil, err
	}
	c := &container{filepath.Join(b.dir, "floor")}
	if err := os.RemoveAll(c.dir); err != nil {
		return nil, err
	}
	if err := os.Mkdir(c.dir, 0o700); err != nil {
		return nil, err
	}
	return c, os.WriteFile(filepath.Join(c.dir, "config.json"), content, 0o600)
}

func (c *container) run(ctx context.Context) error {
	return c.runc(ctx, "run", "--detach", "--no-new-keyring", "--bundle", c.dir, containerID)
}

func (c *container) delete(ctx context.Context) error {
	return c.runc(ctx, "delete", "--force", containerID)
}

// runc runs it with outputs that do not keep us waiting for the container, which has
// them, too.
func (c *container) runc(ctx context.Context, args ...string) error {
	log := filepath.Join(c.dir, "log")
	cmd := exec.CommandContext(ctx, "runc", append([]string{"--root", filepath.Join(c.dir, "state"), "--log", log}, args...)...)
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(log)
		return fmt.Errorf("runc %s: %w: %s", args[0], err, said)
	}
	return nil
}
