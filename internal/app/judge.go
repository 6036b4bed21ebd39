package app

import (
	"context"
	"errors"
	"fmt"
	"os"

	"assay/internal/dataset"
	"assay/internal/evaluate"
	"assay/internal/sandbox/oci"
)

// judge judges patches without a server, in sandboxes of its own, so that it may
// run beside one.
type judge struct {
	runtime   *oci.Runtime
	evaluator *evaluate.Evaluator
	lock      *os.File
}

var errValidated = errors.New("another assay dataset validate or alterations uses this data directory; wait until it has ended")

// Judge returns what judges patches in clean sandboxes, see Evaluator.
func (a *App) Judge(ctx context.Context) (dataset.Judge, error) { return a.Evaluator(ctx) }

// Evaluator returns what runs suites in clean sandboxes beside a server. It lives until
// Close, and one process at a time may have it.
func (a *App) Evaluator(ctx context.Context) (_ *evaluate.Evaluator, err error) {
	if a.judge != nil {
		return a.judge.evaluator, nil
	}
	j := &judge{}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.close())
		}
	}()
	if j.lock, err = a.dir.lock("validate.lock", errValidated); err != nil {
		return nil, err
	}
	if j.runtime, err = a.newRuntime("validation", nil); err != nil {
		return nil, err
	}
	if err := j.runtime.Check(ctx); err != nil {
		return nil, err
	}
	left, err := j.runtime.List(ctx) // by one that was killed
	if err != nil {
		return nil, fmt.Errorf("list sandboxes: %w", err)
	}
	for _, h := range left {
		if err := j.runtime.Destroy(ctx, h); err != nil {
			return nil, fmt.Errorf("destroy sandbox %s: %w", h.ID, err)
		}
	}
	j.evaluator = evaluate.New(evaluate.Config{Runtime: j.runtime})
	a.judge = j
	return j.evaluator, nil
}

func (j *judge) close() error {
	var errs []error
	if j.evaluator != nil {
		j.evaluator.Close()
	}
	if j.runtime != nil {
		errs = append(errs, j.runtime.Close())
	}
	if j.lock != nil {
		errs = append(errs, j.lock.Close())
	}
	return errors.Join(errs...)
}
