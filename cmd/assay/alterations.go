package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/alecthomas/kong"

	"assay"
	"assay/internal/alteration/catalog"
	"assay/internal/alteration/search"
	"assay/internal/app"
	"assay/internal/dataset"
)

type datasetAlterationsCmd struct {
	suiteFlags
	Name    string        `arg:"" help:"Name of the dataset."`
	MaxRuns int           `name:"max-runs" placeholder:"N" default:"150" help:"Runs of the suite of each sample at most, with those of the search that goes on (150)."`
	Limit   time.Duration `placeholder:"TIME" default:"30m" help:"Time for each sample at most, without that of earlier commands (30m)."`
	Fresh   bool          `help:"Find true versions of tests that nobody has seen, too."`
	Again   bool          `help:"Search what was searched already, with other choices, and replace what is stored."`
	Yes     bool          `help:"Do not ask before a large search. Without a terminal nothing is asked."`
	Reveal  bool          `help:"Print what was found, and not only numbers: with it, verdicts on these samples can be forged."`
	JSON    bool          `name:"json" help:"Print JSON."`
}

func (*datasetAlterationsCmd) Help() string {
	return `An alteration is a small edit of a test that makes exactly that test fail with the reference fix. It is blind if the
unsolved code cannot tell it from the true test. A work that passes altered tests, too, was not solved but forged.
Alterations are found by running the suite with one edit after the other, first with the reference fix, then without.

What is found is a key like any other: it is stored encrypted with alterations.key, only numbers are told, and
each server finds its own. The same command, after an interrupt or a crash, goes on where it was.

A sample that was searched is not searched again: what is stored of it is told. SPENT tells that its search ended at
its bounds, before all was tried. Then a larger --max-runs or --limit goes on where it ended, and repeats no run;
of a search that tried all, they change nothing. --fresh looks for fresh truths where that was not done yet; of a
search that tried all, the runs are not kept, and it makes them again. What any of these finds replaces what is
stored, unless that is better. --again begins anew, with other choices, and what it finds replaces what is stored,
better or not, when the search has ended. Without alterations.key nothing that is stored can be opened, and it is
searched as if it were not there.

    assay dataset alterations starter
    assay dataset alterations starter --sample beevik__etree-1.5.1 --fresh --json
    assay dataset alterations starter --max-runs 400 --limit 2h`
}

func (c *datasetAlterationsCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	if c.Limit <= 0 {
		return usageError{errors.New("--limit: want a time of more than 0, such as 30m")}
	}
	a, err := c.open(ctx, parsed, "max-runs", c.MaxRuns)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	ids, err := c.samples(ctx, a)
	if err != nil {
		return err
	}
	known, err := a.Alterations()
	if err != nil {
		return err
	}
	show := &searchProgress{std: std, samples: len(ids), most: c.MaxRuns}
	var outcomes []catalog.Outcome
	req := catalog.Request{
		Dataset: c.Name, Samples: ids, Workers: c.Workers, Again: c.Again,
		Bounds: catalog.Bounds{Runs: c.MaxRuns, Limit: c.Limit, Fresh: c.Fresh},
		Ran:    show.ran,
		Done: func(o catalog.Outcome) {
			outcomes = append(outcomes, o)
			show.done(o)
		},
	}
	if err := c.agree(ctx, std, len(known.Left(ctx, req))); err != nil {
		return err
	}
	tester, err := a.Evaluator(ctx)
	if err != nil {
		return err
	}
	show.begin(c.Workers)
	err = known.Search(ctx, tester, req)
	show.end()
	if err != nil {
		return interrupted(show.kept(), err)
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

// agree says before a large search what it may take, and asks a person whether it may.
func (c *datasetAlterationsCmd) agree(ctx context.Context, std stdio, samples int) error {
	const (
		large = 3000 // runs
		usual = 5 * time.Second
	)
	runs := samples * c.MaxRuns
	if runs < large {
		return nil
	}
	rounds := (samples + c.Workers - 1) / c.Workers
	most := time.Duration(rounds) * c.Limit
	fmt.Fprintf(std.err, "%d samples are to be searched, %d at a time: at most %d runs of suites (%s if a suite takes %s), and at most %s in all; "+
		"each sample is stored when it is done, and after an interrupt the same command goes on\n",
		samples, c.Workers, runs, min(time.Duration(rounds*c.MaxRuns)*usual, most), usual, most)
	if c.Yes || !std.asks() {
		return nil
	}
	return std.agree(ctx, "go on?")
}

// searchedSample is a sample in the output for programs.
type searchedSample struct {
	SampleID string `json:"sample_id"`
	Error    string `json:"error,omitempty"`

	Tests       int           `json:"tests"` // of fail_to_pass, as far as they are graded
	Altered     int           `json:"altered"`
	Blind       int           `json:"blind"`
	FreshTests  int           `json:"fresh"`
	FreshSought bool          `json:"fresh_searched"` // whether fresh truths were looked for
	Draws       int           `json:"draws"`
	Odds        odds          `json:"odds"` // of the best guesser, by rounds
	Candidates  int           `json:"candidates"`
	Runs        int           `json:"runs"`
	Seconds     float64       `json:"seconds"`
	Spent       bool          `json:"spent"`  // it ended at its bounds
	Stored      bool          `json:"stored"` // all of it was found by earlier commands
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
	s.FreshSought, s.Stored = o.Fresh, o.Stored
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
	t := newTable(w, "SAMPLE", "TESTS", "ALTERED", "BLIND", "DRAWS", "FRESH", "ODDS OF 3", "OF 7", "RUNS", "SECONDS", "SPENT")
	for _, s := range samples {
		if s.Error != "" {
			continue
		}
		t.row(s.SampleID, strconv.Itoa(s.Tests), strconv.Itoa(s.Altered), strconv.Itoa(s.Blind), strconv.Itoa(s.Draws), s.fresh(),
			oneIn(s.Odds.Three), oneIn(s.Odds.Seven), strconv.Itoa(s.Runs), strconv.FormatFloat(s.Seconds, 'f', 0, 64), yesNo(s.Spent))
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

// fresh is how many tests have a fresh truth, if such were looked for.
func (s *searchedSample) fresh() string {
	if !s.FreshSought {
		return dash("")
	}
	return strconv.Itoa(s.FreshTests)
}

// oneIn shows a chance.
func oneIn(p float64) string {
	if p >= 1 {
		return "1"
	}
	return fmt.Sprintf("1 in %.0f", 1/p)
}
