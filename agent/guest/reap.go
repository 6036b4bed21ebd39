package guest

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"assay/agent"
)

// reap is the one place that waits for children: those that were started here and
// the orphans that PID 1 inherits. It runs as long as the process.
//
// It looks first and reaps under the lock, so that a child is registered before
// it is gone, and its PID is not given to another one in between.
func (c *commands) reap() {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOWAIT, nil)
		switch err {
		case nil:
			c.reapZombies()
		case unix.EINTR:
		case unix.ECHILD:
			// Orphans descend from our children: without one there is no other.
			<-c.forked
		default:
			fmt.Fprintf(os.Stderr, "assay-agent: wait for children: %v\n", err)
			os.Exit(agent.ExitFault)
		}
	}
}

// reapZombies reaps every child that has ended.
func (c *commands) reapZombies() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if cmd := c.byPID[pid]; cmd != nil {
			delete(c.byPID, pid)
			go c.finish(cmd, ws, time.Now())
		}
	}
}
