package oci_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"assay/internal/image"
	"assay/internal/sandbox"
	"assay/internal/sandbox/oci"
	"assay/internal/sandbox/sandboxtest"
	"assay/internal/sandbox/sandboxtest/rootfs"
	"assay/internal/sandbox/sandboxtest/runsc"
)

// shared is what all tests use: building it takes longer than most of them.
var shared struct {
	agent    string
	attack   string // the program that attacks from inside
	images   *image.Store
	imageDir string
}

func TestMain(m *testing.M) {
	if config := os.Getenv(victimEnv); config != "" {
		println(victim(config).Error())
		os.Exit(1)
	}
	if len(os.Args) == 2 && os.Args[1] == guardArg {
		if err := oci.ThawLeft(os.Stdin); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "assay-oci-")
	if err == nil {
		defer os.RemoveAll(dir) // nothing is lost
		err = prepare(dir)
	}
	if err != nil {
		println("prepare the tests of sandboxes:", err.Error())
		return 1
	}
	return m.Run()
}

func prepare(dir string) error {
	shared.agent, shared.attack = filepath.Join(dir, "assay-agent"), filepath.Join(dir, "attack")
	for program, pkg := range map[string]string{shared.agent: "assay/cmd/assay-agent", shared.attack: "assay/internal/sandbox/sandboxtest/attack"} {
		build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return errors.New(string(out))
		}
	}
	layout := filepath.Join(dir, "layout")
	if err := rootfs.Write(layout, sandboxtest.Workdir, sandboxtest.Tree); err != nil {
		return err
	}
	shared.imageDir = filepath.Join(dir, "images")
	images, err := image.Open(shared.imageDir, image.Options{Shift: oci.DefaultIDs})
	if err != nil {
		return err
	}
	shared.images = images
	_, err = images.Load(context.Background(), layout, nil)
	return err
}

// host is where one test's sandboxes live.
type host struct{ dir, run, binary string }

func newHost(t testing.TB) host {
	t.Helper()
	run, err := os.MkdirTemp("/run", "assay-test-")
	if err != nil {
		t.Fatal(err)
	}
	h := host{dir: t.TempDir(), run: run}
	t.Cleanup(func() {
		if _, err := os.Lstat(run); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left when every runtime is closed: %v", run, err)
		}
	})
	return h
}

// runtime makes a Runtime over what is on the host.
func (h host) runtime(t testing.TB) *oci.Runtime {
	t.Helper()
	rt, err := oci.New(h.config())
	if err != nil {
		t.Fatal(err)
	}
	if err := rt.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(); err != nil {
			t.Error(err)
		}
	})
	return rt
}

func (h host) config() oci.Config {
	return oci.Config{Dir: h.dir, RunDir: h.run, Runtime: h.binary, Agent: shared.agent, Images: shared.images, Guard: []string{os.Args[0], guardArg}}
}

// initPID reads the PID of a sandbox's init from the state on disk.
func (h host) initPID(t *testing.T, handle sandbox.Handle) int {
	t.Helper()
	var state struct {
		Init struct {
			PID int `json:"pid"`
		} `json:"init"`
	}
	content, err := os.ReadFile(filepath.Join(h.dir, "sandboxes", handle.ID, "state.json"))
	if err == nil {
		err = json.Unmarshal(content, &state)
	}
	if err != nil || state.Init.PID == 0 {
		t.Fatalf("find the init process: %s, %v", content, err)
	}
	return state.Init.PID
}

// leftovers names folders, leases, cgroups, mounts and loop devices of sandboxes.
func (h host) leftovers(t *testing.T) []string {
	t.Helper()
	var left []string
	for _, pattern := range []string{
		h.dir + "/sandboxes/*", h.dir + "/runtime/*", h.dir + "/probe-*", h.dir + "/disks/.new*", h.run + "/*",
		"/sys/fs/cgroup/assay/" + h.key() + "-*", "/sys/fs/cgroup/*/assay/" + h.key() + "-*",
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, found...)
	}
	leases, err := shared.images.Leases()
	if err != nil {
		t.Fatal(err)
	}
	for _, lease := range leases {
		left = append(left, "lease of "+lease.Owner)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, h.dir) || strings.Contains(line, h.run+"/") {
			left = append(left, line)
		}
	}
	return append(left, h.loops(t)...)
}

// loops are the loop devices over files of the host, after a moment: the kernel lets
// go of them behind the last user's back.
func (h host) loops(t *testing.T) []string {
	t.Helper()
	for try := 0; ; try++ {
		var left []string
		files, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if backing, err := os.ReadFile(name); err == nil && strings.HasPrefix(string(backing), h.dir) {
				left = append(left, name+": "+string(backing))
			}
		}
		if len(left) == 0 || try == 100 {
			return left
		}
		<-time.After(10 * time.Millisecond)
	}
}

// key is how the runtime marks what lives outside of its directory.
func (h host) key() string {
	sum := sha256.Sum256([]byte(h.dir))
	return hex.EncodeToString(sum[:6])
}

func TestConformanceOfRunc(t *testing.T) {
	defer goleak.VerifyNone(t)
	conform(t, "runc", nil)
}

func TestConformanceOfGVisor(t *testing.T) {
	defer goleak.VerifyNone(t)
	conform(t, gvisor(t), sandboxtest.GVisorLacks)
}

// gvisor is the path of runsc.
func gvisor(t testing.TB) string {
	t.Helper()
	binary, err := runsc.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

func conform(t *testing.T, binary string, lacks map[sandboxtest.Item]string) {
	sandboxtest.Run(t, func(t *testing.T) sandboxtest.Factory {
		h := newHost(t)
		h.binary = binary
		return sandboxtest.Factory{
			Runtime:    h.runtime(t),
			Image:      rootfs.Name,
			Reopen:     func(t *testing.T) sandbox.Runtime { return h.runtime(t) },
			Leftovers:  h.leftovers,
			Processes:  true,
			Snapshots:  true,
			Stats:      true,
			Load:       true,
			InitPID:    h.initPID,
			Lacks:      lacks,
			Untouched:  []string{shared.imageDir, shared.agent, filepath.Join(h.dir, "agents")},
			AttackTool: shared.attack,
		}
	})
}
