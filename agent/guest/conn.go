package guest

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"assay/agent/internal/wire"
)

// maxConns bounds connections; most are held by waiting clients.
const maxConns = 256

// patience is how long a client may pause in the middle of a request, or leave
// an answer unread.
const patience = 30 * time.Second

// connSet owns the goroutines that serve connections.
type connSet struct {
	limit int

	mu    sync.Mutex
	conns map[*conn]struct{}
	group sync.WaitGroup
}

// serve runs fn with nc on a goroutine of its own, or refuses nc when there are
// too many.
func (s *connSet) serve(nc net.Conn, fn func(*conn)) {
	c := newConn(nc)
	s.mu.Lock()
	full := len(s.conns) >= s.limit
	if !full {
		if s.conns == nil {
			s.conns = make(map[*conn]struct{})
		}
		s.conns[c] = struct{}{}
		s.group.Add(1)
	}
	s.mu.Unlock()
	if full {
		c.WriteFail(&wire.Error{Code: wire.CodeBusy, Message: "too many connections to the agent"}) //nolint:errcheck // it hangs up either way
		nc.Close()
		return
	}
	go func() {
		defer s.group.Done()
		fn(c)
		nc.Close()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
}

// finish ends idle connections and waits until the others have ended or ctx has;
// then it ends those too.
func (s *connSet) finish(ctx context.Context) {
	s.each(func(c *conn) { c.nc.SetReadDeadline(time.Unix(1, 0)) }) //nolint:errcheck // fails only when closed
	stop := context.AfterFunc(ctx, func() { s.each(func(c *conn) { c.nc.Close() }) })
	defer stop()
	s.group.Wait()
}

func (s *connSet) each(fn func(*conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		fn(c)
	}
}

// conn is a connection of a client.
type conn struct {
	*wire.Conn
	nc *timedConn
}

func newConn(nc net.Conn) *conn {
	t := &timedConn{Conn: nc}
	return &conn{Conn: wire.NewConn(t), nc: t}
}

// hold waits for done. It tells false as soon as the client hangs up.
func (c *conn) hold(done <-chan struct{}) bool {
	// Most commands are over before it pays to watch the client.
	t := time.NewTimer(20 * time.Millisecond)
	select {
	case <-done:
		t.Stop()
		return true
	case <-t.C:
	}
	hungUp := make(chan struct{})
	joined := make(chan struct{})
	go func() {
		defer close(joined)
		if err := c.Idle(); err != nil && !isTimeout(err) {
			close(hungUp)
		}
	}()
	select {
	case <-done:
		c.nc.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck // fails only when closed
		<-joined
		c.nc.SetReadDeadline(time.Time{}) //nolint:errcheck // fails only when closed
		return true
	case <-hungUp:
		<-joined
		return false
	}
}

func isTimeout(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}

// timedConn gives up on a client that pauses in the middle of an exchange.
type timedConn struct {
	net.Conn
	busy  bool // in the middle of a request
	timed bool // a read deadline is set
}

// setBusy tells whether the client owes the rest of a request.
func (t *timedConn) setBusy(busy bool) error {
	t.busy = busy
	if busy || !t.timed {
		return nil
	}
	t.timed = false
	return t.SetReadDeadline(time.Time{})
}

func (t *timedConn) Read(p []byte) (int, error) {
	if t.busy {
		t.timed = true
		if err := t.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return 0, err
		}
	}
	return t.Conn.Read(p)
}

func (t *timedConn) Write(p []byte) (int, error) {
	if err := t.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	return t.Conn.Write(p)
}
