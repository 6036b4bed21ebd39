package evaluate

import (
	"context"
	"testing"
	"time"

	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
)

// Who asks for it has suites run in sandboxes that yield to all others, and nobody else.
func TestCleanSandboxesYieldWhereThatIsAskedFor(t *testing.T) {
	for _, background := range []bool{false, true} {
		runtime := runtimeOf(suiteOf)
		var made []bool
		runtime.SetFaults(memory.Faults{Create: func(_ context.Context, spec sandbox.Spec) error {
			made = append(made, spec.Background)
			return nil
		}})
		e := New(Config{Runtime: runtime, Background: background})
		sample := fixing()
		_, err := e.Try(t.Context(), TrialRequest{ID: "ver_1", Sample: sample, Work: PatchWork(sample, sample.Patch)})
		e.Close()
		if err != nil || len(made) != 1 || made[0] != background {
			t.Errorf("background %v: the sandboxes are %v, %v", background, made, err)
		}
	}
}

// A trial that timed out tells whether that may be the host's doing.
func TestATrialTellsThatItWasStarved(t *testing.T) {
	for name, tt := range map[string]struct {
		others        float64
		hangs, starve bool
	}{
		"a quiet host":          {0.1, true, false},
		"others took it":        {0.9, true, true},
		"but it ended in time":  {0.9, false, false},
		"and nothing is amiss":  {0.1, false, false},
		"they left half of all": {0.5, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			runtime := runtimeOf(func(ctx context.Context, p *memory.Process) sandbox.ExitStatus {
				if !tt.hangs {
					return suiteOf(ctx, p)
				}
				<-ctx.Done()
				return sandbox.ExitStatus{}
			})
			runtime.SetLoad(busyHost(tt.others, 0.8))
			e := New(Config{Runtime: runtime})
			defer e.Close()
			sample := fixing()
			sample.Task.Resources.CPUs = 1
			trial, err := e.Try(t.Context(), TrialRequest{ID: "ver_1", Sample: sample, Work: PatchWork(sample, sample.Patch), Timeout: time.Second})
			if err != nil || trial.TimedOut != tt.hangs || trial.Starved != tt.starve {
				t.Errorf("%+v, %v", trial, err)
			}
		})
	}
}
