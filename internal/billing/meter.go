package billing

import (
	"context"
	"time"

	"assay"
)

// meterEvery is how often the meter looks at balances at least. It looks sooner when
// one is about to be used up; what it cannot foresee, such as a refund, it finds
// this late. Nobody pays for that: bills end when the balance did.
const meterEvery = time.Second

// Meter ends the sessions of users whose balance is used up, through terminate, until
// ctx ends.
func (s *Service) Meter(ctx context.Context, terminate func(ctx context.Context, sessionID string, why assay.Failure) error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	look := meterLook{Service: s, terminate: terminate}
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		timer.Reset(look.once(ctx))
	}
}

// meterLook is what the meter does again and again.
type meterLook struct {
	*Service
	terminate func(context.Context, string, assay.Failure) error
	blind     bool // the last look failed: said once
}

// once looks once, and returns after what time to look again.
func (s *meterLook) once(ctx context.Context) time.Duration {
	now := s.now()
	ids, next, err := s.cfg.Store.Exhausted(ctx, now)
	if err != nil {
		if ctx.Err() == nil && !s.blind {
			s.cfg.Log.Error("cannot look at balances; it is tried again every second", "err", err)
			s.blind = true
		}
		return meterEvery
	}
	s.blind = false
	for _, id := range ids {
		why := assay.Failure{Code: assay.CodeBalanceExhausted, Message: "your balance is used up; make a deposit and create a new session"}
		if err := s.terminate(ctx, id, why); err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("cannot end a session whose balance is used up", "session", id, "err", err)
		}
	}
	if wait := next.Sub(now); !next.IsZero() && wait < meterEvery {
		return wait
	}
	return meterEvery
}
