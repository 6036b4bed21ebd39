package verification

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/session"
	"assay/internal/telemetry"
)

// What ends the ids of the sandboxes of further runs of a judgement.
const (
	controlSuffix   = "-control"
	secondSuffix    = "-second"
	referenceSuffix = "-reference"
)

// judgement is one attempt to judge some work on a sample.
type judgement struct {
	runtime sandbox.Runtime
	tracer  trace.Tracer
	sample  *assay.Sample
	id      string // of the clean sandbox

	// work returns what is judged: an OCI layer tar relative to the work tree. It may
	// be called more than once.
	work func(context.Context, sandbox.Sandbox) (io.ReadCloser, error)
	// made and begun are told of the progress, if set.
	made  func(context.Context, sandbox.Handle) error
	begun func(context.Context) error
	// free destroys the clean sandbox, perhaps later.
	free func(context.Context, sandbox.Sandbox)

	control bool      // whether this is the run of the untouched tree that a suite without a report is held against
	names   *renaming // of the tests, in a second run
}

// run judges the work, once or, if it looks solved and that is doubtful, twice.
func (j *judgement) run(ctx context.Context) (*assay.Verdict, error) {
	verdict, err := j.once(ctx)
	if err != nil || !verdict.Solved || !wantsSecondRun(j.sample, verdict) {
		return verdict, err
	}
	return verdict, j.confirm(ctx, verdict)
}

// once makes the clean sandbox, judges in it and destroys it.
func (j *judgement) once(ctx context.Context) (*assay.Verdict, error) {
	start := time.Now()
	box, err := j.createBox(ctx)
	if errors.Is(err, sandbox.ErrImage) {
		return nil, err
	}
	if err != nil {
		return nil, assay.Wrap(err, assay.CodeSandboxFailed, "the sandbox of the verification could not be made; start another verification")
	}
	defer j.free(context.WithoutCancel(ctx), box)
	if j.made != nil {
		if err := j.made(ctx, box.Handle()); err != nil {
			return nil, fmt.Errorf("store the verification's sandbox: %w", err)
		}
	}
	durations := assay.Durations{Create: time.Since(start)}
	room, err := newRoom(ctx, box, j.sample)
	if err != nil {
		return nil, err
	}
	if err := room.lay(ctx, j.work); err != nil {
		return nil, err
	}
	if j.names != nil {
		if err := room.renameTests(ctx, j.names); err != nil {
			return nil, err
		}
	}
	if err := room.ready(ctx); err != nil {
		return nil, err
	}
	durations.Lay = time.Since(start) - durations.Create
	return j.runSuite(ctx, room, durations)
}

func (j *judgement) createBox(ctx context.Context) (sandbox.Sandbox, error) {
	ctx, span := j.tracer.Start(ctx, "sandbox.create")
	box, err := j.runtime.Create(ctx, cleanSpec(j.id, j.sample))
	endSpan(span, err)
	return box, err
}

// runSuite runs the verifier and grades what it reports.
func (j *judgement) runSuite(ctx context.Context, r *room, durations assay.Durations) (*assay.Verdict, error) {
	if j.begun != nil {
		if err := j.begun(ctx); err != nil {
			return nil, fmt.Errorf("store that the suite begins: %w", err)
		}
	}
	verifier := r.sample.Task.Verifier
	res, err := j.exec(ctx, r.box, sandbox.Command{
		RequestID:   telemetry.RequestID(ctx),
		ID:          "verifier",
		Argv:        []string{"bash", "-c", verifier.Command},
		Env:         r.environ(),
		UID:         r.uid(),
		Timeout:     suiteTimeout(j.sample),
		OutputLimit: suiteOutputLimit(verifier),
	})
	if err != nil {
		return nil, fmt.Errorf("run the verifier: %w", err)
	}
	if err := r.box.KillAll(ctx); err != nil { // nothing of the work tree's runs while its reports are read
		return nil, fmt.Errorf("end what the verifier left running: %w", err)
	}
	began := time.Now()
	verdict, err := j.gradeReports(ctx, r, res)
	if err == nil {
		durations.Suite, durations.Grade = res.Duration, time.Since(began)
		verdict.Evidence.Durations = durations
		verdict.Evidence.Resources = usedBy(ctx, r.box)
	}
	if err == nil && verdict.Solved {
		return verdict, nil
	}
	if fault := j.hostFault(ctx, r.box); fault != nil { // a host without space fails suites, too
		return nil, assay.Wrap(errors.Join(fault, err), assay.CodeSandboxFailed, "the server could not run the suite properly; start another verification")
	}
	return verdict, err
}

// gradeReports reads the reports and grades them. A suite that left none, or more than
// can be read, is the work's fault if the untouched tree's suite does not, and ours if
// it does, too.
func (j *judgement) gradeReports(ctx context.Context, r *room, res sandbox.Result) (*assay.Verdict, error) {
	evidence, err := readEvidence(ctx, r, res)
	if err != nil {
		return nil, err
	}
	switch {
	case !evidence.silent() && evidence.overflow == "":
	case !j.control:
		if err := j.runControl(ctx); err != nil {
			return nil, err
		}
	case evidence.overflow != "":
		return nil, assay.Errorf(assay.CodeReportInvalid, "%s, also without the session's changes", evidence.overflow)
	case evidence.reports == 0:
		return nil, assay.Errorf(assay.CodeSuiteNotRun, "the verifier ended with exit code %d and left no report, also without the session's changes: %s", res.Exit.Code, lastLine(res))
	default:
		return nil, assay.Errorf(assay.CodeSuiteNotRun, "the verifier ended with exit code %d and reported no test, also without the session's changes: %s", res.Exit.Code, lastLine(res))
	}
	verdict := grade(r.sample, evidence)
	verdict.Tampering = append(r.tampered.all(), verdict.Tampering...)
	return verdict, nil
}

// runControl runs the suite on the untouched tree. Its error is that of a suite that
// does not report there either, or ours.
func (j *judgement) runControl(ctx context.Context) error {
	control := j.another(controlSuffix, func(context.Context, sandbox.Sandbox) (io.ReadCloser, error) {
		return io.NopCloser(layerOf(nil, 0)), nil
	})
	control.control = true
	_, err := control.once(ctx)
	return err
}

// another returns a judgement of other work on the same sample, in a sandbox of its own.
func (j *judgement) another(suffix string, work func(context.Context, sandbox.Sandbox) (io.ReadCloser, error)) *judgement {
	return &judgement{runtime: j.runtime, tracer: j.tracer, sample: j.sample, id: j.id + suffix, work: work, free: destroy}
}

// usedBy tells what a sandbox has used, as far as its host tells.
func usedBy(ctx context.Context, box sandbox.Sandbox) assay.Resource {
	reader, ok := box.(sandbox.StatsReader)
	if !ok {
		return assay.Resource{}
	}
	s, err := reader.Stats(ctx)
	if err != nil {
		return assay.Resource{}
	}
	return assay.Resource{CPU: s.CPU, MemoryPeakBytes: s.MemoryPeakBytes, OOMKills: s.OOMKills}
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
