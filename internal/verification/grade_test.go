package verification

import (
	"strings"
	"testing"
	"time"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/testreport"
)

func TestGrade(t *testing.T) {
	pass := func(id string) testreport.Result { return testreport.Result{ID: id, Status: testreport.Passed} }
	fail := func(id string) testreport.Result {
		return testreport.Result{ID: id, Status: testreport.Failed, Message: "want 1, got 2"}
	}
	skip := func(id string) testreport.Result { return testreport.Result{ID: id, Status: testreport.Skipped} }

	for _, tt := range []struct {
		name    string
		results []testreport.Result
		exit    sandbox.ExitStatus
		solved  bool
		reason  string // part of it
	}{
		{"all expected tests pass", []testreport.Result{pass("fix"), pass("keep")}, sandbox.ExitStatus{}, true, "all 2 expected tests passed"},
		{"a fail_to_fail test fails", []testreport.Result{pass("fix"), pass("keep"), fail("broken")}, sandbox.ExitStatus{Code: 1}, true, ""},
		{"a test of no list fails", []testreport.Result{pass("fix"), pass("keep"), fail("new")}, sandbox.ExitStatus{Code: 1}, true, ""},
		{"a fail_to_pass test fails", []testreport.Result{fail("fix"), pass("keep")}, sandbox.ExitStatus{Code: 1}, false, "the first: fix"},
		{"a pass_to_pass test fails", []testreport.Result{pass("fix"), fail("keep")}, sandbox.ExitStatus{Code: 1}, false, "the first: keep"},
		{"a pass_to_pass test is skipped", []testreport.Result{pass("fix"), skip("keep")}, sandbox.ExitStatus{}, false, "the first: keep"},
		{"a fail_to_pass test is skipped", []testreport.Result{skip("fix"), pass("keep")}, sandbox.ExitStatus{}, false, "the first: fix"},
		{"a test is absent", []testreport.Result{pass("fix")}, sandbox.ExitStatus{}, false, "(1 of them were not seen at all)"},
		{"a test passes once and fails once", []testreport.Result{pass("fix"), pass("keep"), fail("keep")}, sandbox.ExitStatus{Code: 1}, false, "the first: keep"},
		{"a name is a prefix only", []testreport.Result{pass("fix"), pass("keep/sub")}, sandbox.ExitStatus{}, false, "the first: keep"},
		{"the suite was cut short after all passed", []testreport.Result{pass("fix"), pass("keep")}, sandbox.ExitStatus{Code: 124, TimedOut: true}, false, "timeout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := grade(sampleToGrade(), sandbox.Result{Exit: tt.exit, Duration: time.Second}, testreport.Merge(&testreport.Report{Results: tt.results, Complete: true}))
			if err != nil {
				t.Fatal(err)
			}
			if v.Solved != tt.solved {
				t.Errorf("solved = %t, want %t: %s", v.Solved, tt.solved, v.Reason)
			}
			if !strings.Contains(v.Reason, tt.reason) {
				t.Errorf("reason = %q, want something with %q", v.Reason, tt.reason)
			}
			if v.Passed != len(v.Passes) || v.Failed != len(v.Failures) || v.Skipped != len(v.Skips) {
				t.Errorf("counts %d %d %d do not agree with lists of %d %d %d", v.Passed, v.Failed, v.Skipped, len(v.Passes), len(v.Failures), len(v.Skips))
			}
		})
	}
}

func sampleToGrade() *assay.Sample {
	return &assay.Sample{
		Dataset:    "d",
		ID:         "s",
		FailToPass: []string{"fix"},
		PassToPass: []string{"keep"},
		FailToFail: []string{"broken"},
		Task:       assay.Task{Grading: assay.GradingSWEBench, Verifier: assay.Verifier{Kind: assay.VerifierTestSuite, TimeoutSeconds: 60}},
	}
}

func TestGradeOfASuiteThatNeverRanIsAnError(t *testing.T) {
	res := sandbox.Result{Exit: sandbox.ExitStatus{Code: 127}, Stderr: sandbox.Output{Head: []byte("bash: gotest: command not found\n"), Total: 32}}
	_, err := grade(sampleToGrade(), res, testreport.Merge())
	if got := assay.CodeOf(err); got != assay.CodeSuiteNotRun {
		t.Fatalf("code = %q (%v), want %q", got, err, assay.CodeSuiteNotRun)
	}
	if !strings.Contains(err.Error(), "command not found") {
		t.Errorf("%q does not say what the verifier said last", err)
	}
}

func TestGradeOfASuiteThatCouldNotBeBuiltIsAVerdict(t *testing.T) {
	report := testreport.Merge(&testreport.Report{Problems: []string{"package x: build failed"}, Complete: true})
	v, err := grade(sampleToGrade(), sandbox.Result{Exit: sandbox.ExitStatus{Code: 1}}, report)
	if err != nil {
		t.Fatal(err)
	}
	if v.Solved || len(v.Missing) != 2 {
		t.Errorf("solved = %t with %d missing, want false with 2", v.Solved, len(v.Missing))
	}
}

func TestGradeOfAReportThatWasCutShortIsNotSolved(t *testing.T) {
	report := testreport.Merge(&testreport.Report{Results: []testreport.Result{{ID: "fix", Status: testreport.Passed}, {ID: "keep", Status: testreport.Passed}}})
	v, err := grade(sampleToGrade(), sandbox.Result{}, report)
	if err != nil {
		t.Fatal(err)
	}
	if v.Solved {
		t.Error("solved, although the report may lack a failure")
	}
}

func TestGradeWithoutFailToPassIsNeverSolved(t *testing.T) {
	sample := sampleToGrade()
	sample.FailToPass = nil
	report := testreport.Merge(&testreport.Report{Results: []testreport.Result{{ID: "keep", Status: testreport.Passed}}, Complete: true})
	v, err := grade(sample, sandbox.Result{}, report)
	if err != nil {
		t.Fatal(err)
	}
	if v.Solved {
		t.Error("solved, although nothing shows it")
	}
}

func TestVerdictKeepsTheFirstAndLastOfLargeOutput(t *testing.T) {
	text := strings.Repeat("a", 3<<20) + "the end"
	got := bounded(sandbox.Output{Head: []byte(text), Total: int64(len(text))})
	if n := len(got.Head) + len(got.Tail); n != assay.OutputLimit {
		t.Errorf("%d bytes are kept, want %d", n, assay.OutputLimit)
	}
	if !strings.HasSuffix(string(got.Tail), "the end") {
		t.Error("the end is not kept")
	}
}
