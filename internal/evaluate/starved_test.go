package evaluate

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
)

// busyHost is a host of two cores. Since its start, others used so much of them, and
// somebody waited for a core, for so much of the time.
func busyHost(others, waited float64) func(context.Context) (sandbox.Load, error) {
	var calls atomic.Int64
	return func(context.Context) (sandbox.Load, error) {
		wall := time.Duration(calls.Add(1)) * time.Hour
		return sandbox.Load{
			Wall: time.Time{}.Add(wall), CPUs: 2,
			CPUBusy: time.Duration(others * 2 * float64(wall)), CPUStalled: 1 + time.Duration(waited*float64(wall)),
		}, nil
	}
}

// A suite that timed out is a verdict, unless it was others who took its time. Then it is
// run once more.
func TestASuiteThatOthersStarvedIsRunOnceMore(t *testing.T) {
	for name, tt := range map[string]struct {
		others, waited float64
		own            time.Duration
		cores          float64
		runs           int64
	}{
		"a quiet host":                          {0.1, 0.01, 0, 2, 1},
		"others take nearly everything":         {0.9, 0.8, 0, 2, 2},
		"and nobody waits":                      {0.9, 0.01, 0, 2, 1},
		"what they leave is enough for it":      {0.5, 0.8, 0, 1, 1},
		"it is its own user who takes the host": {0.9, 0.8, 108 * time.Minute, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var runs atomic.Int64
			runtime := runtimeOf(func(ctx context.Context, p *memory.Process) sandbox.ExitStatus {
				if runs.Add(1) > 1 {
					return suiteOf(ctx, p)
				}
				<-ctx.Done()
				return sandbox.ExitStatus{}
			})
			load := busyHost(tt.others, tt.waited)
			runtime.SetLoad(load)
			sample := fixing()
			sample.Task.Verifier.TimeoutSeconds, sample.Task.Resources.CPUs = 1, tt.cores
			e := New(Config{Runtime: runtime, QuietStep: time.Millisecond})
			defer e.Close()
			var asked int64
			verdict, err := e.Evaluate(t.Context(), Request{
				ID: "ver_1", Sample: sample, Work: PatchWork(sample, sample.Patch),
				OwnCPU: func(context.Context) time.Duration {
					asked++
					if asked > 1 {
						runtime.SetLoad(busyHost(0, 0)) // a quieter moment
						return tt.own
					}
					return 0
				},
				Started: func(context.Context) error { return nil },
			})
			if err != nil || runs.Load() != tt.runs || verdict.Solved != (tt.runs == 2) {
				t.Errorf("%d runs, %+v, %v", runs.Load(), verdict, err)
			}
		})
	}
}
