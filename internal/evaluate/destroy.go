package evaluate

import (
	"context"
	"maps"
	"strings"
	"time"

	"assay/internal/sandbox"
)

// maxFreeing bounds the clean sandboxes that are destroyed beside what is judged. Who
// would be one more destroys its own before it goes on.
const maxFreeing = 8

// destroyBound is how long destroying a sandbox may take after its context ended.
const destroyBound = 15 * time.Second

// free destroys the sandbox of a run. Nobody waits for the first of a request to be gone:
// to take it apart takes as long as many a suite.
func (r *run) free(ctx context.Context, box sandbox.Sandbox) {
	ctx = context.WithoutCancel(ctx)
	if !r.first {
		destroy(ctx, box)
		return
	}
	select {
	case r.freeing <- struct{}{}:
	default:
		destroy(ctx, box)
		return
	}
	r.use(r.ID, 1)
	r.freed.Go(func() {
		defer func() { <-r.freeing }()
		defer r.use(r.ID, -1)
		destroy(ctx, box)
	})
}

// destroy destroys a sandbox. What stays is found by List, and destroyed by the sweep.
func destroy(ctx context.Context, box sandbox.Sandbox) {
	ctx, cancel := context.WithTimeout(ctx, destroyBound)
	defer cancel()
	_ = box.Destroy(ctx)
}

// use counts what uses the sandboxes of a request.
func (e *Evaluator) use(id string, more int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.judging[id] += more; e.judging[id] == 0 {
		delete(e.judging, id)
	}
}

// Uses tells whether a sandbox is one in which something is judged now, or that is being
// destroyed after that.
func (e *Evaluator) Uses(sandboxID string) bool {
	for _, suffix := range []string{controlSuffix, rerunSuffix, referenceSuffix, quietSuffix, lookSuffix} {
		sandboxID = strings.TrimSuffix(sandboxID, suffix)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.judging[sandboxID] > 0
}

// enlist lets AllCPU know of a sandbox, until it is told not to.
func (r *run) enlist(box sandbox.Sandbox) (done func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.boxes[r.sandboxID] = box
	return func() {
		used := usedBy(context.Background(), box).CPU // a file of the host's; the context of the run may have ended
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.boxes, r.sandboxID)
		r.spent += used
	}
}

// AllCPU is the CPU time that all clean sandboxes have used so far, those that are gone, too.
func (e *Evaluator) AllCPU(ctx context.Context) time.Duration {
	e.mu.Lock()
	boxes, sum := maps.Clone(e.boxes), e.spent
	e.mu.Unlock()
	for _, box := range boxes {
		sum += usedBy(ctx, box).CPU
	}
	return sum
}
