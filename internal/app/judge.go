package app

import (
	"context"
	"errors"
	"fmt"
	"os"

	"assay"
	"assay/internal/dataset"
	"assay/internal/sandbox/oci"
	"assay/internal/verification"
)

// judge judges patches without a server, in sandboxes of its own, so that it may
// run beside one.
type judge struct {
	runtime       *oci.Runtime
	verifications *verification.Service
	lock          *os.File
}

var errValidated = errors.New("another assay dataset validate uses this data directory; wait until it has ended")

// Judge returns what judges patches in clean sandboxes. It lives until Close, and
// one process at a time may have it.
func (a *App) Judge(ctx context.Context) (_ dataset.Judge, err error) {
	if a.judge != nil {
		return a.judge, nil
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
	if j.runtime, err = a.newRuntime("validation"); err != nil {
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
	j.verifications, err = verification.New(verification.Config{
		Runtime: j.runtime,
		Samples: a.Datasets,
		Store:   a.store,
		Dir:     a.dir.path("verifications"),
		Log:     a.Log,
	})
	if err != nil {
		return nil, err
	}
	a.judge = j
	return j, nil
}

// JudgePatch implements dataset.Judge.
func (j *judge) JudgePatch(ctx context.Context, s *assay.Sample, patchText string) (*assay.Verdict, error) {
	return j.verifications.JudgePatch(ctx, s, patchText)
}

func (j *judge) close() error {
	var errs []error
	if j.verifications != nil {
		errs = append(errs, j.verifications.Close())
	}
	if j.runtime != nil {
		errs = append(errs, j.runtime.Close())
	}
	if j.lock != nil {
		errs = append(errs, j.lock.Close())
	}
	return errors.Join(errs...)
}
