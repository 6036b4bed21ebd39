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
)

// probeTime bounds the runtime binary's answer to --version.
const probeTime = 10 * time.Second

// probeRuntime finds the runtime binary and asks its version.
func (rt *Runtime) probeRuntime() (string, error) {
	path, err := exec.LookPath(rt.cfg.Runtime)
	if err != nil {
		return "", fmt.Errorf("the runtime %q is not installed (%w); install it: %s", rt.cfg.Runtime, err, installHint(rt.cfg.Runtime))
	}
	if rt.runtime, err = filepath.Abs(path); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), probeTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, rt.runtime, "--version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w: %s; reinstall it", rt.runtime, err, strings.TrimSpace(string(out)))
	}
	version, _, _ := bytes.Cut(out, []byte("\n"))
	rt.gvisor = bytes.HasPrefix(version, []byte("runsc "))
	rt.cfg.Log.Debug("found the runtime", "path", rt.runtime, "version", string(version))
	return fmt.Sprintf("%s: %s", rt.runtime, version), nil
}

// installHint says where a runtime comes from.
func installHint(runtime string) string {
	if filepath.Base(runtime) == "runsc" {
		return "see https://gvisor.dev/docs/user_guide/install"
	}
	return "apt-get install runc"
}

// probeNamespaces runs the runtime binary in a user namespace like a sandbox's.
func (rt *Runtime) probeNamespaces() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), probeTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, rt.runtime, "--version")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: int(rt.cfg.IDs.UIDBase), Size: int(rt.cfg.IDs.Size)}},
		GidMappings: []syscall.SysProcIDMap{{HostID: int(rt.cfg.IDs.GIDBase), Size: int(rt.cfg.IDs.Size)}},
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("user namespaces cannot be made (%w: %s); enable them: sysctl user.max_user_namespaces=65536, and kernel.unprivileged_userns_clone=1 where it exists", err, strings.TrimSpace(string(out)))
	}
	return fmt.Sprintf("ids %d to %d", rt.cfg.IDs.UIDBase, rt.cfg.IDs.UIDBase+rt.cfg.IDs.Size-1), nil
}

func (rt *Runtime) probeCgroups() (found string, err error) {
	if rt.cgroups, err = findCgroups(keyOf(rt.cfg.Dir)); err != nil {
		return "", err
	}
	if rt.cgroups.unified {
		return "version 2, with memory, pids and cpu", nil
	}
	return "version 1, with memory, pids, cpu, cpuacct, freezer and devices", nil
}

// probeSeccomp asks the kernel (prctl(2): EINVAL where it was built without), and makes
// the profile.
func (rt *Runtime) probeSeccomp() (found string, err error) {
	if _, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0); errors.Is(err, unix.EINVAL) {
		return "", errors.New("this kernel has no seccomp; boot one that was built with CONFIG_SECCOMP_FILTER")
	}
	if rt.seccomp, err = seccompProfile(); err != nil {
		return "", err
	}
	return "filters, with Docker's profile", nil
}

// probeSpace looks at the room for disks of sandboxes.
func (rt *Runtime) probeSpace() (string, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(rt.cfg.Dir, &st); err != nil {
		return "", fmt.Errorf("look at the file system of %s: %w", rt.cfg.Dir, err)
	}
	free := st.Bavail * uint64(st.Bsize)
	if free < minFree {
		return "", fmt.Errorf("only %d MiB are free on the file system of %s; make room", free>>20, rt.cfg.Dir)
	}
	return fmt.Sprintf("%d MiB are free", free>>20), nil
}

func probeMkfs() (string, error) {
	path, err := exec.LookPath("mkfs.ext4")
	if err != nil {
		return "", fmt.Errorf("mkfs.ext4 is not installed (%w); install it: apt-get install e2fsprogs", err)
	}
	return path, nil
}

// probeRoot mounts a root file system as Create does. What a process that is killed
// meanwhile leaves behind looks like a sandbox, and is found like one.
func (rt *Runtime) probeRoot() (string, error) {
	id := "probe-" + strings.ToLower(rand.Text())
	p := rt.places(id)
	lower := filepath.Join(p.dir, "lower")
	if err := os.MkdirAll(lower, 0o700); err != nil {
		return "", err
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
	return "a root file system was mounted", errors.Join(err, rt.destroy(ctx, id))
}
