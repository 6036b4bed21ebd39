package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"assay/agent"
	"assay/agent/internal/wire"
	"assay/internal/sandbox"
)

// Ends of commands are kept until they are forgotten, or until there are more of
// them than this; then the oldest go first.
const (
	maxKept      = 1024
	maxKeptBytes = 64 << 20 // of output
)

// command is one command, running or ended.
type command struct {
	id        string
	requestID string // on whose behalf it runs; "" for none
	pid       int
	mark      mark
	started   time.Time
	limit     *time.Timer // kills it when its time is up; nil when it has no timeout

	stdout, stderr *stream
	spool          *spool // of standard output; nil when none was asked for; complete when done is closed

	timedOut bool           // guarded by commands.mu
	kills    sync.WaitGroup // kills that go on; joined by finish, so added to only while its process is in byPID

	result sandbox.Result
	done   chan struct{} // closed when result is there
}

// commands is every command of the sandbox.
type commands struct {
	launcher   launcher
	maxRunning int
	spools     string        // a directory on the disk that they are on
	background chan struct{} // see stream
	log        *agentLog

	// mu also covers fork and reaping: a child is known here before it can be
	// reaped, and a PID is not used again while it is looked at.
	mu      sync.Mutex
	byID    map[string]*command
	byPID   map[int]*command // those whose root process was not reaped
	running int              // not done
	kept    []*command       // done, oldest first
	keptLen int64            // bytes of their output

	forked chan struct{} // tells the reaper that there is a child again; holds 1
}

func newCommands(cfg agent.Config) (*commands, error) {
	l, err := newLauncher(cfg)
	if err != nil {
		return nil, err
	}
	c := &commands{
		launcher:   l,
		maxRunning: cfg.MaxRunning,
		spools:     cfg.SpoolDir,
		background: make(chan struct{}, maxBackground),
		log:        newLog(os.Stderr),
		byID:       make(map[string]*command),
		byPID:      make(map[int]*command),
		forked:     make(chan struct{}, 1),
	}
	go c.reap()
	return c, nil
}

// start starts a command, or finds the one of that id.
func (c *commands) start(spec sandbox.Command) (*command, error) {
	if spec.ID == "" || len(spec.Argv) == 0 || spec.Timeout < 0 || spec.OutputLimit < 0 || spec.Spool < 0 {
		return nil, invalid("command without id or arguments, or with a negative bound")
	}
	if spec.OutputLimit > wire.MaxOutput {
		return nil, invalid("output limit of %d bytes, at most %d are kept in memory", spec.OutputLimit, wire.MaxOutput)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if cmd := c.byID[spec.ID]; cmd != nil {
		return cmd, nil
	}
	if c.running >= c.maxRunning {
		return nil, &wire.Error{Code: wire.CodeBusy, Message: fmt.Sprintf("%d commands are running in the sandbox already", c.running)}
	}
	cmd, err := c.launch(spec)
	if err != nil {
		return nil, err
	}
	c.byID[cmd.id] = cmd
	return cmd, nil
}

// launch forks. A command that cannot be executed has ended at once, like one
// that a shell could not execute.
func (c *commands) launch(spec sandbox.Command) (*command, error) {
	cmd := &command{id: spec.ID, requestID: spec.RequestID, done: make(chan struct{})}
	if spec.Spool > 0 {
		var err error
		if cmd.spool, err = newSpool(c.spools, spec.Spool); err != nil {
			c.log.command(cmd.id, cmd.requestID, "its output is not kept: %v", err)
		}
	}
	cmd.started = time.Now()
	child, err := c.launcher.launch(spec)
	if refused, ok := errors.AsType[*refusal](err); ok {
		c.log.command(cmd.id, cmd.requestID, "was not started: %q", refused.message)
		cmd.result = refused.result(cmd.started)
		close(cmd.done)
		c.keep(cmd)
		return cmd, nil
	}
	if err != nil {
		cmd.spool.close()
		return nil, err
	}
	cmd.pid, cmd.mark = child.pid, child.mark
	keep := spec.OutputLimit
	if keep == 0 {
		keep = sandbox.DefaultOutputLimit
	}
	cmd.stdout = newStream(child.stdout, keep, cmd.spool, c.background)
	cmd.stderr = newStream(child.stderr, keep, nil, c.background)
	c.byPID[cmd.pid] = cmd
	c.running++
	if spec.Timeout > 0 {
		cmd.limit = time.AfterFunc(spec.Timeout, func() { c.expire(cmd) })
	}
	select {
	case c.forked <- struct{}{}:
	default:
	}
	return cmd, nil
}

// find finds a command, running or ended.
func (c *commands) find(id string) (*command, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cmd := c.byID[id]; cmd != nil {
		return cmd, nil
	}
	return nil, fmt.Errorf("%w %q", sandbox.ErrUnknownCommand, id)
}

// spooled finds what was kept of the output of a command that has ended.
func (c *commands) spooled(id string) (*spool, error) {
	cmd, err := c.find(id)
	if err != nil {
		return nil, err
	}
	if cmd.spool == nil {
		return nil, fmt.Errorf("%w: the output of %q was not asked to be kept", sandbox.ErrUnknownCommand, id)
	}
	select {
	case <-cmd.done:
		return cmd.spool, nil
	default:
		return nil, invalid("command %s is still running", id)
	}
}

// forget drops the end of a command.
func (c *commands) forget(id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	cmd := c.byID[id]
	if cmd == nil {
		return nil
	}
	i := slices.Index(c.kept, cmd)
	if i < 0 {
		return invalid("command %s is still running", id)
	}
	c.drop(i)
	return nil
}

// keep files the end of a command and drops the oldest beyond the bounds, but
// never this one.
func (c *commands) keep(cmd *command) {
	c.kept = append(c.kept, cmd)
	c.keptLen += cmd.size()
	for len(c.kept) > 1 && (len(c.kept) > maxKept || c.keptLen > maxKeptBytes) {
		c.drop(0)
	}
}

func (c *commands) drop(i int) {
	cmd := c.kept[i]
	c.kept = slices.Delete(c.kept, i, i+1)
	c.keptLen -= cmd.size()
	delete(c.byID, cmd.id)
	cmd.spool.close()
}

func (cmd *command) size() int64 {
	o, e := &cmd.result.Stdout, &cmd.result.Stderr
	return int64(len(o.Head) + len(o.Tail) + len(e.Head) + len(e.Tail))
}

// finish is called when the root process of cmd was reaped: what its pipes hold
// now belongs to it, what comes later does not.
func (c *commands) finish(cmd *command, ws syscall.WaitStatus, ended time.Time) {
	cmd.kills.Wait() // nobody hears of the end of a tree before all of it is gone
	stdout, stderr := cmd.stdout.settle(), cmd.stderr.settle()
	if cmd.limit != nil {
		cmd.limit.Stop()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	cmd.result = sandbox.Result{
		Exit:     exitStatus(ws, cmd.timedOut),
		Stdout:   stdout,
		Stderr:   stderr,
		Started:  cmd.started,
		Duration: ended.Sub(cmd.started),
	}
	c.running--
	c.keep(cmd)
	close(cmd.done)
}

// exitStatus tells the end of a process as bash does.
func exitStatus(ws syscall.WaitStatus, timedOut bool) sandbox.ExitStatus {
	st := sandbox.ExitStatus{Code: ws.ExitStatus(), TimedOut: timedOut}
	if ws.Signaled() {
		st.Signal = int(ws.Signal())
		st.Code = 128 + st.Signal
	}
	if timedOut {
		st.Code = 124
	}
	return st
}

// expire kills a command whose time is up.
func (c *commands) expire(cmd *command) {
	if err := c.killTree(cmd, true); err != nil {
		c.log.command(cmd.id, cmd.requestID, "timed out, and could not be killed: %v", err)
		return
	}
	c.log.command(cmd.id, cmd.requestID, "timed out and was killed")
}

// kill kills the tree of a running command.
func (c *commands) kill(id string) error {
	cmd, err := c.find(id)
	if err != nil {
		return err
	}
	return c.killTree(cmd, false)
}

// killPatience is how long killed processes may take to be gone.
const killPatience = 10 * time.Second

// killTree kills a command and all that descends from it, unless its root process
// has ended by itself.
func (c *commands) killTree(cmd *command, timedOut bool) error {
	c.mu.Lock()
	if cmd.pid == 0 || c.byPID[cmd.pid] != cmd {
		c.mu.Unlock()
		return nil
	}
	cmd.timedOut = cmd.timedOut || timedOut
	cmd.kills.Add(1)
	defer cmd.kills.Done()
	// First the process group, all at once: a fork bomb rarely leaves it.
	syscall.Kill(-cmd.pid, syscall.SIGKILL) //nolint:errcheck // the search below finds what is left
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), killPatience)
	defer cancel()
	return c.launcher.marks.kill(ctx, cmd.mark)
}

// killAll kills every process but this one and returns when they were reaped.
// kill(-1) reaches all of them at one moment, also those that fork.
func (c *commands) killAll(ctx context.Context) error {
	for wait := 200 * time.Microsecond; ; wait = min(2*wait, 10*time.Millisecond) {
		err := syscall.Kill(-1, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("kill all processes: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("kill all processes: some are left: %w", ctx.Err())
		case <-time.After(wait):
		}
	}
}
