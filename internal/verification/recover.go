package verification

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"assay/internal/sandbox"
)

// cleaners is how many sandboxes are destroyed at a time that a server before has left.
const cleaners = 4

// Recover makes the world and the database agree after a start, before anything is judged:
// changes that nobody waits for are removed, and the sandboxes of earlier attempts destroyed.
// That goes on in the background; what cannot be destroyed is left to the sweep.
func (s *Service) Recover(ctx context.Context, found []sandbox.Handle) error {
	open, err := s.cfg.Store.OpenVerifications(ctx)
	if err != nil {
		return fmt.Errorf("recover verifications: %w", err)
	}
	waiting := make(map[string]bool, 4*len(open))
	for _, v := range open {
		for _, name := range namesOf(v.ID) {
			waiting[name] = true
		}
	}
	if err := s.sweepChanges(waiting); err != nil {
		return err
	}
	ctx, s.endClean = context.WithCancel(context.WithoutCancel(ctx))
	s.cleaning.Go(func() { s.clean(ctx, found) })
	return nil
}

// clean destroys sandboxes until ctx ends.
func (s *Service) clean(ctx context.Context, found []sandbox.Handle) {
	var group errgroup.Group
	group.SetLimit(cleaners)
	for _, h := range found {
		group.Go(func() error {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the next start destroys it
			}
			if err := s.cfg.Runtime.Destroy(ctx, h); err != nil {
				s.cfg.Log.ErrorContext(ctx, "cannot free the sandbox of a verification; it is tried again", "sandbox", h.ID, "err", err)
				return nil
			}
			s.cfg.Observer.OrphanDestroyed()
			return nil
		})
	}
	group.Wait() //nolint:errcheck // there is none
}

func (s *Service) sweepChanges(waiting map[string]bool) error {
	d, err := s.dir.Open(".")
	if err != nil {
		return fmt.Errorf("recover verifications: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("recover verifications: %w", err)
	}
	for _, name := range names {
		if !waiting[name] {
			if err := s.dir.Remove(name); err != nil {
				return fmt.Errorf("remove old changes: %w", err)
			}
		}
	}
	return nil
}
