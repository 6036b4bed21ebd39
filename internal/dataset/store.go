package dataset

import (
	"context"

	"assay"
)

// Store keeps datasets and samples.
type Store interface {
	// ImportDataset stores a dataset and its samples in one transaction. A sample
	// whose content differs from its latest version becomes a new version; one that
	// is the same is left alone. Samples that are no longer in the dataset stay
	// stored for the sessions that use them, and are Latest no more.
	ImportDataset(ctx context.Context, d *assay.Dataset, samples []*assay.Sample) (ImportResult, error)
	Datasets(ctx context.Context) ([]*assay.Dataset, error)
	Dataset(ctx context.Context, name string) (*assay.Dataset, error) // dataset_not_found
	// Sample returns a version of a sample; the latest when version is 0:
	// dataset_not_found, sample_not_found.
	Sample(ctx context.Context, dataset, id string, version int) (*assay.Sample, error)
	// Samples calls fn for each latest sample that matches, by dataset and id, a page or
	// (Limit 0) all of them, without holding them all in memory.
	Samples(ctx context.Context, q Query, fn func(*assay.Sample) error) error
	CountSamples(ctx context.Context, q Query) (int, error)
}

// Query selects latest samples.
type Query struct {
	Dataset string // "" for all
	Search  string // part of the id, ignoring case
	Offset  int
	Limit   int // 0 for all
}

// ImportResult counts what an import did.
type ImportResult struct {
	Added     int
	Changed   int // new versions
	Unchanged int
	Removed   int // no longer latest
}
