package oci

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"assay/internal/sandbox"
)

// Check proves that sandboxes can be made: what New found out by trying, and that
// what may vanish later is still there.
func (rt *Runtime) Check(ctx context.Context) error {
	if rt.fault != nil {
		return rt.fault
	}
	if err := rt.checkNow(); err != nil {
		return fmt.Errorf("%w: %w", sandbox.ErrUnavailable, err)
	}
	return ctx.Err()
}

// minFree is the room on the host's disk below which Check complains, in bytes. A
// sandbox's disk is a sparse file: when the host is full, its writes fail.
const minFree = 256 << 20

func (rt *Runtime) checkNow() error {
	if err := unix.Access(rt.runtime, unix.X_OK); err != nil {
		return fmt.Errorf("the runtime %s cannot be run (%w); install it again", rt.runtime, err)
	}
	if _, err := os.Stat(rt.agent); err != nil {
		return fmt.Errorf("the copy of the guest agent is gone (%w); restart the server", err)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(rt.cfg.Dir, &st); err != nil {
		return fmt.Errorf("look at the file system of %s: %w", rt.cfg.Dir, err)
	}
	if free := st.Bavail * uint64(st.Bsize); free < minFree {
		return fmt.Errorf("only %d MiB are free on the file system of %s; make room", free>>20, rt.cfg.Dir)
	}
	return nil
}

// probe finds out, by trying, whether this host can run sandboxes.
func (rt *Runtime) probe() error {
	steps := []func() error{rt.probeUser, rt.probeRuntime, rt.probeCgroups, rt.probeSeccomp, rt.probeRoot}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("%w: %w", sandbox.ErrUnavailable, err)
		}
	}
	return nil
}

func (rt *Runtime) probeUser() error {
	if os.Geteuid() != 0 {
		return errors.New("sandboxes need root to mount file systems and set limits; run the server as root")
	}
	return nil
}

// installHint says where a runtime comes from.
func installHint(runtime string) string {
	if filepath.Base(runtime) == "runsc" {
		return "see https://gvisor.dev/docs/user_guide/install"
	}
	return "apt-get install runc"
}

// probeTime bounds the runtime binary's answer to --version.
const probeTime = 10 * time.Second

// probeRuntime runs the runtime binary in a user namespace like a sandbox's.
func (rt *Runtime) probeRuntime() error {
	path, err := exec.LookPath(rt.cfg.Runtime)
	if err != nil {
		return fmt.Errorf("the runtime %q is not installed (%w); install it: %s", rt.cfg.Runtime, err, installHint(rt.cfg.Runtime))
	}
	if rt.runtime, err = filepath.Abs(path); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), probeTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, rt.runtime, "--version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s --version: %w: %s; reinstall it", rt.runtime, err, strings.TrimSpace(string(out)))
	}
	version, _, _ := bytes.Cut(out, []byte("\n"))
	rt.gvisor = bytes.HasPrefix(version, []byte("runsc "))
	rt.cfg.Log.Debug("found the runtime", "path", rt.runtime, "version", string(version))
	cmd := exec.CommandContext(ctx, rt.runtime, "--version")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: int(rt.cfg.IDs.UIDBase), Size: int(rt.cfg.IDs.Size)}},
		GidMappings: []syscall.SysProcIDMap{{HostID: int(rt.cfg.IDs.GIDBase), Size: int(rt.cfg.IDs.Size)}},
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("user namespaces cannot be made (%w: %s); enable them: sysctl user.max_user_namespaces=65536, and kernel.unprivileged_userns_clone=1 where it exists", err, strings.TrimSpace(string(out)))
	}
	return nil
}

func (rt *Runtime) probeCgroups() (err error) {
	rt.cgroups, err = findCgroups(keyOf(rt.cfg.Dir))
	return err
}

func (rt *Runtime) probeSeccomp() (err error) {
	rt.seccomp, err = seccompProfile()
	return err
}

// probeRoot mounts a root file system as Create does. What a process that is killed
// meanwhile leaves behind looks like a sandbox, and is found like one.
func (rt *Runtime) probeRoot() error {
	if _, err := exec.LookPath("mkfs.ext4"); err != nil {
		return fmt.Errorf("mkfs.ext4 is not installed (%w); install it: apt-get install e2fsprogs", err)
	}
	id := "probe-" + strings.ToLower(rand.Text())
	p := rt.places(id)
	lower := filepath.Join(p.dir, "lower")
	if err := os.MkdirAll(lower, 0o700); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTime)
	defer cancel()
	err := rt.makeDisk(ctx, p, rt.cfg.Defaults.DiskBytes)
	if err == nil {
		err = rt.mountRoot(p, []string{lower})
	}
	if err != nil {
		err = fmt.Errorf("%w; sandboxes need loop devices, ext4 and overlayfs of Linux 5.10 or newer: modprobe -a loop ext4 overlay, and in a container CAP_SYS_ADMIN and /dev/loop-control", err)
	}
	return errors.Join(err, rt.destroy(ctx, id))
}
