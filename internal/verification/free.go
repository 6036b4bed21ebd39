package verification

import (
	"context"

	"assay"
	"assay/internal/sandbox"
)

// maxFreeing bounds the clean sandboxes that are destroyed beside what is judged. Who
// would be one more destroys its own before it goes on.
const maxFreeing = 8

// judge runs a judgement and keeps its sandboxes from being swept until they are gone.
// Nobody waits for the first to be: to take it apart takes as long as many a suite.
func (s *Service) judge(ctx context.Context, j judgement) (*assay.Verdict, error) {
	s.use(j.id, 1)
	defer s.use(j.id, -1)
	j.free = func(ctx context.Context, box sandbox.Sandbox) {
		select {
		case s.freeing <- struct{}{}:
		default:
			destroy(ctx, box)
			return
		}
		s.use(j.id, 1)
		s.freed.Go(func() {
			defer func() { <-s.freeing }()
			defer s.use(j.id, -1)
			destroy(ctx, box)
		})
	}
	return j.run(ctx)
}

// destroy destroys a sandbox. What stays is found by List, and destroyed by the sweep.
func destroy(ctx context.Context, box sandbox.Sandbox) {
	ctx, cancel := context.WithTimeout(ctx, finalBound)
	defer cancel()
	_ = box.Destroy(ctx)
}

// use counts what uses the sandboxes of a judgement.
func (s *Service) use(id string, more int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.judging[id] += more; s.judging[id] == 0 {
		delete(s.judging, id)
	}
}

// Uses tells whether a sandbox is one in which something is judged now, or that is being
// destroyed after that.
func (s *Service) Uses(sandboxID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.judging[sandboxOf(sandboxID)] > 0
}
