package oci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"assay/internal/sandbox"
)

// process names a process of this host for good: PIDs come again, also after a
// reboot, but not with the same start.
type process struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks after boot
	Boot  string `json:"boot"`  // of the host
}

// findProcess names the process that has pid now.
func findProcess(pid int) (process, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil { // which says nothing of the process
		return process{}, fmt.Errorf("tell this boot of the host from others: %v", err) //nolint:errorlint // it is no error of the process, whatever it is
	}
	start, err := startOf(pid)
	return process{PID: pid, Start: start, Boot: strings.TrimSpace(string(boot))}, err
}

// startOf reads when a process started: field 22 of /proc/PID/stat (proc(5)). A
// zombie counts as gone.
func startOf(pid int) (uint64, error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	// Field 2, the name, may hold anything, but no parenthesis follows it.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 {
		return 0, fmt.Errorf("read the start of process %d: %q", pid, stat)
	}
	if fields[0] == "Z" || fields[0] == "X" {
		return 0, fmt.Errorf("process %d is dead: %w", pid, unix.ESRCH)
	}
	return strconv.ParseUint(fields[19], 10, 64)
}

// open returns a descriptor of the process, ErrGone when it has ended.
func (p process) open() (*os.File, error) {
	gone := fmt.Errorf("process %d has ended: %w", p.PID, sandbox.ErrGone)
	if p.PID <= 0 {
		return nil, gone
	}
	fd, err := unix.PidfdOpen(p.PID, unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.ESRCH) {
		return nil, gone
	}
	if err != nil {
		return nil, fmt.Errorf("open process %d: %w", p.PID, err)
	}
	// The descriptor holds whatever has the PID now; was that ours?
	now, err := findProcess(p.PID)
	ended := errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH)
	if err == nil && now == p {
		return os.NewFile(uintptr(fd), "pidfd"), nil
	}
	unix.Close(fd) // of somebody else, or of nobody
	if err != nil && !ended {
		return nil, fmt.Errorf("look at process %d: %w", p.PID, err)
	}
	return nil, gone
}

// alive tells whether the process has not ended, unless that cannot be found out.
func (p process) alive() (bool, error) {
	f, err := p.open()
	if errors.Is(err, sandbox.ErrGone) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	f.Close()
	return true, nil
}

// kill kills the process and returns when it has ended.
func (p process) kill(ctx context.Context) error {
	f, err := p.open()
	if errors.Is(err, sandbox.ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.PidfdSendSignal(int(f.Fd()), unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill process %d: %w", p.PID, err)
	}
	return waitEnd(ctx, f)
}

// wait returns when the process has ended.
func (p process) wait(ctx context.Context) error {
	f, err := p.open()
	if errors.Is(err, sandbox.ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return waitEnd(ctx, f)
}

// deathTime is how long a process that is about to end may take.
const deathTime = 2 * time.Second

// ended waits a moment for the end of the process, and returns nil when it has come. An
// agent that dies refuses connections just before.
func (p process) ended(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, deathTime)
	defer cancel()
	err := p.wait(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("process %d lives", p.PID)
	}
	return err
}

// waitEnd waits until the process of a pidfd has ended, when it becomes readable.
func waitEnd(ctx context.Context, f *os.File) error {
	stop := context.AfterFunc(ctx, func() {
		f.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck // fails only when closed
	})
	defer stop()
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	err = raw.Read(func(fd uintptr) bool {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return err == nil && n > 0
	})
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
