package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"assay"
	"assay/internal/dataset"
)

type datasetQuarantineCmd struct {
	localFlags
	Name           string   `arg:"" help:"Name of the dataset."`
	Samples        []string `name:"sample" placeholder:"ID" help:"Of these samples alone."`
	Tests          []string `name:"test" sep:"none" placeholder:"NAME" help:"Quarantine this test of the one sample."`
	FromValidation bool     `help:"Quarantine the tests that flaked in the last validation."`
	Remove         bool     `help:"Take tests out: those named, or all of the samples."`
	JSON           bool     `name:"json" help:"Print JSON."`
}

func (*datasetQuarantineCmd) Help() string {
	return `Tests in quarantine are listed in verdicts and not graded. The sample gets a new version, which imports of its
folder keep; sessions keep theirs. Without --test, --from-validation or --remove, what is in quarantine is listed.

    assay dataset quarantine starter
    assay dataset quarantine starter --from-validation
    assay dataset quarantine starter --sample beevik__etree-1.5.1 --test 'github.com/beevik/etree::TestIndent'
    assay dataset quarantine starter --sample beevik__etree-1.5.1 --remove`
}

// shownQuarantine is the quarantine of a sample in the output for programs.
type shownQuarantine struct {
	SampleID string   `json:"sample_id"`
	Version  int      `json:"version"` // latest of the sample; 0 when it is not in the dataset
	Tests    []string `json:"tests"`
}

func (q shownQuarantine) String() string {
	text := fmt.Sprintf("%s: version %d has %d tests in quarantine", q.SampleID, q.Version, len(q.Tests))
	if len(q.Tests) > 0 {
		text += ": " + strings.Join(q.Tests, ", ")
	}
	return text
}

func showQuarantine(s *assay.Sample, tests []string) shownQuarantine {
	return shownQuarantine{s.ID, s.Version, append([]string{}, tests...)}
}

func (c *datasetQuarantineCmd) check() (err error) {
	if c.Samples, err = sampleIDs(c.Samples); err != nil {
		return err
	}
	switch {
	case c.FromValidation && (c.Remove || len(c.Tests) > 0):
		return usageError{errors.New("--from-validation goes without --test and --remove")}
	case len(c.Tests) > 0 && len(c.Samples) != 1:
		return usageError{errors.New("--test: name the one sample with --sample")}
	}
	return nil
}

func (c *datasetQuarantineCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	a, err := c.openExisting(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	changed, err := c.change(ctx, a.Datasets)
	if err != nil && len(changed) == 0 {
		return err
	}
	list, listed := c.list(ctx, a.Datasets, changed)
	return errors.Join(err, listed, c.print(std, list))
}

// change does what was asked for, and returns the samples that it was done to.
func (c *datasetQuarantineCmd) change(ctx context.Context, datasets *dataset.Service) (changed []*assay.Sample, err error) {
	switch {
	case c.FromValidation:
		return datasets.QuarantineFlaky(ctx, c.Name, c.Samples)
	case c.Remove:
		ids := c.Samples
		if len(ids) == 0 {
			all, err := datasets.Quarantines(ctx, c.Name)
			if err != nil {
				return nil, err
			}
			ids = slices.Sorted(maps.Keys(all))
		}
		for _, id := range ids {
			s, err := datasets.Release(ctx, c.Name, id, c.Tests)
			if err != nil {
				return changed, err
			}
			changed = append(changed, s)
		}
	case len(c.Tests) > 0:
		s, err := datasets.Quarantine(ctx, c.Name, c.Samples[0], c.Tests)
		if err != nil {
			return nil, err
		}
		changed = append(changed, s)
	}
	return changed, nil
}

// list returns the quarantines of these samples; of those asked for when nothing was changed.
func (c *datasetQuarantineCmd) list(ctx context.Context, datasets *dataset.Service, changed []*assay.Sample) ([]shownQuarantine, error) {
	all, err := datasets.Quarantines(ctx, c.Name)
	if err != nil {
		return nil, err
	}
	list := []shownQuarantine{}
	for _, s := range changed {
		list = append(list, showQuarantine(s, all[s.ID]))
	}
	if c.FromValidation || c.Remove || len(changed) > 0 {
		return list, nil
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if len(c.Samples) > 0 && !slices.Contains(c.Samples, id) {
			continue
		}
		s, err := datasets.Sample(ctx, c.Name, id, 0)
		if assay.CodeOf(err) == assay.CodeSampleNotFound {
			s, err = &assay.Sample{ID: id}, nil
		}
		if err != nil {
			return nil, err
		}
		list = append(list, showQuarantine(s, all[id]))
	}
	return list, nil
}

func (c *datasetQuarantineCmd) print(std stdio, list []shownQuarantine) error {
	if c.JSON {
		return writeJSON(std.out, list)
	}
	for _, q := range list {
		fmt.Fprintln(std.out, q)
	}
	if len(list) == 0 {
		fmt.Fprintf(std.out, "%s: nothing\n", c.Name)
	}
	return nil
}
