package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"assay"
	"assay/internal/dataset"
)

// shownReport is a validation in the output for programs; docs/dataset-format.md
// describes it.
type shownReport struct {
	Dataset     string            `json:"dataset"`
	Campaign    string            `json:"campaign"`
	Grader      string            `json:"grader"`
	Runs        int               `json:"runs"`        // asked for, of each tree of each sample
	Resumed     bool              `json:"resumed"`     // runs that were stored counted
	RunsStored  int               `json:"runs_stored"` // those that counted
	RunsMade    int               `json:"runs_made"`   // by this command
	Valid       int               `json:"valid_samples"`
	Flaky       int               `json:"flaky_samples"`
	GoldPass    *float64          `json:"gold_pass_rate"` // null without a reference run that was judged
	Samples     []shownValidation `json:"samples"`
	Quarantined []shownQuarantine `json:"quarantined"` // by this command
}

// shownValidation is what became of one sample.
type shownValidation struct {
	SampleID  string      `json:"sample_id"`
	Version   int         `json:"version"`
	Valid     bool        `json:"valid"`
	Flaky     bool        `json:"flaky"`
	Reasons   []string    `json:"reasons"`
	Note      string      `json:"note,omitempty"`
	Narrow    bool        `json:"narrow"` // the command for some tests may be used
	Seconds   float64     `json:"seconds_p50"`
	Finished  *time.Time  `json:"finished_at"` // null without a run
	Empty     shownTally  `json:"empty"`
	Reference shownTally  `json:"reference"`
	Flakes    []shownTest `json:"flaky_tests"` // all other tests have a flake rate of 0
}

type shownTally struct {
	Runs      int        `json:"runs"`
	Solved    int        `json:"solved"`
	Unsolved  int        `json:"unsolved"`
	Errors    int        `json:"errors"`
	ErrorCode assay.Code `json:"error_code,omitempty"` // of the last error
}

// shownTest is what the runs of one tree saw of a test that flakes.
type shownTest struct {
	Test        string  `json:"test"`
	List        string  `json:"list"`
	Tree        string  `json:"tree"`
	Runs        int     `json:"runs"`
	Passed      int     `json:"passed"`
	Failed      int     `json:"failed"`
	Skipped     int     `json:"skipped"`
	Missing     int     `json:"missing"`
	FlakeRate   float64 `json:"flake_rate"`
	Quarantined bool    `json:"quarantined"`
}

func showReport(r *dataset.Report) *shownReport {
	shown := &shownReport{
		Dataset: r.Dataset, Campaign: r.Campaign, Grader: assay.GraderVersion,
		Runs: r.Runs, Resumed: r.Stored > 0, RunsStored: r.Stored, RunsMade: r.Made,
		Samples: []shownValidation{}, Quarantined: []shownQuarantine{},
	}
	judged, solved := 0, 0
	for _, v := range r.Samples {
		shown.Samples = append(shown.Samples, showValidation(v))
		if v.Valid() {
			shown.Valid++
		}
		if v.Flaky() {
			shown.Flaky++
		}
		judged += v.Reference.Solved + v.Reference.Unsolved
		solved += v.Reference.Solved
	}
	if judged > 0 {
		shown.GoldPass = new(float64(solved) / float64(judged))
	}
	return shown
}

func showValidation(v dataset.Validation) shownValidation {
	shown := shownValidation{
		SampleID: v.SampleID, Version: v.Version, Valid: v.Valid(), Flaky: v.Flaky(),
		Reasons: append([]string{}, v.Reasons...), Note: v.Note, Narrow: v.Narrow, Seconds: v.Median.Seconds(),
		Empty: showTally(v.Empty), Reference: showTally(v.Reference), Flakes: []shownTest{},
	}
	if !v.Finished.IsZero() {
		shown.Finished = &v.Finished
	}
	for _, t := range v.Flakes {
		shown.Flakes = append(shown.Flakes, shownTest{
			Test: t.Test, List: t.List, Tree: string(t.Tree),
			Runs: t.Runs, Passed: t.Passed, Failed: t.Failed, Skipped: t.Skipped, Missing: t.Missing,
			FlakeRate: t.FlakeRate(), Quarantined: t.Quarantined,
		})
	}
	return shown
}

func showTally(t dataset.Tally) shownTally {
	return shownTally{t.Runs, t.Solved, t.Unsolved, t.Errors, t.ErrorCode}
}

// verdict fails if any sample is not valid.
func (r *shownReport) verdict() error {
	if invalid := len(r.Samples) - r.Valid; invalid > 0 {
		return exitError{exitFailed, fmt.Errorf("%s: %d of %d samples are not valid", r.Dataset, invalid, len(r.Samples))}
	}
	return nil
}

// printTables prints the report for people: a row a sample, then the tests that flake, then
// what is wrong.
func (r *shownReport) printTables(w io.Writer) error {
	t := newTable(w, "SAMPLE", "RUNS", "EMPTY SOLVED", "GOLD SOLVED", "ERRORS", "FLAKES", "SECONDS P50", "VALID")
	flakes := 0
	for _, s := range r.Samples {
		flakes += len(s.Flakes)
		t.row(s.SampleID, strconv.Itoa(s.Empty.Runs+s.Reference.Runs),
			share(s.Empty), share(s.Reference), strconv.Itoa(s.Empty.Errors+s.Reference.Errors),
			strconv.Itoa(len(s.Flakes)), strconv.FormatFloat(s.Seconds, 'f', 1, 64), yesNo(s.Valid))
	}
	if err := t.flush(); err != nil {
		return err
	}
	if flakes > 0 {
		if err := r.printFlakes(w); err != nil {
			return err
		}
	}
	for _, s := range r.Samples {
		for _, reason := range s.Reasons {
			fmt.Fprintf(w, "%s: %s\n", s.SampleID, reason)
		}
		if s.Note != "" {
			fmt.Fprintf(w, "%s: %s\n", s.SampleID, s.Note)
		}
	}
	for _, q := range r.Quarantined {
		fmt.Fprintln(w, q)
	}
	if r.Resumed {
		fmt.Fprintf(w, "%s: %d runs were stored already, %d were made; --fresh makes all anew\n", r.Dataset, r.RunsStored, r.RunsMade)
	}
	if r.Valid == len(r.Samples) {
		fmt.Fprintf(w, "%s: all %d samples are valid\n", r.Dataset, r.Valid)
	}
	return nil
}

func (r *shownReport) printFlakes(w io.Writer) error {
	fmt.Fprintln(w)
	t := newTable(w, "FLAKES", "TREE", "TEST", "RUNS", "PASSED", "FAILED", "SKIPPED", "MISSING", "RATE", "QUARANTINED")
	for _, s := range r.Samples {
		for _, f := range s.Flakes {
			t.row(s.SampleID, f.Tree, f.Test, strconv.Itoa(f.Runs), strconv.Itoa(f.Passed), strconv.Itoa(f.Failed),
				strconv.Itoa(f.Skipped), strconv.Itoa(f.Missing), strconv.FormatFloat(f.FlakeRate, 'f', 2, 64), yesNo(f.Quarantined))
		}
	}
	defer fmt.Fprintln(w)
	return t.flush()
}

// share is how many of the runs that were judged were solved.
func share(t shownTally) string {
	if t.Solved+t.Unsolved == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d", t.Solved, t.Solved+t.Unsolved)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
