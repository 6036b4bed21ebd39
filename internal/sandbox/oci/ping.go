package oci

import (
	"context"
	"errors"
	"fmt"
	"time"

	"assay/internal/sandbox"
)

// pingPause is the pause between two tries of a Ping that fail at once, as where the host
// has no descriptor for a connection.
const pingPause = 200 * time.Millisecond

// Ping asks the agent who it is. While this runtime has the sandbox frozen nobody in it can
// answer, so that such a try says nothing, and there is another.
func (sb *Sandbox) Ping(ctx context.Context, patience time.Duration) error {
	for {
		stops := sb.stops.Load()
		err := sb.ping(ctx, patience)
		stopped := stops%2 == 1 || sb.stops.Load() != stops
		if stopped && errors.Is(err, sandbox.ErrUnreachable) && ctx.Err() == nil {
			continue
		}
		if err != nil {
			return fmt.Errorf("ping sandbox %s: %w", sb.id(), err)
		}
		return nil
	}
}

// ping tries for as long as patience.
func (sb *Sandbox) ping(ctx context.Context, patience time.Duration) error {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := sb.greet(bounded)
		switch {
		case err == nil || errors.Is(err, sandbox.ErrGone):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case bounded.Err() != nil:
			return fmt.Errorf("%w within %s", sandbox.ErrUnreachable, patience)
		case !errors.Is(err, sandbox.ErrUnreachable):
			return nil // it answers, if only that it is busy
		}
		select {
		case <-bounded.Done():
		case <-time.After(pingPause):
		}
	}
}
