package memory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"assay/internal/sandbox"
)

// Sandbox is a sandbox in memory.
type Sandbox struct {
	host   *host
	handle sandbox.Handle
	env    map[string]string
	base   map[string]File // the image, never changed
	files  *Files

	life    context.Context // ends when the sandbox does; the cause is a deathError
	kill    context.CancelCauseFunc
	free    context.CancelFunc // of the deadline's timer
	running sync.WaitGroup     // commands; added to with mu held and while the sandbox lives

	mu       sync.Mutex
	commands map[string]*execution
}

var (
	_ sandbox.Sandbox     = (*Sandbox)(nil)
	_ sandbox.Snapshotter = (*Sandbox)(nil)
	_ sandbox.Checker     = (*Sandbox)(nil)
	_ sandbox.Marker      = (*Sandbox)(nil)
)

// deathError is why a sandbox ended.
type deathError sandbox.Death

func (d deathError) Error() string { return string(d) }

func newSandbox(h *host, spec sandbox.Spec, img Image) *Sandbox {
	files := newFiles(img.Files)
	base := files.snapshot()
	files.mkdirAll(spec.Workdir)
	env := maps.Clone(img.Env)
	if env == nil {
		env = make(map[string]string)
	}
	maps.Copy(env, spec.Env)
	sb := &Sandbox{
		host: h, env: env, base: base, files: files, commands: make(map[string]*execution),
		handle: sandbox.Handle{
			Version: sandbox.HandleVersion, Runtime: Name, ID: spec.ID, Workdir: spec.Workdir,
			CreatedAt: h.now(), Deadline: spec.Deadline, Labels: maps.Clone(spec.Labels),
		},
	}
	life := context.Background()
	sb.free = func() {}
	if h.opts.Now == nil {
		life, sb.free = context.WithDeadlineCause(life, spec.Deadline, deathError(sandbox.DeathExpired))
	}
	sb.life, sb.kill = context.WithCancelCause(life)
	return sb
}

// end makes the sandbox die, the first time. It takes mu: a command is started before
// that, and whoever waits for it afterwards waits for this one, too, or never.
func (sb *Sandbox) end(why sandbox.Death) {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	sb.kill(deathError(why))
	sb.free()
}

// gone is ErrGone when the sandbox is dead.
func (sb *Sandbox) gone() error {
	if cause := context.Cause(sb.life); cause != nil {
		return fmt.Errorf("sandbox %s (%w): %w", sb.handle.ID, cause, sandbox.ErrGone)
	}
	return nil
}

// Files is the sandbox's file system, to look into and change behind its back.
func (sb *Sandbox) Files() *Files { return sb.files }

// Handle is what to store to find the sandbox again.
func (sb *Sandbox) Handle() sandbox.Handle { return sb.handle }

// Exec runs a command, or waits for the one of that id.
func (sb *Sandbox) Exec(ctx context.Context, cmd sandbox.Command) (sandbox.Result, error) {
	if err := ctx.Err(); err != nil {
		return sandbox.Result{}, err
	}
	if cmd.ID == "" || len(cmd.Argv) == 0 {
		return sandbox.Result{}, errors.New("run command: no id or no program")
	}
	if cmd.OutputLimit > sandbox.MaxOutputLimit || min(cmd.OutputLimit, cmd.Spool, int64(cmd.Timeout)) < 0 {
		return sandbox.Result{}, fmt.Errorf("run command %s: output limit of %d bytes, at most %d are kept in memory; or a negative bound", cmd.ID, cmd.OutputLimit, sandbox.MaxOutputLimit)
	}
	sb.mu.Lock()
	if err := sb.gone(); err != nil {
		sb.mu.Unlock()
		return sandbox.Result{}, err
	}
	e := sb.commands[cmd.ID]
	if e == nil {
		e = sb.start(cmd)
		sb.commands[cmd.ID] = e
	}
	sb.mu.Unlock()
	if fault := sb.host.fault().LoseExec; fault != nil {
		if err := fault(cmd); err != nil {
			return sandbox.Result{}, err
		}
	}
	return sb.await(ctx, e)
}

// Attach waits for the end of a command that was started earlier.
func (sb *Sandbox) Attach(ctx context.Context, id string) (sandbox.Result, error) {
	e, err := sb.find(id)
	if err != nil {
		return sandbox.Result{}, err
	}
	return sb.await(ctx, e)
}

func (sb *Sandbox) find(id string) (*execution, error) {
	if err := sb.gone(); err != nil {
		return nil, err
	}
	sb.mu.Lock()
	defer sb.mu.Unlock()
	e := sb.commands[id]
	if e == nil {
		return nil, fmt.Errorf("command %s: %w", id, sandbox.ErrUnknownCommand)
	}
	return e, nil
}

// await waits for an end. One that the sandbox's own end brought is none.
func (sb *Sandbox) await(ctx context.Context, e *execution) (sandbox.Result, error) {
	select {
	case <-e.done:
	case <-sb.life.Done():
	case <-ctx.Done():
		return sandbox.Result{}, ctx.Err()
	}
	if err := sb.gone(); err != nil {
		return sandbox.Result{}, err
	}
	return e.result, nil
}

// Kill kills a running command.
func (sb *Sandbox) Kill(ctx context.Context, id string) error {
	e, err := sb.find(id)
	if err != nil {
		return err
	}
	return e.stop(ctx)
}

// KillAll kills all commands.
func (sb *Sandbox) KillAll(ctx context.Context) error {
	if err := sb.gone(); err != nil {
		return err
	}
	sb.mu.Lock()
	all := maps.Clone(sb.commands)
	sb.mu.Unlock()
	for _, e := range all {
		if err := e.stop(ctx); err != nil {
			return err
		}
	}
	return nil
}

// ReadSpool hands out what was kept of a standard output.
func (sb *Sandbox) ReadSpool(ctx context.Context, id string, fn func(total int64, r io.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e, err := sb.find(id)
	if err != nil {
		return fmt.Errorf("read an output: %w", err)
	}
	if e.spool == nil {
		return fmt.Errorf("read the output of command %s, which was not asked to be kept: %w", id, sandbox.ErrUnknownCommand)
	}
	select {
	case <-e.done:
		return fn(e.spool.total, bytes.NewReader(e.spool.kept))
	default:
		return fmt.Errorf("read the output of command %s: it is running", id)
	}
}

// Forget drops the end of a finished command.
func (sb *Sandbox) Forget(_ context.Context, id string) error {
	e, err := sb.find(id)
	if errors.Is(err, sandbox.ErrUnknownCommand) {
		return nil
	}
	if err != nil {
		return err
	}
	select {
	case <-e.done:
	default:
		return fmt.Errorf("forget command %s: it is running", id)
	}
	sb.mu.Lock()
	defer sb.mu.Unlock()
	delete(sb.commands, id)
	return nil
}

// Wait returns when the sandbox is dead.
func (sb *Sandbox) Wait(ctx context.Context) (sandbox.Death, error) {
	if fault := sb.host.fault().Wait; fault != nil {
		if err := fault(ctx, sb.handle); err != nil {
			return "", fmt.Errorf("wait for sandbox %s: %w", sb.handle.ID, err)
		}
	}
	select {
	case <-sb.life.Done():
		var why deathError
		if !errors.As(context.Cause(sb.life), &why) {
			return sandbox.DeathLost, nil
		}
		return sandbox.Death(why), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Destroy ends the sandbox and forgets it.
func (sb *Sandbox) Destroy(ctx context.Context) error {
	return (&Runtime{sb.host}).Destroy(ctx, sb.handle)
}

// ReadFile reads a regular file.
func (sb *Sandbox) ReadFile(ctx context.Context, name string, limit int64) ([]byte, fs.FileMode, error) {
	if err := sb.usable(ctx); err != nil {
		return nil, 0, err
	}
	f, err := sb.files.read(clean(sb.handle.Workdir, name))
	if err != nil {
		return nil, 0, err
	}
	if int64(len(f.Content)) > limit {
		return nil, 0, fmt.Errorf("read %s: %w", name, sandbox.ErrTooLarge)
	}
	return f.Content, f.Mode, nil
}

// Collect hands files that match patterns to fn.
func (sb *Sandbox) Collect(ctx context.Context, req sandbox.CollectRequest, fn func(name string, size int64, r io.Reader) error) error {
	if err := sb.usable(ctx); err != nil {
		return err
	}
	return sb.files.collect(clean(sb.handle.Workdir, req.Root), req, fn)
}

// List hands the names of everything below root to fn.
func (sb *Sandbox) List(ctx context.Context, root string, fn func(name string, mode fs.FileMode) error) error {
	if err := sb.usable(ctx); err != nil {
		return err
	}
	root = clean(sb.handle.Workdir, root)
	nodes := sb.files.snapshot()
	if !nodes[root].Mode.IsDir() {
		return fmt.Errorf("list %s: %w", root, fs.ErrNotExist)
	}
	for _, name := range slices.Sorted(maps.Keys(nodes)) {
		rest, below := strings.CutPrefix(name, strings.TrimSuffix(root, "/")+"/")
		if !below || rest == "" {
			continue
		}
		if err := fn(rest, nodes[name].Mode); err != nil {
			return err
		}
	}
	return nil
}

// Lstat tells what is at a name below root.
func (sb *Sandbox) Lstat(ctx context.Context, root, name string) (fs.FileMode, error) {
	file, err := sb.lstat(ctx, root, name)
	return file.Mode, err
}

// Readlink tells where the link at a name below root leads.
func (sb *Sandbox) Readlink(ctx context.Context, root, name string) (string, error) {
	file, err := sb.lstat(ctx, root, name)
	if err == nil && file.Link == "" {
		err = fmt.Errorf("read the link %s below %s: %w", name, root, fs.ErrInvalid)
	}
	return file.Link, err
}

func (sb *Sandbox) lstat(ctx context.Context, root, name string) (File, error) {
	if err := sb.usable(ctx); err != nil {
		return File{}, err
	}
	if !filepath.IsLocal(name) || path.Clean(name) != name {
		return File{}, fmt.Errorf("look at %s below %s: %w", name, root, fs.ErrInvalid)
	}
	node, there := sb.files.snapshot()[path.Join(clean(sb.handle.Workdir, root), name)]
	if !there {
		return File{}, fmt.Errorf("look at %s below %s: %w", name, root, fs.ErrNotExist)
	}
	return node, nil
}

// ApplyLayer lays a layer on a directory.
func (sb *Sandbox) ApplyLayer(ctx context.Context, root string, layer io.Reader) error {
	if err := sb.usable(ctx); err != nil {
		return err
	}
	if fault := sb.host.fault().Apply; fault != nil {
		if err := fault(ctx, sb.handle); err != nil {
			return err
		}
	}
	return sb.files.apply(clean(sb.handle.Workdir, root), layer)
}

// ProtectTree gives a tree the modes that keep others than root from changing it. Nobody
// else is here to be kept from it.
func (sb *Sandbox) ProtectTree(ctx context.Context, req sandbox.ProtectRequest) error {
	if err := sb.usable(ctx); err != nil {
		return err
	}
	return sb.files.protect(clean(sb.handle.Workdir, req.Root), req.Hidden)
}

// Replace replaces the one occurrence of a string in a text file.
func (sb *Sandbox) Replace(ctx context.Context, req sandbox.ReplaceRequest) (sandbox.ReplaceResult, error) {
	if err := sb.usable(ctx); err != nil {
		return sandbox.ReplaceResult{}, err
	}
	if fault := sb.host.fault().Replace; fault != nil {
		if err := fault(ctx, sb.handle); err != nil {
			return sandbox.ReplaceResult{}, err
		}
	}
	return sb.files.replace(clean(sb.handle.Workdir, req.Path), req.Old, req.New), nil
}

// Changes writes what differs from the image below root.
func (sb *Sandbox) Changes(ctx context.Context, root string, limits sandbox.ChangeLimits, w io.Writer) error {
	if err := sb.usable(ctx); err != nil {
		return err
	}
	if fault := sb.host.fault().Changes; fault != nil {
		if err := fault(ctx, sb.handle); err != nil {
			return err
		}
	}
	return writeChanges(sb.base, sb.files.snapshot(), clean(sb.handle.Workdir, root), limits, w)
}

func (sb *Sandbox) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return sb.gone()
}

// Check tells whether the host has failed the sandbox.
func (sb *Sandbox) Check(ctx context.Context) error {
	if fault := sb.host.fault().CheckBox; fault != nil {
		return fault(ctx, sb.handle)
	}
	return nil
}
