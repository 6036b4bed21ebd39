package oci_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"assay/internal/sandbox"
	"assay/internal/sandbox/oci"
	"assay/internal/sandbox/sandboxtest"
)

// guardArg makes the test binary the guard of a runtime.
const guardArg = "guard-frozen"

// freezer makes a sandbox in which a file grows, and reads its changes without an end.
func freezer(rt *oci.Runtime, id string) error {
	sb, err := rt.Create(context.Background(), spec(id))
	if err != nil {
		return err
	}
	go sb.Exec(context.Background(), sandbox.Command{ID: "grow", Argv: []string{"sh", "-c", "while :; do echo >> grows; done"}}) //nolint:errcheck // it is killed
	for i := 0; ; i++ {
		res, err := sb.Exec(context.Background(), sandbox.Command{ID: "look" + strconv.Itoa(i), Argv: []string{"test", "-s", "grows"}})
		if err != nil {
			return err
		}
		if res.Exit.Code == 0 {
			break
		}
	}
	return sb.(sandbox.Snapshotter).Changes(context.Background(), "", sandbox.ChangeLimits{MaxBytes: 1 << 30, MaxFiles: 1 << 20}, stuck{})
}

// stuck is who reads changes, and does not go on.
type stuck struct{}

func (stuck) Write([]byte) (int, error) {
	fmt.Println("frozen")
	select {}
}

// A sandbox that was frozen when its server was killed goes on without it.
func TestWhatAKilledServerLeftFrozenIsThawed(t *testing.T) {
	onBoth(t, func(t *testing.T, h host) {
		rt := h.runtime(t) // frees what is left at the end
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), victimEnv+"="+strings.Join([]string{h.dir, h.run, shared.agent, shared.imageDir, h.binary, "box"}, "\n"))
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if !bufio.NewScanner(out).Scan() {
			t.Fatalf("the server ended: %v", cmd.Wait())
		}
		guards := guardsOf(t, cmd.Process.Pid)
		if len(guards) != 1 {
			t.Fatalf("there are %d guards", len(guards))
		}
		for deadline := time.Now().Add(20 * time.Second); ; <-time.After(time.Millisecond) { // once it has let go of them
			held := descriptors(t, guards[0])
			if len(held) == 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the guard holds %q", held)
			}
		}
		size := func() int64 {
			info, err := os.Stat(filepath.Join(h.run, "box", "disk", "upper", sandboxtest.Workdir, "grows"))
			if err != nil {
				t.Fatal(err)
			}
			return info.Size()
		}
		before := size()
		<-time.After(50 * time.Millisecond) // in which it would have grown
		if after := size(); after != before {
			t.Fatalf("the sandbox is not frozen: its file grew from %d to %d", before, after)
		}
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil { // its group
			t.Fatal(err)
		}
		_ = cmd.Wait() // always an error: it was killed
		for deadline := time.Now().Add(20 * time.Second); size() == before; <-time.After(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the sandbox stays frozen")
			}
		}
		for deadline := time.Now().Add(20 * time.Second); syscall.Kill(guards[0], 0) == nil && !isZombie(guards[0]); <-time.After(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the guard does not end")
			}
		}
		if err := rt.Destroy(t.Context(), sandbox.Handle{Runtime: oci.Name, ID: "box"}); err != nil {
			t.Error(err)
		}
	})
}

// guardsOf are the children of a process that guard it.
func guardsOf(t *testing.T, parent int) (guards []int) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tasks {
		text, _ := os.ReadFile(name) // of a thread that has ended: none
		for field := range strings.FieldsSeq(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			if line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); strings.Contains(string(line), guardArg) {
				guards = append(guards, pid)
			}
		}
	}
	return guards
}

// descriptors are the files that a process holds but for its pipe, /dev/null, and what the
// runtime of Go makes for itself.
func descriptors(t *testing.T, pid int) (held []string) {
	t.Helper()
	names, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	pipes := 0
	for _, name := range names {
		target, _ := os.Readlink(name)
		switch {
		case strings.HasPrefix(target, "pipe:") && pipes == 0:
			pipes++
		case target == "/dev/null", strings.HasPrefix(target, "anon_inode:"), strings.HasPrefix(target, "/sys/fs/cgroup"):
		default:
			held = append(held, filepath.Base(name)+" "+target)
		}
	}
	return held
}

func isZombie(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(text), ") ")
	return err != nil || strings.HasPrefix(rest, "Z")
}
