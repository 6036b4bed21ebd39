package verification

import (
	"context"
	"fmt"

	"assay"
	"assay/internal/sandbox"
)

// hold notes that a worker of this process works on a verification.
func (s *Service) hold(id string) (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[id]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.held[id]--; s.held[id] == 0 {
			delete(s.held, id)
		}
	}
}

// Discrepancies tells the verifications that have begun, and on which no worker of this
// process works just now.
func (s *Service) Discrepancies(ctx context.Context, _ []sandbox.Handle) (all []assay.Discrepancy, err error) {
	open, err := s.abandoned(ctx)
	for _, v := range open {
		all = append(all, assay.Discrepancy{Kind: assay.VerificationAbandoned, ID: v.ID})
	}
	return all, err
}

func (s *Service) abandoned(ctx context.Context) (all []*assay.Verification, err error) {
	open, err := s.cfg.Store.OpenVerifications(ctx)
	if err != nil {
		return nil, fmt.Errorf("compare verifications: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range open {
		if v.Status != assay.VerificationPending && s.held[v.ID] == 0 {
			all = append(all, v)
		}
	}
	return all, nil
}

// Mend lets an abandoned verification begin again, or gives it up, as a start does.
func (s *Service) Mend(ctx context.Context, d assay.Discrepancy) error {
	open, err := s.abandoned(ctx)
	if err != nil {
		return err
	}
	for _, v := range open {
		if v.ID == d.ID {
			if again, err := s.recoverOne(ctx, v); again || err != nil {
				return err
			}
			s.dropChanges(ctx, v.ID)
			s.news.Notify(v.ID)
		}
	}
	return nil
}
