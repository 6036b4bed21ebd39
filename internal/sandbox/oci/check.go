package oci

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"assay/internal/image"
	"assay/internal/sandbox"
)

// Check proves that sandboxes can be made: what New found out by trying, and that
// what may vanish later is still there.
func (rt *Runtime) Check(ctx context.Context) error {
	if rt.fault != nil {
		return rt.fault
	}
	if err := rt.checkNow(); err != nil {
		return fmt.Errorf("%w: %w", sandbox.ErrUnavailable, err)
	}
	return ctx.Err()
}

// minFree is the room on the host's disk below which Check complains, in bytes. A
// sandbox's disk is a sparse file: when the host is full, its writes fail.
const minFree = 256 << 20

func (rt *Runtime) checkNow() error {
	if err := unix.Access(rt.runtime, unix.X_OK); err != nil {
		return fmt.Errorf("the runtime %s cannot be run (%w); install it again", rt.runtime, err)
	}
	if _, err := os.Stat(rt.agent); err != nil {
		return fmt.Errorf("the copy of the guest agent is gone (%w); restart the server", err)
	}
	_, err := rt.probeSpace()
	return err
}

// Need is something that sandboxes need of a host, and what was found of it.
type Need struct {
	Name   string
	Found  string // what is there, in a few words; "" when it is not
	After  string // the name of the need that has to be met first, when this one was not tried
	Advice bool   // sandboxes run without it, and worse
	Err    error  // what is missing, and the remedy; nil when nothing is, or when it was not tried
}

// Met tells whether nothing is missing.
func (n Need) Met() bool { return n.Err == nil && n.After == "" }

// Probe looks at everything that sandboxes need of this host, by trying, for an operator
// to read. It is what New and Check refuse by, with some advice. Dir must be a directory of
// its own; nothing is left in it but what New would make. Agent and Images are not needed.
// It fails only when cfg is wrong.
func Probe(cfg Config) ([]Need, error) {
	cfg.Agent, cfg.Images = "none", noImages{}
	rt, err := newRuntime(cfg)
	if err != nil {
		return nil, err
	}
	needs := rt.probes().all()
	if err := rt.unmountRunDir(); err != nil {
		needs = append(needs, Need{Name: "clean-up", Err: fmt.Errorf("take the place of mounts away again: %w", err)})
	}
	return append(needs, advice()...), nil
}

// noImages is the image store of a Runtime that makes no sandboxes.
type noImages struct{}

var errNoImages = errors.New("this runtime has no images")

func (noImages) Resolve(context.Context, string) (image.Image, error) {
	return image.Image{}, errNoImages
}

func (noImages) Lease(context.Context, image.Image, string) (image.RootFS, error) {
	return image.RootFS{}, errNoImages
}

func (noImages) Release(string) error { return nil }

// probes are the steps that find out whether this host can run sandboxes, each after
// those that it builds on. A step fills in what it learns in the Runtime.
type probes []probe

type probe struct {
	name  string
	after []string
	try   func() (found string, err error)
}

func (rt *Runtime) probes() probes {
	const root, runtime, groups, disks, space = "root", "runtime", "cgroups", "mkfs.ext4", "disk space"
	return probes{
		{root, nil, probeUser},
		{runtime, nil, rt.probeRuntime},
		{"user namespaces", []string{root, runtime}, rt.probeNamespaces},
		{groups, nil, rt.probeCgroups},
		{"seccomp", nil, rt.probeSeccomp},
		{space, nil, rt.probeSpace},
		{disks, nil, probeMkfs},
		{"loop devices and overlayfs", []string{root, runtime, groups, disks, space}, rt.probeRoot},
	}
}

// first tries the steps until one fails, and returns its error.
func (ps probes) first() error {
	for _, p := range ps {
		if _, err := p.try(); err != nil {
			return fmt.Errorf("%w: %w", sandbox.ErrUnavailable, err)
		}
	}
	return nil
}

// all tries every step whose foundations hold.
func (ps probes) all() []Need {
	var needs []Need
	unmet := map[string]bool{}
	for _, p := range ps {
		n := Need{Name: p.name}
		for _, below := range p.after {
			if unmet[below] && n.After == "" {
				n.After = below
			}
		}
		if n.After == "" {
			n.Found, n.Err = p.try()
		}
		unmet[p.name] = !n.Met()
		needs = append(needs, n)
	}
	return needs
}

func probeUser() (string, error) {
	if os.Geteuid() != 0 {
		return "", errors.New("sandboxes need root to mount file systems and set limits; run the server as root")
	}
	return "user 0", nil
}
