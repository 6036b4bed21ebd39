package session

import (
	"context"
	"time"
)

// see stores again and again which sessions live; Stop does so once more. A session
// whose sandbox is lost while no server runs is billed to then.
func (s *Service) see() {
	tick := time.NewTicker(s.cfg.SeeEvery)
	defer tick.Stop()
	for {
		s.watchClock(s.ctx)
		s.seeOnce()
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			return
		}
	}
}

func (s *Service) seeOnce() {
	s.mu.Lock()
	at := s.cfg.Now().UTC()
	var ids []string
	for id, l := range s.live {
		if l.box != nil {
			ids = append(ids, id)
		}
	}
	s.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	ctx, cancel := finally(context.WithoutCancel(s.ctx))
	defer cancel()
	if err := s.cfg.Store.SeeSessions(ctx, ids, at); err != nil {
		s.cfg.Log.WarnContext(ctx, "cannot store which sessions live", "sessions", len(ids), "err", err)
	}
}
