package sandbox

import (
	"context"
	"time"
)

// Pinger is implemented by sandboxes that can be asked whether they answer, often and at
// little cost.
type Pinger interface {
	// Ping returns once the sandbox has answered. ErrUnreachable when it did not, for as long
	// as patience; the time does not count in which its own runtime has stopped it. ErrGone as
	// everywhere.
	Ping(ctx context.Context, patience time.Duration) error
}
