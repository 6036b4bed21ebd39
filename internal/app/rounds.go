package app

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"assay/internal/queue"
	"assay/internal/verification"
)

// rounds returns what works that look solved are judged further with. It makes the key that
// all choices of rounds come from, the first time.
func (s *server) rounds() (verification.Rounds, error) {
	known, err := s.Alterations()
	if err != nil {
		return verification.Rounds{}, err
	}
	secret, err := s.dir.secret("rounds.key")
	if err != nil {
		return verification.Rounds{}, err
	}
	return verification.Rounds{Alterations: known, Secret: secret, Beside: &beside{queue: s.queue, log: s.Log}}, nil
}

// beside lets runs of rounds go beside each other while the queue has workers that nobody
// waits for.
type beside struct {
	queue *queue.Queue
	log   *slog.Logger

	mu   sync.Mutex
	runs int64
}

// countTimeout bounds the look at the queue.
const countTimeout = 5 * time.Second

// TryAcquire takes n workers if so many are idle.
func (b *beside) TryAcquire(n int64) bool {
	ctx, cancel := context.WithTimeout(context.Background(), countTimeout)
	defer cancel()
	idle, err := b.queue.Idle(ctx)
	if err != nil {
		b.log.Warn("cannot tell whether workers are idle; rounds go one after the other", "err", err)
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.runs+n > int64(idle) {
		return false
	}
	b.runs += n
	return true
}

// Release gives n workers back.
func (b *beside) Release(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.runs -= n
}
