package store

import (
	"context"
	"math/rand/v2"
	"time"
)

// retry tells whether a transaction that failed is worth another try.
type retry int

const (
	never  retry = iota
	once         // another try may see what was stored meanwhile
	always       // it collided with another transaction
)

const (
	// maxTries bounds the tries of a transaction. In each round of collisions one
	// transaction wins, and there are fewer connections that write.
	maxTries = 40
	// freeTries are those after which a transaction waits for its turn: the ones that
	// collide again and again are done one at a time, or they would keep each other from
	// ending.
	freeTries    = 3
	longestPause = 50 * time.Millisecond
)

// retried calls f, and calls it again as long as the engine says so.
func (p *pool) retried(ctx context.Context, f func() error) error {
	wasOnce := false
	for try := 1; ; try++ {
		err := f()
		worth := p.engine.again(err)
		if worth == never || worth == once && wasOnce || try == maxTries {
			return err
		}
		wasOnce = wasOnce || worth == once
		if try == freeTries {
			select {
			case p.turn <- struct{}{}:
				defer func() { <-p.turn }()
			case <-ctx.Done():
				return err
			}
		}
		if pause(ctx, try) != nil {
			return err
		}
	}
}

// pause waits for a random time, which grows with the tries that failed.
func pause(ctx context.Context, tries int) error {
	most := min(time.Millisecond<<min(tries, 10), longestPause)
	timer := time.NewTimer(rand.N(most)) //nolint:gosec // no secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
