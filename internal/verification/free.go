package verification

import (
	"context"
	"strings"

	"assay"
	"assay/internal/sandbox"
)

// maxFreeing bounds the clean sandboxes that are destroyed beside what is judged. Who
// would be one more destroys its own before it goes on.
const maxFreeing = 8

// judge runs a judgement and keeps its sandbox from being swept until that is gone.
// Nobody waits for it to be: to take it apart takes as long as many a suite.
func (s *Service) judge(ctx context.Context, j judgement) (*assay.Verdict, error) {
	s.setJudging(j.id, true)
	begun := false
	j.free = func(ctx context.Context, box sandbox.Sandbox) {
		select {
		case s.freeing <- struct{}{}:
		default:
			destroy(ctx, box)
			return
		}
		begun = true
		s.freed.Go(func() {
			defer func() { <-s.freeing }()
			defer s.setJudging(j.id, false)
			destroy(ctx, box)
		})
	}
	verdict, err := j.run(ctx)
	if !begun {
		s.setJudging(j.id, false)
	}
	return verdict, err
}

// destroy destroys a sandbox. What stays is found by List, and destroyed by the sweep.
func destroy(ctx context.Context, box sandbox.Sandbox) {
	ctx, cancel := context.WithTimeout(ctx, finalBound)
	defer cancel()
	_ = box.Destroy(ctx)
}

func (s *Service) setJudging(id string, judging bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if judging {
		s.judging[id] = true
	} else {
		delete(s.judging, id)
	}
}

// Uses tells whether a sandbox is one in which something is judged now, or that is being
// destroyed after that.
func (s *Service) Uses(sandboxID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.judging[strings.TrimSuffix(sandboxID, controlSuffix)]
}
