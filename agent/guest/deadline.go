package guest

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// deadline is a moment that nobody in the sandbox can move: it is on CLOCK_BOOTTIME,
// which cannot be set and goes on while the host sleeps. Waiting for it takes a thread,
// which is there from the start, and nothing that the kernel could refuse later: no
// descriptor, no timer, no poller.
type deadline struct {
	clock int32
	at    unix.Timespec
}

// newDeadline returns the moment after d.
func newDeadline(d time.Duration) (deadline, error) {
	clock := int32(unix.CLOCK_BOOTTIME)
	err := unix.ClockNanosleep(clock, unix.TIMER_ABSTIME, new(unix.Timespec), nil) // long ago
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {               // gVisor does not sleep on it
		clock, err = unix.CLOCK_MONOTONIC, nil
	}
	var now unix.Timespec
	if err == nil {
		err = unix.ClockGettime(clock, &now)
	}
	if err != nil {
		return deadline{}, fmt.Errorf("set the deadline: %w", err)
	}
	return deadline{clock, unix.NsecToTimespec(now.Nano() + max(d, 1).Nanoseconds())}, nil
}

// wait returns nil at the deadline.
func (d deadline) wait() error {
	for {
		err := unix.ClockNanosleep(d.clock, unix.TIMER_ABSTIME, &d.at, nil)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
