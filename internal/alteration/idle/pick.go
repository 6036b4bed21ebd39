package idle

import (
	"context"
	"time"

	"assay"
	"assay/internal/alteration/catalog"
)

// target is a sample that is to be searched: for the first time or, where its alterations are
// worn, for others.
type target struct {
	key  catalog.Key
	worn bool
}

// needed tells whether a target is still to be searched.
func (s *Searcher) needed(ctx context.Context, what target) (bool, error) {
	if what.worn {
		return s.cfg.Catalog.Worn(ctx, what.key, s.cfg.Shown)
	}
	done, err := s.cfg.Catalog.Searched(ctx, what.key, s.bounds())
	return !done, err
}

// next returns the sample that was used last of those that are to be searched; nil for none.
// Those that were never searched go before all others.
func (s *Searcher) next(ctx context.Context) (*target, error) {
	used, err := s.cfg.Uses.RecentlyUsed(ctx, mostSamples)
	if err != nil {
		return nil, err
	}
	settled, pauses := s.settled, s.pauses
	s.settled, s.pauses = make(map[catalog.Key]bool), make(map[catalog.Key]time.Time)
	var next *target
	for _, u := range used {
		key, known, err := s.look(ctx, u, settled)
		if err != nil {
			return nil, err
		}
		if key == nil {
			continue
		}
		worn := false
		if known {
			s.settled[*key] = true
			if s.cfg.Shown == 0 {
				continue
			}
			if worn, err = s.cfg.Catalog.Worn(ctx, *key, s.cfg.Shown); err != nil {
				return nil, err
			}
			if !worn {
				continue
			}
		}
		if until, ok := pauses[*key]; ok && s.cfg.Now().Before(until) {
			s.pauses[*key] = until
			continue
		}
		if next == nil || next.worn && !worn {
			next = &target{key: *key, worn: worn}
		}
	}
	return next, nil
}

// look tells whether a sample was searched as it is now; no key if it is no more, or has no
// image here.
func (s *Searcher) look(ctx context.Context, u Sample, settled map[catalog.Key]bool) (*catalog.Key, bool, error) {
	sample, err := s.cfg.Samples.Sample(ctx, u.Dataset, u.ID, 0)
	var key catalog.Key
	if err == nil {
		key, err = s.cfg.Catalog.KeyOf(ctx, sample)
	}
	switch assay.CodeOf(err) {
	case assay.CodeDatasetNotFound, assay.CodeSampleNotFound, assay.CodeImageUnavailable:
		return nil, false, nil
	}
	if err != nil || settled[key] {
		return &key, true, err
	}
	known, err := s.cfg.Catalog.Searched(ctx, key, s.bounds())
	return &key, known, err
}
