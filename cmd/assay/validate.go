package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/alecthomas/kong"
	"github.com/schollz/progressbar/v3"

	"assay/internal/dataset"
)

type datasetValidateCmd struct {
	suiteFlags
	Name       string `arg:"" help:"Name of the dataset."`
	Runs       int    `placeholder:"N" default:"1" help:"Runs of each work tree of each sample (1)."`
	Fresh      bool   `help:"Begin anew: no run that is stored counts."`
	Quarantine bool   `name:"quarantine-flaky" help:"Quarantine the tests that flake: list them, and do not grade them."`
	JSON       bool   `name:"json" help:"Print JSON."`
	Report     string `placeholder:"FILE" help:"Write the JSON to this file as well."`
}

func (*datasetValidateCmd) Help() string {
	return `Judges two work trees of each sample N times each, as a verification would: the one as it is must not be solved,
and with the reference fix it must be. A test that the runs of one tree saw differently flakes. Exits with status
1 if any sample is not as it must be, and says why.

Runs are stored as they end: the same command, after an interrupt or a crash, makes those that are missing. Those
count that judged the same version of the sample by the same rules on the same image; --fresh makes all anew.

    assay dataset validate starter --sample beevik__etree-1.5.1
    assay dataset validate starter --runs 10 --workers 4 --report starter.json`
}

func (c *datasetValidateCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	a, err := c.open(ctx, parsed, "runs", c.Runs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	judge, err := a.Judge(ctx)
	if err != nil {
		return err
	}
	show := &validationProgress{std: std}
	report, err := a.Datasets.Validate(ctx, judge, dataset.ValidateRequest{
		Dataset: c.Name,
		Samples: c.Samples,
		Runs:    c.Runs,
		Workers: c.Workers,
		Fresh:   c.Fresh,
		Started: show.started,
		Ran:     show.ran,
	})
	show.end()
	if err != nil {
		if ctx.Err() != nil {
			return interrupted("the runs that ended are stored; the same command makes those that are missing", err)
		}
		return err
	}
	shown := showReport(report)
	if c.Quarantine {
		changed, refused := a.Datasets.QuarantineFlaky(ctx, c.Name, c.Samples)
		for _, s := range changed {
			shown.Quarantined = append(shown.Quarantined, showQuarantine(s, s.Task.Verifier.Quarantined))
		}
		err = refused
	}
	return errors.Join(c.print(std, shown), err, shown.verdict())
}

// print writes the report to where it was asked for.
func (c *datasetValidateCmd) print(std stdio, shown *shownReport) error {
	var errs []error
	if c.Report != "" {
		errs = append(errs, writeFile(c.Report, shown))
	}
	if c.JSON {
		errs = append(errs, writeJSON(std.out, shown))
	} else {
		errs = append(errs, shown.printTables(std.out))
	}
	return errors.Join(errs...)
}

// writeFile writes a JSON document to a file, which it replaces.
func writeFile(path string, v any) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return writeJSON(f, v)
}

// validationProgress shows how a validation gets on, on standard error: a bar to a
// person, else a line for each run.
type validationProgress struct {
	std stdio
	bar *progressbar.ProgressBar // nil when nobody watches
}

func (p *validationProgress) started(_, runs int) {
	if p.std.interactive() {
		p.bar = newBar(p.std, "validating", int64(runs))
	}
}

func (p *validationProgress) ran(r *dataset.Run) {
	if p.bar != nil {
		_ = p.bar.Add(1) // what cannot be drawn is not missed
		return
	}
	fmt.Fprintf(p.std.err, "%s  %s %d  %s  %s\n", r.SampleID, r.Tree, r.Number, r.Outcome, r.Duration.Round(100*time.Millisecond))
}

func (p *validationProgress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
