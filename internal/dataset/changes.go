package dataset

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"assay"
)

// versions returns the latest version of each sample of a dataset; none when the
// dataset does not exist.
func (s *Service) versions(ctx context.Context, dataset string) (map[string]int, error) {
	versions := map[string]int{}
	err := s.store.Samples(ctx, Query{Dataset: dataset}, func(sample *assay.Sample) error {
		versions[sample.ID] = sample.Version
		return nil
	})
	if err != nil && assay.CodeOf(err) != assay.CodeDatasetNotFound {
		return nil, fmt.Errorf("list the samples of %s: %w", dataset, err)
	}
	return versions, nil
}

// compareVersions tells what became of each sample, by id.
func compareVersions(before, after map[string]int) []SampleChange {
	var changes []SampleChange
	for id, to := range after {
		if from := before[id]; from != to {
			changes = append(changes, SampleChange{id, from, to})
		}
	}
	for id, from := range before {
		if _, ok := after[id]; !ok {
			changes = append(changes, SampleChange{id, from, 0})
		}
	}
	slices.SortFunc(changes, func(a, b SampleChange) int { return cmp.Compare(a.ID, b.ID) })
	return changes
}
