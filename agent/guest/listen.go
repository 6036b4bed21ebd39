package guest

import (
	"context"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"assay/agent"
)

// Listener finds the socket on which the agent answers: the one it inherited as
// agent.ListenFD, else a new one at cfg.Listen.
func Listener(cfg agent.Config) (net.Listener, error) {
	if isListening(agent.ListenFD) {
		f := os.NewFile(agent.ListenFD, "listener")
		defer f.Close()
		l, err := net.FileListener(f) // a copy, closed on exec
		if err != nil {
			return nil, fmt.Errorf("take over socket: %w", err)
		}
		return l, nil
	}
	if cfg.Listen == "" {
		return nil, fmt.Errorf("no socket as descriptor %d, and the config names no path to listen at", agent.ListenFD)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "unix", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("make socket: %w", err)
	}
	if err := os.Chmod(cfg.Listen, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("make socket: %w", err)
	}
	return l, nil
}

// isListening tells whether fd is a unix stream socket that listens.
func isListening(fd int) bool {
	for opt, want := range map[int]int{
		unix.SO_DOMAIN:     unix.AF_UNIX,
		unix.SO_TYPE:       unix.SOCK_STREAM,
		unix.SO_ACCEPTCONN: 1,
	} {
		if v, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, opt); err != nil || v != want {
			return false
		}
	}
	return true
}
