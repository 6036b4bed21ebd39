package sandboxtest

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// values of the host that an escape would change, or that would help one.
var hostValues = []string{
	"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/sysrq",
	"/proc/sys/kernel/panic", "/proc/sys/kernel/printk", "/proc/sys/kernel/randomize_va_space", "/proc/sys/kernel/kptr_restrict", "/proc/sys/kernel/unprivileged_bpf_disabled",
	"/proc/sys/fs/file-max", "/proc/sys/fs/suid_dumpable", "/proc/sys/fs/protected_hardlinks", "/proc/sys/fs/binfmt_misc/status",
	"/proc/sys/vm/overcommit_memory", "/proc/sys/vm/swappiness", "/proc/sys/vm/panic_on_oom", "/proc/sys/net/ipv4/ip_forward",
	"/proc/swaps", "/proc/modules", "/sys/kernel/uevent_helper", "/etc/passwd", "/etc/hosts", "/etc/resolv.conf",
}

// hostState tells, by name, what of the host no sandbox may change.
func (s *suite) hostState() map[string]string {
	s.Helper()
	state := make(map[string]string)
	agents, _ := filepath.Glob("/sys/fs/cgroup/*/release_agent") // the pattern is well-formed
	for _, name := range append(agents, hostValues...) {
		content, err := os.ReadFile(name)
		if err != nil {
			content = []byte(err.Error())
		}
		state[name] = string(content)
	}
	links, err := net.Interfaces()
	if err != nil {
		s.Fatal(err)
	}
	for _, link := range links {
		state["interface "+link.Name] = fmt.Sprint(link.Flags)
	}
	var uptime unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &uptime); err != nil {
		s.Fatal(err)
	}
	// A clock that is corrected meanwhile moves by less.
	boot := time.Now().Add(-time.Duration(uptime.Nano())).Add(30 * time.Second)
	state["the clock"] = boot.Truncate(time.Minute).Format(time.RFC3339)
	for _, top := range s.Untouched {
		state[top] = s.digest(top)
	}
	return state
}

// digest is over all names, modes, owners and contents below top.
func (s *suite) digest(top string) string {
	s.Helper()
	sum := sha256.New()
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(name, &st); err != nil {
			return err
		}
		fmt.Fprintln(sum, strings.TrimPrefix(name, top), st.Mode, st.Uid, st.Gid, st.Rdev)
		if !d.Type().IsRegular() {
			return nil
		}
		content, err := os.ReadFile(name)
		sum.Write(content)
		return err
	})
	if err != nil {
		s.Fatalf("look at %s: %v", top, err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

func (s *suite) expectHost(before map[string]string) {
	s.Helper()
	if diff := cmp.Diff(before, s.hostState()); diff != "" {
		s.Errorf("the host has changed (-before +after):\n%s", diff)
	}
}
