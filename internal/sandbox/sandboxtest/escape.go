package sandboxtest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"assay/internal/sandbox"
	"assay/internal/sandbox/sandboxtest/rootfs"
)

// excused are attacks that get through where a runtime lacks something.
var excused = map[string]Item{
	"name, log and power of the host":    KernelIsClosed,
	"open devices of the host":           KernelIsClosed,
	"raise one's priority":               KernelIsClosed,
	"use the host's keys":                KernelIsClosed,
	"write below /proc/sys":              KernelIsClosed,
	"write what rules the host in /proc": KernelIsClosed,
}

// attackPath is where the program attack is put.
const attackPath = "/tmp/attack"

// arm puts the program attack into a sandbox.
func (s *suite) arm(sb sandbox.Sandbox) {
	s.Helper()
	program, err := os.ReadFile(s.AttackTool)
	if err != nil {
		s.Fatal(err)
	}
	s.apply(sb, "/tmp", entry{File: rootfs.File{Name: "attack", Content: string(program), Mode: 0o755}})
}

// attack runs one attack, which must not get through unless it is excused.
func (s *suite) attack(sb sandbox.Sandbox, name string, args ...string) {
	s.Helper()
	cmd := command(append([]string{attackPath, name}, args...)...)
	cmd.Timeout = 20 * time.Second
	res := s.run(sb, cmd)
	if res.Exit.Code != 0 && res.Exit.Code != 1 && res.Exit.Code != 2 {
		return // it was killed at the attempt
	}
	said := stdout(res) + stderr(res)
	if item, ok := excused[name]; ok {
		s.expectHeld(item, res.Exit.Code == 1, name+": "+said)
	} else if res.Exit.Code != 1 {
		s.Errorf("%s: %+v %s", name, res.Exit, said)
	}
}

var escapeCases = []testCase{
	{"escape/every way that is known", processes, func(s *suite) {
		sb := s.create()
		s.arm(sb)
		before := s.hostState()
		names := strings.Split(strings.TrimSpace(stdout(s.exec(sb, attackPath, "list"))), "\n")
		if len(names) < 40 {
			s.Fatalf("attacks: %q", names)
		}
		for _, name := range names {
			switch name {
			case "connect to the host", "files named by the caller": // below
			default:
				s.attack(sb, name)
			}
		}
		s.expectHost(before)
		s.expectText("afterwards", s.must(sb, "echo alive"), "alive\n")
		s.expectText("the image's file in another sandbox", s.read(s.create(), "README.md"), "# A project\n")
	}},
	{"escape/as another user", processes, func(s *suite) {
		sb := s.create()
		s.arm(sb)
		before := s.hostState()
		for _, name := range []string{"mount by every call", "trace the agent", "read and write the agent's memory", "take the agent's descriptors", "make devices", "gain capabilities", "write the agent's program", "use the host's keys"} {
			cmd := command("setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", attackPath, name)
			if res := s.run(sb, cmd); res.Exit.Code != 1 {
				s.Errorf("%s: %+v %s%s", name, res.Exit, stdout(res), stderr(res))
			}
		}
		s.expectHost(before)
	}},
	{"escape/the host's network and sockets", processes, func(s *suite) {
		targets := s.listenOnHost()
		sb := s.create()
		s.arm(sb)
		for _, target := range targets {
			s.attack(sb, "connect to the host", target)
		}
	}},
	{"escape/files of the host and of other sandboxes", processes, func(s *suite) {
		secret := filepath.Join(s.TempDir(), "secret")
		if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
			s.Fatal(err)
		}
		one, two := s.create(), s.create()
		s.must(one, "echo secret > /root/secret; chmod 777 /root/secret")
		s.arm(two)
		pid := s.InitPID(s.T, one.Handle())
		names := []string{secret, "/root/secret", "../../../../../.." + secret, "/proc/self/cwd/../../../../../.." + secret}
		for _, p := range []int{pid, os.Getpid()} {
			names = append(names, fmt.Sprintf("/proc/%d/root/etc/passwd", p), fmt.Sprintf("/proc/%d/cwd/x", p))
		}
		names = append(names, s.Untouched...)
		s.attack(two, "files named by the caller", names...)
	}},
	{"escape/the agent cannot be harmed from inside", processes, func(s *suite) {
		sb := s.create()
		s.must(sb, "for s in 1 2 3 4 5 6 7 8 10 11 13 14 15 16 24 25 26 27 29 30 31; do kill -$s 1; done; echo alive")
		s.expectText("after signals", s.must(sb, "echo alive"), "alive\n")
		_, err := sb.Exec(s.context(), script("kill -9 1; setpriv --reuid 1000 kill -9 1; echo still"))
		s.expectHeld(InitIsSafe, err == nil, fmt.Sprint(err))
		if err != nil {
			s.expectDeath(sb, sandbox.DeathLost) // never a false end of the command
			s.expectDead(sb)
			return
		}
		s.sh(sb, "kill -STOP 1")
		s.expectText("after SIGKILL and SIGSTOP", s.must(sb, "echo alive"), "alive\n")
	}},
}

// listenOnHost opens sockets of the host, and names them and what else its programs
// may listen on.
func (s *suite) listenOnHost() []string {
	s.Helper()
	abstract := fmt.Sprintf("@assay-test-%d-%d", os.Getpid(), serial.Add(1))
	var targets []string
	for kind, address := range map[string]string{"tcp4": "127.0.0.1:0", "unix": abstract} {
		l, err := net.Listen(kind, address)
		if err != nil {
			s.Fatal(err)
		}
		s.Cleanup(func() { l.Close() })
		targets = append(targets, l.Addr().String())
	}
	path := filepath.Join(s.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { l.Close() })
	targets = append(targets, path)
	_, port, err := net.SplitHostPort(targets[0])
	if err != nil {
		_, port, err = net.SplitHostPort(targets[1])
	}
	if err != nil {
		s.Fatal(err)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		s.Fatal(err)
	}
	for _, a := range addresses {
		if ip, _, err := net.ParseCIDR(a.String()); err == nil && !ip.IsLinkLocalUnicast() {
			targets = append(targets, net.JoinHostPort(ip.String(), port))
		}
	}
	return targets
}
