package pgtest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Pause stops the processes of the server where they are, as a machine does that hangs: its
// connections stay open, and nobody answers. Resume lets them go on.
func (s *Server) Pause() error { return s.signal(syscall.SIGSTOP) }

// Resume lets the server go on after Pause.
func (s *Server) Resume() error { return s.signal(syscall.SIGCONT) }

// signal reaches the process that makes the others first, so that there is none that it misses.
func (s *Server) signal(what syscall.Signal) error {
	if err := syscall.Kill(s.pid, what); err != nil {
		return fmt.Errorf("signal PostgreSQL: %w", err)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", s.pid, s.pid))
	if err != nil {
		return fmt.Errorf("find the processes of PostgreSQL: %w", err)
	}
	for field := range strings.FieldsSeq(string(text)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			return fmt.Errorf("find the processes of PostgreSQL: %w", err)
		}
		if err := syscall.Kill(pid, what); err != nil && err != syscall.ESRCH { // it is a number
			return fmt.Errorf("signal PostgreSQL: %w", err)
		}
	}
	return nil
}
