package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/alecthomas/kong"
	"github.com/schollz/progressbar/v3"

	"assay"
	"assay/internal/alteration/catalog"
	"assay/internal/alteration/search"
	"assay/internal/app"
	"assay/internal/dataset"
)

type datasetAlterationsCmd struct {
	localFlags
	Name       string        `arg:"" help:"Name of the dataset."`
	Samples    []string      `name:"sample" placeholder:"ID" help:"Search these samples alone."`
	Workers    int           `placeholder:"N" default:"2" help:"Samples at a time (2)."`
	MaxRuns    int           `name:"max-runs" placeholder:"N" default:"150" help:"Runs of the suite of each sample at most (150)."`
	Limit      time.Duration `placeholder:"TIME" default:"30m" help:"Time for each sample at most (30m)."`
	Fresh      bool          `help:"Find true versions of tests that nobody has seen, too."`
	Again      bool          `help:"Search what was searched already, too."`
	Reveal     bool          `help:"Print what was found, and not only numbers: with it, verdicts on these samples can be forged."`
	JSON       bool          `name:"json" help:"Print JSON."`
	OCIRuntime string        `name:"oci-runtime" placeholder:"PROGRAM" help:"OCI runtime: runc, runsc, or a path (runc)."`
	Agent      string        `name:"agent" placeholder:"FILE" help:"Path of assay-agent (the one beside this program)."`
}

func (*datasetAlterationsCmd) Help() string {
	return `An alteration is a small edit of a test that makes exactly that test fail with the reference fix. It is blind if the
unsolved code cannot tell it from the true test. A work that passes altered tests, too, was not solved but forged.
Alterations are found by running the suite with one edit after the other, first with the reference fix, then without.

What is found is a key like any other: it is stored encrypted with alterations.key, only numbers are told, and
each server finds its own. The same command, after an interrupt or a crash, goes on where it was.

    assay dataset alterations starter
    assay dataset alterations starter --sample beevik__etree-1.5.1 --fresh --json`
}

func (c *datasetAlterationsCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	if c.Workers < 1 {
		return usageError{errors.New("--workers: want at least 1")}
	}
	if c.MaxRuns < 1 || c.MaxRuns > maxRuns {
		return usageError{fmt.Errorf("--max-runs: want 1 to %d", maxRuns)}
	}
	flags := c.config()
	flags.OCIRuntime, flags.Agent = c.OCIRuntime, c.Agent
	a, err := openApp(ctx, c.File, flags, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	ids, err := c.samples(ctx, a)
	if err != nil {
		return err
	}
	tester, err := a.Evaluator(ctx)
	if err != nil {
		return err
	}
	known, err := a.Alterations()
	if err != nil {
		return err
	}
	c.tellCost(std.err, len(ids))
	show := &searchProgress{std: std, samples: len(ids)}
	var outcomes []catalog.Outcome
	err = known.Search(ctx, tester, catalog.Request{
		Dataset: c.Name, Samples: ids, Workers: c.Workers, Runs: c.MaxRuns, Limit: c.Limit, Fresh: c.Fresh, Again: c.Again,
		Ran: show.ran,
		Done: func(o catalog.Outcome) {
			outcomes = append(outcomes, o)
			show.done(o)
		},
	})
	show.end()
	if err != nil {
		return fmt.Errorf("%w; the same command goes on where this one was", err)
	}
	return c.print(std, outcomes)
}

// samples returns the ids to search.
func (c *datasetAlterationsCmd) samples(ctx context.Context, a *app.App) ([]string, error) {
	if _, err := a.Datasets.Dataset(ctx, c.Name); err != nil {
		return nil, err
	}
	if len(c.Samples) > 0 {
		return c.Samples, nil
	}
	var ids []string
	err := a.Datasets.Samples(ctx, dataset.Query{Dataset: c.Name}, func(s *assay.Sample) error {
		ids = append(ids, s.ID)
		return nil
	})
	return ids, err
}

// tellCost says before a large search what it may take.
func (c *datasetAlterationsCmd) tellCost(w io.Writer, samples int) {
	const large = 20
	if samples > large {
		rounds := (samples + c.Workers - 1) / c.Workers
		fmt.Fprintf(w, "searching %d samples, %d at a time: at most %d runs of suites and %s in all; each sample is stored when it is done\n",
			samples, c.Workers, samples*c.MaxRuns, time.Duration(rounds)*c.Limit)
	}
}

// searchedSample is a sample in the output for programs.
type searchedSample struct {
	SampleID string `json:"sample_id"`
	Error    string `json:"error,omitempty"`

	Tests       int           `json:"tests"` // of fail_to_pass, as far as they are graded
	Altered     int           `json:"altered"`
	Blind       int           `json:"blind"`
	FreshTests  int           `json:"fresh"`
	Draws       int           `json:"draws"`
	Odds        odds          `json:"odds"` // of the best guesser, by rounds
	Candidates  int           `json:"candidates"`
	Runs        int           `json:"runs"`
	Seconds     float64       `json:"seconds"`
	Spent       bool          `json:"spent"` // it ended at its bounds
	Without     []search.Test `json:"without"`
	Expected    int           `json:"expected"` // alterations of what a fail_to_pass test expects
	Alterations int           `json:"alterations"`

	Found *search.Result `json:"found,omitempty"` // with --reveal alone
}

// odds is the chance of the best guesser to pass rounds on a sample's tests.
type odds struct {
	Three float64 `json:"3"`
	Seven float64 `json:"7"`
}

func (c *datasetAlterationsCmd) shown(o catalog.Outcome) searchedSample {
	s := searchedSample{SampleID: o.SampleID, Without: []search.Test{}}
	if o.Err != nil {
		s.Error = o.Err.Error()
		return s
	}
	s.Tests, s.Altered, s.Blind, s.FreshTests, s.Draws = o.Summary.Tests, o.Summary.Altered, o.Summary.Blind, o.Summary.Fresh, o.Summary.Draws
	s.Odds = odds{o.Summary.Odds(3), o.Summary.Odds(7)}
	s.Candidates, s.Runs, s.Seconds, s.Spent = o.Result.Candidates, o.Result.Runs, o.Result.Took.Seconds(), o.Result.Spent
	for _, t := range o.Result.Tests {
		if t.Blind == 0 {
			s.Without = append(s.Without, t)
		}
	}
	for i := range o.Result.Alterations {
		a := &o.Result.Alterations[i]
		if a.Solving() {
			s.Alterations++
			if a.Kind == search.Expected {
				s.Expected++
			}
		}
	}
	if c.Reveal {
		s.Found = o.Result
	}
	return s
}

func (c *datasetAlterationsCmd) print(std stdio, outcomes []catalog.Outcome) error {
	shown := make([]searchedSample, len(outcomes))
	failed := 0
	for i, o := range outcomes {
		if shown[i] = c.shown(o); o.Err != nil {
			failed++
		}
	}
	var err error
	if failed > 0 {
		err = fmt.Errorf("%d of %d samples could not be searched", failed, len(outcomes))
	}
	if c.JSON || c.Reveal {
		return errors.Join(writeJSON(std.out, shown), err)
	}
	return errors.Join(printSearched(std.out, shown), err)
}

func printSearched(w io.Writer, samples []searchedSample) error {
	t := newTable(w, "SAMPLE", "TESTS", "ALTERED", "BLIND", "DRAWS", "FRESH", "ODDS OF 3", "OF 7", "RUNS", "SECONDS")
	for _, s := range samples {
		if s.Error != "" {
			continue
		}
		t.row(s.SampleID, strconv.Itoa(s.Tests), strconv.Itoa(s.Altered), strconv.Itoa(s.Blind), strconv.Itoa(s.Draws), strconv.Itoa(s.FreshTests),
			oneIn(s.Odds.Three), oneIn(s.Odds.Seven), strconv.Itoa(s.Runs), strconv.FormatFloat(s.Seconds, 'f', 0, 64))
	}
	err := t.flush()
	for _, s := range samples {
		if s.Error != "" {
			fmt.Fprintf(w, "%s: %s\n", s.SampleID, s.Error)
		}
		const most = 5
		for i, test := range s.Without {
			if i == most {
				fmt.Fprintf(w, "%s: and %d more tests without a blind alteration\n", s.SampleID, len(s.Without)-most)
				break
			}
			fmt.Fprintf(w, "%s: %s: %s\n", s.SampleID, test.ID, test.Reason)
		}
	}
	return err
}

// oneIn shows a chance.
func oneIn(p float64) string {
	if p >= 1 {
		return "1"
	}
	return fmt.Sprintf("1 in %.0f", 1/p)
}

// searchProgress shows how a search gets on, on standard error.
type searchProgress struct {
	std     stdio
	samples int
	bar     *progressbar.ProgressBar // nil when nobody watches
	runs    map[string]int
}

func (p *searchProgress) ran(id string) {
	if p.runs == nil {
		p.runs = make(map[string]int)
		if p.std.interactive() {
			p.bar = newBar(p.std, "searching", int64(p.samples))
		}
	}
	p.runs[id]++
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("searching %s, run %d", id, p.runs[id]))
	}
}

func (p *searchProgress) done(o catalog.Outcome) {
	switch {
	case p.bar != nil:
		_ = p.bar.Add(1) // what cannot be drawn is not missed
	case o.Err != nil:
		fmt.Fprintf(p.std.err, "%s  %s\n", o.SampleID, o.Err)
	case o.Stored:
		fmt.Fprintf(p.std.err, "%s  was searched before\n", o.SampleID)
	default:
		fmt.Fprintf(p.std.err, "%s  %d of %d tests altered, %d blind  %s\n", o.SampleID, o.Summary.Altered, o.Summary.Tests, o.Summary.Blind, o.Summary.Took.Round(time.Second))
	}
}

func (p *searchProgress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
