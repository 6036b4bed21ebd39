package guest

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// deadline is a timer that nobody in the sandbox can move: it counts on
// CLOCK_BOOTTIME, which cannot be set and goes on while the host sleeps.
type deadline struct{ f *os.File }

func newDeadline(d time.Duration) (*deadline, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_BOOTTIME, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if errors.Is(err, unix.EINVAL) { // gVisor has no CLOCK_BOOTTIME timers
		fd, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	}
	if err != nil {
		return nil, fmt.Errorf("make deadline timer: %w", err)
	}
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(max(d, 1).Nanoseconds())}
	if err := unix.TimerfdSettime(fd, 0, &spec, nil); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("set deadline timer: %w", err)
	}
	return &deadline{os.NewFile(uintptr(fd), "deadline")}, nil
}

// Wait returns nil at the deadline, and an error when the timer was closed before.
func (d *deadline) Wait() error {
	var ticks [8]byte
	_, err := d.f.Read(ticks[:])
	return err
}

// Close stops the timer; it may be called twice.
func (d *deadline) Close() error { return d.f.Close() }
