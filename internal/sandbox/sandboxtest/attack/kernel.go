package main

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

var kernel = map[string]func([]string) error{
	"write below /proc/sys": func([]string) error {
		return anyOf(writableBelow("/proc/sys", func(string) bool { return true })...)
	},
	"write what rules the host in /proc": func([]string) error {
		names := []string{"/proc/sysrq-trigger", "/proc/kcore", "/proc/kmsg", "/proc/kpageflags", "/proc/timer_list", "/proc/sched_debug", "/proc/keys", "/proc/acpi", "/proc/scsi", "/proc/kallsyms/x", "/proc/bus/pci", "/proc/mtrr", "/proc/irq/default_smp_affinity",
			"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/fs/binfmt_misc/register", "/proc/sys/vm/drop_caches", "/proc/sys/kernel/sysrq"}
		var ways []func() error
		for _, name := range names {
			ways = append(ways, func() error {
				fd, err := unix.Open(name, unix.O_WRONLY, 0)
				if err != nil {
					return err
				}
				defer unix.Close(fd)
				if isNull(fd) {
					return errContained
				}
				return nil
			})
		}
		return anyOf(ways...)
	},
	"use the host's keys": func([]string) error {
		return anyOf(
			func() error {
				_, err := unix.AddKey("user", "attack", []byte("x"), unix.KEY_SPEC_USER_KEYRING)
				return err
			},
			func() error { _, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_SESSION_KEYRING, true); return err },
			func() error { _, err := unix.KeyctlJoinSessionKeyring("attack"); return err },
			func() error { _, err := unix.RequestKey("user", "attack", "", 0); return err },
		)
	},
	"programs in the kernel": func([]string) error {
		attr := make([]byte, 128)
		call := func(nr, a, b, c uintptr) func() error {
			return func() error {
				if _, _, errno := unix.Syscall6(nr, a, b, c, 0, 0, 0); errno != 0 {
					return errno
				}
				return nil
			}
		}
		event := &unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{}))}
		return anyOf(
			call(unix.SYS_BPF, 0, uintptr(unsafe.Pointer(&attr[0])), 128),
			func() error { _, err := unix.PerfEventOpen(event, -1, 0, -1, 0); return err },
			call(unix.SYS_USERFAULTFD, 0, 0, 0),
			call(unix.SYS_IO_URING_SETUP, 8, uintptr(unsafe.Pointer(&attr[0])), 0),
			func() error { return unix.InitModule([]byte("x"), "") },
			func() error { return unix.FinitModule(0, "", 0) },
			call(unix.SYS_KEXEC_LOAD, 0, 0, 0),
			call(unix.SYS_LOOKUP_DCOOKIE, 0, 0, 0),
			call(unix.SYS_IOPL, 3, 0, 0),
			call(unix.SYS_IOPERM, 0x80, 1, 1),
			call(unix.SYS_QUOTACTL, 0, 0, 0),
			call(unix.SYS_ACCT, 0, 0, 0),
			call(unix.SYS_SWAPON, uintptr(unsafe.Pointer(&attr[0])), 0, 0),
			call(unix.SYS_FANOTIFY_INIT, 0, 0, 0),
		)
	},
	"set clocks": func([]string) error {
		past := unix.Timespec{Sec: 1_000_000_000}
		tv := unix.Timeval{Sec: 1_000_000_000}
		err := anyOf(
			func() error { return unix.ClockSettime(unix.CLOCK_REALTIME, &past) },
			func() error { return unix.Settimeofday(&tv) },
			func() error {
				_, err := unix.ClockAdjtime(unix.CLOCK_REALTIME, &unix.Timex{Modes: unix.ADJ_OFFSET})
				return err
			},
		)
		if err == nil || time.Now().Year() < 2010 {
			return nil
		}
		return err
	},
	"name, log and power of the host": func([]string) error {
		return anyOf(
			func() error { return unix.Sethostname([]byte("attack")) },
			func() error { return unix.Setdomainname([]byte("attack")) },
			func() error { _, err := unix.Klogctl(unix.SYSLOG_ACTION_READ_ALL, make([]byte, 4096)); return err },
			func() error { _, err := unix.Klogctl(unix.SYSLOG_ACTION_CLEAR, nil); return err },
			func() error { return unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF) },
		)
	},
	"raise limits": func([]string) error {
		var ways []func() error
		for _, what := range []int{unix.RLIMIT_NOFILE, unix.RLIMIT_MEMLOCK, unix.RLIMIT_RTPRIO, unix.RLIMIT_NICE, unix.RLIMIT_MSGQUEUE} {
			ways = append(ways, func() error {
				var now unix.Rlimit
				if err := unix.Getrlimit(what, &now); err != nil {
					return err
				}
				if now.Max == ^uint64(0) {
					return errContained // there is nothing above
				}
				return unix.Setrlimit(what, &unix.Rlimit{Cur: now.Cur, Max: now.Max + 1})
			})
		}
		return anyOf(ways...)
	},
	"the host's firmware and memory map": func([]string) error {
		return openAny("/sys/firmware/efi/vars", "/sys/firmware/dmi/tables/DMI", "/sys/kernel/debug/x", "/sys/kernel/tracing/trace", "/sys/kernel/security/lsm", "/sys/power/state", "/proc/iomem/x", "/proc/vmallocinfo")
	},
}
