package memory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"assay/internal/sandbox"
)

// Program runs a command. Its context ends when the command is killed.
type Program func(ctx context.Context, p *Process) sandbox.ExitStatus

// Process is a command being run.
type Process struct {
	Command sandbox.Command
	Dir     string            // absolute
	Env     map[string]string // all of it
	Files   *Files
	Stdout  io.Writer
	Stderr  io.Writer
}

// Builtin knows true, false, echo and sleep. Everything else is not found.
func Builtin(ctx context.Context, p *Process) sandbox.ExitStatus {
	args := p.Command.Argv[1:]
	switch p.Command.Argv[0] {
	case "true":
		return sandbox.ExitStatus{}
	case "false":
		return sandbox.ExitStatus{Code: 1}
	case "echo":
		fmt.Fprintln(p.Stdout, strings.Join(args, " "))
		return sandbox.ExitStatus{}
	case "sleep":
		return sleep(ctx, args)
	}
	fmt.Fprintf(p.Stderr, "%s: not found\n", p.Command.Argv[0])
	return sandbox.ExitStatus{Code: 127}
}

func sleep(ctx context.Context, args []string) sandbox.ExitStatus {
	var total time.Duration
	for _, arg := range args {
		seconds, err := strconv.ParseFloat(arg, 64)
		if err != nil {
			return sandbox.ExitStatus{Code: 1}
		}
		total += time.Duration(seconds * float64(time.Second))
	}
	timer := time.NewTimer(total)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return sandbox.ExitStatus{}
}

// execution is a command that was started.
type execution struct {
	kill   context.CancelCauseFunc
	done   chan struct{} // closed at its end
	result sandbox.Result
	spool  *spool // of standard output; nil when none was asked for
}

var errKilled = errors.New("killed")

// start runs a command beside the caller, who holds sb.mu.
func (sb *Sandbox) start(cmd sandbox.Command) *execution {
	ctx, kill := context.WithCancelCause(sb.life)
	e := &execution{kill: kill, done: make(chan struct{})}
	cancel := context.CancelFunc(func() {})
	if cmd.Timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, cmd.Timeout)
	}
	limit := cmd.OutputLimit
	if limit == 0 {
		limit = sandbox.DefaultOutputLimit
	}
	stdout, stderr := &output{limit: limit}, &output{limit: limit}
	if cmd.Spool > 0 {
		e.spool = &spool{limit: cmd.Spool}
		stdout.spool = e.spool
	}
	env := make(map[string]string)
	for _, set := range []map[string]string{cmd.EnvDefaults, sb.env, cmd.Env} {
		maps.Copy(env, set)
	}
	p := &Process{Command: cmd, Dir: clean(sb.handle.Workdir, cmd.Dir), Env: env, Files: sb.files, Stdout: stdout, Stderr: stderr}
	e.result.Started = sb.host.now()
	sb.running.Go(func() {
		defer close(e.done)
		defer kill(nil)
		defer cancel()
		e.result.Exit = sb.host.opts.Program(ctx, p)
		switch cause := context.Cause(ctx); {
		case errors.Is(cause, errKilled):
			e.result.Exit = sandbox.ExitStatus{Code: 137, Signal: 9}
		case errors.Is(cause, context.DeadlineExceeded):
			e.result.Exit = sandbox.ExitStatus{Code: 124, Signal: 9, TimedOut: true}
		}
		e.result.Duration = sb.host.now().Sub(e.result.Started)
		e.result.Stdout, e.result.Stderr = stdout.end(), stderr.end()
	})
	return e
}

// stop kills the command and waits for its end.
func (e *execution) stop(ctx context.Context) error {
	e.kill(errKilled)
	select {
	case <-e.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// output keeps the first and the last half of what is written.
type output struct {
	limit int64

	mu    sync.Mutex
	out   sandbox.Output
	spool *spool // nil when none is wanted, or the program is over
}

// spool keeps the first limit bytes of an output.
type spool struct {
	limit, total int64
	kept         []byte
}

func (s *spool) write(p []byte) {
	s.total += int64(len(p))
	s.kept = append(s.kept, p[:min(int64(len(p)), s.limit-int64(len(s.kept)))]...)
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.spool != nil {
		o.spool.write(p)
	}
	o.out.Total += int64(len(p))
	rest := p
	if room := o.limit/2 - int64(len(o.out.Head)); room > 0 {
		n := min(room, int64(len(rest)))
		o.out.Head, rest = append(o.out.Head, rest[:n]...), rest[n:]
	}
	o.out.Tail = append(o.out.Tail, rest...)
	if over := int64(len(o.out.Tail)) - (o.limit - o.limit/2); over > 0 {
		o.out.Tail = append([]byte(nil), o.out.Tail[over:]...)
	}
	return len(p), nil
}

// end is what was kept. A program that writes after it is over does not change it.
func (o *output) end() sandbox.Output {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.spool = nil
	return o.out
}
