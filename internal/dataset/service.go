// Package dataset keeps the tasks that Assay serves: it reads dataset folders and
// checks them, tells of datasets and samples, packs samples for download, and
// proves that samples can be judged.
package dataset

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"assay"
)

// Service is the rules of datasets and samples. Datasets belong to the server: what
// its users may not see are answers, see SamplesFor. It is safe for concurrent use.
type Service struct {
	store   Store
	bundles *bundler      // nil without a place to keep bundles
	digest  ImageDigester // nil without images
	now     func() time.Time
	judging assay.Judging // of the server
}

// Config is what a Service is made of.
type Config struct {
	Store Store // required
	// Worktree and ImageDigest read images, for Bundle. Without them there are no
	// bundles. A validation asks ImageDigest which runs are of the images of today.
	Worktree    WorktreeReader
	ImageDigest ImageDigester
	// BundleDir is where packed samples are kept. It is made when absent. Without
	// it there are no bundles.
	BundleDir string
	// BundleBytes bounds what is kept in BundleDir; the least recently used go
	// first. Defaults to 2 GiB.
	BundleBytes int64
	// MaxTreeBytes bounds the work tree of one bundle, unpacked. Defaults to 1 GiB.
	MaxTreeBytes int64
	Log          *slog.Logger // Defaults to slog.Default()
	// Now is the clock of validations. Defaults to time.Now.
	Now func() time.Time
	// Judging is what the server says of judging, for datasets that do not say. What it does
	// not say is as in assay.DefaultJudging.
	Judging assay.Judging
}

// WithDefaults returns c with its defaults filled in.
func (c Config) WithDefaults() Config {
	if c.BundleBytes == 0 {
		c.BundleBytes = 2 << 30
	}
	if c.MaxTreeBytes == 0 {
		c.MaxTreeBytes = 1 << 30
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Judging = c.Judging.Over(assay.DefaultJudging())
	return c
}

// New returns a Service.
func New(c Config) (*Service, error) {
	if c.Store == nil {
		return nil, errors.New("dataset: no store")
	}
	c = c.WithDefaults()
	s := &Service{store: c.Store, digest: c.ImageDigest, now: c.Now, judging: c.Judging}
	if c.BundleDir != "" && c.Worktree != nil && c.ImageDigest != nil {
		b, err := newBundler(c)
		if err != nil {
			return nil, err
		}
		s.bundles = b
	}
	return s, nil
}

// Import is what an import did.
type Import struct {
	Dataset string
	Samples int // in the folder
	ImportResult
	Changes []SampleChange // by id
	Answers assay.Answers  // that are in force
	// Overruled is what the folder says of the answers, if an operator set it otherwise.
	Overruled assay.Answers
	// Unheard are settings of judging that an operator set otherwise than the folder, a
	// sentence each.
	Unheard []string
}

// SampleChange is what an import did to one sample.
type SampleChange struct {
	ID   string
	From int // version before; 0 when the sample is new
	To   int // version after; 0 when the sample is no longer in the dataset
}

// String says it in words.
func (c SampleChange) String() string {
	switch {
	case c.From == 0:
		return fmt.Sprintf("added %s", c.ID)
	case c.To == 0:
		return fmt.Sprintf("removed %s: version %d stays for the sessions that use it", c.ID, c.From)
	default:
		return fmt.Sprintf("changed %s: version %d is now %d", c.ID, c.From, c.To)
	}
}

// Import reads the dataset in folder dir and stores it, in one transaction: all of
// it, or nothing. Doing it again changes nothing. Its error is a *FaultsError when
// the folder holds no valid dataset.
func (s *Service) Import(ctx context.Context, dir string) (*Import, error) {
	folder, err := ReadFolder(dir)
	if err != nil {
		return nil, err
	}
	return s.storeFolder(ctx, folder)
}

// storeFolder stores a dataset in one transaction, and tells what that changed.
func (s *Service) storeFolder(ctx context.Context, folder *Folder) (*Import, error) {
	name := folder.Dataset.Name
	before, err := s.versions(ctx, name)
	if err != nil {
		return nil, err
	}
	result, err := s.store.ImportDataset(ctx, folder.Dataset, folder.Samples)
	if err != nil {
		return nil, fmt.Errorf("import dataset %s: %w", name, err)
	}
	after, err := s.versions(ctx, name)
	if err != nil {
		return nil, err
	}
	stored, err := s.store.Dataset(ctx, name)
	if err != nil {
		return nil, err
	}
	done := &Import{
		Dataset:      name,
		Samples:      len(folder.Samples),
		ImportResult: result,
		Changes:      compareVersions(before, after),
		Answers:      stored.Answers,
	}
	if said := folder.Dataset.Answers; said != "" && said != stored.Answers {
		done.Overruled = said
	}
	done.Unheard = unheard(folder.Dataset.Judging, stored.Judging)
	return done, nil
}

// Datasets returns all datasets, by name.
func (s *Service) Datasets(ctx context.Context) ([]*assay.Dataset, error) {
	all, err := s.store.Datasets(ctx)
	for _, d := range all {
		d.Judging = d.Judging.Over(s.judging)
	}
	return all, err
}

// Samples calls fn for each sample that q selects, by dataset and id, without
// holding them all in memory. A dataset that does not exist is dataset_not_found.
func (s *Service) Samples(ctx context.Context, q Query, fn func(*assay.Sample) error) error {
	if err := s.known(ctx, q.Dataset); err != nil {
		return err
	}
	return s.store.Samples(ctx, q, func(sample *assay.Sample) error {
		sample.Judging = sample.Judging.Over(s.judging)
		return fn(sample)
	})
}

// CountSamples returns how many samples q selects, whatever its Offset and Limit. A
// dataset that does not exist is dataset_not_found.
func (s *Service) CountSamples(ctx context.Context, q Query) (int, error) {
	if err := s.known(ctx, q.Dataset); err != nil {
		return 0, err
	}
	return s.store.CountSamples(ctx, q)
}

// Sample returns a version of a sample, the latest when version is 0:
// dataset_not_found, sample_not_found.
func (s *Service) Sample(ctx context.Context, dataset, id string, version int) (*assay.Sample, error) {
	sample, err := s.store.Sample(ctx, dataset, id, version)
	if err != nil {
		return nil, err
	}
	sample.Judging = sample.Judging.Over(s.judging)
	return sample, nil
}

func (s *Service) known(ctx context.Context, dataset string) error {
	if dataset == "" {
		return nil
	}
	_, err := s.store.Dataset(ctx, dataset)
	return err
}
