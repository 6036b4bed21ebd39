// Package memory is a sandbox runtime for tests of what uses sandboxes: no
// processes, no files on disk, but the port's rules, and faults on demand. It passes
// the conformance suite as far as that takes no programs.
//
//	rt := memory.New(memory.Options{Images: map[string]memory.Image{"img": {Files: ...}}})
//	rt.SetFaults(memory.Faults{Create: func(context.Context, sandbox.Spec) error { return errFull }})
//	rt.Kill(id, sandbox.DeathLost)
//	next := rt.Reopen() // what a server sees that was started again
package memory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"assay/internal/sandbox"
)

// Name is what handles of this runtime carry.
const Name = "memory"

// Image is what a sandbox starts with.
type Image struct {
	Env   map[string]string
	Files map[string]File // by absolute path; parents are made
}

// Options configures a Runtime.
type Options struct {
	// Images are known by these references.
	Images map[string]Image
	// Program runs commands. Defaults to Builtin.
	Program Program
	// Now is the clock. When it is set, deadlines pass only in ExpireDue. Defaults to
	// time.Now, with timers.
	Now func() time.Time
}

// Faults are called before the operation of that name, when set. An error is
// returned to the caller and the operation is not made; to block is a fault, too.
type Faults struct {
	Create  func(context.Context, sandbox.Spec) error
	Open    func(context.Context, sandbox.Handle) error
	Destroy func(context.Context, sandbox.Handle) error
	Check   func(context.Context) error
	Changes func(context.Context, sandbox.Handle) error
	Apply   func(context.Context, sandbox.Handle) error // a layer
	Wait    func(context.Context, sandbox.Handle) error
	Ping    func(context.Context, sandbox.Handle) error
	// Replace is called before an edit.
	Replace func(context.Context, sandbox.Handle) error
	// CheckBox is the Check of a sandbox.
	CheckBox func(context.Context, sandbox.Handle) error
	// LoseExec is called when a command has been started: its error is what the
	// caller gets, as of a lost connection. The command goes on.
	LoseExec func(sandbox.Command) error
}

// host is what outlives a Runtime.
type host struct {
	opts Options

	mu     sync.Mutex
	boxes  map[string]*Sandbox
	faults Faults
	load   func(context.Context) (sandbox.Load, error)
}

// Runtime makes sandboxes in memory.
type Runtime struct{ host *host }

var (
	_ sandbox.Runtime  = (*Runtime)(nil)
	_ sandbox.HostLoad = (*Runtime)(nil)
)

// New makes a Runtime without sandboxes.
func New(opts Options) *Runtime {
	if opts.Program == nil {
		opts.Program = Builtin
	}
	return &Runtime{&host{opts: opts, boxes: make(map[string]*Sandbox)}}
}

// Reopen makes another Runtime over the same sandboxes.
func (rt *Runtime) Reopen() *Runtime { return &Runtime{rt.host} }

// SetFaults replaces the faults.
func (rt *Runtime) SetFaults(f Faults) {
	rt.host.mu.Lock()
	defer rt.host.mu.Unlock()
	rt.host.faults = f
}

func (h *host) fault() Faults {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.faults
}

func (h *host) now() time.Time {
	if h.opts.Now != nil {
		return h.opts.Now()
	}
	return time.Now()
}

var idPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// Create makes a sandbox.
func (rt *Runtime) Create(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	sb, err := rt.host.create(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("create sandbox %s: %w", spec.ID, err)
	}
	return sb, nil
}

func (h *host) create(ctx context.Context, spec sandbox.Spec) (*Sandbox, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	switch {
	case !idPattern.MatchString(spec.ID):
		return nil, fmt.Errorf("%q is no name for a sandbox", spec.ID)
	case !path.IsAbs(spec.Workdir):
		return nil, fmt.Errorf("work tree %q is not an absolute path", spec.Workdir)
	case !spec.Deadline.After(h.now()):
		return nil, errors.New("the deadline is not in the future")
	case spec.Network != "" && spec.Network != sandbox.NetworkNone && spec.Network != sandbox.NetworkFull:
		return nil, fmt.Errorf("unknown network %q", spec.Network)
	}
	if fault := h.fault().Create; fault != nil {
		if err := fault(ctx, spec); err != nil {
			return nil, err
		}
	}
	img, ok := h.opts.Images[spec.Image]
	if !ok {
		return nil, fmt.Errorf("%w: no image %q", sandbox.ErrImage, spec.Image)
	}
	sb := newSandbox(h, spec, img)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.boxes[spec.ID] != nil {
		sb.end(sandbox.DeathDestroyed)
		return nil, errors.New("there is a sandbox of this id")
	}
	h.boxes[spec.ID] = sb
	return sb, nil
}

// Open takes over a sandbox.
func (rt *Runtime) Open(ctx context.Context, handle sandbox.Handle) (sandbox.Sandbox, error) {
	if fault := rt.host.fault().Open; fault != nil {
		if err := fault(ctx, handle); err != nil {
			return nil, fmt.Errorf("open sandbox %s: %w", handle.ID, err)
		}
	}
	sb := rt.host.find(handle.ID)
	if sb == nil || sb.life.Err() != nil {
		return nil, fmt.Errorf("open sandbox %s: %w", handle.ID, sandbox.ErrGone)
	}
	return sb, nil
}

func (h *host) find(id string) *Sandbox {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.boxes[id]
}

// List tells every sandbox that was not destroyed, sorted by id.
func (rt *Runtime) List(context.Context) ([]sandbox.Handle, error) {
	rt.host.mu.Lock()
	defer rt.host.mu.Unlock()
	var handles []sandbox.Handle
	for _, id := range slices.Sorted(maps.Keys(rt.host.boxes)) {
		handles = append(handles, rt.host.boxes[id].handle)
	}
	return handles, nil
}

// Destroy ends a sandbox and forgets it, when nothing runs in it any more.
func (rt *Runtime) Destroy(ctx context.Context, handle sandbox.Handle) error {
	if !idPattern.MatchString(handle.ID) {
		return fmt.Errorf("destroy sandbox: %q is no name for one", handle.ID)
	}
	if fault := rt.host.fault().Destroy; fault != nil {
		if err := fault(ctx, handle); err != nil {
			return fmt.Errorf("destroy sandbox %s: %w", handle.ID, err)
		}
	}
	sb := rt.host.find(handle.ID)
	if sb == nil {
		return nil
	}
	sb.end(sandbox.DeathDestroyed)
	sb.running.Wait()
	rt.host.mu.Lock()
	defer rt.host.mu.Unlock()
	if rt.host.boxes[handle.ID] == sb { // else somebody else was here first
		delete(rt.host.boxes, handle.ID)
	}
	return nil
}

// Check finds nothing wrong, unless a fault does.
func (rt *Runtime) Check(ctx context.Context) error {
	if fault := rt.host.fault().Check; fault != nil {
		return fault(ctx)
	}
	return nil
}

// SetLoad says what Load answers. Before, it is a host of one CPU that does nothing.
func (rt *Runtime) SetLoad(load func(context.Context) (sandbox.Load, error)) {
	rt.host.mu.Lock()
	defer rt.host.mu.Unlock()
	rt.host.load = load
}

// Load is what SetLoad says.
func (rt *Runtime) Load(ctx context.Context) (sandbox.Load, error) {
	rt.host.mu.Lock()
	load := rt.host.load
	rt.host.mu.Unlock()
	if load == nil {
		return sandbox.Load{Wall: rt.host.now(), CPUs: 1}, ctx.Err()
	}
	return load(ctx)
}

// Location is "memory".
func (rt *Runtime) Location() string { return Name }

// Kill makes a sandbox die; false when there is none of this id.
func (rt *Runtime) Kill(id string, why sandbox.Death) bool {
	sb := rt.host.find(id)
	if sb != nil {
		sb.end(why)
	}
	return sb != nil
}

// ExpireDue ends the sandboxes whose deadline has passed by Options.Now.
func (rt *Runtime) ExpireDue() {
	rt.host.mu.Lock()
	boxes := slices.Collect(maps.Values(rt.host.boxes))
	rt.host.mu.Unlock()
	now := rt.host.now()
	for _, sb := range boxes {
		if !sb.handle.Deadline.After(now) {
			sb.end(sandbox.DeathExpired)
		}
	}
}

// Names tells which sandboxes there are, dead ones included: what a test expects to
// be empty in the end.
func (rt *Runtime) Names() []string {
	rt.host.mu.Lock()
	defer rt.host.mu.Unlock()
	return slices.Sorted(maps.Keys(rt.host.boxes))
}

// clean makes name absolute, starting at dir.
func clean(dir, name string) string {
	if !strings.HasPrefix(name, "/") {
		name = path.Join(dir, name)
	}
	return path.Clean(name)
}
