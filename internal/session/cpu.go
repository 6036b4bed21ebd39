package session

import (
	"context"
	"time"

	"assay/internal/sandbox"
)

// CPU tells the CPU time that the sandboxes of a user's sessions have used in this process,
// those that are gone, too, as far as their host tells. It only ever grows.
func (s *Service) CPU(ctx context.Context, userID string) time.Duration {
	var mine []*live
	s.mu.Lock()
	for _, l := range s.live {
		if l.userID == userID && l.box != nil {
			mine = append(mine, l)
		}
	}
	s.mu.Unlock()
	for _, l := range mine {
		s.measure(ctx, l)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := s.spent[userID]
	for _, l := range mine {
		if !l.gone {
			sum += l.used
		}
	}
	return sum
}

// measure asks what the sandbox of a session has used. One that cannot tell any more has
// used what it told last.
func (s *Service) measure(ctx context.Context, l *live) {
	s.mu.Lock()
	box := l.box
	s.mu.Unlock()
	reader, ok := box.(sandbox.StatsReader)
	if !ok {
		return
	}
	stats, err := reader.Stats(ctx)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !l.gone {
		l.used = max(l.used, stats.CPU)
	}
}

// account remembers for its user what a sandbox has used that is about to be freed.
func (s *Service) account(ctx context.Context, l *live) {
	s.measure(context.WithoutCancel(ctx), l)
	s.mu.Lock()
	defer s.mu.Unlock()
	l.gone = true
	s.spent[l.userID] += l.used
}
