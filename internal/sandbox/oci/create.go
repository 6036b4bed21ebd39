package oci

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	runc "github.com/containerd/go-runc"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"assay/agent"
	"assay/internal/image"
	"assay/internal/sandbox"
)

// cleanupTime bounds what is done for a sandbox after its caller has left.
const cleanupTime = 30 * time.Second

// Create makes and starts a sandbox. Commands run as root inside; an image's USER,
// ENTRYPOINT and CMD are not used.
func (rt *Runtime) Create(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	spec, err := rt.complete(spec)
	if err != nil {
		return nil, fmt.Errorf("create sandbox: %w", err)
	}
	if rt.fault != nil {
		return nil, fmt.Errorf("create sandbox %s: %w", spec.ID, rt.fault)
	}
	ctx, end, err := rt.begin(ctx, spec.ID)
	if err != nil {
		return nil, fmt.Errorf("create sandbox %s: %w", spec.ID, err)
	}
	defer end()
	if err := os.Mkdir(rt.places(spec.ID).dir, 0o700); err != nil {
		return nil, fmt.Errorf("create sandbox %s: %w", spec.ID, err)
	}
	sb, err := rt.build(ctx, spec)
	if err != nil {
		cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
		defer cancel()
		if derr := rt.destroy(cctx, spec.ID); derr != nil {
			rt.cfg.Log.Error("clean up after a failed create", "sandbox", spec.ID, "err", derr)
		}
		if cerr := context.Cause(ctx); cerr != nil && !errors.Is(err, cerr) { // what it broke off complains in its own words
			err = fmt.Errorf("%w: %w", cerr, err)
		}
		return nil, fmt.Errorf("create sandbox %s: %w", spec.ID, err)
	}
	return sb, nil
}

// complete checks a spec and fills what it leaves out.
func (rt *Runtime) complete(spec sandbox.Spec) (sandbox.Spec, error) {
	if err := checkID(spec.ID); err != nil {
		return spec, err
	}
	spec.Limits = fillLimits(spec.Limits, rt.cfg.Defaults)
	if spec.Network == "" {
		spec.Network = sandbox.NetworkNone
	}
	l := spec.Limits
	switch {
	case !path.IsAbs(spec.Workdir) || strings.ContainsRune(spec.Workdir, 0):
		return spec, fmt.Errorf("work tree %q is not an absolute path", spec.Workdir)
	case time.Until(spec.Deadline) <= 0:
		return spec, fmt.Errorf("deadline %s is not in the future", spec.Deadline.Format(time.RFC3339))
	case l.CPUs < 0.01 || l.MemoryBytes < minMemory || l.PIDs < minPIDs || l.DiskBytes < minDisk:
		return spec, fmt.Errorf("limits %+v are too small: at least 0.01 cores, %d bytes of memory, %d processes and %d bytes of disk", l, int64(minMemory), minPIDs, int64(minDisk))
	case spec.Network != sandbox.NetworkNone && spec.Network != sandbox.NetworkFull:
		return spec, fmt.Errorf("network %q is neither %q nor %q", spec.Network, sandbox.NetworkNone, sandbox.NetworkFull)
	}
	spec.Workdir = path.Clean(spec.Workdir)
	return spec, nil
}

// The least that the guest agent and one command live on.
const (
	minMemory = 32 << 20
	minPIDs   = 64
)

// build does the steps of Create. What it made when it fails is removed by destroy.
func (rt *Runtime) build(ctx context.Context, spec sandbox.Spec) (*Sandbox, error) {
	p := rt.places(spec.ID)
	st := state{Handle: sandbox.Handle{
		Version: sandbox.HandleVersion, Runtime: Name, ID: spec.ID, Workdir: spec.Workdir,
		CreatedAt: time.Now().UTC(), Deadline: spec.Deadline, Labels: maps.Clone(spec.Labels),
	}}
	if err := p.writeState(st); err != nil {
		return nil, err
	}
	// Both wait, one for the disk to hold the lease, one for the kernel.
	var root image.RootFS
	steps, sctx := errgroup.WithContext(ctx)
	steps.Go(func() (err error) { root, err = rt.lease(sctx, spec); return err })
	steps.Go(func() error { return rt.makeDisk(sctx, p, spec.Limits.DiskBytes) })
	if err := steps.Wait(); err != nil {
		return nil, err
	}
	st.Lowers = root.Lower
	if err := rt.mountRoot(p, root.Lower); err != nil {
		return nil, err
	}
	if err := rt.furnish(p.rootfs(), spec.Network == sandbox.NetworkFull); err != nil {
		return nil, err
	}
	if err := rt.writeBundle(p, spec, root.Image.Config.Env); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	init, err := rt.start(ctx, spec, p)
	if err != nil {
		return nil, err
	}
	st.Init = init
	if err := p.writeState(st); err != nil {
		return nil, err
	}
	sb := newSandbox(rt, st)
	if err := sb.greet(ctx); err != nil {
		sb.letGo()
		return nil, fmt.Errorf("%w%s", err, tail(": ", p.agentLog()))
	}
	rt.keep(sb)
	return sb, nil
}

func (rt *Runtime) lease(ctx context.Context, spec sandbox.Spec) (image.RootFS, error) {
	img, err := rt.cfg.Images.Resolve(ctx, spec.Image)
	if err == nil {
		var root image.RootFS
		if root, err = rt.cfg.Images.Lease(ctx, img, spec.ID); err == nil {
			return root, nil
		}
	}
	if ctx.Err() != nil {
		return image.RootFS{}, err
	}
	return image.RootFS{}, fmt.Errorf("%w: %w", sandbox.ErrImage, err)
}

func (rt *Runtime) makeDisk(ctx context.Context, p places, size int64) error {
	if err := rt.disks.create(ctx, p.image(), size); err != nil {
		return err
	}
	if err := rt.mountRunDir(); err != nil {
		return err
	}
	if err := os.Mkdir(p.run, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(p.run, 0o711); err != nil { //nolint:gosec // RunDir says who comes this far
		return err
	}
	if err := os.Mkdir(p.disk(), 0o700); err != nil {
		return err
	}
	return mountDisk(p.image(), p.disk())
}

func (rt *Runtime) mountRoot(p places, lowers []string) error {
	if err := os.Mkdir(p.rootfs(), 0o700); err != nil {
		return err
	}
	return mountOverlay(p.rootfs(), lowers, p.disk())
}

func (rt *Runtime) writeBundle(p places, spec sandbox.Spec, imageEnv []string) error {
	cfg := agent.Config{
		Sandbox:     spec.ID,
		Workdir:     spec.Workdir,
		Env:         environment(imageEnv, spec.Env),
		Deadline:    spec.Deadline,
		RemainingMS: max(time.Until(spec.Deadline).Milliseconds(), 1),
	}
	door, err := rt.makeDoor(p)
	if err != nil {
		return err
	}
	if door != "" {
		cfg.Listen = doorPath + "/" + doorSocket
	}
	config, err := cfg.Encode()
	if err != nil {
		return err
	}
	b := bundle{
		spec: spec, ids: rt.cfg.IDs, rootfs: p.rootfs(), agent: rt.agent, config: config,
		cgroup: rt.cgroups.path(spec.ID), swap: rt.cgroups.accountsSwap(), door: door, seccomp: rt.seccomp,
	}
	return b.write(p.bundle())
}

// environment is what commands see: a login's minimum, the image's, the caller's.
func environment(imageEnv []string, own map[string]string) map[string]string {
	env := map[string]string{
		"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME": "/root",
	}
	for _, assignment := range imageEnv {
		if name, value, ok := strings.Cut(assignment, "="); ok && name != "" {
			env[name] = value
		}
	}
	maps.Copy(env, own)
	return env
}

// start runs the runtime binary and returns the sandbox's init process.
func (rt *Runtime) start(ctx context.Context, spec sandbox.Spec, p places) (process, error) {
	opts, done, err := rt.options(p)
	if err != nil {
		return process{}, err
	}
	defer done()
	stdio, err := openStdio(p.agentLog())
	if err != nil {
		return process{}, err
	}
	defer stdio.Close() //nolint:errcheck // nothing was written here
	opts.IO, opts.PidFile, opts.Detach = stdio, p.pidFile(), true
	binary := rt.binary(p, spec.Network)
	binary.PdeathSignal = unix.SIGKILL // nobody would look after what it makes
	if _, err := binary.Run(ctx, spec.ID, p.bundle(), opts); err != nil {
		if ctx.Err() != nil {
			return process{}, ctx.Err()
		}
		return process{}, fmt.Errorf("start it with %s: %w%s", rt.runtime, err, tail(": ", p.agentLog()))
	}
	text, err := os.ReadFile(p.pidFile())
	if err != nil {
		return process{}, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return process{}, fmt.Errorf("read %s: %w", p.pidFile(), err)
	}
	init, err := findProcess(pid)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return process{}, fmt.Errorf("the agent ended at once%s", tail(": ", p.agentLog()))
	}
	if err == nil && rt.gvisor {
		err = rt.closeDoor(ctx, p, init)
	}
	return init, err
}

// options are what the runtime binary is told of the agent's socket. done lets go of
// what only the binary needs.
func (rt *Runtime) options(p places) (opts *runc.CreateOpts, done func(), err error) {
	if rt.gvisor {
		return &runc.CreateOpts{}, func() {}, nil
	}
	listener, err := agent.Listen(p.socket())
	if err != nil {
		return nil, nil, err
	}
	return &runc.CreateOpts{
		NoNewKeyring: true, // keys are counted per host id, which all sandboxes share: 200 would be all; seccomp blocks keyctl
		ExtraFiles:   []*os.File{listener},
	}, func() { listener.Close() }, nil // the agent holds the only copy: refused connections tell its death
}

// binary is how the runtime binary is called.
func (rt *Runtime) binary(p places, network sandbox.Network) *runc.Runc {
	if rt.gvisor {
		return rt.runsc(p, network)
	}
	return &runc.Runc{Command: rt.runtime, Root: rt.runtimeRoot()}
}

// tail returns the end of a short log after a separator, or nothing.
func tail(separator, name string) string {
	const most = 2 << 10
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	buf := make([]byte, most)
	n, _ := f.ReadAt(buf, max(info.Size()-most, 0))
	text := strings.TrimSpace(strings.ToValidUTF8(string(buf[:n]), ""))
	if text == "" {
		return ""
	}
	return separator + text
}
