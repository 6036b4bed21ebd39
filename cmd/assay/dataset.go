package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/alecthomas/kong"
)

type datasetImportCmd struct {
	localFlags
	Dir  string `arg:"" help:"Folder with dataset.yaml and samples.jsonl."`
	JSON bool   `name:"json" help:"Print JSON."`
}

func (*datasetImportCmd) Help() string {
	return `Checks the folder, tells everything that is wrong in it, and stores all of it or nothing. Doing it again changes
nothing; a changed sample becomes a new version, and sessions keep theirs. docs/dataset-format.md defines the
format.

    assay dataset import datasets/mine`
}

// importedDataset is what dataset import --json prints.
type importedDataset struct {
	Dataset   string          `json:"dataset"`
	Samples   int             `json:"samples"`
	Added     int             `json:"added"`
	Changed   int             `json:"changed"`
	Unchanged int             `json:"unchanged"`
	Removed   int             `json:"removed"`
	Changes   []changedSample `json:"changes"`
}

type changedSample struct {
	SampleID    string `json:"sample_id"`
	FromVersion int    `json:"from_version"` // 0: new
	ToVersion   int    `json:"to_version"`   // 0: removed
}

func (c *datasetImportCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	a, err := c.open(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	got, err := a.Datasets.Import(ctx, c.Dir)
	if err != nil {
		return err
	}
	if c.JSON {
		out := importedDataset{got.Dataset, got.Samples, got.Added, got.Changed, got.Unchanged, got.Removed, []changedSample{}}
		for _, ch := range got.Changes {
			out.Changes = append(out.Changes, changedSample{ch.ID, ch.From, ch.To})
		}
		return writeJSON(std.out, out)
	}
	for _, change := range got.Changes {
		fmt.Fprintln(std.out, change)
	}
	_, err = fmt.Fprintf(std.out, "%s: %d samples: %d added, %d changed, %d unchanged, %d removed\n",
		got.Dataset, got.Samples, got.Added, got.Changed, got.Unchanged, got.Removed)
	return err
}

type datasetListCmd struct {
	localFlags
	JSON bool `name:"json" help:"Print JSON."`
}

// listedDataset is a dataset in the output for programs.
type listedDataset struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	SampleCount int    `json:"sample_count"`
	CreatedAt   string `json:"created_at"`

	ValidatedAt  *time.Time `json:"validated_at"` // null while a sample is not validated
	GoldPassRate *float64   `json:"gold_pass_rate"`
	FlakySamples *int       `json:"flaky_samples"`
}

func (c *datasetListCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	a, err := c.open(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	datasets, err := a.Datasets.Datasets(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		out := []listedDataset{}
		for _, d := range datasets {
			out = append(out, listedDataset{d.Name, d.Description, d.SampleCount, d.CreatedAt.UTC().Format("2006-01-02T15:04:05Z"), d.ValidatedAt(), d.GoldPassRate(), d.FlakySamples()})
		}
		return writeJSON(std.out, out)
	}
	t := newTable(std.out, "NAME", "SAMPLES", "SINCE", "VALIDATED", "GOLD", "FLAKY", "DESCRIPTION")
	for _, d := range datasets {
		t.row(d.Name, strconv.Itoa(d.SampleCount), when(d.CreatedAt), whenever(d.ValidatedAt()), percent(d.GoldPassRate()), number(d.FlakySamples()), d.Description)
	}
	return t.flush()
}
