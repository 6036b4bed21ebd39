package evaluate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/testreport"
)

func TestGrade(t *testing.T) {
	pass := func(id string) testreport.Result { return testreport.Result{ID: id, Status: testreport.Passed} }
	fail := func(id string) testreport.Result {
		return testreport.Result{ID: id, Status: testreport.Failed, Message: "want 1, got 2"}
	}
	skip := func(id string) testreport.Result { return testreport.Result{ID: id, Status: testreport.Skipped} }

	code := func(c int) sandbox.ExitStatus { return sandbox.ExitStatus{Code: c} }

	for _, tt := range []struct {
		name    string
		results []testreport.Result
		exit    sandbox.ExitStatus
		solved  bool
		reason  string // part of it
	}{
		{"all expected tests pass", []testreport.Result{pass("fix"), pass("keep")}, code(0), true, "all 2 expected tests passed"},
		{"a fail_to_fail test fails", []testreport.Result{pass("fix"), pass("keep"), fail("broken")}, code(1), true, ""},
		{"a test of no list fails", []testreport.Result{pass("fix"), pass("keep"), fail("new")}, code(1), true, ""},
		{"a fail_to_pass test fails", []testreport.Result{fail("fix"), pass("keep")}, code(1), false, "the first: fix"},
		{"a pass_to_pass test fails", []testreport.Result{pass("fix"), fail("keep")}, code(1), false, "the first: keep"},
		{"a pass_to_pass test is skipped", []testreport.Result{pass("fix"), skip("keep")}, code(0), false, "the first: keep"},
		{"a fail_to_pass test is skipped", []testreport.Result{skip("fix"), pass("keep")}, code(0), false, "the first: fix"},
		{"a test is absent", []testreport.Result{pass("fix")}, code(0), false, "(1 of them were not seen at all)"},
		{"a test passes once and fails once", []testreport.Result{pass("fix"), pass("keep"), fail("keep")}, code(1), false, "the first: keep"},
		{"a name is a prefix only", []testreport.Result{pass("fix"), pass("keep/sub")}, code(0), false, "the first: keep"},
		{"the suite was cut short after all passed", []testreport.Result{pass("fix"), pass("keep")}, sandbox.ExitStatus{Code: 124, TimedOut: true}, false, "timeout"},
		{"the suite was killed after all passed", []testreport.Result{pass("fix"), pass("keep"), fail("broken")}, sandbox.ExitStatus{Code: 137, Signal: 9}, false, "cut short"},
		{"the suite was killed for memory", []testreport.Result{pass("fix"), pass("keep")}, sandbox.ExitStatus{Code: 137, Signal: 9, OOMKilled: true}, false, "memory"},
		{"the exit code knows of a failure", []testreport.Result{pass("fix"), pass("keep")}, code(1), false, "contradicts itself: the report has no failure, and the exit code is 1"},
		{"the exit code knows of no failure", []testreport.Result{pass("fix"), pass("keep"), fail("broken")}, code(0), false, "contradicts itself: the report has failures, and the exit code is 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := grade(sampleToGrade(), evidenceOf(sandbox.Result{Exit: tt.exit, Duration: time.Second}, &testreport.Report{Results: tt.results, Complete: true}))
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

func evidenceOf(res sandbox.Result, reports ...*testreport.Report) *evidence {
	return &evidence{result: res, report: testreport.Merge(reports...), reports: len(reports)}
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

func TestGradeOfASuiteThatCouldNotBeBuiltIsAVerdict(t *testing.T) {
	v := grade(sampleToGrade(), evidenceOf(sandbox.Result{Exit: sandbox.ExitStatus{Code: 1}}, &testreport.Report{Problems: []string{"package x: build failed"}, Complete: true}))
	if v.Solved || len(v.Missing) != 2 {
		t.Errorf("solved = %t with %d missing, want false with 2", v.Solved, len(v.Missing))
	}
}

func TestGradeOfAReportThatWasCutShortIsNotSolved(t *testing.T) {
	v := grade(sampleToGrade(), evidenceOf(sandbox.Result{}, &testreport.Report{Results: []testreport.Result{{ID: "fix", Status: testreport.Passed}, {ID: "keep", Status: testreport.Passed}}}))
	if v.Solved {
		t.Error("solved, although the report may lack a failure")
	}
}

func TestGradeWithoutFailToPassIsNeverSolved(t *testing.T) {
	for _, grading := range []assay.Grading{assay.GradingSWEBench, assay.GradingExact} {
		sample := sampleToGrade()
		sample.FailToPass, sample.FailToFail, sample.Task.Grading = nil, nil, grading
		v := grade(sample, evidenceOf(sandbox.Result{}, &testreport.Report{Results: []testreport.Result{{ID: "keep", Status: testreport.Passed}}, Complete: true}))
		if v.Solved {
			t.Errorf("%s: solved, although nothing shows it", grading)
		}
	}
}

func TestExactGrading(t *testing.T) {
	for _, tt := range []struct {
		name   string
		passed []string
		failed []string
		solved bool
		reason string
	}{
		{"exactly the expected outcomes", []string{"fix", "keep"}, []string{"broken"}, true, "exactly the 2 expected tests"},
		{"a test more passes", []string{"fix", "keep", "new"}, []string{"broken"}, false, "passed and were not expected to, the first: new"},
		{"a test more fails", []string{"fix", "keep"}, []string{"broken", "new"}, false, "failed and were not expected to, the first: new"},
		{"a test does not fail any more", []string{"fix", "keep"}, nil, false, "expected to fail and did not, the first: broken"},
		{"a test is missing", []string{"fix"}, []string{"broken"}, false, "expected to pass and did not, the first: keep"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sample := sampleToGrade()
			sample.Task.Grading = assay.GradingExact
			report := &testreport.Report{Complete: true}
			exit := sandbox.ExitStatus{}
			for _, id := range tt.passed {
				report.Results = append(report.Results, testreport.Result{ID: id, Status: testreport.Passed})
			}
			for _, id := range tt.failed {
				report.Results = append(report.Results, testreport.Result{ID: id, Status: testreport.Failed})
				exit.Code = 1
			}
			v := grade(sample, evidenceOf(sandbox.Result{Exit: exit}, report))
			if v.Solved != tt.solved || !strings.Contains(v.Reason, tt.reason) {
				t.Errorf("solved = %t: %s", v.Solved, v.Reason)
			}
		})
	}
}

func TestQuarantinedTestsAreNotGraded(t *testing.T) {
	sample := sampleToGrade()
	sample.Task.Verifier.Quarantined = []string{"keep"}
	v := grade(sample, evidenceOf(sandbox.Result{Exit: sandbox.ExitStatus{Code: 1}}, &testreport.Report{Complete: true, Results: []testreport.Result{
		{ID: "fix", Status: testreport.Passed}, {ID: "keep", Status: testreport.Failed},
	}}))
	if !v.Solved || len(v.Failures) != 1 || len(v.Evidence.Quarantined) != 1 {
		t.Errorf("solved = %t: %s; %+v", v.Solved, v.Reason, v.Failures)
	}
}

func TestTruncatedNamesStandForWhatTheyBegin(t *testing.T) {
	sample := sampleToGrade()
	sample.FailToPass = []string{"test_a[some"}
	report := &testreport.Report{Complete: true, Results: []testreport.Result{
		{ID: "test_a[some thing]", Status: testreport.Passed}, {ID: "keep", Status: testreport.Passed},
	}}
	if v := grade(sample, evidenceOf(sandbox.Result{}, report)); v.Solved {
		t.Error("solved, although the dataset does not say that its names are truncated")
	}
	sample.Task.Verifier.TruncatedIDs = true
	if v := grade(sample, evidenceOf(sandbox.Result{}, report)); !v.Solved {
		t.Errorf("not solved: %s", v.Reason)
	}
}

func TestGradeOfFindings(t *testing.T) {
	for name, tt := range map[string]struct {
		found  []string
		solved bool
	}{
		"the target is gone":        {[]string{"broken"}, true},
		"all are gone":              {nil, true},
		"the target is still there": {[]string{"fix", "broken"}, false},
		"a new one appeared":        {[]string{"broken", "new"}, false},
	} {
		sample := sampleToGrade()
		sample.Task.Verifier.Kind = assay.VerifierLinter
		report := &testreport.Report{Complete: true}
		exit := sandbox.ExitStatus{}
		for _, id := range tt.found {
			report.Results = append(report.Results, testreport.Result{ID: id, Status: testreport.Failed})
			exit.Code = 1
		}
		e := evidenceOf(sandbox.Result{Exit: exit}, report)
		e.findings = true
		if v := grade(sample, e); v.Solved != tt.solved {
			t.Errorf("%s: solved = %t: %s", name, v.Solved, v.Reason)
		}
	}
}

func TestGradeOfCustomVerifiers(t *testing.T) {
	for name, tt := range map[string]struct {
		code    int
		reports []*testreport.Report
		solved  bool
	}{
		"exit code 0 and nothing else":       {0, nil, true},
		"exit code 1":                        {1, nil, false},
		"the report says yes":                {0, []*testreport.Report{{Complete: true, Solved: new(true)}}, true},
		"the report says no":                 {0, []*testreport.Report{{Complete: true, Solved: new(false), Reason: "wrong"}}, false},
		"the report says yes, the code no":   {1, []*testreport.Report{{Complete: true, Solved: new(true)}}, false},
		"the report that says yes is a half": {0, []*testreport.Report{{Solved: new(true)}}, false},
	} {
		sample := sampleToGrade()
		sample.FailToPass, sample.PassToPass, sample.FailToFail = nil, nil, nil
		sample.Task.Verifier.Kind = assay.VerifierCustom
		if v := grade(sample, evidenceOf(sandbox.Result{Exit: sandbox.ExitStatus{Code: tt.code}}, tt.reports...)); v.Solved != tt.solved {
			t.Errorf("%s: solved = %t: %s", name, v.Solved, v.Reason)
		}
	}
}

// allPass is the evidence of a run that looks solved, and whose canary failed as it must.
func allPass() *evidence {
	e := evidenceOf(sandbox.Result{Exit: sandbox.ExitStatus{Code: 1}}, &testreport.Report{Complete: true, Results: []testreport.Result{
		{ID: "fix", Status: testreport.Passed}, {ID: "keep", Status: testreport.Passed}, {ID: "canary", Status: testreport.Failed},
	}})
	e.canaries = []string{"canary"}
	return e
}

func TestEvidenceThatDisagreesSolvesNothing(t *testing.T) {
	if v := grade(sampleToGrade(), allPass()); !v.Solved || v.Failed != 0 {
		t.Fatalf("without a contradiction: solved = %t, %d failed: %s", v.Solved, v.Failed, v.Reason)
	}
	for name, change := range map[string]func(*evidence){
		"the canary passed":            func(e *evidence) { e.report.Results[2].Status = testreport.Passed },
		"the canary was skipped":       func(e *evidence) { e.report.Results[2].Status = testreport.Skipped },
		"the canary is in no report":   func(e *evidence) { e.report.Results = e.report.Results[:2]; e.result.Exit.Code = 0 },
		"the exit code is 0":           func(e *evidence) { e.result.Exit.Code = 0 },
		"more tests were announced":    func(e *evidence) { e.report.Announced = &testreport.Totals{Tests: 4, Failed: 1} },
		"more failures were announced": func(e *evidence) { e.report.Announced = &testreport.Totals{Tests: 3, Failed: 2} },
		"the witness saw a failure more": func(e *evidence) {
			e.witnesses = []*testreport.Report{{Complete: true, Announced: &testreport.Totals{Tests: 3, Failed: 2}}}
		},
		"the witness was cut short": func(e *evidence) { e.witnesses = []*testreport.Report{{}} },
	} {
		t.Run(name, func(t *testing.T) {
			e := allPass()
			change(e)
			v := grade(sampleToGrade(), e)
			if v.Solved || len(v.Contradictions) == 0 {
				t.Fatalf("solved = %t: %s", v.Solved, v.Reason)
			}
			if len(v.Tampering) == 0 || v.Tampering[0].Kind != assay.TamperingForgery {
				t.Errorf("tampering is %+v", v.Tampering)
			}
		})
	}
}

func TestASuiteThatCouldNotBeBuiltIsNoForgery(t *testing.T) {
	e := evidenceOf(sandbox.Result{Exit: sandbox.ExitStatus{Code: 2}}, &testreport.Report{Complete: true, Problems: []string{"package x: build failed"}})
	e.canaries = []string{"canary"}
	if v := grade(sampleToGrade(), e); v.Solved || len(v.Tampering) > 0 || len(v.Contradictions) > 0 {
		t.Errorf("solved = %t, %+v, %+v", v.Solved, v.Contradictions, v.Tampering)
	}
}

// A suite that ended in the middle of hundreds of tests is told in a sentence that can be read.
func TestProblemsAreFew(t *testing.T) {
	e := &evidence{report: &testreport.Report{}, unread: []string{"report r.json is cut short"}}
	for n := range 300 {
		e.report.Problems = append(e.report.Problems, fmt.Sprintf("test %d did not end", n))
	}
	want := "report r.json is cut short; test 0 did not end; test 1 did not end; test 2 did not end; test 3 did not end; and 296 more"
	if got := e.problems(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	e.report.Problems = e.report.Problems[:1]
	if got := e.problems(); got != "report r.json is cut short; test 0 did not end" {
		t.Errorf("%q", got)
	}
}

// A trial tells what the evidence says against itself, as a verdict does.
func TestATrialThatContradictsItself(t *testing.T) {
	suite := func(exit int) memory.Program {
		return func(ctx context.Context, p *memory.Process) sandbox.ExitStatus {
			suiteOf(ctx, p)
			return sandbox.ExitStatus{Code: exit}
		}
	}
	for _, tt := range []struct {
		patch string
		exit  int
		want  []ContradictionKind
	}{
		{"", 1, nil},
		{"", 0, []ContradictionKind{HidesFailures}},
		{fixing().Patch, 0, nil},
		{fixing().Patch, 1, []ContradictionKind{ExitsBadly}},
	} {
		e := New(Config{Runtime: runtimeOf(suite(tt.exit))})
		sample := fixing()
		trial, err := e.Try(t.Context(), TrialRequest{ID: "ver_1", Sample: sample, Work: PatchWork(sample, tt.patch)})
		if err != nil {
			t.Fatal(err)
		}
		var got []ContradictionKind
		for _, c := range trial.Contradictions {
			got = append(got, c.Kind)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("exit code %d of %.20q: %v, want %v", tt.exit, tt.patch, got, tt.want)
		}
		e.Close()
	}
}
