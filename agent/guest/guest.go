// Package guest is the agent inside a sandbox: PID 1, which runs its commands,
// reaps its zombies, moves its files and ends it in time.
//
// Everything else in the sandbox is hostile and runs as the same user. What keeps
// it off: the agent cannot be traced or read (seal.go), its socket exists on the
// host only, and it believes nothing it finds in a file.
package guest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"assay/agent"
)

// ErrExpired says that the sandbox's deadline passed.
var ErrExpired = errors.New("the sandbox's deadline passed")

// Agent serves one sandbox.
type Agent struct {
	cfg      agent.Config
	started  time.Time
	commands *commands
	times    clock // of what layers lay

	expired chan struct{} // closed at the deadline
	conns   connSet
}

// lastAnswers is how long waiting clients get to read why the sandbox ended.
const lastAnswers = 2 * time.Second

// Run serves connections from l until the deadline and returns ErrExpired, or
// earlier why it could not go on. The process must be PID 1 of the sandbox: Run
// takes over reaping, signals and what children inherit, and kills every other
// process before it returns. It cannot be called twice in one process.
func Run(cfg agent.Config, l net.Listener) error {
	if os.Getpid() != 1 {
		return errors.New("not PID 1: the agent kills everything around it, so it runs in a PID namespace of its own only")
	}
	reserveThreads(spareThreads)
	deadline, err := newDeadline(time.Duration(cfg.RemainingMS) * time.Millisecond)
	if err != nil {
		return err
	}
	if err := seal(); err != nil {
		return err
	}
	cmds, err := newCommands(cfg)
	if err != nil {
		return err
	}
	a := &Agent{cfg: cfg, started: time.Now(), commands: cmds, expired: make(chan struct{})}
	a.conns.limit = maxConns

	var loops sync.WaitGroup
	failed := make(chan error, 2)
	loops.Go(func() { failed <- a.accept(l) })
	go func() { failed <- deadline.wait() }()
	err = <-failed // nil only from the deadline
	if err == nil {
		err = ErrExpired
		close(a.expired)
	}
	// The reaper and the deadline are not joined: they end with the process, which has
	// work for the one as long as anything lives, and nothing wakes the other.
	ctx, cancel := context.WithTimeout(context.Background(), lastAnswers)
	defer cancel()
	if kerr := a.commands.killAll(ctx); kerr != nil {
		err = fmt.Errorf("%w; %w", err, kerr)
	}
	l.Close()
	loops.Wait() // no connection comes any more: finish waits for all of them
	a.conns.finish(ctx)
	return err
}

// accept serves connections until l is closed.
func (a *Agent) accept(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil { // out of descriptors or memory: both may pass
			<-time.After(10 * time.Millisecond)
			continue
		}
		if err := checkPeer(conn); err != nil {
			conn.Close()
			continue
		}
		a.conns.serve(conn, a.serve)
	}
}

// version names the build.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}
