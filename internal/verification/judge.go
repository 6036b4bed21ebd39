package verification

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"assay"
	"assay/internal/patch"
	"assay/internal/sandbox"
	"assay/internal/session"
	"assay/internal/telemetry"
	"assay/internal/testreport"
	"assay/internal/worktree"
)

// Bounds of what a suite may report.
const (
	maxReportFiles = 10_000
	maxReportBytes = 256 << 20
)

// emptyTimeout bounds the removal of a pristine work tree.
const emptyTimeout = 2 * time.Minute

// judgement is one attempt to judge some work on a sample.
type judgement struct {
	runtime sandbox.Runtime
	tracer  trace.Tracer
	sample  *assay.Sample
	id      string // of the clean sandbox

	// work returns what is judged: an OCI layer tar relative to the work tree.
	work func(context.Context, sandbox.Sandbox) (io.ReadCloser, error)
	// made and begun are told of the progress, if set.
	made  func(context.Context, sandbox.Handle) error
	begun func(context.Context) error
}

// run makes the clean sandbox, judges in it and destroys it.
func (j *judgement) run(ctx context.Context) (*assay.Verdict, error) {
	box, err := j.createBox(ctx)
	if errors.Is(err, sandbox.ErrImage) {
		return nil, err
	}
	if err != nil {
		return nil, assay.Wrap(err, assay.CodeSandboxFailed, "the sandbox of the verification could not be made; start another verification")
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finalBound)
		defer cancel()
		_ = box.Destroy(ctx) // what stays is found by List, and destroyed by the sweep
	}()
	if j.made != nil {
		if err := j.made(ctx, box.Handle()); err != nil {
			return nil, fmt.Errorf("store the verification's sandbox: %w", err)
		}
	}
	if err := j.layWork(ctx, box); err != nil {
		return nil, err
	}
	return j.runSuite(ctx, box)
}

func (j *judgement) createBox(ctx context.Context) (sandbox.Sandbox, error) {
	ctx, span := j.tracer.Start(ctx, "sandbox.create")
	box, err := j.runtime.Create(ctx, cleanSpec(j.id, j.sample))
	endSpan(span, err)
	return box, err
}

// layWork lays the work on the pristine tree, and then the files that the sample's
// test patch touches in their reference state.
func (j *judgement) layWork(ctx context.Context, box sandbox.Sandbox) error {
	root := j.sample.Task.Workdir
	reference, protected, err := referenceTests(ctx, box, j.sample) // before the work can change what it is made from
	if err != nil {
		return err
	}
	if err := j.emptyTree(ctx, box); err != nil {
		return err
	}
	work, err := j.work(ctx, box)
	if err != nil {
		return err
	}
	defer work.Close()

	filtered, dst := io.Pipe()
	go func() {
		dst.CloseWithError(worktree.Filter(dst, work, func(e worktree.Entry) bool { return mayTravel(e, protected) }))
	}()
	err = box.ApplyLayer(ctx, root, filtered)
	_ = filtered.Close() // ends the goroutine, wherever it is
	if err != nil {
		return fmt.Errorf("lay the work on a fresh work tree: %w", err)
	}
	if len(reference) == 0 {
		return nil
	}
	if err := box.ApplyLayer(ctx, root, bytes.NewReader(reference)); err != nil {
		return fmt.Errorf("restore the tests: %w", err)
	}
	return nil
}

// emptyTree removes everything but the repository's own data from the pristine work
// tree, if the work has another tree in its place. The marker that says so does not
// travel by itself, because it would take .git with it.
func (j *judgement) emptyTree(ctx context.Context, box sandbox.Sandbox) error {
	work, err := j.work(ctx, box)
	if err != nil {
		return err
	}
	defer work.Close()
	if replaced, err := worktree.ReplacesRoot(work); err != nil || !replaced {
		return err
	}
	res, err := box.Exec(ctx, sandbox.Command{ // the image's own programs: nothing of the work is there yet
		ID:      "empty",
		Argv:    []string{"bash", "-c", `shopt -s dotglob nullglob; for f in *; do [ "$f" = .git ] || rm -rf -- "$f"; done`},
		Timeout: emptyTimeout,
	})
	if err == nil && res.Exit.Code != 0 {
		err = fmt.Errorf("exit code %d: %s", res.Exit.Code, lastLine(res))
	}
	if err != nil {
		return fmt.Errorf("empty a work tree that was replaced: %w", err)
	}
	return nil
}

// mayTravel tells which changes reach the clean sandbox: none to the repository's
// own data, none to a protected file, and none that would put something else in
// the place of a directory above one. A directory that was made anew stays one: what
// it no longer has must go, or a file renamed in it would be there twice; the tests
// that go with it are restored. The root is not emptied, for the repository's data.
func mayTravel(e worktree.Entry, protected []string) bool {
	for _, part := range strings.Split(e.Name, "/") {
		if part == ".git" {
			return false
		}
	}
	directory := e.Replaces && e.Name != "." || e.Type == tar.TypeDir && !e.Deletes && !e.Replaces
	for _, p := range protected {
		if worktree.Within(e.Name, p) {
			return false
		}
		if !directory && (e.Name == "." || worktree.Within(p, e.Name)) {
			return false
		}
	}
	return true
}

// referenceTests returns the files that the test patch touches as it leaves them,
// and their names.
func referenceTests(ctx context.Context, box sandbox.Sandbox, sample *assay.Sample) (layer []byte, names []string, err error) {
	if strings.TrimSpace(sample.TestPatch) == "" {
		return nil, nil, nil
	}
	layer, err = patchLayer(ctx, box, sample, sample.TestPatch)
	if err != nil {
		return nil, nil, err
	}
	set, err := patch.Parse(sample.TestPatch)
	if err != nil {
		return nil, nil, assay.Wrap(err, assay.CodePatchFailed, "the sample's test patch cannot be read")
	}
	return layer, set.Paths(), nil
}

// patchLayer returns what a patch of the sample makes of the pristine work tree.
func patchLayer(ctx context.Context, box sandbox.Sandbox, sample *assay.Sample, text string) ([]byte, error) {
	layer, _, err := worktree.PatchLayer(ctx, box, sample.Task.Workdir, text)
	var refused *worktree.PatchError
	if errors.As(err, &refused) {
		return nil, assay.Wrap(err, assay.CodePatchFailed, "a patch does not apply to the image of sample %s/%s: %s", sample.Dataset, sample.ID, refused)
	}
	return layer, err
}

// runSuite runs the verifier and grades what it reports.
func (j *judgement) runSuite(ctx context.Context, box sandbox.Sandbox) (*assay.Verdict, error) {
	reports := "/tmp/assay-reports-" + strings.ToLower(rand.Text())
	if err := box.ApplyLayer(ctx, reports, bytes.NewReader(make([]byte, 1024))); err != nil { // an empty tar: makes the directory
		return nil, fmt.Errorf("make the directory of reports: %w", err)
	}
	if j.begun != nil {
		if err := j.begun(ctx); err != nil {
			return nil, fmt.Errorf("store that the suite begins: %w", err)
		}
	}
	verifier := j.sample.Task.Verifier
	res, err := j.exec(ctx, box, sandbox.Command{
		RequestID:   telemetry.RequestID(ctx),
		ID:          "verifier",
		Argv:        []string{"bash", "-c", verifier.Command},
		Env:         map[string]string{assay.EnvReports: reports},
		Timeout:     suiteTimeout(j.sample),
		OutputLimit: suiteOutputLimit(verifier),
	})
	if err != nil {
		return nil, fmt.Errorf("run the verifier: %w", err)
	}
	if err := box.KillAll(ctx); err != nil { // nothing of the work tree's runs while its reports are read
		return nil, fmt.Errorf("end what the verifier left running: %w", err)
	}
	verdict, err := j.gradeReports(ctx, box, reports, res)
	if err == nil && verdict.Solved {
		return verdict, nil
	}
	if fault := j.hostFault(ctx, box); fault != nil { // a host without space fails suites, too
		return nil, assay.Wrap(errors.Join(fault, err), assay.CodeSandboxFailed, "the server could not run the suite properly; start another verification")
	}
	return verdict, err
}

func (j *judgement) gradeReports(ctx context.Context, box sandbox.Sandbox, reports string, res sandbox.Result) (*assay.Verdict, error) {
	report, err := j.readReports(ctx, box, reports, res)
	if err != nil {
		return nil, err
	}
	return grade(j.sample, res, report)
}

// hostFault tells whether the host may be why a suite did not pass: it is in need now,
// or its need during the suite has left its mark on the sandbox.
func (j *judgement) hostFault(ctx context.Context, box sandbox.Sandbox) error {
	if checker, ok := box.(sandbox.Checker); ok {
		if err := checker.Check(ctx); err != nil {
			return err
		}
	}
	return j.runtime.Check(ctx)
}

func (j *judgement) exec(ctx context.Context, box sandbox.Sandbox, cmd sandbox.Command) (sandbox.Result, error) {
	ctx, span := j.tracer.Start(ctx, "agent.exec")
	res, err := box.Exec(ctx, cmd)
	span.SetAttributes(attribute.Int("process.exit.code", res.Exit.Code))
	endSpan(span, err)
	return res, err
}

// suiteOutputLimit is how much of the verifier's output is kept: enough for a
// report, where its standard output is one.
func suiteOutputLimit(v assay.Verifier) int64 {
	for _, r := range v.Reports {
		if r.Path == "-" {
			return 64 << 20
		}
	}
	return assay.OutputLimit
}

// readReports reads every report that the verifier is known to leave. No report at
// all, in a suite that was not cut short, means that it never ran.
func (j *judgement) readReports(ctx context.Context, box sandbox.Sandbox, reports string, res sandbox.Result) (*testreport.Report, error) {
	var all []*testreport.Report
	parse := func(spec assay.ReportSpec, name string, r io.Reader) error {
		format, err := testreport.ParseFormat(spec.Format)
		if err != nil {
			return assay.Wrap(err, assay.CodeReportInvalid, "sample %s/%s: %s", j.sample.Dataset, j.sample.ID, err)
		}
		report, err := testreport.Parse(format, r, testreport.Limits{})
		if err != nil { // what was read is there, and is not Complete
			report.Problems = append(report.Problems, fmt.Sprintf("report %s: %s", name, err))
		}
		all = append(all, report)
		return nil
	}
	for _, spec := range j.sample.Task.Verifier.Reports {
		if spec.Path == "-" {
			if err := parse(spec, "on standard output", io.MultiReader(bytes.NewReader(res.Stdout.Head), bytes.NewReader(res.Stdout.Tail))); err != nil {
				return nil, err
			}
			continue
		}
		root, pattern := j.sample.Task.Workdir, spec.Path
		if rest, ok := strings.CutPrefix(pattern, assay.ReportsPlaceholder+"/"); ok {
			root, pattern = reports, rest
		}
		req := sandbox.CollectRequest{Root: root, Patterns: []string{path.Clean(pattern)}, MaxFiles: maxReportFiles, MaxBytes: maxReportBytes}
		err := box.Collect(ctx, req, func(name string, _ int64, r io.Reader) error { return parse(spec, name, r) })
		if errors.Is(err, sandbox.ErrTooLarge) {
			return nil, assay.Wrap(err, assay.CodeReportInvalid, "the reports are larger than %d MiB in %d files", maxReportBytes>>20, maxReportFiles)
		}
		if err != nil {
			return nil, fmt.Errorf("read the reports: %w", err)
		}
	}
	if len(all) == 0 && !res.Exit.TimedOut {
		return nil, assay.Errorf(assay.CodeSuiteNotRun, "the verifier ended with exit code %d and left no report: %s", res.Exit.Code, lastLine(res))
	}
	return testreport.Merge(all...), nil
}

// lastLine is the last thing that the verifier said.
func lastLine(res sandbox.Result) string {
	for _, out := range []sandbox.Output{res.Stderr, res.Stdout} {
		text := strings.TrimSpace(session.Text(out).Text)
		if line := text[strings.LastIndexByte(text, '\n')+1:]; line != "" {
			const enough = 500
			return strings.ToValidUTF8(line[:min(len(line), enough)], "")
		}
	}
	return "it said nothing"
}

// seconds rounds a duration for people.
func seconds(d time.Duration) string { return d.Round(10 * time.Millisecond).String() }
