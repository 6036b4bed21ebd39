package sandbox

import (
	"context"
	"time"
)

// HostLoad is implemented by runtimes that can tell what the host of their sandboxes is
// busy with: whoever compares two Loads learns whether a command that took long was kept
// waiting by others.
type HostLoad interface {
	Load(ctx context.Context) (Load, error)
}

// Load is what a host has done since it was started. All but Wall and CPUs only ever
// grow: what matters is what lies between two of them.
type Load struct {
	Wall    time.Time     // when it was read
	CPUBusy time.Duration // over all CPUs: everything but idling and waiting for disks, and what was stolen by the host's own host
	CPUs    int           // that are in use

	// How long work was kept waiting (pressure stall information); 0 when the kernel
	// does not tell.
	CPUStalled    time.Duration // at least one task waited for a CPU
	MemoryStalled time.Duration // all tasks waited for memory
	IOStalled     time.Duration // all tasks waited for disks
}
