package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The agent is process 1.
var processes = map[string]func([]string) error{
	"trace the agent": func([]string) error {
		runtime.LockOSThread()
		return anyOf(
			func() error { return unix.PtraceAttach(1) },
			func() error { return unix.PtraceSeize(1) },
		)
	},
	"read and write the agent's memory": func([]string) error {
		buf := make([]byte, 8)
		local := []unix.Iovec{{Base: &buf[0], Len: 8}}
		remote := []unix.RemoteIovec{{Base: 0x400000, Len: 8}}
		return anyOf(
			func() error { _, err := unix.ProcessVMReadv(1, local, remote, 0); return err },
			func() error { _, err := unix.ProcessVMWritev(1, local, remote, 0); return err },
			func() error {
				return openAny("/proc/1/mem", "/proc/1/maps", "/proc/1/auxv", "/proc/1/environ", "/proc/1/syscall", "/proc/1/stack", "/proc/1/pagemap")
			},
		)
	},
	"take the agent's descriptors": func([]string) error {
		names, _ := filepath.Glob("/proc/1/fd/*")
		ways := []func() error{func() error { return openAny(names...) }}
		if pidfd, err := unix.PidfdOpen(1, 0); err == nil {
			for fd := range 64 {
				ways = append(ways, func() error { _, err := unix.PidfdGetfd(pidfd, fd, 0); return err })
			}
		}
		return anyOf(ways...)
	},
	"walk through the agent's links": func([]string) error {
		return openAny("/proc/1/root/", "/proc/1/cwd/", "/proc/1/exe", "/proc/1/task/1/root/", "/proc/1/map_files/")
	},
	"change the agent's limits": func([]string) error {
		zero := unix.Rlimit{}
		return anyOf(
			func() error { return unix.Prlimit(1, unix.RLIMIT_NOFILE, &zero, nil) },
			func() error { return unix.Prlimit(1, unix.RLIMIT_CPU, &zero, nil) },
			func() error { return unix.Prlimit(1, unix.RLIMIT_AS, &zero, nil) },
		)
	},
	"raise one's priority": func([]string) error { return unix.Setpriority(unix.PRIO_PROCESS, 0, -20) },
	"enter the agent's namespaces": func([]string) error {
		runtime.LockOSThread()
		own, _ := os.Readlink("/proc/self/ns/mnt")
		var ways []func() error
		for _, kind := range []string{"mnt", "user", "net", "pid", "ipc", "uts", "cgroup"} {
			ways = append(ways, func() error {
				fd, err := unix.Open("/proc/1/ns/"+kind, unix.O_RDONLY, 0)
				if err != nil {
					return err
				}
				if err := unix.Setns(fd, 0); err != nil {
					return err
				}
				return fmt.Errorf("%w: into %s, from %s", errContained, kind, own) // they are its own namespaces
			})
		}
		return anyOf(ways...)
	},
	"inherited descriptors": func([]string) error {
		for fd := 3; fd < 1024; fd++ {
			link, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
			if err != nil || strings.HasPrefix(link, "/sys/fs/cgroup/cpu") || link == "anon_inode:[eventpoll]" || link == "anon_inode:[eventfd]" || link == "anon_inode:[pidfd]" {
				continue // of the Go runtime
			}
			fmt.Println(fd, link)
			return nil
		}
		return errors.New("none")
	},
	"gain capabilities": func([]string) error {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		all := [2]unix.CapUserData{{Effective: ^uint32(0), Permitted: ^uint32(0), Inheritable: ^uint32(0)}, {Effective: 0x1ff, Permitted: 0x1ff, Inheritable: 0x1ff}}
		return anyOf(
			func() error { return unix.Capset(&header, &all[0]) },
			func() error {
				return unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, unix.CAP_SYS_ADMIN, 0, 0)
			},
			func() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) },
		)
	},
	"realtime scheduling": func([]string) error {
		param := struct{ Priority int32 }{1}
		const fifo = 1
		_, _, errno := unix.Syscall(unix.SYS_SCHED_SETSCHEDULER, 0, fifo, uintptr(unsafe.Pointer(&param)))
		if errno != 0 {
			return errno
		}
		return nil
	},
	"user namespace": func([]string) error { return again(unix.CLONE_NEWUSER, "list") },
	"other namespaces": func([]string) error {
		var ways []func() error
		for _, flag := range []int{unix.CLONE_NEWNS, unix.CLONE_NEWNET, unix.CLONE_NEWPID, unix.CLONE_NEWIPC, unix.CLONE_NEWUTS, unix.CLONE_NEWCGROUP} {
			ways = append(ways, func() error { return unshareOn(flag) })
		}
		return anyOf(ways...)
	},
}

// isNull tells whether a descriptor is of /dev/null, with which runtimes mask files.
func isNull(fd int) bool {
	var st unix.Stat_t
	return unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == unix.Mkdev(1, 3)
}

// openAny opens one of the names, for reading or for writing.
func openAny(names ...string) error {
	var ways []func() error
	for _, name := range names {
		for _, flags := range []int{unix.O_RDONLY, unix.O_WRONLY} {
			ways = append(ways, func() error {
				fd, err := unix.Open(name, flags|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
				if err != nil {
					return &os.PathError{Op: "open", Path: name, Err: err}
				}
				defer unix.Close(fd)
				if isNull(fd) {
					return fmt.Errorf("%s is masked", name)
				}
				fmt.Println(name, "can be opened")
				if flags == unix.O_RDONLY {
					if n, err := unix.Read(fd, make([]byte, 1)); err != nil || n == 0 {
						return fmt.Errorf("%s is opened, and reads nothing: %w", name, errors.Join(err))
					}
				}
				return nil
			})
		}
	}
	return anyOf(ways...)
}
