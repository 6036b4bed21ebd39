package oci

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	runc "github.com/containerd/go-runc"

	"assay/internal/sandbox"
)

// Destroy frees whatever is left of a sandbox. When ctx ends, what was begun is
// still finished, in bounded time.
func (rt *Runtime) Destroy(ctx context.Context, h sandbox.Handle) error {
	if err := checkID(h.ID); err != nil {
		return fmt.Errorf("destroy sandbox: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("destroy sandbox %s: %w", h.ID, err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	done, err := rt.breakOff(ctx, h.ID)
	if err == nil {
		defer done()
		err = rt.destroy(ctx, h.ID)
	}
	rt.note(h.ID, err)
	if err != nil {
		return fmt.Errorf("destroy sandbox %s: %w", h.ID, err)
	}
	return nil
}

// note remembers which sandboxes could not be destroyed.
func (rt *Runtime) note(id string, err error) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if err == nil {
		delete(rt.stuck, id)
	} else {
		rt.stuck[id] = struct{}{}
	}
}

// Stuck counts the sandboxes that could not be destroyed when that was tried last.
func (rt *Runtime) Stuck() int {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	for id := range rt.stuck {
		if !rt.exists(rt.places(id), id) { // somebody else took it away
			delete(rt.stuck, id)
		}
	}
	return len(rt.stuck)
}

// destroy is made once for all who ask for it at a time.
func (rt *Runtime) destroy(ctx context.Context, id string) error {
	_, err, _ := rt.destroys.Do(id, func() (any, error) {
		rt.mu.Lock()
		sb := rt.open[id]
		delete(rt.open, id)
		rt.mu.Unlock()
		if sb != nil {
			sb.letGo()
		}
		return nil, rt.free(ctx, id)
	})
	return err
}

// free takes a sandbox apart. Each step is nothing where there is nothing to do, so
// that it can follow any failure and any crash.
func (rt *Runtime) free(ctx context.Context, id string) error {
	p := rt.places(id)
	if !rt.exists(p, id) {
		return nil
	}
	if f, err := os.OpenFile(p.destroyed(), os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
		f.Close()
	}
	if err := rt.stop(ctx, id, p); err != nil {
		return err
	}
	if err := unmount(p.rootfs()); err != nil {
		return err
	}
	if err := dropDisk(p.disk()); err != nil {
		return err
	}
	for _, dir := range []string{p.rootfs(), p.disk(), p.inDoor(), p.doorDir(), p.outside(), p.run} { // one by one: nothing below a mount is removed
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := rt.cfg.Images.Release(id); err != nil {
		return err
	}
	return removeMarkLast(p)
}

// removeMarkLast removes what is left of a sandbox, and last the mark by which others know that
// it was destroyed and did not die.
func removeMarkLast(p places) error {
	entries, err := os.ReadDir(p.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if name := filepath.Join(p.dir, e.Name()); name != p.destroyed() {
			if err := os.RemoveAll(name); err != nil {
				return err
			}
		}
	}
	return os.RemoveAll(p.dir)
}

// exists tells whether anything of a sandbox is left.
func (rt *Runtime) exists(p places, id string) bool {
	left := append([]string{p.dir, p.runtime, p.run}, rt.cgroupDirs(id)...)
	return slices.ContainsFunc(left, func(name string) bool {
		_, err := os.Lstat(name)
		return err == nil
	})
}

func (rt *Runtime) cgroupDirs(id string) []string {
	if rt.cgroups == nil {
		return nil
	}
	return rt.cgroups.dirs(id)
}

// stop ends every process of a sandbox and makes the runtime binary forget it. The
// init process is killed here: `runc delete --force` kills it, too, but looks only
// every 100 ms whether it is dead.
func (rt *Runtime) stop(ctx context.Context, id string, p places) error {
	if rt.cgroups != nil {
		rt.cgroups.hurry(id)
		if err := rt.cgroups.thaw(id); err != nil { // version 1 does not kill what is frozen
			return err
		}
	}
	if st, err := p.readState(); err == nil {
		if err := st.Init.kill(ctx); err != nil {
			return err
		}
	}
	if _, err := os.Lstat(p.runtime); err == nil {
		if err := rt.binary(p, sandbox.NetworkNone).Delete(ctx, id, &runc.DeleteOpts{Force: true}); err != nil {
			rt.cfg.Log.Warn("the runtime could not delete a sandbox; it is taken apart without it", "sandbox", id, "err", err)
		}
	}
	if rt.cgroups != nil {
		if err := rt.cgroups.remove(ctx, id); err != nil {
			return err
		}
	}
	return os.RemoveAll(p.runtime)
}
