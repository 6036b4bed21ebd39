package agent

import (
	"errors"
	"fmt"
	"net"
	"time"

	"assay/agent/internal/wire"
	"assay/internal/sandbox"
)

// link is one connection to an agent.
type link struct {
	conn net.Conn
	wire *wire.Conn
}

func newLink(conn net.Conn) *link {
	return &link{conn: conn, wire: wire.NewConn(conn)}
}

// interrupt makes every read and write fail, now and later.
func (l *link) interrupt() {
	l.conn.SetDeadline(time.Unix(1, 0)) //nolint:errcheck // fails only when closed
}

// lastWord is how long a failed send waits for the agent to say why it stopped
// reading.
const lastWord = 5 * time.Second

// exchange makes one request. After an error the link is of no more use.
func (l *link) exchange(req *wire.Request, send, receive func(*wire.Conn) error) error {
	if err := l.wire.WriteHead(req); err != nil {
		return classify(err)
	}
	if send != nil {
		if err := send(l.wire); err != nil {
			return l.sendFailed(err)
		}
	}
	if err := l.wire.WriteEnd(); err != nil {
		return l.sendFailed(&wire.SendError{Err: err})
	}
	if receive != nil {
		if err := receive(l.wire); err != nil {
			return classify(err)
		}
	}
	return classify(l.wire.ReadEnd())
}

// sendFailed finds out why a request could not be sent: an agent that refuses one
// answers and hangs up, without reading to its end.
func (l *link) sendFailed(err error) error {
	if _, ours := errors.AsType[*wire.SendError](err); !ours {
		return classify(err)
	}
	if derr := l.conn.SetReadDeadline(time.Now().Add(lastWord)); derr != nil {
		return classify(err)
	}
	if e, ok := errors.AsType[*wire.Error](l.wire.ReadEnd()); ok {
		return e
	}
	return classify(err)
}

// brokenError says that a connection broke before its exchange was over, or
// carried nonsense. What became of the request is unknown.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return fmt.Sprintf("connection to agent broke: %v", e.err) }
func (e *brokenError) Unwrap() error { return e.err }

// Is makes it a sandbox.ErrUnreachable.
func (e *brokenError) Is(target error) bool { return target == sandbox.ErrUnreachable }

func isBroken(err error) bool {
	_, ok := errors.AsType[*brokenError](err)
	return ok
}

// callerError is a fault of what the caller passed in: a reader, a function.
type callerError struct{ err error }

func (e *callerError) Error() string { return e.err.Error() }
func (e *callerError) Unwrap() error { return e.err }

// classify tells errors that the agent sent, and those of the caller, from a
// connection that broke.
func classify(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*callerError](err); ok {
		return e
	}
	return &brokenError{err}
}
