package verification

import (
	"context"
	"fmt"

	"assay"
	"assay/internal/sandbox"
)

// Leases knows who works on what. *queue.Queue does.
type Leases interface {
	// Abandoned tells whether a lease is one of this server's under which nobody works.
	Abandoned(lease string) bool
	// GiveBack lets a verification begin again whose lease is abandoned.
	GiveBack(ctx context.Context, lease string) error
}

// Discrepancies tells the verifications that this server has begun, and on which nobody works
// just now.
func (s *Service) Discrepancies(ctx context.Context, _ []sandbox.Handle) (all []assay.Discrepancy, err error) {
	open, err := s.abandoned(ctx)
	for _, v := range open {
		all = append(all, assay.Discrepancy{Kind: assay.VerificationAbandoned, ID: v.ID})
	}
	return all, err
}

func (s *Service) abandoned(ctx context.Context) (all []*assay.Verification, err error) {
	if s.cfg.Leases == nil {
		return nil, nil
	}
	open, err := s.cfg.Store.OpenVerifications(ctx)
	if err != nil {
		return nil, fmt.Errorf("compare verifications: %w", err)
	}
	for _, v := range open {
		if v.Lease != "" && s.cfg.Leases.Abandoned(v.Lease) {
			all = append(all, v)
		}
	}
	return all, nil
}

// Mend lets an abandoned verification begin again.
func (s *Service) Mend(ctx context.Context, d assay.Discrepancy) error {
	open, err := s.abandoned(ctx)
	if err != nil {
		return err
	}
	for _, v := range open {
		if v.ID == d.ID {
			return s.cfg.Leases.GiveBack(ctx, v.Lease)
		}
	}
	return nil
}
