package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"assay"
	"assay/client"
	"assay/client/wire"
)

// row is what happened to one sample.
type row struct {
	sample        string
	language      string
	before, after *wire.JobResult
	create        time.Duration
	exec          time.Duration // of the command that looks around
	verify        time.Duration // of the second verification
	cost          assay.MicroUSD
	err           error // what was not as it should be
}

func (r row) outcome() string {
	if r.err != nil {
		return "WRONG: " + r.err.Error()
	}
	return "not solved before the fix, solved after it"
}

// solve does the main job on one sample.
func solve(ctx context.Context, api *client.Client, sample *assay.Sample) (r row) {
	r = row{sample: sample.ID, language: sample.Task.Language}
	began := time.Now()
	created, err := api.CreateSession(ctx, wire.SessionCreate{Dataset: sample.Dataset, SampleID: sample.ID})
	if err != nil {
		r.err = err
		return r
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if _, err := api.CloseSession(ctx, created.SessionID); err != nil {
			r.err = errors.Join(r.err, err)
			return
		}
		ended, err := api.Session(ctx, created.SessionID)
		if r.err = errors.Join(r.err, err); err == nil {
			r.cost = assay.MicroUSD(ended.CostMicroUSD)
		}
	}()
	session, err := api.WaitSession(ctx, created.SessionID)
	if err == nil && session.Status != assay.SessionReady {
		err = fmt.Errorf("the session is %s: %v", session.Status, session.Error)
	}
	if err != nil {
		r.err = err
		return r
	}
	r.create = time.Since(began)
	r.err = r.work(ctx, api, sample, session.SessionID)
	return r
}

// work looks around, and verifies before and after the reference fix.
func (r *row) work(ctx context.Context, api *client.Client, sample *assay.Sample, session string) (err error) {
	began := time.Now()
	if err := run(ctx, api, session, "git log --oneline && ls"); err != nil {
		return fmt.Errorf("look around: %w", err)
	}
	r.exec = time.Since(began)

	if r.before, err = verdict(ctx, api, session); err != nil {
		return fmt.Errorf("verify before the fix: %w", err)
	}
	if r.before.IsSuccess {
		return errors.New("solved before the fix")
	}
	fix := base64.StdEncoding.EncodeToString([]byte(sample.ReferencePatch()))
	if err := run(ctx, api, session, "echo "+fix+" | base64 -d | git apply"); err != nil {
		return fmt.Errorf("apply the fix: %w", err)
	}
	began = time.Now()
	if r.after, err = verdict(ctx, api, session); err != nil {
		return fmt.Errorf("verify after the fix: %w", err)
	}
	r.verify = time.Since(began)
	if !r.after.IsSuccess {
		return fmt.Errorf("not solved after the fix: %s", r.after.Reason)
	}
	return nil
}

// run runs a command that must exit with 0.
func run(ctx context.Context, api *client.Client, session, command string) error {
	started, err := api.Exec(ctx, session, wire.ExecRequest{Command: command})
	if err != nil {
		return err
	}
	in, err := api.WaitInteraction(ctx, session, started.InteractionID)
	if err != nil {
		return err
	}
	if in.ExitCode == nil || *in.ExitCode != 0 {
		return fmt.Errorf("exit code %v: %s", deref(in.ExitCode), strings.TrimSpace(deref(in.Stderr)))
	}
	return nil
}

// verdict verifies, and returns the verdict or why there is none.
func verdict(ctx context.Context, api *client.Client, session string) (*wire.JobResult, error) {
	started, err := api.Verify(ctx, session)
	if err != nil {
		return nil, err
	}
	job, err := api.WaitJob(ctx, session, started.JobID)
	if err != nil {
		return nil, err
	}
	if job.Result == nil {
		return nil, fmt.Errorf("verification %s: %+v", job.Status, deref(job.Error))
	}
	return job.Result, nil
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// printTable prints a row for each sample.
func printTable(w io.Writer, rows []row) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "sample\tlanguage\tbefore: passed/failed\tafter: passed/failed\tcreate\texec\tverify\tcost\tas it should be")
	for _, r := range rows {
		ok := "yes"
		if r.err != nil {
			ok = "NO"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			r.sample, r.language, counts(r.before), counts(r.after), seconds(r.create), seconds(r.exec), seconds(r.verify), r.cost, ok)
	}
	_ = t.Flush() // to standard output
}

func counts(v *wire.JobResult) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%d/%d", v.Passed, v.Failed)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
