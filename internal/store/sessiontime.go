package store

import (
	"context"
	"time"
)

// SeeSessions implements session.Store.
func (s *Store) SeeSessions(ctx context.Context, ids []string, at time.Time) error {
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		for _, id := range ids {
			if _, err := w.exec(ctx, seeSession, id, toMicros(at)); err != nil {
				return err
			}
		}
		return nil
	})
	return doing(err, "note that %d sessions live", len(ids))
}

// ShiftSessions implements session.Store. What does not answer is not billed, and regains what it
// lost by the clock.
func (s *Store) ShiftSessions(ctx context.Context, by time.Duration) error {
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		_, err := w.exec(ctx, shiftSessions, by.Microseconds())
		return err
	})
	return doing(err, "put the time of sessions forward")
}

// LoseSession implements session.Store.
func (s *Store) LoseSession(ctx context.Context, id string, at time.Time) error {
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		_, err := w.exec(ctx, loseSession, id, toMicros(at))
		return err
	})
	return doing(err, "note that session %s cannot be reached", id)
}

// RegainSession implements session.Store.
func (s *Store) RegainSession(ctx context.Context, id string, at time.Time) error {
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		_, err := w.exec(ctx, regainSession, id, toMicros(at))
		return err
	})
	return doing(err, "note that session %s is reached again", id)
}
