package oci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	if err != nil {
		return process{}, err
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
	if now, err := findProcess(p.PID); err != nil || now != p {
		unix.Close(fd) // of somebody else
		return nil, gone
	}
	return os.NewFile(uintptr(fd), "pidfd"), nil
}

// alive tells whether the process has not ended.
func (p process) alive() bool {
	f, err := p.open()
	if err != nil {
		return false
	}
	f.Close()
	return true
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
