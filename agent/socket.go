package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// maxSocketPath is the longest path that a sockaddr_un takes (unix(7)), without
// its terminating zero.
const maxSocketPath = 107

// Listen makes the socket on which an agent will answer, for the runtime to pass
// on as ListenFD. Only its owner may connect. It fails when path exists.
func Listen(path string) (*os.File, error) {
	var f *os.File
	err := withShortPath(path, func(short string) error {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
		if err != nil {
			return err
		}
		l.SetUnlinkOnClose(false)
		f, err = l.File()
		if cerr := l.Close(); err == nil {
			err = cerr
		}
		return err
	})
	if err == nil {
		err = os.Chmod(path, 0o600)
	}
	if err != nil {
		if f != nil {
			f.Close()
			os.Remove(path)
		}
		return nil, fmt.Errorf("listen for agent: %w", err)
	}
	return f, nil
}

// errRefused says that nobody listens: the agent is dead, or cannot listen.
var errRefused = errors.New("nobody listens")

// dial connects to an agent. It fails with errRefused when nobody listens.
func dial(ctx context.Context, path string) (net.Conn, error) {
	var conn net.Conn
	err := withShortPath(path, func(short string) error {
		var d net.Dialer
		var err error
		conn, err = d.DialContext(ctx, "unix", short)
		return err
	})
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT) {
		return nil, fmt.Errorf("%w: %w", errRefused, err)
	}
	return conn, err
}

// withShortPath calls fn with a name of path that fits into a socket address: for
// a long one, its directory goes by way of a descriptor.
func withShortPath(path string, fn func(short string) error) error {
	if len(path) <= maxSocketPath {
		return fn(path)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return fn(fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)))
}
