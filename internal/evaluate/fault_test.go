package evaluate

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/testreport"
)

// has tells whether a process finds a text in a file of its work tree.
func has(p *memory.Process, name, text string) bool {
	file, err := p.Files.Get("/work/" + name)
	return err == nil && strings.Contains(string(file.Content), text)
}

// missingTool is what bash says where a verifier's tool is not there.
func missingTool(_ context.Context, p *memory.Process) sandbox.ExitStatus {
	fmt.Fprintln(p.Stderr, "bash: line 1: runner: command not found")
	return sandbox.ExitStatus{Code: 127}
}

// failedActivation is an image whose environment cannot be entered.
func failedActivation(_ context.Context, p *memory.Process) sandbox.ExitStatus {
	fmt.Fprintln(p.Stdout, "activating the environment\nno such environment")
	return sandbox.ExitStatus{Code: 1}
}

// speaksOf is a suite that says something only of a tree with a text in its code.
func speaksOf(text string) memory.Program {
	return func(ctx context.Context, p *memory.Process) sandbox.ExitStatus {
		if !has(p, "pkg/code.py", text) {
			return missingTool(ctx, p)
		}
		fmt.Fprint(p.Stdout, "1..1\nok 1 - fix\n")
		return sandbox.ExitStatus{}
	}
}

// flood says more than is read.
func flood(_ context.Context, p *memory.Process) sandbox.ExitStatus {
	for range 70 {
		fmt.Fprint(p.Stdout, strings.Repeat("ok 1 - a test that is told again and again\n", 1<<20/43))
	}
	return sandbox.ExitStatus{}
}

// outcome judges a work by a suite with a report.
func outcome(t *testing.T, suite memory.Program, report assay.ReportSpec, work string) (*assay.Verdict, error) {
	t.Helper()
	runtime := runtimeOf(suite)
	sample := fixing()
	sample.FailToPass = []string{"fix"}
	sample.Task.Verifier.Reports = []assay.ReportSpec{report}
	sample.Task.Verifier.TimeoutSeconds = 600 // of suites that end by themselves, on a machine that may be busy
	e := New(Config{Runtime: runtime})
	verdict, err := e.EvaluatePatch(t.Context(), sample, work)
	if e.Close(); len(runtime.Names()) > 0 {
		t.Errorf("left: %q", runtime.Names())
	}
	return verdict, err
}

func TestASuiteThatCannotRunIsOurFault(t *testing.T) {
	for name, suite := range map[string]memory.Program{"no tool": missingTool, "no environment": failedActivation} {
		reports := []assay.ReportSpec{{Path: "-", Format: "tap", Begin: "BEGIN", End: "END"}, {Path: "report.xml", Format: "junit-xml"}}
		for _, format := range testreport.Formats() {
			reports = append(reports, assay.ReportSpec{Path: "-", Format: string(format)})
		}
		for _, report := range reports {
			for _, work := range []string{"", fixing().Patch} {
				if v, err := outcome(t, suite, report, work); assay.CodeOf(err) != assay.CodeSuiteNotRun {
					t.Errorf("%s, %+v: %+v, %v", name, report, v, err)
				}
			}
		}
	}
}

// Whose fault it is that a suite says nothing is told by the same suite on the untouched
// tree and, where that cannot be built, with the reference fix.
func TestWhoseFaultASilentSuiteIs(t *testing.T) {
	for name, tt := range map[string]struct {
		suite memory.Program
		work  string
		code  assay.Code // "" for a verdict
	}{
		"the work breaks it":                    {speaksOf("x = "), "--- a/pkg/code.py\n+++ b/pkg/code.py\n@@ -1 +1 @@\n-x = 1\n+broken\n", ""},
		"the base cannot be built, the fix can": {speaksOf("x = 2"), "", ""},
		"neither the base nor the fix can":      {speaksOf("x = 3"), "", assay.CodeSuiteNotRun},
		"too much is said, whatever was done":   {flood, "", assay.CodeReportInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			verdict, err := outcome(t, tt.suite, assay.ReportSpec{Path: "-", Format: "tap"}, tt.work)
			if tt.code == "" && (err != nil || verdict.Solved) || assay.CodeOf(err) != tt.code {
				t.Errorf("%+v, %v", verdict, err)
			}
			if tt.code == assay.CodeReportInvalid && !strings.Contains(err.Error(), "64 MiB") {
				t.Errorf("%v does not tell the limit", err)
			}
		})
	}
}

// What an installer prints before the report does not count against it.
func TestOnlyTheReportOnStandardOutputIsBounded(t *testing.T) {
	suite := func(_ context.Context, p *memory.Process) sandbox.ExitStatus {
		noise := strings.Repeat("a line of an installer\n", 1<<20/23)
		for range 80 {
			fmt.Fprint(p.Stdout, noise)
		}
		fmt.Fprint(p.Stdout, "BEGIN\n1..1\nok 1 - fix\nEND\n", noise)
		return sandbox.ExitStatus{}
	}
	verdict, err := outcome(t, suite, assay.ReportSpec{Path: "-", Format: "tap", Begin: "BEGIN", End: "END"}, "")
	if err != nil || !verdict.Solved {
		t.Fatalf("%+v, %v", verdict, err)
	}
	if kept := len(verdict.Stdout.Text); kept > assay.OutputLimit {
		t.Errorf("%d bytes of output are kept with the verdict", kept)
	}
}

func TestToolsAreToldThatThereIsNoNetwork(t *testing.T) {
	seen := make(map[string]string)
	runtime := runtimeOf(func(ctx context.Context, p *memory.Process) sandbox.ExitStatus {
		maps.Copy(seen, p.Env)
		return suiteOf(ctx, p)
	})
	sample := fixing()
	sample.Task.Env = map[string]string{"GOPROXY": "file:///modules"}
	e := New(Config{Runtime: runtime})
	defer e.Close()
	if _, err := e.EvaluatePatch(t.Context(), sample, sample.Patch); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"PIP_RETRIES": "0", "CARGO_NET_OFFLINE": "true", "GOPROXY": "file:///modules"} {
		if seen[name] != want {
			t.Errorf("%s is %q, want %q", name, seen[name], want)
		}
	}
}

// A report that does not tell what became of the tests is the work's fault only if the
// sample's own trees are told of.
func TestWhoseFaultAnUnclearReportIs(t *testing.T) {
	writes := func(report string, code int, when string) memory.Program {
		return func(_ context.Context, p *memory.Process) sandbox.ExitStatus {
			if !has(p, "pkg/code.py", when) {
				report, code := `<testsuite name="s"><testcase name="fix"/></testsuite>`, 0
				p.Files.Put("/work/report.xml", memory.File{Content: []byte(report)})
				return sandbox.ExitStatus{Code: code}
			}
			p.Files.Put("/work/report.xml", memory.File{Content: []byte(report)})
			return sandbox.ExitStatus{Code: code}
		}
	}
	const (
		whole    = `<testsuite name="s"><testcase name="fix"/></testsuite>`
		cutShort = `<testsuite name="s"><testcase name="fix"/><testcase name="b">`
		others   = `<testsuite name="s"><testcase name="another"/></testsuite>`
		always   = "" // in any code
		work     = "--- a/pkg/code.py\n+++ b/pkg/code.py\n@@ -1 +1 @@\n-x = 1\n+broken\n"
	)
	for name, tt := range map[string]struct {
		suite memory.Program
		code  assay.Code // "" for a verdict
	}{
		"cut short, whatever was done":                {writes(cutShort, 0, always), assay.CodeReportInvalid},
		"cut short by the work":                       {writes(cutShort, 0, "broken"), ""},
		"a tool behind the suite is missing":          {writes(whole, 127, always), assay.CodeSuiteNotRun},
		"the work ends what runs the suite":           {writes(whole, 137, "broken"), ""},
		"none of the expected tests, wherever it ran": {writes(others, 0, always), assay.CodeSuiteNotRun},
		"none of the expected tests with the work":    {writes(others, 0, "broken"), ""},
	} {
		verdict, err := outcome(t, tt.suite, assay.ReportSpec{Path: "report.xml", Format: "junit-xml"}, work)
		if assay.CodeOf(err) != tt.code || err == nil && verdict.Solved {
			t.Errorf("%s: %+v, %v", name, verdict, err)
		}
	}
}

// A custom verifier may say all that it has to by its exit code.
func TestACustomVerifierMaySpeakByItsExitCode(t *testing.T) {
	for code, want := range map[int]bool{0: true, 1: false} {
		runtime := runtimeOf(func(context.Context, *memory.Process) sandbox.ExitStatus { return sandbox.ExitStatus{Code: code} })
		sample := fixing()
		sample.FailToPass, sample.PassToPass = nil, nil
		sample.Task.Verifier.Kind = assay.VerifierCustom
		e := New(Config{Runtime: runtime})
		verdict, err := e.EvaluatePatch(t.Context(), sample, sample.Patch)
		if e.Close(); err != nil || verdict.Solved != want {
			t.Errorf("exit code %d: %+v, %v", code, verdict, err)
		}
	}
}

// What was not read may say otherwise: however well the rest of it reads, nothing is solved.
func TestNothingIsSolvedOfWhichMoreWasReportedThanIsRead(t *testing.T) {
	for _, kind := range []assay.VerifierKind{assay.VerifierTestSuite, assay.VerifierLinter, assay.VerifierCustom} {
		for _, grading := range []assay.Grading{assay.GradingSWEBench, assay.GradingExact} {
			sample := fixing()
			sample.Task.Verifier.Kind, sample.Task.Grading = kind, grading
			e := &evidence{reports: 4, report: &testreport.Report{Complete: true}}
			if kind != assay.VerifierLinter {
				e.report.Results = []testreport.Result{{ID: sample.FailToPass[0], Status: testreport.Passed}}
			}
			if v := grade(sample, e); !v.Solved {
				t.Fatalf("%s, %s: %+v", kind, grading, v)
			}
			e.overflow = "too much was reported: the reports *.xml"
			e.report = testreport.Merge(e.report)
			if v := grade(sample, e); v.Solved || !strings.Contains(v.Reason, e.overflow) {
				t.Errorf("%s, %s, with more than is read: %+v", kind, grading, v)
			}
		}
	}
}

// talkative is a sandbox whose errors say where they happened, as an agent's do.
type talkative struct{ sandbox.Sandbox }

func (b talkative) Collect(ctx context.Context, req sandbox.CollectRequest, fn func(string, int64, io.Reader) error) error {
	if err := b.Sandbox.Collect(ctx, req, fn); err != nil {
		return fmt.Errorf("collect files from %s: %w", req.Root, err)
	}
	return nil
}

func TestWhatIsTooMuchIsToldWithoutThePlacesOfTheCleanRoom(t *testing.T) {
	sample := fixing()
	sample.Task.Verifier.Reports = []assay.ReportSpec{{Path: "{reports}/*.xml", Format: "junit-xml"}}
	box, err := runtimeOf(nil).Create(t.Context(), cleanSpec("ver_1", sample))
	if err != nil {
		t.Fatal(err)
	}
	defer destroy(t.Context(), box)
	env, err := newEnvironment(t.Context(), talkative{box}, sample)
	if err != nil {
		t.Fatal(err)
	}
	long := append([]byte("<testsuite>"), make([]byte, maxReportBytes)...)
	box.(*memory.Sandbox).Files().Put(env.reports+"/long.xml", memory.File{Content: bytes.ReplaceAll(long, []byte{0}, []byte{' '})})
	e, err := readEvidence(t.Context(), env, sandbox.Result{})
	if err != nil || strings.Contains(e.overflow, env.reports) || !strings.HasPrefix(e.overflow, "too much was reported: the report long.xml: ") {
		t.Errorf("%q, %v", e.overflow, err)
	}
}

// A suite that was cut short on the sample's own tree is no witness against the work.
func TestAControlThatIsCutShortAccusesNobody(t *testing.T) {
	const work = "--- a/pkg/code.py\n+++ b/pkg/code.py\n@@ -1 +1 @@\n-x = 1\n+broken\n"
	cutShort := func(ctx context.Context) sandbox.ExitStatus {
		<-ctx.Done()
		return sandbox.ExitStatus{}
	}
	outOfMemory := func(context.Context) sandbox.ExitStatus {
		return sandbox.ExitStatus{Code: 137, Signal: 9, OOMKilled: true}
	}
	for name, tt := range map[string]struct {
		ends   func(context.Context) sandbox.ExitStatus
		fixed  bool // the suite reports with the reference fix
		others float64
		code   assay.Code // "" for a verdict
	}{
		"by its timeout":                   {cutShort, false, 0.1, assay.CodeSuiteNotRun},
		"by its memory":                    {outOfMemory, false, 0.1, assay.CodeSuiteNotRun},
		"which the reference fix mends":    {cutShort, true, 0.1, ""},
		"for others took the host from it": {cutShort, true, 0.9, assay.CodeSandboxFailed},
	} {
		t.Run(name, func(t *testing.T) {
			runtime := runtimeOf(func(ctx context.Context, p *memory.Process) sandbox.ExitStatus {
				switch {
				case has(p, "pkg/code.py", "broken"), tt.fixed && has(p, "pkg/code.py", "x = 2"):
					return speaksOf("x = 2")(ctx, p)
				}
				return tt.ends(ctx)
			})
			runtime.SetLoad(busyHost(tt.others, 0.8))
			sample := fixing()
			sample.FailToPass = []string{"fix"}
			sample.Task.Verifier.Reports, sample.Task.Verifier.TimeoutSeconds = []assay.ReportSpec{{Path: "-", Format: "tap"}}, 1
			e := New(Config{Runtime: runtime})
			defer e.Close()
			verdict, err := e.EvaluatePatch(t.Context(), sample, work)
			if assay.CodeOf(err) != tt.code || err == nil && verdict.Solved {
				t.Errorf("%+v, %v", verdict, err)
			}
		})
	}
}
