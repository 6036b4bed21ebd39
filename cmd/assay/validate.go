package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alecthomas/kong"
	"github.com/schollz/progressbar/v3"

	"assay"
	"assay/internal/dataset"
)

type datasetValidateCmd struct {
	localFlags
	Name       string   `arg:"" help:"Name of the dataset."`
	Samples    []string `name:"sample" placeholder:"ID" help:"Validate these samples alone."`
	Workers    int      `placeholder:"N" default:"2" help:"Samples at a time (2)."`
	JSON       bool     `name:"json" help:"Print JSON."`
	OCIRuntime string   `name:"oci-runtime" placeholder:"PROGRAM" help:"OCI runtime: runc, runsc, or a path (runc)."`
	Agent      string   `name:"agent" placeholder:"FILE" help:"Path of assay-agent (the one beside this program)."`
}

func (*datasetValidateCmd) Help() string {
	return `Judges each sample twice, as a verification would: the work tree as it is must not be solved, and with the
reference fix it must be. Exits with status 1 if any sample is not so, and says why.

    assay dataset validate starter --sample beevik__etree-1.5.1`
}

func (c *datasetValidateCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	if c.Workers < 1 {
		return usageError{errors.New("--workers: want at least 1")}
	}
	flags := c.config()
	flags.OCIRuntime, flags.Agent = c.OCIRuntime, c.Agent
	a, err := openApp(ctx, c.File, flags, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	judge, err := a.Judge(ctx)
	if err != nil {
		return err
	}
	show := &validationProgress{std: std, quiet: c.JSON}
	outcomes, err := a.Datasets.Validate(ctx, judge, dataset.ValidateRequest{
		Dataset: c.Name,
		Samples: c.Samples,
		Workers: c.Workers,
		Started: show.started,
		Done:    show.done,
	})
	show.end()
	if err != nil {
		return err
	}
	return c.conclude(std, outcomes)
}

// conclude prints what came out, and fails if any sample is not valid.
func (c *datasetValidateCmd) conclude(std stdio, outcomes []dataset.Validation) error {
	shown := []shownValidation{}
	invalid := 0
	for _, v := range outcomes {
		shown = append(shown, showValidation(v))
		if !v.Valid() {
			invalid++
		}
	}
	if c.JSON {
		if err := writeJSON(std.out, shown); err != nil {
			return err
		}
	} else if invalid == 0 {
		fmt.Fprintf(std.out, "%s: all %d samples are valid\n", c.Name, len(outcomes))
	}
	if invalid > 0 {
		return exitError{exitFailed, fmt.Errorf("%s: %d of %d samples are not valid", c.Name, invalid, len(outcomes))}
	}
	return nil
}

// validationProgress shows how a validation gets on: a line a sample, and a bar below
// them to a person.
type validationProgress struct {
	std   stdio
	quiet bool // no lines
	bar   *progressbar.ProgressBar
}

func (p *validationProgress) started(samples int) {
	if p.std.interactive() {
		p.bar = newBar(p.std, "validating", int64(samples))
	}
}

func (p *validationProgress) done(v dataset.Validation) {
	if p.bar != nil {
		_ = p.bar.Clear() // what cannot be drawn is not missed
	}
	if !p.quiet {
		state := "ok  "
		if !v.Valid() {
			state = "FAIL"
		}
		fmt.Fprintf(p.std.out, "%s  %s  %s\n", state, v.SampleID, v.Duration.Round(100*time.Millisecond))
		for _, reason := range v.Reasons {
			fmt.Fprintf(p.std.out, "      %s\n", reason)
		}
	}
	if p.bar != nil {
		_ = p.bar.Add(1)
	}
}

func (p *validationProgress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// shownValidation is a validation in the output for programs.
type shownValidation struct {
	SampleID  string         `json:"sample_id"`
	Version   int            `json:"version"`
	Valid     bool           `json:"valid"`
	Reasons   []string       `json:"reasons"`
	Seconds   float64        `json:"seconds"`
	Empty     shownJudgement `json:"empty"`
	Reference shownJudgement `json:"reference"`
}

// shownJudgement is a verdict, or why there is none.
type shownJudgement struct {
	Solved  *bool  `json:"solved"` // null when there is no verdict
	Passed  int    `json:"passed"`
	Failed  int    `json:"failed"`
	Skipped int    `json:"skipped"`
	Reason  string `json:"reason"`
	Code    string `json:"error_code,omitempty"`
}

func showValidation(v dataset.Validation) shownValidation {
	reasons := v.Reasons
	if reasons == nil {
		reasons = []string{}
	}
	return shownValidation{
		v.SampleID, v.Version, v.Valid(), reasons, v.Duration.Seconds(),
		showJudgement(v.Empty), showJudgement(v.Reference),
	}
}

func showJudgement(j dataset.Judgement) shownJudgement {
	if j.Err != nil {
		return shownJudgement{Reason: j.Err.Error(), Code: string(assay.CodeOf(j.Err))}
	}
	v := j.Verdict
	return shownJudgement{Solved: &v.Solved, Passed: v.Passed, Failed: v.Failed, Skipped: v.Skipped, Reason: v.Reason}
}
