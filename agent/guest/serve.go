package guest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"

	"assay/agent/internal/wire"
	"assay/internal/sandbox"
)

// serve answers requests until the client hangs up or one fails.
func (a *Agent) serve(c *conn) {
	for {
		if err := c.Idle(); err != nil {
			return
		}
		if err := c.nc.setBusy(true); err != nil {
			return
		}
		if err := a.request(c); err != nil {
			if !errors.Is(err, errClientGone) {
				c.WriteFail(wire.AsError(err)) //nolint:errcheck // it hangs up either way
			}
			return
		}
		if err := c.nc.setBusy(false); err != nil {
			return
		}
	}
}

// request reads one request and writes its answer. An error is sent as a Fail.
func (a *Agent) request(c *conn) error {
	var req wire.Request
	if err := c.ReadHead(&req); err != nil {
		return invalid("read request: %v", err)
	}
	if req.Protocol != wire.Protocol {
		return &wire.Error{Code: wire.CodeProtocol, Message: fmt.Sprintf("the agent speaks protocol %d, the request %d", wire.Protocol, req.Protocol)}
	}
	if req.Op != wire.OpLayer && req.Op != wire.OpReplace {
		if err := c.ReadEnd(); err != nil {
			return invalid("read request: %v", err)
		}
		if err := c.nc.setBusy(false); err != nil {
			return err
		}
	}
	if err := a.dispatch(c, &req); err != nil {
		return err
	}
	if err := c.WriteEnd(); err != nil {
		return errClientGone
	}
	return nil
}

func (a *Agent) dispatch(c *conn, req *wire.Request) error {
	switch req.Op {
	case wire.OpHello:
		return c.WriteHead(wire.Hello{Protocol: wire.Protocol, Version: version(), Sandbox: a.cfg.Sandbox, StartedAt: a.started})
	case wire.OpExec:
		return a.exec(c, req)
	case wire.OpAttach:
		return a.attach(c, req.ID)
	case wire.OpKill:
		return a.commands.kill(req.ID)
	case wire.OpKillAll:
		ctx, cancel := context.WithTimeout(context.Background(), killPatience)
		defer cancel()
		return a.commands.killAll(ctx)
	case wire.OpForget:
		return a.commands.forget(req.ID)
	case wire.OpSpool:
		return a.readSpool(c, req.ID)
	case wire.OpWait:
		return a.wait(c)
	case wire.OpRead:
		return a.readFile(c, req)
	case wire.OpCollect:
		return a.collect(c, req)
	case wire.OpLayer:
		return a.applyLayer(c, req)
	case wire.OpReplace:
		return a.replace(c, req)
	case wire.OpList:
		return a.list(c, req)
	case wire.OpLstat:
		return a.lstat(c, req)
	case wire.OpProtect:
		return a.protect(req)
	}
	return invalid("unknown operation %q", req.Op)
}

func (a *Agent) exec(c *conn, req *wire.Request) error {
	if req.Command == nil {
		return invalid("exec without a command")
	}
	if a.isExpired() {
		return errEnding
	}
	a.times.pass() // what the command makes is newer than what was laid
	cmd, err := a.commands.start(*req.Command)
	if err != nil {
		return err
	}
	return a.answer(c, cmd)
}

func (a *Agent) attach(c *conn, id string) error {
	cmd, err := a.commands.find(id)
	if err != nil {
		return err
	}
	return a.answer(c, cmd)
}

// answer holds the client until cmd has ended and tells it how. A command that
// the sandbox's own end took along has no end to tell.
func (a *Agent) answer(c *conn, cmd *command) error {
	if !c.hold(cmd.done) {
		return errClientGone
	}
	if a.isExpired() {
		return errEnding
	}
	r := &cmd.result
	err := c.WriteHead(wire.Ended{
		Exit: r.Exit, Started: r.Started, Duration: r.Duration,
		Stdout: streamSizes(r.Stdout), Stderr: streamSizes(r.Stderr),
	})
	for _, p := range [][]byte{r.Stdout.Head, r.Stdout.Tail, r.Stderr.Head, r.Stderr.Tail} {
		if err == nil {
			err = c.WriteData(p)
		}
	}
	if err != nil {
		return errClientGone
	}
	return nil
}

func (a *Agent) readSpool(c *conn, id string) error {
	s, err := a.commands.spooled(id)
	if err != nil {
		return err
	}
	if err := c.WriteHead(wire.Spool{Total: s.total, Kept: s.kept}); err != nil {
		return err
	}
	return s.send(c)
}

func streamSizes(o sandbox.Output) wire.Stream {
	return wire.Stream{Head: int64(len(o.Head)), Tail: int64(len(o.Tail)), Total: o.Total}
}

func (a *Agent) wait(c *conn) error {
	if !c.hold(a.expired) {
		return errClientGone
	}
	return c.WriteHead(wire.Death{Reason: sandbox.DeathExpired})
}

func (a *Agent) isExpired() bool {
	select {
	case <-a.expired:
		return true
	default:
		return false
	}
}

func (a *Agent) readFile(c *conn, req *wire.Request) error {
	content, mode, err := readFile(a.resolve(string(req.Path)), req.Limit)
	if err != nil {
		return err
	}
	if err := c.WriteHead(wire.File{Size: int64(len(content)), Mode: uint32(mode)}); err != nil {
		return err
	}
	return c.WriteData(content)
}

func (a *Agent) collect(c *conn, req *wire.Request) error {
	if req.Collect == nil {
		return invalid("collect without patterns")
	}
	cr := *req.Collect
	cr.Root = a.resolve(cr.Root)
	return collect(cr, func(name string, mode fs.FileMode, size int64, r io.Reader) error {
		if err := c.WriteHead(wire.File{Name: []byte(name), Size: size, Mode: uint32(mode)}); err != nil {
			return err
		}
		n, err := c.ReadFrom(io.LimitReader(r, size))
		if err == nil && n < size {
			err = fmt.Errorf("read %s: it shrank meanwhile", name)
		}
		return err
	})
}

func (a *Agent) applyLayer(c *conn, req *wire.Request) error {
	if err := applyLayer(a.resolve(string(req.Path)), c, &a.times); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, c); err != nil { // padding after the tar's end
		return invalid("read layer: %v", err)
	}
	return endOfRequest(c)
}

func (a *Agent) replace(c *conn, req *wire.Request) error {
	old, fresh, err := readEdit(c, req.OldSize)
	if err != nil {
		return err
	}
	if err := endOfRequest(c); err != nil {
		return err
	}
	name := string(req.Path)
	a.times.pass()
	return c.WriteHead(replace(a.resolve(name), name, old, fresh))
}

// readEdit reads the two strings of an edit, the first of which has oldSize bytes.
func readEdit(r io.Reader, oldSize int64) (old, fresh []byte, err error) {
	p, err := io.ReadAll(io.LimitReader(r, 2*wire.MaxReplaceFile+1))
	if err != nil {
		return nil, nil, invalid("read edit: %v", err)
	}
	size := int64(len(p))
	if oldSize < 0 || oldSize > size {
		return nil, nil, invalid("edit of %d bytes, %d of them to find", size, oldSize)
	}
	if oldSize > wire.MaxReplaceFile || size-oldSize > wire.MaxReplaceFile {
		return nil, nil, &wire.Error{Code: wire.CodeTooLarge, Message: fmt.Sprintf("strings of an edit have at most %d bytes", wire.MaxReplaceFile)}
	}
	return p[:oldSize], p[oldSize:], nil
}

func (a *Agent) list(c *conn, req *wire.Request) error {
	return walk(a.resolve(string(req.Path)), 0, func(n *node) error {
		if n.name == "." {
			return nil
		}
		return c.WriteHead(wire.File{Name: []byte(n.name), Mode: uint32(n.mode)})
	})
}

func (a *Agent) lstat(c *conn, req *wire.Request) error {
	name := string(req.Name)
	if !filepath.IsLocal(name) || path.Clean(name) != name {
		return invalid("%q is not a path below the root", name)
	}
	mode, target, err := lstat(a.resolve(string(req.Path)), name)
	if err != nil {
		return err
	}
	return c.WriteHead(wire.File{Mode: uint32(mode), Target: target})
}

func (a *Agent) protect(req *wire.Request) error {
	if req.Protect == nil {
		return invalid("protect without a tree")
	}
	pr := *req.Protect
	pr.Root = a.resolve(pr.Root)
	return protectTree(pr)
}

func endOfRequest(c *conn) error {
	if err := c.ReadEnd(); err != nil {
		return invalid("read request: %v", err)
	}
	return c.nc.setBusy(false)
}
