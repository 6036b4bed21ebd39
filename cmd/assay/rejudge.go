package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/sync/errgroup"

	"assay"
	"assay/internal/app"
)

type verdictRejudgeCmd struct {
	suiteFlags
	Verifications []string `arg:"" optional:"" help:"Ids of verifications (ver_...)."`
	Dataset       string   `placeholder:"NAME" help:"All verdicts on this dataset, instead of ids."`
	Grader        string   `placeholder:"V" help:"Those given by the rules of this version alone."`
	Unsolved      bool     `help:"Those that are not solved, too."`
	Withdraw      bool     `help:"Take back each verdict \"solved\" that does not hold on the same image."`
	Report        string   `placeholder:"FILE" help:"Write a line of JSON for each as it ends; those that were judged are not judged again."`
	JSON          bool     `name:"json" help:"Print the lines of the report."`
}

func (*verdictRejudgeCmd) Help() string {
	return `Judges works again, by the patch that was kept of each, by the rules of now: with rounds, where alterations of the
sample's tests are known. Nothing that is stored or was signed changes, nobody pays, and it counts as nobody's play.
Without --unsolved it looks at verdicts "solved" alone, and never at one that was withdrawn. Exits with status 1
if a verdict does not hold, or a work could not be judged again.

With --report the same command goes on where it was ended.

    assay verdict rejudge ver_...
    assay verdict rejudge --dataset starter --grader 2 --report again.jsonl
    assay verdict rejudge --dataset starter --report again.jsonl --withdraw`
}

// rejudged is a line of the report.
type rejudged struct {
	Verification string          `json:"verification_id"`
	Session      string          `json:"session_id"`
	Sample       string          `json:"sample_id"`
	Was          rejudgedVerdict `json:"was"`
	Now          rejudgedVerdict `json:"now"`
	SameImage    bool            `json:"same_image"`
	Holds        bool            `json:"holds"` // it is as it was
	Withdrawn    bool            `json:"withdrawn,omitempty"`
	Error        string          `json:"error,omitempty"` // why it could not be judged again
	Seconds      float64         `json:"seconds"`
}

type rejudgedVerdict struct {
	Grader    string          `json:"grader"`
	Solved    bool            `json:"solved"`
	Assurance assay.Assurance `json:"assurance,omitempty"`
	Rounds    int             `json:"rounds,omitempty"`
	Reason    string          `json:"reason"`
}

func rejudgedVerdictOf(v *assay.Verdict) rejudgedVerdict {
	e := &v.Evidence
	return rejudgedVerdict{Grader: e.Grader, Solved: v.Solved, Assurance: e.Assurance, Rounds: e.Rounds, Reason: v.Reason}
}

func (c *verdictRejudgeCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	if (len(c.Verifications) == 0) == (c.Dataset == "") {
		return usageError{errors.New("want ids of verifications, or --dataset NAME")}
	}
	a, err := c.open(ctx, parsed, "workers", c.Workers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	report, err := openRejudgeReport(c.Report)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, report.close()) }()
	judge, err := a.Rejudging(ctx)
	if err != nil {
		return err
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(c.Workers)
	err = c.each(within, a, func(v *assay.Verification) {
		if !report.has(v.ID) {
			group.Go(func() error { return c.again(within, judge, v, report, std) })
		}
	})
	err = errors.Join(group.Wait(), err)
	if c.Withdraw && err == nil {
		err = report.withdraw(ctx, a)
	}
	if ctx.Err() != nil && c.Report != "" {
		return interrupted("what was judged is in the report; the same command goes on", err)
	}
	return errors.Join(err, report.print(std, c.JSON))
}

// pageOfVerdicts is how many verdicts are read at once.
const pageOfVerdicts = 100

// each calls do with the verifications that are to be judged again, oldest first.
func (c *verdictRejudgeCmd) each(ctx context.Context, a *app.App, do func(*assay.Verification)) error {
	for _, id := range c.Verifications {
		v, err := a.Verdict(ctx, id)
		if err != nil {
			return err
		}
		do(v)
	}
	for after := ""; c.Dataset != ""; {
		some, err := a.Completed(ctx, c.Dataset, after, pageOfVerdicts)
		if err != nil || len(some) == 0 {
			return err
		}
		for _, v := range some {
			if c.wants(v) {
				do(v)
			}
			after = v.ID
		}
	}
	return nil
}

func (c *verdictRejudgeCmd) wants(v *assay.Verification) bool {
	return v.Withdrawn == nil && (v.Verdict.Solved || c.Unsolved) && (c.Grader == "" || v.Verdict.Evidence.Grader == c.Grader) &&
		(len(c.Samples) == 0 || slices.Contains(c.Samples, v.SampleID))
}

// again judges a work again, and tells the report. The error is that of ctx, or of the report.
func (c *verdictRejudgeCmd) again(ctx context.Context, judge *app.Rejudging, v *assay.Verification, report *rejudgeReport, std stdio) error {
	began := time.Now()
	row := rejudged{Verification: v.ID, Session: v.SessionID, Sample: v.SampleID, Was: rejudgedVerdictOf(v.Verdict)}
	got := judge.Again(ctx, v)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	row.Seconds = time.Since(began).Seconds()
	if got.Failure != nil {
		row.Error = got.Failure.Message
	} else {
		row.Now, row.SameImage = rejudgedVerdictOf(got.Verdict), got.SameImage
		row.Holds = row.Now.Solved == row.Was.Solved
	}
	fmt.Fprintf(std.err, "%s  %s  %s  %.1fs\n", row.Verification, row.Sample, row.outcome(), row.Seconds)
	return report.add(row)
}

func (r *rejudged) outcome() string {
	said := func(solved bool) string {
		if solved {
			return "solved"
		}
		return "not solved"
	}
	switch {
	case r.Error != "":
		return "could not be judged again: " + plain(r.Error)
	case r.Holds:
		return said(r.Was.Solved) + ", as before"
	case r.Withdrawn:
		return "not solved, and withdrawn"
	}
	return said(r.Now.Solved) + ", and was " + said(r.Was.Solved)
}

// lost tells whether a verdict "solved" is to be taken back: on another image, that the work is
// not solved says nothing of the image that it was made for.
func (r *rejudged) lost() bool {
	return r.Error == "" && r.SameImage && r.Was.Solved && !r.Now.Solved
}

// rejudgeReport gathers what came of works, also in a file if there is one.
type rejudgeReport struct {
	mu   sync.Mutex
	rows []rejudged
	file *os.File // nil for none
}

// openRejudgeReport reads the lines of a report from before. The last one may be cut short,
// by a crash: it is written again.
func openRejudgeReport(path string) (_ *rejudgeReport, err error) {
	r := &rejudgeReport{}
	if path == "" {
		return r, nil
	}
	if r.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fmt.Errorf("open the report: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("read the report %s: %w", path, err), r.file.Close())
		}
	}()
	whole := int64(0)
	for in := bufio.NewReader(r.file); ; {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		var row rejudged
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, fmt.Errorf("after byte %d there is no line of a report: %w", whole, err)
		}
		r.put(row)
		whole += int64(len(line))
	}
	if err := r.file.Truncate(whole); err != nil {
		return nil, err
	}
	_, err = r.file.Seek(whole, io.SeekStart)
	return r, err
}

func (r *rejudgeReport) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.rows, func(row rejudged) bool { return row.Verification == id && row.Error == "" })
}

// put adds a row, in the place of an earlier one of the same verification.
func (r *rejudgeReport) put(row rejudged) {
	if i := slices.IndexFunc(r.rows, func(o rejudged) bool { return o.Verification == row.Verification }); i >= 0 {
		r.rows[i] = row
		return
	}
	r.rows = append(r.rows, row)
}

func (r *rejudgeReport) add(row rejudged) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(row)
	if r.file == nil {
		return nil
	}
	return writeLine(r.file, row)
}

// withdraw takes back what does not hold.
func (r *rejudgeReport) withdraw(ctx context.Context, a *app.App) error {
	for _, row := range slices.Clone(r.rows) {
		if row.Withdrawn || !row.lost() {
			continue
		}
		why := fmt.Sprintf("judged again by rules %s it is not solved: %s", row.Now.Grader, row.Now.Reason)
		if err := a.WithdrawVerdict(ctx, row.Verification, why); err != nil && assay.CodeOf(err) != assay.CodeConflict { // it was, before
			return err
		}
		row.Withdrawn = true
		if err := r.add(row); err != nil {
			return err
		}
	}
	return nil
}

// print prints what came of all works. Its error says that not all verdicts hold.
func (r *rejudgeReport) print(std stdio, asJSON bool) error {
	held, failed := 0, 0
	var t *table
	if !asJSON {
		t = newTable(std.out, "VERIFICATION", "SAMPLE", "BY RULES", "ASSURANCE", "NOW")
	}
	for i := range r.rows {
		row := &r.rows[i]
		switch {
		case row.Error != "":
			failed++
		case row.Holds:
			held++
		}
		if asJSON {
			if err := writeLine(std.out, row); err != nil {
				return err
			}
			continue
		}
		t.row(row.Verification, row.Sample, dash(row.Was.Grader), dash(string(row.Now.Assurance)), row.outcome())
	}
	if t != nil {
		if err := t.flush(); err != nil {
			return err
		}
	}
	if held == len(r.rows) {
		return nil
	}
	return exitError{exitFailed, fmt.Errorf("of %s, %d hold and %d could not be judged again", count(len(r.rows), "verdict"), held, failed)}
}

func (r *rejudgeReport) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
