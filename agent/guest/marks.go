package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// mark tells the processes of one command from all others. A daemon leaves its
// parent, session and process group behind, and may change its environment; it
// cannot leave its resource limits. RLIMIT_LOCKS has had no effect since Linux
// 2.4.25 (getrlimit(2)), is inherited over fork and execve, and is read with one
// system call: each command gets a value of its own as soft and hard limit.
//
// The values go down from command to command. Raising a hard limit takes
// CAP_SYS_RESOURCE in the initial user namespace, so a process cannot take the
// mark of an earlier command. Lowering it is free; who does has a value that was
// not given out yet, or that of a later command, and dies with the next command
// that is killed, or with that one: see marks.stray.
type mark uint64

// marks gives out marks and kills by them.
type marks struct {
	proc     *os.File // the agent's procfs, whatever is mounted over it later
	resource int      // whose limit is the mark

	// last is the mark that was given out last, before its process was made; the
	// agent's own limit. Only next changes it.
	last atomic.Uint64
}

// firstMark is the limit before the first command. Whatever does not descend from
// a command has a larger one, mostly "unlimited".
const firstMark mark = 1 << 62

// rlimitLocks is RLIMIT_LOCKS of asm-generic/resource.h.
const rlimitLocks = 10

func newMarks() (*marks, error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	m := &marks{proc: proc, resource: rlimitLocks}
	m.last.Store(uint64(firstMark))
	err = m.set(firstMark)
	if errors.Is(err, unix.EPERM) {
		// gVisor knows few limits. It never dumps core, so that one is free there.
		m.resource = unix.RLIMIT_CORE
		err = m.set(firstMark)
	}
	if err != nil {
		proc.Close()
		return nil, fmt.Errorf("mark processes by a resource limit: %w", err)
	}
	return m, nil
}

func (m *marks) set(v mark) error {
	return unix.Prlimit(0, m.resource, &unix.Rlimit{Cur: uint64(v), Max: uint64(v)}, nil)
}

// next puts a new mark on the agent, for the next child to inherit.
func (m *marks) next() (mark, error) {
	v := mark(m.last.Load()) - 1
	if err := m.set(v); err != nil {
		return 0, fmt.Errorf("mark command: %w", err)
	}
	m.last.Store(uint64(v))
	return v, nil
}

// kill kills every process with the mark until none is left, and strays.
func (m *marks) kill(ctx context.Context, v mark) error {
	for wait := 100 * time.Microsecond; ; wait = min(2*wait, 20*time.Millisecond) {
		left, err := m.round(v)
		if err != nil {
			return fmt.Errorf("kill processes: %w", err)
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("kill processes: %d are left: %w", left, ctx.Err())
		case <-time.After(wait):
		}
	}
}

// round kills what it finds once, and tells how many of them were still alive.
func (m *marks) round(v mark) (int, error) {
	pids, err := m.pids()
	if err != nil {
		return 0, err
	}
	left := 0
	for _, pid := range pids {
		if m.killOne(pid, func(of mark) bool { return of == v || m.stray(of) }) {
			left++
		}
	}
	return left, nil
}

// stray tells whether a mark that was read from a process before was never given
// out: the process took off its own. Programs do lower RLIMIT_CORE for good reasons.
func (m *marks) stray(v mark) bool {
	return m.resource == rlimitLocks && v < mark(m.last.Load())
}

// killOne kills a process whose mark is wanted, and tells whether it was alive.
// The descriptor makes sure that the signal goes to the process that was looked
// at, and not to the next one with its PID.
func (m *marks) killOne(pid int, wanted func(mark) bool) bool {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) {
		return false
	}
	if err != nil { // gVisor
		return wanted(m.of(pid)) && !m.isZombie(pid) && unix.Kill(pid, unix.SIGKILL) == nil
	}
	defer unix.Close(fd)
	if !wanted(m.of(pid)) || hasEnded(fd) {
		return false
	}
	return unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) == nil
}

// hasEnded tells whether a process is a zombie or gone (pidfd_open(2)).
func hasEnded(pidfd int) bool {
	p := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	n, err := unix.Poll(p, 0)
	return err == nil && n == 1
}

// unmarked is the mark of a process that is gone or tells nobody.
const unmarked mark = 1<<64 - 1

// of reads the mark of a process.
func (m *marks) of(pid int) mark {
	var lim unix.Rlimit
	err := unix.Prlimit(pid, m.resource, nil, &lim)
	if err == nil {
		return mark(lim.Max)
	}
	if !errors.Is(err, unix.EPERM) {
		return unmarked
	}
	// It changed its user id: prlimit takes CAP_SYS_RESOURCE, this file nothing.
	text, err := m.read(pid, "limits")
	if err != nil {
		return unmarked
	}
	return parseLimit(text, m.resource)
}

// parseLimit finds the hard limit in a /proc/PID/limits (proc_pid_limits(5)).
func parseLimit(text []byte, resource int) mark {
	name := []byte("Max file locks")
	if resource == unix.RLIMIT_CORE {
		name = []byte("Max core file size")
	}
	for line := range bytes.Lines(text) {
		rest, ok := bytes.CutPrefix(line, name)
		if fields := bytes.Fields(rest); ok && len(fields) >= 2 {
			if v, err := strconv.ParseUint(string(fields[1]), 10, 64); err == nil {
				return mark(v)
			}
		}
	}
	return unmarked
}

// isZombie reads the state of a process (proc_pid_stat(5)).
func (m *marks) isZombie(pid int) bool {
	text, err := m.read(pid, "stat")
	if err != nil {
		return true
	}
	_, rest, _ := bytes.Cut(text[bytes.LastIndexByte(text, ')')+1:], []byte(" "))
	return len(rest) > 0 && (rest[0] == 'Z' || rest[0] == 'X')
}

// pids lists all processes but the agent.
func (m *marks) pids() ([]int, error) {
	fd, err := unix.Openat(int(m.proc.Fd()), ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	dir := os.NewFile(uintptr(fd), "/proc")
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid > 1 {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// read reads a small file of /proc/PID.
func (m *marks) read(pid int, name string) ([]byte, error) {
	fd, err := unix.Openat(int(m.proc.Fd()), strconv.Itoa(pid)+"/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	buf := make([]byte, 4<<10)
	n, err := unix.Read(fd, buf)
	return buf[:max(n, 0)], err
}
