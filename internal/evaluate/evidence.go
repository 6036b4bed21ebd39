package evaluate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/steering"
	"assay/internal/testreport"
)

// Bounds of what a suite may report: of each report, be it a file or what stands between
// the markers on standard output, and of all files of a kind.
const (
	maxReportBytes   = 64 << 20
	maxReportFiles   = 10_000
	maxReportFilesMB = 256
)

// evidence is what a run of the suite left.
type evidence struct {
	result    sandbox.Result
	report    *testreport.Report   // what the sources of results say together
	witnesses []*testreport.Report // what else must agree with it
	reports   int                  // that were found
	findings  bool                 // what is reported are findings, of which there may be none
	unread    []string             // what could not be read, and why: such reports are in report as far as they were
	overflow  string               // which report is too large to be read, with the limit
	doubts    []string             // problems of reports that the code under test could have written into
	canaries  []string             // ids of the tests that must be seen to fail
	byExit    bool                 // the verifier tells by its exit code alone
}

// overflow says that there are more reports than are read. Its text is for people; what an
// agent's errors wrap around it is not.
type overflow struct{ what string }

func (o *overflow) Error() string { return "too much was reported: " + o.what }

func overflows(format string, args ...any) error { return &overflow{fmt.Sprintf(format, args...)} }

// silent tells whether a suite said nothing of itself, not even that it could not be
// built. That its report is empty, or no report, says nothing. A suite that was cut short
// by its timeout had no chance to say anything.
func (e *evidence) silent() bool {
	said := e.byExit || len(e.report.Results) > 0 || len(e.report.Problems) > 0 || e.report.Solved != nil || e.findings && e.report.Complete
	return !said && !e.result.Exit.TimedOut
}

// unclear tells whether a suite may have failed to tell what became of the tests for no
// fault of the work: it said nothing, its report has no end, or holds none of the tests that
// are asked about, or what ran it was not found or was killed.
func (e *evidence) unclear(sample *assay.Sample) bool {
	switch {
	case e.result.Exit.TimedOut || e.result.Exit.OOMKilled:
		return false
	case e.silent() || e.overflow != "":
		return true
	case e.byExit:
		return false
	case !e.report.Complete || cutShort(sample, e.result) != "":
		return true
	}
	asked := slices.Concat(sample.FailToPass, sample.PassToPass)
	seen := slices.ContainsFunc(asked, func(id string) bool { _, seen := lookup(sample, e.report, id); return seen })
	return len(asked) > 0 && !seen && !e.findings && len(e.report.Problems) == 0
}

// cutOff tells whether a suite was ended before it could say what it had to.
func (e *evidence) cutOff() bool { return e.result.Exit.TimedOut || e.result.Exit.OOMKilled }

// notTold is the error of a suite that reports nothing, or too much, of a tree that is not
// at fault.
func (e *evidence) notTold(sample *assay.Sample) error {
	const also = ", also without the session's changes"
	switch {
	case e.cutOff():
		return assay.Errorf(assay.CodeSuiteNotRun, "the suite did not tell what became of the tests, and without the session's changes, %s", cutShort(sample, e.result))
	case e.overflow != "":
		return assay.Errorf(assay.CodeReportInvalid, "%s%s", e.overflow, also)
	case e.reports == 0:
		return assay.Errorf(assay.CodeSuiteNotRun, "the verifier ended with exit code %d and left no report%s: %s", e.result.Exit.Code, also, lastLine(e.result))
	case e.silent() || e.report.Complete:
		said := e.problems()
		if said == "" {
			said = lastLine(e.result)
		}
		return assay.Errorf(assay.CodeSuiteNotRun, "the verifier ended with exit code %d and reported none of the expected tests%s: %s", e.result.Exit.Code, also, said)
	default:
		return assay.Errorf(assay.CodeReportInvalid, "the report has no proper end%s: %s", also, e.problems())
	}
}

// problems says what is wrong with the report, in a sentence: the first things, and how many
// more there are. What could not be read is told first.
func (e *evidence) problems() string {
	const enough = 5
	all := slices.Concat(e.unread, e.report.Problems)
	if more := len(all) - enough; more > 0 {
		all = append(all[:enough:enough], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, "; ")
}

// readEvidence reads every report that the verifier is known to leave, once.
func readEvidence(ctx context.Context, env *environment, res sandbox.Result) (*evidence, error) {
	e := &evidence{result: res, canaries: env.canaries()}
	var sources []*testreport.Report
	for _, spec := range env.sample.Task.Verifier.Reports {
		found, err := e.read(ctx, env, spec)
		if over, ok := errors.AsType[*overflow](err); ok {
			e.overflow = over.Error()
		} else if err != nil {
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
	const notRun = 126 // and above: not found, or killed
	e.byExit = env.sample.Task.Verifier.Kind == assay.VerifierCustom && e.reports == 0 && res.Exit.Code < notRun
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
	if errors.Is(err, sandbox.ErrTooLarge) || errors.Is(err, fs.ErrNotExist) {
		return nil // what was seen of them is enough; a suite that is root may remove the directory
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

// read reads the reports of one kind. An error that wraps an overflow says which of them
// is too large.
func (e *evidence) read(ctx context.Context, env *environment, spec assay.ReportSpec) (found []*testreport.Report, err error) {
	format, err := testreport.ParseFormat(spec.Format)
	if err != nil {
		return nil, assay.Wrap(err, assay.CodeReportInvalid, "sample %s/%s: %s", env.sample.Dataset, env.sample.ID, err)
	}
	parse := func(name string, _ int64, content io.Reader) error {
		if spec.Begin != "" || spec.End != "" {
			content = testreport.Section(content, spec.Begin, spec.End)
		}
		report, err := testreport.Parse(format, content, testreport.Limits{MaxBytes: maxReportBytes})
		found = append(found, report) // what was read is there, and is not Complete
		switch {
		case errors.Is(err, testreport.ErrTooLarge):
			return overflows("the report %s: %s (at most %d MiB are read)", name, err, maxReportBytes>>20)
		case err != nil:
			e.unread = append(e.unread, fmt.Sprintf("report %s: %s", name, err))
		}
		return nil
	}
	root, pattern := reportLocation(env.sample, spec, env.reports)
	if root == "" {
		return found, e.readStandardOutput(ctx, env.box, parse)
	}
	req := sandbox.CollectRequest{Root: root, Patterns: []string{pattern}, MaxFiles: maxReportFiles, MaxBytes: maxReportFilesMB << 20}
	switch err = env.box.Collect(ctx, req, parse); {
	case err == nil, isNoFile(err): // a suite that is root may remove the place of its reports
		return found, nil
	case errors.Is(err, sandbox.ErrTooLarge):
		return found, overflows("the reports %s: at most %d MiB in %d files are read", spec.Path, maxReportFilesMB, maxReportFiles)
	}
	return found, fmt.Errorf("read the reports: %w", err)
}

// readStandardOutput reads what the verifier wrote to its standard output.
func (e *evidence) readStandardOutput(ctx context.Context, box sandbox.Sandbox, parse func(name string, size int64, content io.Reader) error) error {
	err := box.ReadSpool(ctx, verifierID, func(total int64, r io.Reader) error {
		kept := &counted{r: r}
		err := parse("on standard output", total, kept)
		if _, rest := io.Copy(io.Discard, kept); err == nil && rest == nil && kept.n < total {
			return overflows("%d MiB were written to standard output, of which the first %d were kept", total>>20, kept.n>>20)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read the verifier's standard output: %w", err)
	}
	return nil
}

// counted counts what is read.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
