package evaluate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/steering"
	"assay/internal/testreport"
)

// Bounds of what a suite may report.
const (
	maxReportFiles = 10_000
	maxReportBytes = 256 << 20
)

// evidence is what a run of the suite left.
type evidence struct {
	result    sandbox.Result
	report    *testreport.Report   // what the sources of results say together
	witnesses []*testreport.Report // what else must agree with it
	reports   int                  // that were found
	findings  bool                 // what is reported are findings, of which there may be none
	overflow  string               // which reports are too large to be read
	doubts    []string             // problems of reports that the code under test could have written into
	canaries  []string             // ids of the tests that must be seen to fail
}

// errOverflow says that there are more reports than are read.
var errOverflow = errors.New("the reports are too large")

// silent tells whether a suite said nothing of itself, not even that it could not be
// built. One that was cut short by its timeout had no chance to.
func (e *evidence) silent() bool {
	said := len(e.report.Results) > 0 || len(e.report.Problems) > 0 || e.report.Solved != nil || e.findings && e.report.Complete
	return !said && !e.result.Exit.TimedOut
}

// readEvidence reads every report that the verifier is known to leave, once.
func readEvidence(ctx context.Context, env *environment, res sandbox.Result) (*evidence, error) {
	e := &evidence{result: res, canaries: env.canaries()}
	var sources []*testreport.Report
	for _, spec := range env.sample.Task.Verifier.Reports {
		found, err := readReports(ctx, env, spec, res)
		switch {
		case errors.Is(err, errOverflow):
			e.overflow = fmt.Sprintf("the reports %s are larger than %d MiB in %d files", spec.Path, maxReportBytes>>20, maxReportFiles)
			found = append(found, &testreport.Report{Problems: []string{e.overflow}})
		case err != nil:
			return nil, err
		}
		e.reports += len(found)
		if !spec.Witness {
			sources = append(sources, found...)
			e.findings = e.findings || testreport.Format(spec.Format).Findings()
			e.doubts = append(e.doubts, doubtsOf(spec, found)...)
			continue
		}
		if len(found) == 0 { // a witness that says nothing says that nothing was seen
			found = append(found, &testreport.Report{})
		}
		e.witnesses = append(e.witnesses, testreport.Merge(found...))
	}
	e.report = testreport.Merge(sources...)
	return e, tellOddReports(ctx, env)
}

// tellOddReports tells of what lies in the place of a report and is no plain file: no
// runner leaves that.
func tellOddReports(ctx context.Context, env *environment) error {
	err := env.box.List(ctx, env.reports, func(name string, mode fs.FileMode) error {
		for _, spec := range env.sample.Task.Verifier.Reports {
			root, pattern := reportLocation(env.sample, spec, env.reports)
			if match, err := path.Match(pattern, name); root == env.reports && err == nil && match && !mode.IsRegular() {
				env.tampered.add(steering.Ruling{Kind: steering.KindReport}, "", fmt.Sprintf("the report %s is no plain file, and was not read", spec.Path))
			}
		}
		return nil
	})
	if errors.Is(err, sandbox.ErrTooLarge) {
		return nil // what was seen of them is enough
	}
	return err
}

// doubtsOf returns the problems of a report on standard output, which the code under
// test shares: there, a number that does not agree is no package that could not be
// built, but perhaps a line too many. The events of go test -json are marked by go
// itself, and tell such packages as problems.
func doubtsOf(spec assay.ReportSpec, found []*testreport.Report) []string {
	if spec.Path != "-" || testreport.Format(spec.Format) == testreport.GoTestJSON {
		return nil
	}
	var doubts []string
	for _, r := range found {
		doubts = append(doubts, r.Problems...)
	}
	return doubts
}

// readReports reads the reports of one kind.
func readReports(ctx context.Context, env *environment, spec assay.ReportSpec, res sandbox.Result) (found []*testreport.Report, err error) {
	format, err := testreport.ParseFormat(spec.Format)
	if err != nil {
		return nil, assay.Wrap(err, assay.CodeReportInvalid, "sample %s/%s: %s", env.sample.Dataset, env.sample.ID, err)
	}
	parse := func(name string, _ int64, content io.Reader) error {
		if spec.Begin != "" || spec.End != "" {
			content = testreport.Section(content, spec.Begin, spec.End, testreport.Limits{})
		}
		report, err := testreport.Parse(format, content, testreport.Limits{})
		if err != nil { // what was read is there, and is not Complete
			report.Problems = append(report.Problems, fmt.Sprintf("report %s: %s", name, err))
		}
		found = append(found, report)
		return nil
	}
	root, pattern := reportLocation(env.sample, spec, env.reports)
	if root == "" {
		out := res.Stdout
		content := io.MultiReader(bytes.NewReader(out.Head), bytes.NewReader(out.Tail))
		if kept := int64(len(out.Head) + len(out.Tail)); out.Total > kept {
			err = parse("on standard output", 0, io.MultiReader(bytes.NewReader(out.Head), cut{}))
		} else {
			err = parse("on standard output", 0, content)
		}
		return found, err
	}
	req := sandbox.CollectRequest{Root: root, Patterns: []string{pattern}, MaxFiles: maxReportFiles, MaxBytes: maxReportBytes}
	err = env.box.Collect(ctx, req, parse)
	switch {
	case errors.Is(err, sandbox.ErrTooLarge):
		return found, errOverflow
	case err != nil:
		return nil, fmt.Errorf("read the reports: %w", err)
	}
	return found, nil
}

// cut ends a stream of which the middle was dropped.
type cut struct{}

func (cut) Read([]byte) (int, error) {
	return 0, errors.New("more was written than is kept")
}
