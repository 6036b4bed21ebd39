package app

import (
	"context"
	"errors"
	"time"

	"assay"
)

// drain ends the work in the background. Verifications that do not end in time
// begin again at the next start; sessions stay alive. Each step has a bound of its
// own, so that a verification which uses its time up leaves some to the sessions.
func (s *server) drain() error {
	var errs []error
	if s.Config.DestroyOnExit && !s.usurped {
		errs = append(errs, s.bounded(func(ctx context.Context) error {
			return s.sessions.TerminateAll(ctx, assay.Failure{Code: assay.CodeOperator, Message: "the server was stopped"})
		}))
	}
	errs = append(errs, s.bounded(s.queue.Stop), s.bounded(s.sessions.Stop))
	return errors.Join(errs...)
}

// patience is how long a step of the drain may take. What a server does that has lost its
// database to another is worth nothing.
func (s *server) patience() time.Duration {
	if s.usurped {
		return usurpedPatience
	}
	return s.Config.shutdownTimeout()
}

const usurpedPatience = 200 * time.Millisecond

// bounded calls a step of the drain.
func (s *server) bounded(step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.patience())
	defer cancel()
	return step(ctx)
}

// close frees what newServer took.
func (s *server) close() error {
	var errs []error
	if s.queue != nil {
		errs = append(errs, s.bounded(s.queue.Stop))
	}
	if s.sessions != nil {
		errs = append(errs, s.bounded(s.sessions.Stop))
	}
	if s.verifications != nil {
		errs = append(errs, s.verifications.Close())
	}
	s.searches.close()
	s.damage.close()
	if s.traces != nil {
		s.traces.Close()
	}
	if s.runtime != nil {
		errs = append(errs, s.runtime.Close())
	}
	if s.claim != nil {
		errs = append(errs, s.claim.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}
