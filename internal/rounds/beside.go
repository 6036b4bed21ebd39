package rounds

import (
	"context"
	"sync"
)

// task is a part of a play that can be done beside others.
type task func(context.Context) error

// sideBySide does tasks: one at a time, and beside it so many as the limiter allows. The
// first error ends the others, and is returned when all have ended.
func sideBySide(ctx context.Context, limiter Limiter, tasks []task) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	do := func(t task) {
		if ctx.Err() != nil {
			return
		}
		if err := t(ctx); err != nil {
			cancel(err)
		}
	}
	var others sync.WaitGroup
	for len(tasks) > 0 {
		own := tasks[0]
		tasks = tasks[1:]
		for len(tasks) > 0 && limiter != nil && limiter.TryAcquire(1) {
			other := tasks[0]
			tasks = tasks[1:]
			others.Go(func() {
				defer limiter.Release(1)
				do(other)
			})
		}
		do(own)
	}
	others.Wait()
	return context.Cause(ctx)
}
