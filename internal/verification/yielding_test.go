package verification_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/verification"
)

// A suite that hangs is not excused, and not run again at a quieter moment, because of
// sandboxes that would have yielded to it.
func TestSandboxesThatYieldExcuseNobody(t *testing.T) {
	f := newFixture(t)
	var asked, told, made atomic.Int64
	s, err := verification.New(verification.Config{
		Store: f.store, Sessions: f.sessions, Samples: f.store, Runtime: f.runtime, Dir: f.dir,
		Yielding: func(context.Context) time.Duration { return time.Duration(told.Add(1)) * 105 * time.Minute },
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	f.Service = s // which the fixture closes
	v := f.started(f.session(map[string]string{"suite.txt": "slow"}))
	f.runtime.SetFaults(memory.Faults{Create: func(context.Context, sandbox.Spec) error {
		made.Add(1)
		return nil
	}})
	f.runtime.SetLoad(func(context.Context) (sandbox.Load, error) { // of two cores, nine tenths of the time
		wall := time.Duration(asked.Add(1)) * time.Hour
		return sandbox.Load{Wall: time.Time{}.Add(wall), CPUs: 2, CPUBusy: wall * 18 / 10, CPUStalled: wall}, nil
	})
	f.work()
	if got := f.outcome(v); got.Status != assay.VerificationCompleted || !got.Verdict.TimedOut || made.Load() != 1 {
		t.Errorf("%+v after %d clean sandboxes", got, made.Load())
	}
}
