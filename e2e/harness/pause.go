package harness

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// pauseBound is how long the threads of a server may take to stop: one that writes to a
// disk ends that first.
const pauseBound = 10 * time.Second

// Pause stops the server where it is, until Resume, and returns when no thread of it
// runs or is in the midst of a system call.
func (s *Server) Pause() error {
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("pause the server: %w", err)
	}
	for deadline := time.Now().Add(pauseBound); ; {
		stopped, err := stopped(s.Pid())
		if err != nil || stopped {
			return err
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("the server has not stopped within %s", pauseBound), s.Resume())
		}
		<-time.After(time.Millisecond)
	}
}

// Resume lets a paused server go on.
func (s *Server) Resume() error { return s.cmd.Process.Signal(syscall.SIGCONT) }

// stopped tells whether every thread of a process is: state T in /proc/PID/task/TID/stat
// (proc(5)), which follows the name in parentheses.
func stopped(pid int) (bool, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return false, err
	}
	for _, task := range tasks {
		stat, err := os.ReadFile(task)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue
		}
		if err != nil {
			return false, err
		}
		if !bytes.HasPrefix(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" T")) {
			return false, nil
		}
	}
	return len(tasks) > 0, nil
}
