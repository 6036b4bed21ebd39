package agent_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"assay/agent"
	"assay/internal/sandbox"
)

// The tests run the real agent as PID 1 of a sandbox made of namespaces: the test
// binary starts itself in new ones, as root that is nobody outside, mounts a
// procfs, gives up the capabilities that a sandbox does not have, and becomes the
// agent.

// initEnv tells the test binary to become the agent named there.
const initEnv = "ASSAY_TEST_AGENT"

// agentBinary is the agent that TestMain builds.
var agentBinary string

func TestMain(m *testing.M) {
	if binary := os.Getenv(initEnv); binary != "" {
		fmt.Fprintln(os.Stderr, becomeAgent(binary))
		os.Exit(1)
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "these tests make namespaces and user mappings: run them as root")
		return 1
	}
	dir, err := os.MkdirTemp("", "assay-agent-test")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	agentBinary = filepath.Join(dir, "assay-agent")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", agentBinary, "assay/cmd/assay-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the agent: %v\n%s", err, out)
		return 1
	}
	if err := os.Chmod(agentBinary, 0o711); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// keptCapabilities are those of an ordinary container.
var keptCapabilities = []int{
	unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FSETID, unix.CAP_FOWNER, unix.CAP_MKNOD, unix.CAP_NET_RAW,
	unix.CAP_SETGID, unix.CAP_SETUID, unix.CAP_SETFCAP, unix.CAP_SETPCAP, unix.CAP_NET_BIND_SERVICE,
	unix.CAP_SYS_CHROOT, unix.CAP_KILL, unix.CAP_AUDIT_WRITE,
}

// becomeAgent returns only when it fails.
func becomeAgent(binary string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount procfs: %w", err)
	}
	for c := 0; c <= unix.CAP_LAST_CAP; c++ {
		if slices.Contains(keptCapabilities, c) {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0); err != nil && err != unix.EINVAL {
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	return unix.Exec(binary, []string{"assay-agent"}, []string{agent.ConfigEnv + "=" + os.Getenv(agent.ConfigEnv)})
}

// outside is the user and group id that root of the test sandboxes is outside.
const outside = 100000

// guest is a sandbox with an agent in it.
type guest struct {
	*agent.Client
	t       testing.TB
	socket  string
	work    string // its work tree
	process *exec.Cmd
	exited  chan struct{} // closed when the agent has exited
}

// start starts an agent. change, if any, alters its config.
func start(t testing.TB, change func(*agent.Config)) *guest {
	t.Helper()
	top := t.TempDir()
	g := &guest{t: t, socket: filepath.Join(top, "agent.sock"), work: filepath.Join(top, "work"), exited: make(chan struct{})}
	for _, dir := range []string{filepath.Dir(top), top} {
		check(t, os.Chmod(dir, 0o755))
	}
	check(t, os.Mkdir(g.work, 0o755))
	check(t, os.Chown(g.work, outside, outside))
	cfg := agent.Config{
		Sandbox:     "sb_test",
		Workdir:     g.work,
		SpoolDir:    g.work,
		Env:         map[string]string{"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/root", "FROM_IMAGE": "yes"},
		Deadline:    time.Now().Add(time.Hour),
		RemainingMS: time.Hour.Milliseconds(),
	}
	if change != nil {
		change(&cfg)
	}
	g.launch(cfg)
	g.Client = agent.NewClient(g.socket)
	t.Cleanup(g.stop)
	return g
}

func (g *guest) launch(cfg agent.Config) {
	g.t.Helper()
	encoded, err := cfg.Encode()
	check(g.t, err)
	g.process = exec.Command("/proc/self/exe")
	g.process.Env = []string{initEnv + "=" + agentBinary, agent.ConfigEnv + "=" + encoded}
	g.process.Stderr = os.Stderr
	if cfg.Listen == "" {
		l, err := agent.Listen(g.socket)
		check(g.t, err)
		defer l.Close()
		g.process.ExtraFiles = []*os.File{l}
	}
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: outside, Size: 65536}}
	g.process.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:                 syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWIPC,
		UidMappings:                ids,
		GidMappings:                ids,
		GidMappingsEnableSetgroups: true,
		Credential:                 &syscall.Credential{},
	}
	check(g.t, g.process.Start())
	go func() {
		g.process.Wait() //nolint:errcheck // tests look at ProcessState
		close(g.exited)
	}()
}

func (g *guest) stop() {
	g.Close()
	g.process.Process.Kill() //nolint:errcheck // it may have exited
	<-g.exited
}

// run runs a script with bash to its end.
func (g *guest) run(id, script string) sandbox.Result {
	g.t.Helper()
	return g.exec(sandbox.Command{ID: id, Argv: []string{"bash", "-c", script}, Timeout: time.Minute})
}

func (g *guest) exec(cmd sandbox.Command) sandbox.Result {
	g.t.Helper()
	res, err := g.Exec(testContext(g.t), cmd)
	check(g.t, err)
	return res
}

// begin starts a script and returns when it has made the file ready.
func (g *guest) begin(id, script, ready string) <-chan outcome {
	g.t.Helper()
	end := make(chan outcome, 1)
	ctx := testContext(g.t)
	go func() {
		res, err := g.Exec(ctx, sandbox.Command{ID: id, Argv: []string{"bash", "-c", script}})
		end <- outcome{res, err}
	}()
	g.await(ready)
	return end
}

type outcome struct {
	sandbox.Result
	err error
}

// await returns when the work tree has a file of that name.
func (g *guest) await(name string) {
	g.t.Helper()
	eventually(g.t, name+" is made", func() bool {
		_, err := os.Lstat(filepath.Join(g.work, name))
		return err == nil
	})
}

func (g *guest) write(name, content string) {
	g.t.Helper()
	path := filepath.Join(g.work, name)
	check(g.t, os.WriteFile(path, []byte(content), 0o644))
	check(g.t, os.Lchown(path, outside, outside))
}

func (g *guest) read(name string) string {
	g.t.Helper()
	p, err := os.ReadFile(filepath.Join(g.work, name))
	check(g.t, err)
	return string(p)
}

// processes lists the command lines of the sandbox's processes but the agent's.
func (g *guest) processes() []string {
	g.t.Helper()
	res := g.run(fmt.Sprintf("ps_%d", time.Now().UnixNano()),
		`for p in /proc/[0-9]*; do n=${p#/proc/}; [ $n = 1 -o $n = $$ ] || tr '\0' ' ' <$p/cmdline; echo; done 2>/dev/null`)
	var all []string
	for line := range strings.Lines(string(res.Stdout.Head)) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

// eventually waits for something that gives no signal.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}
