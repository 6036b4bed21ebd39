package oci_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"assay/internal/image"
	"assay/internal/sandbox"
	"assay/internal/sandbox/oci"
	"assay/internal/sandbox/sandboxtest"
	"assay/internal/sandbox/sandboxtest/rootfs"
)

// victimEnv makes the test binary a server to be killed: it names a host's
// directories, the agent, the image store and the runtime, one per line.
const victimEnv = "ASSAY_TEST_VICTIM"

// victim creates and destroys sandboxes until it is killed.
func victim(config string) error {
	parts := strings.Split(config, "\n")
	images, err := image.Open(parts[3], image.Options{Shift: oci.DefaultIDs})
	if err != nil {
		return err
	}
	rt, err := oci.New(oci.Config{Dir: parts[0], RunDir: parts[1], Agent: parts[2], Images: images, Runtime: parts[4], Guard: []string{os.Args[0], guardArg}})
	if err != nil {
		return err
	}
	if len(parts) > 5 {
		return freezer(rt, parts[5])
	}
	for i := 0; ; i++ {
		sb, err := rt.Create(context.Background(), spec("victim"+strconv.Itoa(i)))
		if err != nil {
			return err
		}
		if i%2 == 0 {
			continue // left running
		}
		if err := sb.Destroy(context.Background()); err != nil {
			return err
		}
	}
}

func spec(id string) sandbox.Spec {
	return sandbox.Spec{ID: id, Image: rootfs.Name, Workdir: sandboxtest.Workdir, Deadline: time.Now().Add(5 * time.Minute)}
}

func TestKillTheServerAtAnyMoment(t *testing.T) {
	onBoth(t, killTheServer)
}

// onBoth runs a test on runc and on gVisor.
func onBoth(t *testing.T, test func(t *testing.T, h host)) {
	for name, binary := range map[string]string{"runc": "runc", "gvisor": gvisor(t)} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			h.binary = binary
			test(t, h)
		})
	}
}

func killTheServer(t *testing.T, h host) {
	h.runtime(t)
	for i := range 8 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), victimEnv+"="+strings.Join([]string{h.dir, h.run, shared.agent, shared.imageDir, h.binary}, "\n"))
		var said strings.Builder
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(100+i*37)*time.Millisecond, func() {
			cmd.Process.Kill() //nolint:errcheck // it may have ended, which Wait tells
		})
		if err := cmd.Wait(); timer.Stop() || err == nil {
			t.Fatalf("the server ended by itself: %v, %s", err, said.String())
		}
		rt := h.runtime(t)
		handles, err := rt.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, handle := range handles {
			sb, err := rt.Open(t.Context(), handle)
			if err == nil {
				_, err = sb.Exec(t.Context(), sandbox.Command{ID: "after", Argv: []string{"true"}})
			}
			if err != nil && !errors.Is(err, sandbox.ErrGone) { // half made
				t.Errorf("open %s: %v", handle.ID, err)
			}
			if err := rt.Destroy(t.Context(), handle); err != nil {
				t.Errorf("destroy %s: %v", handle.ID, err)
			}
		}
		if left := h.leftovers(t); len(left) > 0 {
			t.Fatalf("killed after %d ms, left:\n%s", 100+i*37, strings.Join(left, "\n"))
		}
	}
}

// freeze leaves a sandbox as a server does that is killed in Changes.
func freeze(t *testing.T, h host, id string) {
	t.Helper()
	if h.binary != "runc" {
		if out, err := exec.Command(h.binary, "--root", filepath.Join(h.dir, "runtime", id), "pause", id).CombinedOutput(); err != nil {
			t.Fatalf("pause: %v, %s", err, out)
		}
		return
	}
	for file, value := range map[string]string{
		"/sys/fs/cgroup/freezer/assay/" + h.key() + "-" + id + "/freezer.state": "FROZEN",
		"/sys/fs/cgroup/assay/" + h.key() + "-" + id + "/cgroup.freeze":         "1",
	} {
		if f, err := os.OpenFile(file, os.O_WRONLY, 0); err == nil {
			_, err = f.WriteString(value)
			if f.Close(); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatal("found no freezer")
}

func TestOpenThawsWhatACrashLeftFrozen(t *testing.T) {
	onBoth(t, openFrozen)
}

func openFrozen(t *testing.T, h host) {
	sb, err := h.runtime(t).Create(t.Context(), spec("cold"))
	if err != nil {
		t.Fatal(err)
	}
	freeze(t, h, "cold")
	again, err := h.runtime(t).Open(t.Context(), sb.Handle())
	if err != nil {
		t.Fatal(err)
	}
	if res, err := again.Exec(t.Context(), sandbox.Command{ID: "c", Argv: []string{"true"}}); err != nil || res.Exit.Code != 0 {
		t.Errorf("true: %+v, %v", res, err)
	}
	freeze(t, h, "cold")
	if err := again.Destroy(t.Context()); err != nil {
		t.Errorf("destroy while frozen: %v", err)
	}
	if left := h.leftovers(t); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestPseudoterminalsAreLeftForOthers(t *testing.T) {
	sb, err := newHost(t).runtime(t).Create(t.Context(), spec("terminals"))
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Destroy(context.Background()) //nolint:errcheck // the host's leftovers would tell
	const hog = `n=0; while [ $n -lt 200 ] && { exec {fd}<>/dev/ptmx; } 2>/dev/null; do n=$((n+1)); done; echo $n`
	res, err := sb.Exec(t.Context(), sandbox.Command{ID: "hog", Argv: []string{"bash", "-c", hog}})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(res.Stdout.Head)); got != "128" {
		t.Errorf("opened %q pseudoterminals, want 128; %s", got, res.Stderr.Head)
	}
}

func TestHostNetwork(t *testing.T) {
	onBoth(t, hostNetwork)
}

func hostNetwork(t *testing.T, h host) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := spec("wired")
	s.Network = sandbox.NetworkFull
	sb, err := h.runtime(t).Create(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := sb.Destroy(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	script := "exec 3<> /dev/tcp/127.0.0.1/" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port) + "; cat /etc/resolv.conf; ! ip link set lo down; ! touch /sys/x"
	res, err := sb.Exec(t.Context(), sandbox.Command{ID: "c", Argv: []string{"bash", "-c", script}})
	if err != nil || res.Exit.Code != 0 {
		t.Errorf("%+v, %s, %v", res.Exit, res.Stderr.Head, err)
	}
	if want, err := os.ReadFile("/etc/resolv.conf"); err == nil && string(want) != string(res.Stdout.Head) {
		t.Errorf("resolv.conf: %q, want %q", res.Stdout.Head, want)
	}
}

// An image may hold links where the runtime mounts things and makes files.
func TestHostileImage(t *testing.T) {
	onBoth(t, hostileImage)
}

func hostileImage(t *testing.T, h host) {
	target := filepath.Join(t.TempDir(), "host")
	if err := os.Mkdir(target, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string][]rootfs.File{
		"agent":    {{Name: "/.assay", Link: target}},
		"binary":   {{Name: "/.assay/"}, {Name: "/.assay/agent", Link: target + "/agent"}},
		"etc":      {{Name: "/tricky/"}, {Name: "/etc", Link: "../../../.." + target}},
		"hosts":    {{Name: "/etc/hosts", Link: target + "/hosts"}, {Name: "/etc/resolv.conf", Link: target + "/resolv.conf"}},
		"door":     {{Name: "/.assay/"}, {Name: "/.assay/run", Link: target}},
		"tmp":      {{Name: "/tmp", Link: target}},
		"dev":      {{Name: "/dev", Link: target}},
		"shm":      {{Name: "/dev/"}, {Name: "/dev/shm", Link: target}, {Name: "/dev/mqueue", Link: target}},
		"sys":      {{Name: "/sys", Link: target}, {Name: "/proc", Link: target}},
		"null":     {{Name: "/dev/"}, {Name: "/dev/null", Link: target + "/null"}, {Name: "/dev/ptmx", Link: target + "/ptmx"}},
		"worktree": {{Name: "/trap", Link: target}},
	} {
		layout := filepath.Join(t.TempDir(), "layout")
		image := "assay.test/hostile-" + name + ":" + filepath.Base(h.binary)
		if err := rootfs.WriteNamed(layout, image, "/src", files); err != nil {
			t.Fatal(err)
		}
		if _, err := shared.images.Load(t.Context(), layout, nil); err != nil {
			t.Fatal(err)
		}
		s := spec("hostile-" + name)
		s.Image, s.Network = image, sandbox.NetworkFull
		if name == "worktree" {
			s.Workdir = "/trap/made"
		}
		// It may be refused. It may not reach the host, nor leave anything behind.
		rt := h.runtime(t)
		if sb, err := rt.Create(t.Context(), s); err == nil {
			if err := sb.Destroy(t.Context()); err != nil {
				t.Error(err)
			}
		} else {
			t.Logf("%s: refused: %v", name, err)
		}
		if found, err := os.ReadDir(target); err != nil || len(found) > 0 {
			t.Fatalf("%s: reached the host: %v, %v", name, found, err)
		}
		if left := h.leftovers(t); len(left) > 0 {
			t.Errorf("%s: left %v", name, left)
		}
	}
}

func TestAHostThatCannot(t *testing.T) {
	h := newHost(t)
	h.runtime(t) // removes RunDir in the end
	cfg := h.config()
	cfg.Runtime = "no-such-runtime"
	rt, err := oci.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{"check": rt.Check(t.Context()), "create": createError(rt)} {
		if !errors.Is(err, sandbox.ErrUnavailable) || !strings.Contains(err.Error(), "apt-get install runc") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := rt.List(t.Context()); err != nil {
		t.Errorf("list: %v", err)
	}
	if err := rt.Destroy(t.Context(), sandbox.Handle{ID: "none"}); err != nil {
		t.Errorf("destroy: %v", err)
	}
	cfg.Agent = filepath.Join(t.TempDir(), "absent")
	if _, err := oci.New(cfg); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no agent: %v", err)
	}
}

func createError(rt *oci.Runtime) error {
	_, err := rt.Create(context.Background(), spec("x"))
	return err
}
