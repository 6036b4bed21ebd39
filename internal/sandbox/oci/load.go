package oci

import (
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

var _ sandbox.HostLoad = (*Runtime)(nil)

// Load tells what this host has done so far, as its kernel counts it.
func (rt *Runtime) Load(ctx context.Context) (sandbox.Load, error) {
	if err := ctx.Err(); err != nil {
		return sandbox.Load{}, err
	}
	load, err := readLoad(os.DirFS("/proc"), time.Now())
	if err != nil {
		return sandbox.Load{}, fmt.Errorf("read the load of the host: %w", err)
	}
	return load, nil
}

// readLoad reads a procfs.
func readLoad(proc fs.FS, now time.Time) (sandbox.Load, error) {
	load := sandbox.Load{Wall: now}
	var err error
	if load.CPUBusy, load.CPUs, err = cpuTime(proc); err != nil {
		return load, err
	}
	for _, p := range []struct {
		file, line string
		total      *time.Duration
	}{
		{"pressure/cpu", "some", &load.CPUStalled},
		{"pressure/memory", "full", &load.MemoryStalled},
		{"pressure/io", "full", &load.IOStalled},
	} {
		if *p.total, err = stalled(proc, p.file, p.line); err != nil {
			return load, err
		}
	}
	return load, nil
}

// userTick is the unit of /proc/stat: USER_HZ, which is 100 wherever Go runs.
const userTick = time.Second / 100

// cpuTime reads from /proc/stat (proc_stat(5)) how long all CPUs were busy, and how many
// there are. Time of virtual machines is a part of user time there.
func cpuTime(proc fs.FS) (busy time.Duration, cpus int, err error) {
	text, err := fs.ReadFile(proc, "stat")
	if err != nil {
		return 0, 0, err
	}
	const user, nice, system, irq, softirq, steal = 1, 2, 3, 6, 7, 8
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) <= steal || !strings.HasPrefix(fields[0], "cpu"):
			continue
		case fields[0] != "cpu":
			cpus++
			continue
		}
		for _, i := range []int{user, nice, system, irq, softirq, steal} {
			ticks, err := strconv.ParseInt(fields[i], 10, 64)
			if err != nil {
				return 0, 0, fmt.Errorf("read stat: %w", err)
			}
			busy += time.Duration(ticks) * userTick
		}
	}
	if cpus == 0 {
		return 0, 0, errors.New("read stat: it names no CPU")
	}
	return busy, cpus, nil
}

// stalled reads the total of a line of a pressure file (kernel, accounting/psi.rst); 0
// when the kernel has none, or was told at its start not to count.
func stalled(proc fs.FS, file, line string) (time.Duration, error) {
	text, err := fs.ReadFile(proc, file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EOPNOTSUPP) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	for found := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(found, line+" ")
		if !ok {
			continue
		}
		if _, total, ok := strings.Cut(rest, "total="); ok {
			us, err := strconv.ParseInt(strings.TrimSpace(total), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("read %s: %w", file, err)
			}
			return time.Duration(us) * time.Microsecond, nil
		}
	}
	return 0, fmt.Errorf("read %s: no total of %q", file, line)
}
