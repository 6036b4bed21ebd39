package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"assay/agent/internal/wire"
	"assay/internal/sandbox"
)

// Client speaks to one agent. It is safe for concurrent use. It holds no state
// that matters: a new Client on the same path takes over from one that is lost.
//
// Errors wrap sandbox.ErrGone when nobody listens at the socket and Ended does not
// deny that the agent is dead, sandbox.ErrUnreachable when it did not answer
// otherwise, sandbox.ErrUnknownCommand,
// sandbox.ErrTooLarge or fs.ErrNotExist when the agent said so, and ctx's error
// when ctx ended; a hung agent is waited for as long as ctx lives. What the agent
// says is bounded and checked, not believed.
type Client struct {
	// Ended, if set, is asked for the proof when nobody listens: it returns nil when
	// the agent has ended, and else why that is not so. Set it before the first use.
	Ended func(context.Context) error

	pool pool
}

// NewClient makes a client of the agent that listens at socketPath, which may be
// of any length. It connects when it is first used.
func NewClient(socketPath string) *Client {
	return &Client{pool: pool{path: socketPath}}
}

// Close closes the warm connections; those in use end with their operation.
func (c *Client) Close() error {
	c.pool.close()
	return nil
}

// Hello asks the agent who it is. It fails when the agent speaks another protocol.
func (c *Client) Hello(ctx context.Context) (Hello, error) {
	var h wire.Hello
	err := c.again(ctx, wire.Request{Op: wire.OpHello}, func(w *wire.Conn) error { return w.ReadHead(&h) })
	if err == nil && h.Protocol != Protocol {
		err = fmt.Errorf("agent speaks protocol %d, this is %d", h.Protocol, Protocol)
	}
	if err != nil {
		return Hello{}, fmt.Errorf("greet agent: %w", err)
	}
	return Hello(h), nil
}

// Kill kills the whole process tree of a running command and returns when none of
// it is left. It does nothing to a command that has ended.
func (c *Client) Kill(ctx context.Context, id string) error {
	if err := c.again(ctx, wire.Request{Op: wire.OpKill, ID: id}, nil); err != nil {
		return fmt.Errorf("kill command %s: %w", id, err)
	}
	return nil
}

// KillAll kills every process of the sandbox but the agent and returns when none
// is left.
func (c *Client) KillAll(ctx context.Context) error {
	if err := c.again(ctx, wire.Request{Op: wire.OpKillAll}, nil); err != nil {
		return fmt.Errorf("kill all processes: %w", err)
	}
	return nil
}

// Forget lets the agent drop the end of a finished command; nil when it has none
// of that id. It fails while the command runs.
func (c *Client) Forget(ctx context.Context, id string) error {
	if err := c.again(ctx, wire.Request{Op: wire.OpForget, ID: id}, nil); err != nil {
		return fmt.Errorf("forget command %s: %w", id, err)
	}
	return nil
}

// Wait returns when the agent has ended: DeathExpired when it said so, else
// DeathLost (the runtime may know better: out of memory, destroyed). An error says
// that nobody watches any more, and not that the agent has ended.
func (c *Client) Wait(ctx context.Context) (sandbox.Death, error) {
	for try := 1; ; try++ {
		var d wire.Death
		err := c.once(ctx, wire.Request{Op: wire.OpWait}, nil, func(w *wire.Conn) error { return w.ReadHead(&d) })
		switch {
		case err == nil && d.Reason == sandbox.DeathExpired:
			return sandbox.DeathExpired, nil
		case err == nil:
			return "", fmt.Errorf("wait for agent: it said it ended by %q", d.Reason)
		case errors.Is(err, sandbox.ErrGone):
			return sandbox.DeathLost, nil
		case !isBroken(err) || try == maxTries:
			return "", fmt.Errorf("wait for agent: %w", err)
		}
		if err := pause(ctx, retryPause); err != nil {
			return "", fmt.Errorf("wait for agent: %w", err)
		}
	}
}

// A broken connection is retried so often, with a pause between: a dying agent
// breaks connections before it refuses them.
const (
	maxTries   = 5
	retryPause = 20 * time.Millisecond
)

// again is once for requests that may be made twice: it makes them again on a new
// connection when one breaks.
func (c *Client) again(ctx context.Context, req wire.Request, receive func(*wire.Conn) error) error {
	for try := 1; ; try++ {
		err := c.once(ctx, req, nil, receive)
		if !isBroken(err) || try == maxTries {
			return err
		}
		if err := pause(ctx, retryPause); err != nil {
			return err
		}
	}
}

// once makes one request on one connection. send writes what follows its Head,
// receive reads the answer up to its End; nil is nothing. When the connection
// breaks, the error is a brokenError.
func (c *Client) once(ctx context.Context, req wire.Request, send, receive func(*wire.Conn) error) error {
	l, err := c.link(ctx)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, l.interrupt)
	req.Protocol = Protocol
	err = l.exchange(&req, send, receive)
	if stop() && err == nil {
		c.pool.put(l)
		return nil
	}
	l.conn.Close()
	if err == nil {
		return nil // ctx ended after the answer
	}
	if cerr := ctx.Err(); cerr != nil {
		return cerr
	}
	return err
}

// diagnose tells whether a broken connection means that the agent is gone, for
// requests that cannot be made again.
func (c *Client) diagnose(ctx context.Context, err error) error {
	if !isBroken(err) {
		return err
	}
	if perr := pause(ctx, retryPause); perr != nil {
		return perr
	}
	conn, derr := c.dial(ctx)
	if errors.Is(derr, sandbox.ErrGone) {
		return derr
	}
	if derr == nil {
		conn.Close()
	}
	return err
}

// link takes a warm connection, or makes one.
func (c *Client) link(ctx context.Context) (*link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if l := c.pool.get(); l != nil {
		return l, nil
	}
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	return newLink(conn), nil
}

// dial connects to the agent. When nobody listens, it is dead if that can be proven.
func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	conn, err := dial(ctx, c.pool.path)
	if err == nil {
		return conn, nil
	}
	if cerr := ctx.Err(); cerr != nil {
		return nil, fmt.Errorf("reach agent: %w", cerr)
	}
	kind := sandbox.ErrUnreachable
	if errors.Is(err, errRefused) {
		kind = sandbox.ErrGone
		if c.Ended != nil {
			if denied := c.Ended(ctx); denied != nil {
				kind = fmt.Errorf("%w, and has not ended (%v)", sandbox.ErrUnreachable, denied) //nolint:errorlint // why it has not is no kind of this error
			}
		}
	}
	return nil, fmt.Errorf("reach agent: %w (%w)", kind, err)
}

// pause sleeps for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pool keeps warm connections to one socket.
type pool struct {
	path string

	mu     sync.Mutex
	idle   []*link // the one used last is last
	closed bool
}

// maxIdle is how many warm connections are kept.
const maxIdle = 4

// get returns the connection that was used last; nil when there is none.
func (p *pool) get() *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	l := p.idle[n-1]
	p.idle = p.idle[:n-1]
	return l
}

func (p *pool) put(l *link) {
	p.mu.Lock()
	keep := !p.closed && len(p.idle) < maxIdle
	if keep {
		p.idle = append(p.idle, l)
	}
	p.mu.Unlock()
	if !keep {
		l.conn.Close()
	}
}

func (p *pool) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, l := range idle {
		l.conn.Close()
	}
}
