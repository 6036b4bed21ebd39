package sandboxtest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"assay/internal/sandbox"
)

// kill kills a process of the host.
func kill(s *suite, pid int) {
	s.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		s.Fatalf("kill %d: %v", pid, err)
	}
}

// attacks are scripts that succeed where a wall is missing.
var attacks = map[string]string{
	"mount a tmpfs":            "mkdir -p /mnt; mount -t tmpfs none /mnt",
	"mount proc":               "mkdir -p /mnt; mount -t proc proc /mnt",
	"remount the root":         "mount -o remount,suid,dev /",
	"unmount the agent":        "umount /.assay/agent",
	"bind over the agent":      "mount -o bind /bin/busybox /.assay/agent",
	"a mount namespace":        "unshare -m true",
	"a network namespace":      "unshare -n true",
	"enter init's namespaces":  "nsenter -t 1 -m true",
	"a block device":           "mknod /tmp/b b 8 0",
	"a character device":       "mknod /tmp/c c 1 1",
	"a whiteout":               "mknod lib/.hidden c 0 0",
	"kernel memory":            "head -c 1 /dev/mem || head -c 1 /proc/kcore | grep -q . || head -c 1 /dev/kmem",
	"the kernel's log":         "head -c 1 /dev/kmsg || head -c 1 /proc/kmsg",
	"disks of the host":        "ls /dev | grep -E '^(sd|vd|loop|nvme|dm-)'",
	"core_pattern":             "echo '|/tmp/x' > /proc/sys/kernel/core_pattern",
	"a sysctl of the host":     "echo 1 > /proc/sys/vm/drop_caches",
	"sysrq":                    "echo h > /proc/sysrq-trigger",
	"sysfs":                    "echo 1 > /sys/kernel/uevent_helper || touch /sys/x || find /sys -writable -type f | grep -q .",
	"a cgroup's release agent": "find / -name release_agent 2>/dev/null | grep -q . || mount -t cgroup -o memory none /mnt",
	"its own limits": `for f in $(find /sys/fs/cgroup -name '*limit_in_bytes' -o -name 'memory.max' -o -name 'pids.max' -o -name 'cpu.max' -o -name cpu.cfs_quota_us -o -name cgroup.procs); do
		echo 1000000000 > $f && exit 0; done; [ -n "$f" ] && mkdir $(dirname $f)/x`,
	"init's environment":             "cat /proc/1/environ",
	"init's memory":                  "cat /proc/1/mem || cat /proc/1/maps",
	"init's descriptors":             "cat /proc/1/fd/0 || readlink /proc/1/fd/0 || echo x > /proc/1/fd/2",
	"init's root and directory":      "ls /proc/1/root/ || ls /proc/1/cwd/",
	"init's limits":                  "prlimit --pid 1 --nofile=0:0",
	"write the agent":                "echo x >> /.assay/agent",
	"replace the agent":              "rm -f /.assay/agent; cp /bin/busybox /.assay/agent",
	"change the agent":               "chmod 000 /.assay/agent",
	"the host's host name":           "hostname changed",
	"the clock":                      "date -s 2001-01-01; [ $(date +%Y) = 2001 ]",
	"load a module":                  "insmod /bin/busybox",
	"reboot":                         "reboot -f",
	"become another user by a file":  `cp /bin/busybox /tmp/id; chown 1000 /tmp/id; chmod u+s /tmp/id; [ "$(setpriv --reuid 2000 /tmp/id id -u)" = 1000 ]`,
	"raise a hard limit":             "ulimit -Hn 1000000",
	"swap":                           "dd if=/dev/zero of=/tmp/swap bs=1M count=1 && mkswap /tmp/swap && swapon /tmp/swap",
	"chroot out of the sandbox":      "mkdir -p /tmp/r; chroot /tmp/r /bin/true || [ -e /proc/1/root/etc/passwd ]",
	"a socket of the agent":          "find / -xdev -type s | grep -q .",
	"the host's processes":           "[ $(ls /proc | grep -c '^[0-9]') -gt 8 ]",
	"another network interface":      "[ $(ls /sys/class/net | grep -vc '^lo$') -gt 0 ]",
	"a raw socket":                   "ping -c 1 -W 1 127.0.0.1",
	"capabilities that were dropped": "grep -E 'Cap(Prm|Eff|Bnd).*[2-9a-f][0-9a-f]{8}$|Cap(Inh|Amb):.*[1-9a-f]' /proc/self/status",
}

var isolationCases = []testCase{
	{"isolation/attacks", processes, func(s *suite) {
		sb := s.create()
		for name, text := range attacks {
			cmd := script(text)
			cmd.Timeout = 10 * time.Second
			if res := s.run(sb, cmd); res.Exit.Code == 0 {
				s.Errorf("%s: succeeded\n%s%s", name, stdout(res), stderr(res))
			}
		}
		s.expectHeld(AgentIsUnread, s.sh(sb, "head -c 4 /.assay/agent").Exit.Code != 0, "it was read")
		s.expectHeld(KernelIsClosed, s.sh(sb, "unshare -U true").Exit.Code != 0, "a user namespace was made")
		s.expectText("afterwards", s.must(sb, "echo alive"), "alive\n")
	}},
	{"isolation/root inside is nobody outside", processes, func(s *suite) {
		sb := s.create()
		s.expectText("inside", s.must(sb, "id -u"), "0\n")
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.InitPID(s.T, sb.Handle())))
		if err != nil {
			s.Fatal(err)
		}
		for line := range strings.Lines(string(status)) {
			key, value, _ := strings.Cut(line, ":")
			fields := strings.Fields(value)
			switch key {
			case "Uid", "Gid":
				for _, id := range fields {
					if len(id) < 5 {
						s.Errorf("ids of init on the host: %s", line)
					}
				}
			case "NoNewPrivs":
				s.expectText(key, fields[0], "1")
			case "Seccomp":
				s.expectText(key, fields[0], "2")
			}
		}
	}},
	{"isolation/no network", processes, func(s *suite) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.Fatal(err)
		}
		defer l.Close()
		sb := s.create()
		port := l.Addr().(*net.TCPAddr).Port
		for _, address := range []string{fmt.Sprintf("127.0.0.1/%d", port), "192.0.2.1/80"} {
			cmd := script("exec 3<> /dev/tcp/" + address)
			cmd.Timeout = 10 * time.Second
			if res := s.run(sb, cmd); res.Exit.Code == 0 || res.Exit.TimedOut {
				s.Errorf("connect to %s: %+v", address, res.Exit)
			}
		}
		s.must(sb, "(echo pong | nc -l -p 7777 &); until exec 3<> /dev/tcp/localhost/7777; do sleep 0.05; done 2>/dev/null; read -r line <&3; [ $line = pong ]")
	}},
	{"isolation/sandboxes do not see each other", processes, func(s *suite) {
		one, two := s.create(), s.create()
		s.must(one, "echo secret > /tmp/secret; echo changed > README.md; echo s > /dev/shm/s; rm main.sh; (exec sleep 1234 > /dev/null 2>&1 &)")
		s.must(two, "[ ! -e /tmp/secret ] && [ ! -e /dev/shm/s ] && [ -e main.sh ] && grep -q project README.md && ! ps | grep '[s]leep 1234'")
		s.expectText("a third, made later", s.read(s.create(), "README.md"), "# A project\n")
	}},
	{"isolation/sandboxes do not see each other's files", nothing, func(s *suite) {
		one, two := s.create(), s.create()
		s.apply(one, Workdir, file("README.md", "changed\n"), file(".wh.main.sh", ""))
		s.expectText("README.md", s.read(two, "README.md"), "# A project\n")
		if s.read(two, "main.sh") == "!absent" {
			s.Error("a file was deleted in another sandbox")
		}
		if _, _, err := one.ReadFile(s.context(), "main.sh", 100); err == nil || errors.Is(err, sandbox.ErrGone) {
			s.Errorf("the deleted file: %v", err)
		}
	}},
}
