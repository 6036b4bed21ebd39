package evaluate

import (
	"context"
	"fmt"
	"testing"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"

	"github.com/google/go-cmp/cmp"
)

// fixing is a sample whose test passes when pkg/code.py says so: see the tree of these
// tests.
func fixing() *assay.Sample {
	s := pythonSample()
	s.Task.Grading = assay.GradingSWEBench
	s.FailToPass = []string{"tests.test_code::test_x"}
	s.Task.Verifier.Kind = assay.VerifierTestSuite
	s.Task.Verifier.TimeoutSeconds = 5
	return s
}

// runtimeOf makes sandboxes of the tree of these tests in which a program runs.
func runtimeOf(program memory.Program) *memory.Runtime {
	image := make(map[string]memory.File)
	for name, content := range tree {
		image["/work/"+name] = memory.File{Content: []byte(content)}
	}
	return memory.New(memory.Options{Images: map[string]memory.Image{"img": {Files: image}}, Program: program})
}

// suiteOf is a suite that tells what it has seen in its code and in its tests.
func suiteOf(_ context.Context, p *memory.Process) sandbox.ExitStatus {
	code, _ := p.Files.Get("/work/pkg/code.py")
	tests, _ := p.Files.Get("/work/tests/test_code.py")
	failure, exit := "<failure/>", 1
	if string(code.Content) == "x = 2\n" && string(tests.Content) == "def test_x(): assert 2\n" {
		failure, exit = "", 0
	}
	report := fmt.Sprintf(`<testsuite name="s"><testcase classname="tests.test_code" file="tests/test_code.py" name="test_x">%s</testcase></testsuite>`, failure)
	p.Files.Put("/work/report.xml", memory.File{Content: []byte(report)})
	return sandbox.ExitStatus{Code: exit}
}

func TestEvaluatePatch(t *testing.T) {
	runtime := runtimeOf(suiteOf)
	e := New(Config{Runtime: runtime})
	sample := fixing()
	for patch, solved := range map[string]bool{"": false, sample.Patch: true} {
		verdict, err := e.EvaluatePatch(t.Context(), sample, patch)
		if err != nil || verdict.Solved != solved {
			t.Errorf("%q: %+v, %v", patch, verdict, err)
		}
	}
	_, err := e.EvaluatePatch(t.Context(), sample, "--- a/pkg/code.py\n+++ b/pkg/code.py\n@@ -1 +1 @@\n-other\n+x = 2\n")
	if assay.CodeOf(err) != assay.CodePatchFailed {
		t.Errorf("a patch that does not fit: %v", err)
	}
	if e.Close(); len(runtime.Names()) > 0 {
		t.Errorf("left: %q", runtime.Names())
	}
}

// What is run with altered tests afterwards has no canaries, and no second run.
func TestAlterable(t *testing.T) {
	for _, alterable := range []bool{false, true} {
		runs := 0
		e := New(Config{Runtime: runtimeOf(func(ctx context.Context, p *memory.Process) sandbox.ExitStatus {
			if runs++; has(p, "tests/test_code.py", "canary") == alterable {
				t.Errorf("alterable %t: run %d has the canary the other way", alterable, runs)
			}
			p.Files.Put("/work/report.xml", memory.File{Content: []byte(`<testsuite name="s"><testcase classname="tests.test_code" name="test_x"/></testsuite>`)})
			return sandbox.ExitStatus{}
		})})
		sample := fixing()
		sample.Task.Verifier.SecondRun = assay.SecondRunAlways
		sample.Task.Verifier.Canaries = []assay.Canary{{Path: "tests/test_code.py", Text: "\n# canary {nonce}\n", ID: "tests.test_code::{nonce}"}}
		v, err := e.Evaluate(t.Context(), Request{ID: "ver_1", Sample: sample, Work: PatchWork(sample, sample.Patch), Alterable: alterable})
		if err != nil || v.Solved != alterable || v.Evidence.SecondRun != "" || runs != 1 || len(sample.Task.Verifier.Canaries) != 1 {
			t.Errorf("alterable %t: %d runs, %+v, %v", alterable, runs, v, err)
		}
		e.Close()
	}
}

func TestTry(t *testing.T) {
	e := New(Config{Runtime: runtimeOf(suiteOf)})
	defer e.Close()
	sample := fixing()
	fix, id := PatchWork(sample, sample.Patch), sample.FailToPass[0]
	trial, err := e.Try(t.Context(), TrialRequest{ID: "ver_1", Sample: sample, Work: fix})
	if err != nil || !trial.Passed[id] || !trial.Complete {
		t.Errorf("the reference fix: %+v, %v", trial, err)
	}
	other := map[string][]byte{"tests/test_code.py": []byte("def test_x(): assert 3\n")}
	trial, err = e.Try(t.Context(), TrialRequest{ID: "ver_2", Sample: sample, Work: fix, Files: other})
	if err != nil || trial.Passed[id] || trial.ExitCode != 1 {
		t.Errorf("another version of its test: %+v, %v", trial, err)
	}
}

func TestTests(t *testing.T) {
	e := New(Config{Runtime: runtimeOf(suiteOf)})
	defer e.Close()
	tests, err := e.Tests(t.Context(), "ver_1", fixing())
	if err != nil {
		t.Fatal(err)
	}
	want := []TestFile{{Path: "tests/test_code.py", Before: []byte(tree["tests/test_code.py"]), After: []byte("def test_x(): assert 2\n")}}
	if diff := cmp.Diff(want, tests.Changed); diff != "" {
		t.Error(diff)
	}
	if got := string(tests.Others["sub/tests/test_s.py"]); got != tree["sub/tests/test_s.py"] {
		t.Errorf("others are %q", tests.Others)
	}
}

// A trial may run another command than the verifier's.
func TestTryAnotherCommand(t *testing.T) {
	var ran []string
	e := New(Config{Runtime: runtimeOf(func(ctx context.Context, p *memory.Process) sandbox.ExitStatus {
		ran = append(ran, p.Command.Argv[2])
		return suiteOf(ctx, p)
	})})
	defer e.Close()
	sample := fixing()
	for _, command := range []string{"", "pytest tests/test_code.py::test_x"} {
		if _, err := e.Try(t.Context(), TrialRequest{ID: "ver_1" + fmt.Sprint(len(ran)), Sample: sample, Work: PatchWork(sample, sample.Patch), Command: command}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"pytest tests", "pytest tests/test_code.py::test_x"}, ran); diff != "" {
		t.Error(diff)
	}
}
