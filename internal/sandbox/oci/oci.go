// Package oci runs sandboxes on this host through an OCI runtime binary: runc by
// default.
//
// # What a sandbox is made of
//
//	Dir/sandboxes/ID/
//	  state.json    the handle, and who its init process is
//	  disk.img      sparse file with an ext4: all that the sandbox writes, and the limit to it
//	  bundle/       config.json for the runtime
//	  agent.sock    the guest agent answers here; no sandbox sees it
//	  agent.log     what the runtime binary and the agent complain about
//	  destroyed     written first by Destroy, so that who waits knows why it died
//	Dir/runtime/    the runtime binary's own state (--root)
//	Dir/agents/     copies of the guest agent by content: an upgrade leaves running sandboxes alone
//	Dir/disks/      formatted disks by size, to clone
//	RunDir/ID/
//	  disk/         disk.img, mounted: upper/ and work/ of the overlay
//	  root/         the root file system: the image's layers under upper/
//
// A sandbox's folder is made before and removed after everything else that belongs
// to it. Whatever a process that was killed left behind is therefore found by List.
//
// # Mounts
//
// The root of every sandbox must be able to walk to its root file system, as an
// unprivileged user of the host; that is why mounts are not below Dir, which is
// closed to everybody. RunDir lets in the ids of the sandboxes and nobody else.
//
// It is a tmpfs with shared propagation (kernel, sharedsubtree.rst): every new
// mount namespace of the host, of a service or of the next sandbox being started,
// begins as a copy of all mounts. If copies did not hear of an unmount, they would
// keep disks alive after their sandboxes. A server that is started again must see
// the mounts of the one before: run it in the host's mount namespace.
//
// # Ids
//
// All sandboxes share one range of host ids: root inside is IDs.UIDBase outside.
// What separates them is their namespaces; the range separates them from the host.
package oci

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sync/singleflight"

	"assay/internal/image"
	"assay/internal/sandbox"
)

// Name is what handles of this runtime carry.
const Name = "oci"

// DefaultIDs is the range of host ids that sandboxes get unless told otherwise. It
// lies in what systemd's UIDS-GIDS document lists as unused (1879048192 to
// 2147483647), above anything that useradd writes to /etc/subuid.
var DefaultIDs = image.IDShift{UIDBase: 0x70000000, GIDBase: 0x70000000, Size: 1 << 16}

// DefaultLimits are the limits of a sandbox whose Spec and Config name none.
var DefaultLimits = sandbox.Limits{CPUs: 2, MemoryBytes: 4 << 30, PIDs: 2048, DiskBytes: 10 << 30}

// LeastLimits are the least that Create takes.
var LeastLimits = sandbox.Limits{CPUs: 0.01, MemoryBytes: minMemory, PIDs: minPIDs, DiskBytes: minDisk}

// Images is what the runtime needs of an image store. Its layers have their ids
// shifted by Config.IDs.
type Images interface {
	Resolve(ctx context.Context, ref string) (image.Image, error)
	Lease(ctx context.Context, img image.Image, owner string) (image.RootFS, error)
	Release(owner string) error
}

// Config configures a Runtime.
type Config struct {
	// Dir holds everything that lasts. It is made with mode 0700. Required.
	Dir string
	// RunDir is where disks and root file systems are mounted; see the package
	// comment. Its parents must be open to everybody. Defaults to a name in /run made
	// from Dir.
	RunDir string
	// Runtime is the OCI runtime binary, a path or a name in PATH. Defaults to "runc".
	Runtime string
	// Agent is the path of the guest agent's static binary. Required.
	Agent string
	// Images is where root file systems come from. Required.
	Images Images
	// IDs is the range of host ids that sandboxes run as. Defaults to DefaultIDs.
	IDs image.IDShift
	// Defaults fills zero limits of a Spec; its own zero fields default to DefaultLimits.
	Defaults sandbox.Limits
	// Guard is the command of a process that calls ThawLeft with its standard input: it thaws
	// sandboxes that this process leaves frozen when it is killed. Defaults to none.
	Guard []string
	// Location names this host for people. Defaults to its host name.
	Location string
	// Log defaults to slog.Default().
	Log *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	switch {
	case c.Dir == "":
		return c, errors.New("no Dir")
	case c.Agent == "":
		return c, errors.New("no Agent")
	case c.Images == nil:
		return c, errors.New("no Images")
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return c, err
	}
	c.Dir = dir
	if c.RunDir == "" {
		c.RunDir = "/run/assay-" + keyOf(dir)
	}
	if c.Runtime == "" {
		c.Runtime = "runc"
	}
	if c.IDs == (image.IDShift{}) {
		c.IDs = DefaultIDs
	}
	if err := c.IDs.Validate(); err != nil {
		return c, err
	}
	c.Defaults = fillLimits(c.Defaults, DefaultLimits)
	if c.Location == "" {
		if c.Location, err = os.Hostname(); err != nil {
			return c, err
		}
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c, nil
}

// keyOf makes a short name of a directory, for what has to live outside of it.
func keyOf(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:6])
}

func fillLimits(l, defaults sandbox.Limits) sandbox.Limits {
	if l.CPUs == 0 {
		l.CPUs = defaults.CPUs
	}
	if l.MemoryBytes == 0 {
		l.MemoryBytes = defaults.MemoryBytes
	}
	if l.PIDs == 0 {
		l.PIDs = defaults.PIDs
	}
	if l.DiskBytes == 0 {
		l.DiskBytes = defaults.DiskBytes
	}
	return l
}

// Runtime makes sandboxes on this host. It implements sandbox.Runtime.
type Runtime struct {
	cfg     Config
	runtime string // path of the runtime binary
	gvisor  bool   // it is runsc; see gvisor.go
	agent   string // path of this Runtime's copy of the agent
	disks   *disks
	cgroups *cgroups
	seccomp *specs.LinuxSeccomp
	guard   *guard
	fault   error // why this host cannot run sandboxes, found by New

	destroys singleflight.Group // by id

	mu     sync.Mutex
	open   map[string]*Sandbox // by id
	making map[string]making   // by id

	destroying map[string]int      // calls of Destroy, by id; guarded by mu
	stuck      map[string]struct{} // ids of those that the last Destroy failed on; guarded by mu

	runDir sync.Mutex // held while RunDir is mounted or unmounted
}

var _ sandbox.Runtime = (*Runtime)(nil)

// New prepares Dir and RunDir and probes the host. It fails when the Config is
// wrong. A host that cannot run sandboxes is not an error yet: Check and Create
// tell, with the remedy.
func New(cfg Config) (*Runtime, error) {
	rt, err := newRuntime(cfg)
	if err != nil {
		return nil, err
	}
	if rt.fault = rt.probes().first(); rt.fault != nil {
		rt.cfg.Log.Warn("this host cannot run sandboxes", "err", rt.fault)
	}
	if rt.agent, err = rt.keepAgent(); err != nil { // in the form that the runtime needs
		return nil, fmt.Errorf("copy the guest agent %s: %w", rt.cfg.Agent, err)
	}
	return rt, nil
}

// newRuntime prepares Dir, and no more.
func newRuntime(cfg Config) (*Runtime, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("configure the oci runtime: %w", err)
	}
	rt := &Runtime{cfg: cfg, guard: newGuard(cfg.Guard, cfg.Log), disks: newDisks(filepath.Join(cfg.Dir, "disks"), cfg.IDs), open: make(map[string]*Sandbox), making: make(map[string]making), destroying: make(map[string]int), stuck: make(map[string]struct{})}
	for _, sub := range []string{"", "sandboxes", "runtime", "agents", "disks"} {
		if err := os.MkdirAll(filepath.Join(cfg.Dir, sub), 0o700); err != nil {
			return nil, fmt.Errorf("prepare the sandboxes' directory: %w", err)
		}
	}
	return rt, nil
}

// Close lets go of the connections to sandboxes, which go on, and of RunDir when
// there are none.
func (rt *Runtime) Close() error {
	rt.mu.Lock()
	open := rt.open
	rt.open = make(map[string]*Sandbox)
	rt.mu.Unlock()
	for _, sb := range open {
		sb.letGo()
	}
	rt.guard.close()
	return rt.unmountRunDir()
}

// Location names this host.
func (rt *Runtime) Location() string { return rt.cfg.Location }

// keepAgent copies the agent under a name made from its content.
func (rt *Runtime) keepAgent() (string, error) {
	content, err := os.ReadFile(rt.cfg.Agent)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	dir, name := filepath.Join(rt.cfg.Dir, "agents"), hex.EncodeToString(sum[:])
	// Run, but not read, by the ids of sandboxes: the kernel then takes the agent's
	// memory and /proc/1 for the host's, closed to root inside.
	mode := fs.FileMode(0o711)
	if rt.gvisor { // which loads programs by reading them
		name, mode = name+".readable", 0o755
	}
	kept := filepath.Join(dir, name)
	if _, err := os.Stat(kept); err == nil { //nolint:gosec // its name is a digest
		return kept, nil
	}
	tmp, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(tmp.Name()) // it has its final name, or an earlier error explains
	_, err = tmp.Write(content)
	if cerr := tmp.Chmod(mode); err == nil {
		err = cerr
	}
	if cerr := tmp.Sync(); err == nil {
		err = cerr
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), kept) //nolint:gosec // as above
	}
	return kept, err
}
