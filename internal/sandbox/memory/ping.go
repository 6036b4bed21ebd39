package memory

import (
	"context"
	"time"

	"assay/internal/sandbox"
)

var _ sandbox.Pinger = (*Sandbox)(nil)

// Ping answers at once, unless a fault does.
func (sb *Sandbox) Ping(ctx context.Context, _ time.Duration) error {
	if fault := sb.host.fault().Ping; fault != nil {
		if err := fault(ctx, sb.handle); err != nil {
			return err
		}
	}
	return sb.usable(ctx)
}
