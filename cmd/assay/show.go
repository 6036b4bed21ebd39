package main

import (
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/alecthomas/kong"

	"assay"
	"assay/internal/dataset"
)

type datasetShowCmd struct {
	localFlags
	Name    string `arg:"" help:"Name of the dataset."`
	Sample  string `arg:"" optional:"" help:"Id of a sample: it is shown with its answers, whoever else may see them."`
	Version int    `help:"Version of the sample (the latest)."`
	Patch   bool   `help:"Print the reference fix of the sample alone, as git apply takes it."`
	JSON    bool   `name:"json" help:"Print JSON. A sample always is."`
}

func (*datasetShowCmd) Help() string {
	return `A dataset is shown with what is known of it, a sample as JSON with its answers.

    assay dataset show starter
    assay dataset show starter beevik__etree-1.5.1
    assay dataset show starter beevik__etree-1.5.1 --patch | git apply`
}

func (c *datasetShowCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	if c.Sample == "" && (c.Version != 0 || c.Patch) {
		return usageError{errors.New("--version and --patch: name the sample")}
	}
	if c.Version < 0 {
		return usageError{errors.New("--version: versions count from 1")}
	}
	a, err := c.openExisting(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if c.Sample != "" {
		return c.showSample(ctx, a.Datasets, std.out)
	}
	d, err := a.Datasets.Dataset(ctx, c.Name)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(std.out, listed(d))
	}
	return showDataset(std.out, d)
}

func (c *datasetShowCmd) showSample(ctx context.Context, datasets *dataset.Service, w io.Writer) error {
	s, err := datasets.Sample(ctx, c.Name, c.Sample, c.Version)
	if err != nil {
		return err
	}
	if c.Patch {
		_, err = io.WriteString(w, s.ReferencePatch())
		return err
	}
	text, err := dataset.Document(s)
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}

func showDataset(w io.Writer, d *assay.Dataset) error {
	t := newTable(w, "name", d.Name)
	for _, row := range [][2]string{
		{"description", dash(d.Description)},
		{"samples", strconv.Itoa(d.SampleCount)},
		{"since", when(d.CreatedAt)},
		{"answers", string(d.Answers)},
		{"rounds", strconv.Itoa(d.Judging.Rounds)},
		{"odds at most", oneIn(d.Judging.MaxOdds)},
		{"assurance at least", string(d.Judging.RequireAssurance)},
		{"fresh truths", string(d.Judging.Fresh)},
		{"feedback", string(d.Judging.Feedback)},
		{"known", string(d.Judging.Known)},
		{"validated", whenever(d.ValidatedAt())},
		{"gold pass rate", percent(d.GoldPassRate())},
		{"flaky samples", number(d.FlakySamples())},
	} {
		t.row(row[0], row[1])
	}
	if a := d.Alterations; a.Searched > 0 {
		t.row("searched for alterations", strconv.Itoa(a.Searched))
		t.row("samples with alterations", strconv.Itoa(a.Altered))
		t.row("blind samples", strconv.Itoa(a.Blind))
		t.row("median odds of 3 rounds", oneIn(*a.MedianOdds()))
	}
	return t.flush()
}
