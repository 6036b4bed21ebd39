package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Who is killed leaves a search or a server that holds the data directory, and that nobody
// stops.

func holderFile(data string) string { return filepath.Join(data, "attacks.pid") }

// noteHolder writes down which process holds a data directory.
func noteHolder(data string, pid int) error {
	return os.WriteFile(holderFile(data), []byte(strconv.Itoa(pid)), 0o600)
}

// endLeftover ends the process that an earlier run left and that holds a data directory. It
// goes on where it was when it is started again.
func endLeftover(data, program string) error {
	content, err := os.ReadFile(holderFile(data))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(string(content))
	if err != nil {
		return fmt.Errorf("read %s: %w", holderFile(data), err)
	}
	if !runs(pid, program) {
		return os.Remove(holderFile(data))
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("end what an earlier run left: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for runs(pid, program) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("process %d, which an earlier run left, does not end", pid)
		case <-tick.C:
		}
	}
	return os.Remove(holderFile(data))
}

// runs tells whether a process is one of the program: ids are given again to others.
func runs(pid int, program string) bool {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return false
	}
	name, _, _ := strings.Cut(string(line), "\x00")
	return filepath.Base(name) == filepath.Base(program)
}
