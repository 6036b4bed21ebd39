package queue

import (
	"context"
	"fmt"
	"strings"
)

// Abandoned tells whether a lease is one of this server's under which nobody works. A claim is
// stored a moment before its work begins, so that only what stays so is abandoned.
func (q *Queue) Abandoned(lease string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return strings.HasPrefix(lease, q.server) && q.running[lease] == nil
}

// GiveBack lets a verification begin again whose lease is abandoned. Of any other it does
// nothing.
func (q *Queue) GiveBack(ctx context.Context, lease string) error {
	if !q.Abandoned(lease) {
		return nil
	}
	if _, err := q.cfg.Store.ReleaseVerification(ctx, lease, Release{CutShort: true}); err != nil {
		return fmt.Errorf("give an abandoned verification back: %w", err)
	}
	q.Wake()
	return nil
}
