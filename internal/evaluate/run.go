package evaluate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/tasksandbox"
	"assay/internal/telemetry"
)

// What ends the ids of the sandboxes of further runs of a request.
const (
	controlSuffix   = "-control"
	rerunSuffix     = "-second"
	referenceSuffix = "-reference"
	quietSuffix     = "-quiet"
	lookSuffix      = "-look"
)

// verifierID names the verifier's command in the clean sandbox.
const verifierID = "verifier"

// run is one run of a sample's suite on a work, in a clean sandbox of its own.
type run struct {
	*Evaluator
	Request
	sandboxID string

	first   bool      // of its request
	control bool      // it is of the untouched tree, and a suite without a report is held against it
	names   *renaming // of the tests; nil for those that they have

	files   map[string][]byte // laid over the restored tests
	command string            // that is run instead of the verifier's; "" for that

	starved bool // its suite timed out, while others left it too little of the host
}

// another returns a run of other work on the same sample.
func (r *run) another(suffix string, work Work) *run {
	return &run{Evaluator: r.Evaluator, Request: Request{ID: r.ID, Sample: r.Sample, Work: work, OwnCPU: r.OwnCPU}, sandboxID: r.ID + suffix}
}

// once judges in a clean sandbox.
func (r *run) once(ctx context.Context) (verdict *assay.Verdict, err error) {
	err = r.inCleanSandbox(ctx, func(env *environment, durations assay.Durations) error {
		verdict, err = r.judge(ctx, env, durations)
		return err
	})
	if fault := (*workFault)(nil); errors.As(err, &fault) && fault.of == r && !r.control {
		return r.refuse(ctx, fault)
	}
	return verdict, err
}

// onceQuietly judges the same work in another clean sandbox, when others leave it enough of
// the host. If they took the host from that, too, nothing is known of the work.
func (r *run) onceQuietly(ctx context.Context) (*assay.Verdict, error) {
	if err := r.awaitQuiet(ctx); err != nil {
		return nil, err
	}
	again := r.another(quietSuffix, r.Work)
	verdict, err := again.once(ctx)
	if err == nil && verdict.TimedOut && again.starved {
		return nil, assay.Errorf(assay.CodeSandboxFailed, "the suite timed out twice while others used the server's host; start another verification later")
	}
	return verdict, err
}

// inCleanSandbox makes the clean sandbox, readies it for the suite, and destroys it after
// it was used.
func (r *run) inCleanSandbox(ctx context.Context, use func(*environment, assay.Durations) error) error {
	start := time.Now()
	box, err := r.createBox(ctx)
	if errors.Is(err, sandbox.ErrImage) {
		return err
	}
	if err != nil {
		return assay.Wrap(err, assay.CodeSandboxFailed, "the sandbox of the verification could not be made; start another verification")
	}
	defer r.free(ctx, box)
	defer r.enlist(box)()
	if r.Created != nil {
		if err := r.Created(ctx, box.Handle()); err != nil {
			return fmt.Errorf("store the verification's sandbox: %w", err)
		}
	}
	durations := assay.Durations{Create: time.Since(start)}
	env, err := r.prepare(ctx, box)
	durations.Lay = time.Since(start) - durations.Create
	if err != nil {
		return r.blame(ctx, env, box, durations, err)
	}
	return use(env, durations)
}

// prepare readies the sandbox for the suite. With an error, it returns how far it came.
func (r *run) prepare(ctx context.Context, box sandbox.Sandbox) (*environment, error) {
	env, err := newEnvironment(ctx, box, r.Sample)
	if err != nil {
		return nil, err
	}
	if err := env.lay(ctx, r.Work); err != nil {
		return env, err
	}
	if r.names != nil {
		if err := env.renameTests(ctx, r.names); err != nil {
			return env, err
		}
	}
	if err := env.layFiles(ctx, r.files); err != nil {
		return env, err
	}
	return env, env.ready(ctx)
}

func (r *run) createBox(ctx context.Context) (sandbox.Sandbox, error) {
	ctx, span := r.tracer.Start(ctx, "sandbox.create")
	spec := cleanSpec(r.sandboxID, r.Sample)
	spec.Background = r.background
	box, err := r.runtime.Create(ctx, spec)
	endSpan(span, err)
	return box, err
}

// judge runs the suite and grades what it reports.
func (r *run) judge(ctx context.Context, env *environment, durations assay.Durations) (*assay.Verdict, error) {
	if r.Started != nil {
		if err := r.Started(ctx); err != nil {
			return nil, fmt.Errorf("store that the suite begins: %w", err)
		}
	}
	host := r.measureHost(ctx)
	res, err := r.runSuite(ctx, env, suiteTimeout(r.Sample))
	if err != nil {
		return nil, err
	}
	r.starved = res.Exit.TimedOut && host.starved(ctx, usedBy(ctx, env.box).CPU, coresOf(r.Sample))
	began := time.Now()
	verdict, err := r.gradeReports(ctx, env, res)
	if err == nil {
		durations.Suite, durations.Grade = res.Duration, time.Since(began)
		verdict.Evidence.Durations = durations
		verdict.Evidence.Resources = usedBy(ctx, env.box)
	}
	if err == nil && !r.control {
		err = r.holdAgainstReference(ctx, verdict, env.written)
	}
	if err == nil && verdict.Solved {
		return verdict, nil
	}
	if fault := r.hostFault(ctx, env.box); fault != nil { // a host without space fails suites, too
		return nil, assay.Wrap(errors.Join(fault, err), assay.CodeSandboxFailed, "the server could not run the suite properly; start another verification")
	}
	return verdict, err
}

// runSuite runs the verifier, ends whatever it left running, and looks at what it wrote.
func (r *run) runSuite(ctx context.Context, env *environment, timeout time.Duration) (sandbox.Result, error) {
	verifier := env.sample.Task.Verifier
	look, err := env.lookBefore(ctx)
	if err != nil {
		return sandbox.Result{}, err
	}
	res, err := r.exec(ctx, env.box, sandbox.Command{
		RequestID:   telemetry.RequestID(ctx),
		ID:          verifierID,
		Argv:        []string{"bash", "-c", cmp.Or(r.command, verifier.Command)},
		Env:         env.environ(),
		EnvDefaults: offline,
		UID:         env.uid(),
		Timeout:     timeout,
		OutputLimit: assay.OutputLimit,
		Spool:       spoolOf(verifier),
	})
	if err != nil {
		return res, fmt.Errorf("run the verifier: %w", err)
	}
	if err := env.box.KillAll(ctx); err != nil { // nothing of the work tree's runs while its reports are read
		return res, fmt.Errorf("end what the verifier left running: %w", err)
	}
	env.written, err = look.rewritten(ctx)
	return res, err
}

// gradeReports reads the reports and grades them. A suite that does not tell clearly what
// became of the tests is judged only if the sample's suite does better by itself.
func (r *run) gradeReports(ctx context.Context, env *environment, res sandbox.Result) (*assay.Verdict, error) {
	evidence, err := readEvidence(ctx, env, res)
	if err != nil {
		return nil, err
	}
	switch {
	case r.control && r.starved:
		return nil, assay.Errorf(assay.CodeSandboxFailed, "the suite did not tell what became of the tests, and timed out without the session's changes while others used the server's host; start another verification later")
	case r.control && (evidence.unclear(env.sample) || evidence.cutOff()):
		return nil, evidence.notTold(env.sample)
	case evidence.unclear(env.sample):
		if err := r.runControls(ctx); err != nil {
			return nil, err
		}
	}
	verdict := grade(env.sample, evidence)
	verdict.Tampering = append(env.tampered.all(), verdict.Tampering...)
	return verdict, nil
}

// runControls runs the suite on the untouched tree and, if it does not report there
// either, with the reference fix: there are trees that cannot be built with the tests of
// their fix. Its error is ours, or that of a suite that reports nowhere.
func (r *run) runControls(ctx context.Context) error {
	_, silent := r.untouched().once(ctx)
	if code := assay.CodeOf(silent); code != assay.CodeSuiteNotRun && code != assay.CodeReportInvalid || strings.TrimSpace(r.Sample.ReferencePatch()) == "" {
		return silent
	}
	fixed := r.another(referenceSuffix, PatchWork(r.Sample, r.Sample.ReferencePatch()))
	fixed.control = true
	switch _, err := fixed.once(ctx); assay.CodeOf(err) {
	case assay.CodePatchFailed, assay.CodeSuiteNotRun, assay.CodeReportInvalid:
		return silent
	default:
		return err
	}
}

// untouched returns a run of no work.
func (r *run) untouched() *run {
	untouched := r.another(controlSuffix, PatchWork(r.Sample, ""))
	untouched.control = true
	return untouched
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
func (r *run) hostFault(ctx context.Context, box sandbox.Sandbox) error {
	if checker, ok := box.(sandbox.Checker); ok {
		if err := checker.Check(ctx); err != nil {
			return err
		}
	}
	return r.runtime.Check(ctx)
}

func (r *run) exec(ctx context.Context, box sandbox.Sandbox, cmd sandbox.Command) (sandbox.Result, error) {
	ctx, span := r.tracer.Start(ctx, "agent.exec")
	res, err := box.Exec(ctx, cmd)
	span.SetAttributes(attribute.Int("process.exit.code", res.Exit.Code))
	endSpan(span, err)
	return res, err
}

// maxStandardOutput is what is kept of a verifier's standard output where a report is read
// from it, in bytes of the sandbox's disk: what tools say before and after counts, too.
const maxStandardOutput = 1 << 30

// spoolOf is how much of the verifier's standard output is kept whole.
func spoolOf(v assay.Verifier) int64 {
	if slices.ContainsFunc(v.Reports, func(r assay.ReportSpec) bool { return r.Path == "-" }) {
		return maxStandardOutput
	}
	return 0
}

// lastLine is the last thing that the verifier said.
func lastLine(res sandbox.Result) string {
	for _, out := range []sandbox.Output{res.Stderr, res.Stdout} {
		text := strings.TrimSpace(textOf(out).Text)
		if line := text[strings.LastIndexByte(text, '\n')+1:]; line != "" {
			const enough = 500
			return strings.ToValidUTF8(line[:min(len(line), enough)], "")
		}
	}
	return "it said nothing"
}

// textOf is a stream as people read it.
func textOf(out sandbox.Output) assay.Output {
	return assay.NewOutput(out.Head, out.Tail, out.Total)
}

// seconds rounds a duration for people.
func seconds(d time.Duration) string { return d.Round(10 * time.Millisecond).String() }

// suiteTimeout is how long a sample's suite may run.
func suiteTimeout(sample *assay.Sample) time.Duration {
	return time.Duration(sample.Task.Verifier.TimeoutSeconds) * time.Second
}

// cleanSpec returns the sandbox to judge in. It ends itself some time after its suite
// had to.
func cleanSpec(id string, sample *assay.Sample) sandbox.Spec {
	const around = 10 * time.Minute // to lay the changes, and to read the reports
	deadline := time.Now().Add(suiteTimeout(sample) + around)
	spec := tasksandbox.Spec(id, sample, deadline, map[string]string{"dataset": sample.Dataset, "sample": sample.ID})
	spec.Network = sandbox.NetworkNone
	return spec
}

// endSpan ends a span, as failed by err if there is one.
func endSpan(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}
