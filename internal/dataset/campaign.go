package dataset

import (
	"context"
	"errors"
	"fmt"

	"assay"
)

// plan finds the samples, what is stored of them, and what is left to run.
func (c *campaign) plan(ctx context.Context) (err error) {
	if err := c.known(ctx, c.req.Dataset); err != nil {
		return err
	}
	if !c.req.Fresh {
		if c.id, err = c.store.LastCampaign(ctx, c.req.Dataset); err != nil {
			return err
		}
	}
	if c.id == "" {
		c.id = assay.NewID(assay.PrefixCampaign)
	}
	if err := c.eachSample(ctx, c.req.Dataset, c.req.Samples, func(s *assay.Sample) error { return c.add(ctx, s) }); err != nil {
		return err
	}
	for number := 1; number <= c.req.Runs; number++ {
		for _, sample := range c.samples {
			for _, tree := range []Tree{TreeEmpty, TreeReference} {
				if at := (slot{tree, number}); sample.missing[at] {
					c.todo = append(c.todo, step{sample, at})
				}
			}
		}
	}
	return nil
}

// add makes a sample one of the campaign.
func (c *campaign) add(ctx context.Context, s *assay.Sample) error {
	runs, err := c.store.ValidationRuns(ctx, c.id, s.Dataset, s.ID, s.Version)
	if err != nil {
		return err
	}
	sample := &candidate{index: len(c.samples), id: s.ID, version: s.Version, digest: c.imageDigest(ctx, s), missing: map[slot]bool{}}
	for number := 1; number <= c.req.Runs; number++ {
		sample.missing[slot{TreeEmpty, number}] = true
		if s.ReferencePatch() != "" {
			sample.missing[slot{TreeReference, number}] = true
		}
	}
	for _, r := range counting(runs, sample.digest, c.req.Runs) {
		if r.Outcome.Judged() {
			c.stored++
			delete(sample.missing, slot{r.Tree, r.Number})
		}
	}
	sample.left = len(sample.missing)
	c.samples = append(c.samples, sample)
	return nil
}

// eachSample calls fn for the latest versions of these samples, each once, or of all
// samples of a dataset when none is named. All that do not exist are told.
func (s *Service) eachSample(ctx context.Context, dataset string, ids []string, fn func(*assay.Sample) error) error {
	if len(ids) == 0 {
		return s.store.Samples(ctx, Query{Dataset: dataset}, fn)
	}
	var (
		missing []error
		seen    = map[string]bool{}
		found   []*assay.Sample
	)
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		sample, err := s.store.Sample(ctx, dataset, id, 0)
		if err != nil {
			missing = append(missing, fmt.Errorf("sample %s: %w", id, err))
			continue
		}
		found = append(found, sample)
	}
	if err := errors.Join(missing...); err != nil {
		return err
	}
	for _, sample := range found {
		if err := fn(sample); err != nil {
			return err
		}
	}
	return nil
}

// imageDigest returns what identifies the image of a sample; "" when it is not known,
// as of an image that is not here.
func (s *Service) imageDigest(ctx context.Context, sample *assay.Sample) string {
	if s.digest == nil {
		return ""
	}
	digest, err := s.digest(ctx, sample.Task.ImageFor(sample.Dataset, sample.ID))
	if err != nil {
		return ""
	}
	return digest
}
