package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"assay/agent/internal/wire"
	"assay/internal/sandbox"
)

// Exec runs a command to its end, or waits for the one of that id when the agent
// has it. When ctx ends or the connection is lost for good, the command goes on.
//
// ExitStatus.OOMKilled is left to the runtime, which sees the memory's counters.
func (c *Client) Exec(ctx context.Context, cmd sandbox.Command) (sandbox.Result, error) {
	if err := checkCommand(cmd); err != nil {
		return sandbox.Result{}, fmt.Errorf("run command %s: %w", cmd.ID, err)
	}
	exec := wire.Request{Op: wire.OpExec, Command: &cmd}
	attach := wire.Request{Op: wire.OpAttach, ID: cmd.ID}
	req := exec
	for try := 1; ; try++ {
		var res sandbox.Result
		err := c.once(ctx, req, nil, receiveResult(&res))
		switch {
		case err == nil:
			return res, nil
		case req.Op == wire.OpAttach && errors.Is(err, sandbox.ErrUnknownCommand):
			req = exec // the request never arrived
		case isBroken(err):
			req = attach // it may have arrived; find out without starting a second one
		default:
			return sandbox.Result{}, fmt.Errorf("run command %s: %w", cmd.ID, err)
		}
		if try == maxTries {
			return sandbox.Result{}, fmt.Errorf("run command %s: %w", cmd.ID, err)
		}
		if err := pause(ctx, retryPause); err != nil {
			return sandbox.Result{}, fmt.Errorf("run command %s: %w", cmd.ID, err)
		}
	}
}

// Attach waits for the end of a command that was started earlier.
func (c *Client) Attach(ctx context.Context, id string) (sandbox.Result, error) {
	var res sandbox.Result
	if err := c.again(ctx, wire.Request{Op: wire.OpAttach, ID: id}, receiveResult(&res)); err != nil {
		return sandbox.Result{}, fmt.Errorf("wait for command %s: %w", id, err)
	}
	return res, nil
}

// checkCommand refuses what the agent would, and what JSON would change on its way.
func checkCommand(cmd sandbox.Command) error {
	if cmd.OutputLimit > wire.MaxOutput {
		return fmt.Errorf("output limit of %d bytes, at most %d are kept in memory", cmd.OutputLimit, wire.MaxOutput)
	}
	texts := append([]string{cmd.ID, cmd.Dir}, cmd.Argv...)
	for _, set := range []map[string]string{cmd.Env, cmd.EnvDefaults} {
		for k, v := range set {
			texts = append(texts, k, v)
		}
	}
	for _, s := range texts {
		if !utf8.ValidString(s) {
			return fmt.Errorf("%.40q is not UTF-8", s)
		}
	}
	return nil
}

// receiveResult reads the answer to an exec or attach.
func receiveResult(res *sandbox.Result) func(*wire.Conn) error {
	return func(w *wire.Conn) error {
		var e wire.Ended
		if err := w.ReadHead(&e); err != nil {
			return err
		}
		if e.Exit.Code < 0 || e.Exit.Code > 255 {
			return fmt.Errorf("exit code %d", e.Exit.Code)
		}
		e.Exit.OOMKilled = false
		*res = sandbox.Result{Exit: e.Exit, Started: e.Started, Duration: e.Duration}
		if err := receiveOutput(w, e.Stdout, &res.Stdout); err != nil {
			return err
		}
		return receiveOutput(w, e.Stderr, &res.Stderr)
	}
}

func receiveOutput(w *wire.Conn, s wire.Stream, out *sandbox.Output) error {
	if s.Head < 0 || s.Tail < 0 || s.Head > wire.MaxOutput || s.Tail > wire.MaxOutput-s.Head || s.Total < s.Head+s.Tail {
		return fmt.Errorf("output of impossible sizes %+v", s)
	}
	out.Total = s.Total
	var err error
	if out.Head, err = receiveBytes(w, s.Head); err != nil {
		return err
	}
	out.Tail, err = receiveBytes(w, s.Tail)
	return err
}

// receiveBytes reads exactly n bytes of data, nil when n is 0. Memory grows as
// they come, whatever n was announced.
func receiveBytes(w *wire.Conn, n int64) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	p, err := io.ReadAll(io.LimitReader(w, n))
	if err == nil && int64(len(p)) < n {
		err = io.ErrUnexpectedEOF
	}
	return p, err
}
