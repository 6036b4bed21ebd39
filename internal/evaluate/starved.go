package evaluate

import (
	"context"
	"time"

	"assay"
	"assay/internal/sandbox"
)

// A suite is starved if others left it less than this part of the CPU time that its sample
// gives it, and, where the kernel tells, somebody waited for a CPU in this part of the time.
const (
	leastShare    = 0.75
	leastPressure = 0.1
)

// hostMeter tells how much of a host's CPU time others used since it was started: whoever
// is neither the suite nor whose work it is run on.
type hostMeter struct {
	host  sandbox.HostLoad
	own   func(context.Context) time.Duration // see Request.OwnCPU
	began sandbox.Load
	used  time.Duration
}

// measureHost starts a meter; nil where the runtime cannot tell.
func (r *run) measureHost(ctx context.Context) *hostMeter {
	host, ok := r.runtime.(sandbox.HostLoad)
	if !ok {
		return nil
	}
	m := &hostMeter{host: host, own: r.OwnCPU}
	if m.own == nil {
		m.own = func(context.Context) time.Duration { return 0 }
	}
	var err error
	if m.began, err = host.Load(ctx); err != nil {
		return nil
	}
	m.used = m.own(ctx)
	return m
}

// starved tells whether others left too little to a suite that used so much itself, of the
// cores that it may use. Who starves his own suite with his other sandboxes, or runs into
// his own limits, is not excused.
func (m *hostMeter) starved(ctx context.Context, suite time.Duration, cores float64) bool {
	if m == nil {
		return false
	}
	now, err := m.host.Load(ctx)
	wall := now.Wall.Sub(m.began.Wall)
	if err != nil || wall <= 0 {
		return false
	}
	if now.CPUStalled > 0 && now.CPUStalled-m.began.CPUStalled < time.Duration(leastPressure*float64(wall)) {
		return false
	}
	others := now.CPUBusy - m.began.CPUBusy - suite - (m.own(ctx) - m.used)
	left := time.Duration(now.CPUs)*wall - max(0, others)
	entitled := min(cores, float64(now.CPUs)) * float64(wall)
	return float64(left) < leastShare*entitled
}

// defaultCores is what a sample is taken to give a suite if it does not say.
const defaultCores = 1

func coresOf(sample *assay.Sample) float64 {
	if c := sample.Task.Resources.CPUs; c > 0 {
		return c
	}
	return defaultCores
}

// awaitQuiet returns when others leave enough for the suite, or after Config.QuietFor.
func (r *run) awaitQuiet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.quietFor)
	defer cancel()
	tick := time.NewTicker(r.quietStep)
	defer tick.Stop()
	for m := r.measureHost(ctx); ; m = r.measureHost(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			if ctx.Err() == context.DeadlineExceeded {
				return nil
			}
			return ctx.Err()
		}
		if !m.starved(ctx, 0, coresOf(r.Sample)) {
			return nil
		}
	}
}
