package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"assay"
	"assay/client/wire"
)

type sessionVerifyCmd struct {
	serverFlags
	Session string `arg:"" help:"Id of the session."`
}

func (*sessionVerifyCmd) Help() string {
	return `The session goes on undisturbed: its changes are judged in a sandbox of their own. Exits with status 0 when the
task is solved, 1 when it is not, and 125 when that could not be found out.

    assay session verify ses_... && assay session close ses_...`
}

func (c *sessionVerifyCmd) Run(ctx context.Context, std stdio) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	started, err := api.Verify(ctx, c.Session)
	if err != nil {
		return unknown(fmt.Errorf("start a verification: %w", err))
	}
	if std.interactive() {
		fmt.Fprintf(std.err, "verification %s is running\n", started.JobID)
	}
	job, err := api.WaitJob(ctx, c.Session, started.JobID)
	if err != nil {
		return unknown(fmt.Errorf("wait for verification %s, which goes on: %w", started.JobID, err))
	}
	if c.JSON {
		if err := writeJSON(std.out, job); err != nil {
			return unknown(err)
		}
	}
	if job.Status != assay.VerificationCompleted || job.Result == nil {
		return unknown(fmt.Errorf("verification %s ended as %s, without a verdict: %s", job.JobID, job.Status, failure(job.Error)))
	}
	if !c.JSON {
		showVerdict(std, job.Result, job.DetailsWithheld)
		if w := job.Withdrawn; w != nil {
			fmt.Fprintf(std.out, "withdrawn: %s, %s\n", when(w.At), w.Reason)
		}
	}
	if !job.Result.IsSuccess {
		return exitError{status: exitFailed}
	}
	return nil
}

// labelOf is what a line about tampering begins with: an alarm, or a note.
func labelOf(k assay.TamperingKind) string {
	if k.Alarm() {
		return "tampering"
	}
	return "note"
}

// showSurety shows what tells how much a verdict is worth.
func showSurety(std stdio, r *wire.JobResult) {
	fmt.Fprintf(std.out, "answers: %s\n", openOrClosed(r.Evidence.AnswersOpen))
	if told := roundsInWords(roundsOf(&r.Evidence)); told != "" {
		fmt.Fprintf(std.out, "rounds: %s\n", told)
	}
}

// maxShownTests bounds the tests that are listed of a verdict.
const maxShownTests = 20

func showVerdict(std stdio, r *wire.JobResult, withheld bool) {
	verdict := "not solved"
	if r.IsSuccess {
		verdict = "solved"
	}
	took := time.Duration(r.ExecutionDurationSeconds * float64(time.Second)).Round(10 * time.Millisecond)
	fmt.Fprintf(std.out, "%s: %s\n", verdict, plain(r.Reason))
	if withheld {
		showSurety(std, r)
		return
	}
	fmt.Fprintf(std.out, "%d passed, %d failed, %d skipped, %d missing, in %s\n", r.Passed, r.Failed, r.Skipped, len(r.Missing), took)
	if from := r.Evidence.CachedFrom; from != "" {
		fmt.Fprintf(std.out, "the same work was judged before, in %s\n", from)
	}
	showSurety(std, r)
	for _, t := range r.Tampering {
		fmt.Fprintln(std.out, labelOf(t.Kind)+": "+plain(strings.TrimSpace(t.Path+" "+t.Detail)))
	}
	var wrong []string
	for _, t := range r.Failures {
		if t.Expected == "fail_to_pass" || t.Expected == "pass_to_pass" {
			wrong = append(wrong, "failed   "+t.Name)
		}
	}
	for _, t := range r.Skips {
		if t.Expected == "fail_to_pass" || t.Expected == "pass_to_pass" {
			wrong = append(wrong, "skipped  "+t.Name)
		}
	}
	for _, name := range r.Missing {
		wrong = append(wrong, "missing  "+name)
	}
	for i, line := range wrong {
		if i == maxShownTests {
			fmt.Fprintf(std.out, "  and %d more; --json shows all\n", len(wrong)-i)
			break
		}
		fmt.Fprintln(std.out, "  "+plain(line))
	}
}
