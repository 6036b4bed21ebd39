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
	// stored for the sessions that use them, and are Latest no more. What operators
	// have quarantined is laid over the samples first, see LayQuarantine. Answers of ""
	// leave the setting of a dataset that is there, and are AnswersUsers of a new one;
	// others are set unless an operator did. Judging takes the place of what the last
	// import said; what an operator set stands over it.
	ImportDataset(ctx context.Context, d *assay.Dataset, samples []*assay.Sample) (ImportResult, error)
	Datasets(ctx context.Context) ([]*assay.Dataset, error)
	Dataset(ctx context.Context, name string) (*assay.Dataset, error) // dataset_not_found
	// SetAnswers is an operator's word on who reads the answers of a dataset, which
	// imports keep: dataset_not_found. Samples that are read from then on have it.
	SetAnswers(ctx context.Context, name string, answers assay.Answers) error
	// Judging returns what is settled of how a dataset is judged, an operator's word over
	// that of its last import: dataset_not_found.
	Judging(ctx context.Context, name string) (assay.Judging, error)
	// SetJudging changes an operator's word on how a dataset is judged, which imports keep,
	// to what change makes of it: dataset_not_found, or the error of change. It may call
	// change again when others write. Samples that are read from then on have it.
	SetJudging(ctx context.Context, name string, change func(assay.Judging) (assay.Judging, error)) error
	// Sample returns a version of a sample; the latest when version is 0:
	// dataset_not_found, sample_not_found.
	Sample(ctx context.Context, dataset, id string, version int) (*assay.Sample, error)
	// Samples calls fn for each latest sample that matches, by dataset and id, a page or
	// (Limit 0) all of them, without holding them all in memory.
	Samples(ctx context.Context, q Query, fn func(*assay.Sample) error) error
	CountSamples(ctx context.Context, q Query) (int, error)

	// AddValidationRun stores a run for good.
	AddValidationRun(ctx context.Context, r *Run) error
	// ValidationRuns returns the runs of a version of a sample, oldest first.
	ValidationRuns(ctx context.Context, campaign, dataset, sampleID string, version int) ([]*Run, error)
	// LastCampaign returns the campaign of the newest run of a dataset; "" when there
	// is none.
	LastCampaign(ctx context.Context, dataset string) (string, error)
	// SetConclusion stores what the runs of a version of a sample came to, in the place
	// of what the same grader had before.
	SetConclusion(ctx context.Context, c *Conclusion) error

	// Narrow tells whether the conclusion of this program's grader on a version of a sample
	// says that its command for some tests may be used.
	Narrow(ctx context.Context, dataset, sampleID string, version int) (bool, error)

	// Quarantines returns the tests that operators have quarantined, by sample.
	Quarantines(ctx context.Context, dataset string) (map[string][]string, error)
	// SetQuarantine replaces the tests of a sample that operators have quarantined, and
	// makes the new version of the sample that follows from it, if one does. It
	// returns the latest version: sample_not_found, invalid_request.
	SetQuarantine(ctx context.Context, dataset, sampleID string, tests []string) (*assay.Sample, error)
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
