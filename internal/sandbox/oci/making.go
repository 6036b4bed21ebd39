package oci

import (
	"context"
	"errors"
	"fmt"

	"assay/internal/sandbox"
)

// making is a Create under way. Destroy breaks it off and waits for its end: what is
// taken apart while it is put together leaves pieces that nobody knows.
type making struct {
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when Create is about to return
}

// begin registers a Create. The context that it returns ends with ctx, and when the
// sandbox is destroyed; the function must be called at the end.
func (rt *Runtime) begin(ctx context.Context, id string) (context.Context, func(), error) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	switch {
	case rt.making[id].done != nil:
		return nil, nil, errors.New("a sandbox of this id is being made")
	case rt.destroying[id] > 0:
		return nil, nil, fmt.Errorf("a sandbox of this id is being destroyed: %w", sandbox.ErrGone)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	rt.making[id] = making{cancel: cancel, done: done}
	return ctx, func() {
		cancel(nil)
		rt.mu.Lock()
		delete(rt.making, id)
		rt.mu.Unlock()
		close(done)
	}, nil
}

// breakOff ends the Create of a sandbox, if there is one, and returns when it has
// cleaned up. Until done is called, no other one begins.
func (rt *Runtime) breakOff(ctx context.Context, id string) (done func(), err error) {
	rt.mu.Lock()
	m := rt.making[id]
	rt.destroying[id]++
	rt.mu.Unlock()
	done = func() {
		rt.mu.Lock()
		defer rt.mu.Unlock()
		if rt.destroying[id]--; rt.destroying[id] == 0 {
			delete(rt.destroying, id)
		}
	}
	if m.done == nil {
		return done, nil
	}
	m.cancel(fmt.Errorf("destroyed while it was being made: %w", sandbox.ErrGone))
	select {
	case <-m.done:
		return done, nil
	case <-ctx.Done():
		done()
		return nil, fmt.Errorf("wait until it is no longer being made: %w", ctx.Err())
	}
}
