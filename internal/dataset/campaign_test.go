package dataset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay"
)

// script is a Judge that answers each judgement of a tree with the next of its answers,
// and goes on with the last. It counts what it is asked.
type script struct {
	mu      sync.Mutex
	answers map[string][]answer // by "ID tree"
	asked   []string
	after   func(n int) // called after the nth answer, if set
}

// answer is a verdict, as what it says of each expected test, or an error.
type answer struct {
	tests string // see Run.Tests
	err   error
}

func (j *script) EvaluatePatch(_ context.Context, s *assay.Sample, patchText string) (*assay.Verdict, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	tree := TreeReference
	if patchText == "" {
		tree = TreeEmpty
	}
	key := s.ID + " " + string(tree)
	j.asked = append(j.asked, key)
	if j.after != nil {
		defer j.after(len(j.asked))
	}
	next := answer{tests: map[Tree]string{TreeEmpty: "fp", TreeReference: "pp"}[tree]}
	if list := j.answers[key]; len(list) > 0 {
		next = list[0]
		if len(list) > 1 {
			j.answers[key] = list[1:]
		}
	}
	if next.err != nil {
		return nil, next.err
	}
	return verdictOf(s, next.tests), nil
}

// verdictOf grades as verifications do: quarantined tests are listed and not graded.
func verdictOf(s *assay.Sample, tests string) *assay.Verdict {
	v := &assay.Verdict{Solved: true, Reason: "all passed"}
	for i, test := range expectedTests(s) {
		outcome := assay.TestOutcome{Name: test.id, Expected: test.list}
		switch TestStatus(tests[i]) {
		case TestPassed:
			v.Passes = append(v.Passes, outcome)
		case TestFailed:
			v.Failures = append(v.Failures, outcome)
		case TestSkipped:
			v.Skips = append(v.Skips, outcome)
		case TestMissing:
			v.Missing = append(v.Missing, test.id)
		}
		graded := test.list != "fail_to_fail" && !slices.Contains(s.Task.Verifier.Quarantined, test.id)
		if graded && TestStatus(tests[i]) != TestPassed {
			v.Solved, v.Reason = false, test.id+" did not pass"
		}
	}
	return v
}

// importTwoTests imports samples that expect the tests "fix" and "keep".
func importTwoTests(t *testing.T, s *Service, ids ...string) {
	t.Helper()
	var lines []string
	for _, id := range ids {
		lines = append(lines, row(t, map[string]any{"instance_id": id, "FAIL_TO_PASS": []string{"fix"}, "PASS_TO_PASS": []string{"keep"}}))
	}
	importLines(t, s, lines...)
}

func validateAll(t *testing.T, s *Service, j Judge, runs int) *Report {
	t.Helper()
	report, err := s.Validate(t.Context(), j, ValidateRequest{Dataset: "small", Runs: runs})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestAllSamplesRunOnceBeforeAnyRunsTwice(t *testing.T) {
	s, _ := newService(t, Config{})
	importTwoTests(t, s, "a", "b")
	j := &script{}
	report := validateAll(t, s, j, 2)
	round := []string{"a empty", "a reference", "b empty", "b reference"}
	if diff := cmp.Diff(slices.Concat(round, round), j.asked); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	for _, v := range report.Samples {
		if !v.Valid() || v.Flaky() || v.Empty.Unsolved != 2 || v.Reference.Solved != 2 {
			t.Errorf("%+v", v)
		}
	}
}

func TestAnInterruptedValidationGoesOnWhereItWas(t *testing.T) {
	for name, interrupt := range map[string]func(*memoryStore, context.CancelFunc){
		"canceled":     func(_ *memoryStore, cancel context.CancelFunc) { cancel() },
		"cannot store": func(m *memoryStore, _ context.CancelFunc) { m.failRun = errors.New("disk full") },
	} {
		t.Run(name, func(t *testing.T) {
			s, store := newService(t, Config{})
			importTwoTests(t, s, "a", "b", "c")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			first := &script{after: func(n int) {
				if n == 8 { // of 12; it is not stored
					interrupt(store, cancel)
				}
			}}
			if _, err := s.Validate(ctx, first, ValidateRequest{Dataset: "small", Runs: 2}); err == nil {
				t.Fatal("it was not interrupted")
			}
			store.failRun = nil
			second := &script{}
			report := validateAll(t, s, second, 2)
			if report.Stored != 7 || report.Made != 5 || len(second.asked) != 5 {
				t.Errorf("%d stored, %d made, %d judged; want 7, 5, 5", report.Stored, report.Made, len(second.asked))
			}
			if want := first.asked[7]; second.asked[0] != want {
				t.Errorf("went on with %s, want %s", second.asked[0], want)
			}
			for _, v := range report.Samples {
				if v.Empty.Runs != 2 || v.Reference.Runs != 2 {
					t.Errorf("%s has %d and %d runs, want 2 and 2", v.SampleID, v.Empty.Runs, v.Reference.Runs)
				}
			}
			if len(store.runs) != 12 {
				t.Errorf("%d runs are stored, want 12", len(store.runs))
			}
		})
	}
}

func TestWhichStoredRunsCount(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, s *Service, m *memoryStore, digest *string)
		fresh  bool
		runs   int
		made   int
	}{
		"the same command": {runs: 2, made: 0},
		"fewer runs":       {runs: 1, made: 0},
		"more runs":        {runs: 3, made: 2},
		"--fresh":          {runs: 2, made: 4, fresh: true},
		"another version":  {runs: 2, made: 4, change: func(t *testing.T, s *Service, _ *memoryStore, _ *string) { importIDs(t, s, "a") }},
		"another grader": {runs: 2, made: 4, change: func(_ *testing.T, _ *Service, m *memoryStore, _ *string) {
			m.runs[0].Grader = "0"
			m.runs[1].Grader = "0"
			m.runs[2].Grader = "0"
			m.runs[3].Grader = "0"
		}},
		"another image":        {runs: 2, made: 4, change: func(_ *testing.T, _ *Service, _ *memoryStore, digest *string) { *digest = "sha256:other" }},
		"an image out of view": {runs: 2, made: 0, change: func(_ *testing.T, _ *Service, _ *memoryStore, digest *string) { *digest = "" }},
	} {
		t.Run(name, func(t *testing.T) {
			digest := "sha256:one"
			s, store := newService(t, Config{ImageDigest: func(context.Context, string) (string, error) {
				if digest == "" {
					return "", assay.Errorf(assay.CodeImageUnavailable, "no image")
				}
				return digest, nil
			}})
			importTwoTests(t, s, "a")
			validateAll(t, s, &script{}, 2)
			if c.change != nil {
				c.change(t, s, store, &digest)
			}
			var j Judge = &script{}
			if name == "another version" {
				j = &judge{} // of a sample with one test
			}
			report, err := s.Validate(t.Context(), j, ValidateRequest{Dataset: "small", Runs: c.runs, Fresh: c.fresh})
			if err != nil {
				t.Fatal(err)
			}
			if report.Made != c.made || report.Made+report.Stored < 2*c.runs {
				t.Errorf("%d runs made and %d stored, want %d made", report.Made, report.Stored, c.made)
			}
		})
	}
}

func TestFlakeRates(t *testing.T) {
	s, _ := newService(t, Config{})
	importTwoTests(t, s, "flaky", "firm")
	j := &script{answers: map[string][]answer{
		"flaky empty":     {{tests: "fp"}, {tests: "fp"}, {tests: "fs"}, {tests: "fp"}},
		"flaky reference": {{tests: "pp"}, {tests: "pm"}, {tests: "pf"}, {tests: "pp"}},
	}}
	report := validateAll(t, s, j, 4)
	flaky, firm := report.Samples[0], report.Samples[1]
	if flaky.SampleID != "flaky" {
		flaky, firm = firm, flaky
	}
	want := []TestRuns{
		{Test: "keep", List: "pass_to_pass", Tree: TreeEmpty, Runs: 4, Passed: 3, Skipped: 1},
		{Test: "keep", List: "pass_to_pass", Tree: TreeReference, Runs: 4, Passed: 2, Failed: 1, Missing: 1},
	}
	if diff := cmp.Diff(want, flaky.Flakes); diff != "" {
		t.Errorf("flakes (-want +got):\n%s", diff)
	}
	if a, b := want[0].FlakeRate(), want[1].FlakeRate(); a != 0.25 || b != 0.5 {
		t.Errorf("rates %v and %v, want 0.25 and 0.5", a, b)
	}
	reason := "the reference fix does not pass in 2 of 4 runs: keep did not pass"
	if !flaky.Flaky() || flaky.Valid() || !slices.Contains(flaky.Reasons, reason) {
		t.Errorf("flaky %v, reasons %q", flaky.Flaky(), flaky.Reasons)
	}
	if firm.Flaky() || !firm.Valid() {
		t.Errorf("the other sample: %+v", firm)
	}
}

func TestErrorsOfOursAreTriedAgainAndAreNoFlakes(t *testing.T) {
	lost := answer{err: assay.Errorf(assay.CodeSandboxLost, "it died")}
	missing := answer{err: assay.Errorf(assay.CodeImageUnavailable, "no image")}
	for name, c := range map[string]struct {
		answers []answer // of reference runs
		judged  int      // reference runs asked for
		tally   Tally
	}{
		"passes by itself":      {[]answer{lost, {tests: "pp"}, {tests: "pp"}}, 3, Tally{Runs: 2, Solved: 2}},
		"stays":                 {[]answer{{tests: "pp"}, lost}, 3, Tally{Runs: 2, Solved: 1, Errors: 1, ErrorCode: assay.CodeSandboxLost}},
		"cannot pass by itself": {[]answer{{tests: "pp"}, missing}, 2, Tally{Runs: 2, Solved: 1, Errors: 1, ErrorCode: assay.CodeImageUnavailable}},
	} {
		t.Run(name, func(t *testing.T) {
			s, store := newService(t, Config{})
			importTwoTests(t, s, "a")
			j := &script{answers: map[string][]answer{"a reference": c.answers}}
			v := validateAll(t, s, j, 2).Samples[0]
			asked := len(slices.DeleteFunc(j.asked, func(key string) bool { return key != "a reference" }))
			got := v.Reference
			got.failed, got.unsolved = "", ""
			if got != c.tally || asked != c.judged || len(v.Flakes) > 0 {
				t.Errorf("%+v after %d judgements with flakes %v; want %+v after %d and none", got, asked, v.Flakes, c.tally, c.judged)
			}
			failed := c.tally.Errors > 0
			if v.Valid() == failed {
				t.Errorf("valid %v: %q", v.Valid(), v.Reasons)
			}
			if told := len(store.conclusions) == 1; told == failed {
				t.Errorf("a sample with %d errors is validated: %v", c.tally.Errors, told)
			}
			if report := validateAll(t, s, &script{}, 2); report.Made != c.tally.Errors || !report.Samples[0].Valid() {
				t.Errorf("the next command made %d runs, want %d: %q", report.Made, c.tally.Errors, report.Samples[0].Reasons)
			}
		})
	}
}

// Of what went wrong on our side the operator needs the cause; of the rest, the message.
func TestReasonsOfErrors(t *testing.T) {
	cause := errors.New("no space left")
	for code, want := range map[assay.Code]string{
		assay.CodeSandboxFailed: "the empty patch could not be judged: it failed: no space left",
		assay.CodePatchFailed:   "the empty patch could not be judged: it failed",
	} {
		s, _ := newService(t, Config{})
		importTwoTests(t, s, "a")
		j := &script{answers: map[string][]answer{"a empty": {{err: assay.Wrap(cause, code, "it failed")}}}}
		if diff := cmp.Diff([]string{want}, validateAll(t, s, j, 1).Samples[0].Reasons); diff != "" {
			t.Error(diff)
		}
	}
}

func TestASampleWithoutReferenceFixIsJudgedAsItIs(t *testing.T) {
	s, store := newService(t, Config{})
	importTwoTests(t, s, "a")
	store.samples[0].Patch = ""
	j := &script{}
	v := validateAll(t, s, j, 2).Samples[0]
	if diff := cmp.Diff([]string{"a empty", "a empty"}, j.asked); diff != "" {
		t.Error(diff)
	}
	if !v.Valid() || v.Reference.Runs != 0 || !strings.Contains(v.Note, "no reference fix") {
		t.Errorf("%+v", v)
	}
	if c := store.conclusions[0]; c.ReferenceRuns != 0 {
		t.Errorf("%+v", c)
	}
}

func TestStatusesOfTests(t *testing.T) {
	sample := &assay.Sample{FailToPass: []string{"a", "gone", "t[x"}, PassToPass: []string{"b"}, FailToFail: []string{"c"}}
	v := &assay.Verdict{
		Passes:   []assay.TestOutcome{{Name: "a"}, {Name: "t[x 1]"}, {Name: "more"}},
		Failures: []assay.TestOutcome{{Name: "c"}},
		Skips:    []assay.TestOutcome{{Name: "b"}, {Name: "t[x 2]"}},
	}
	for truncated, want := range map[bool]string{false: "pmmsf", true: "pmssf"} {
		sample.Task.Verifier.TruncatedIDs = truncated
		if got := testStatuses(sample, v); got != want {
			t.Errorf("truncated %v: got %s, want %s", truncated, got, want)
		}
	}
}

func TestConclusionsSumUpADataset(t *testing.T) {
	s, store := newService(t, Config{})
	importTwoTests(t, s, "a")
	validateAll(t, s, &script{answers: map[string][]answer{"a reference": {{tests: "pp"}, {tests: "pf"}, {tests: "pp"}}}}, 3)
	c := *store.conclusions[0]
	if c.ReferenceRuns != 3 || c.ReferenceSolved != 2 || !c.Flaky || c.Grader != assay.GraderVersion || c.FinishedAt != store.runs[5].FinishedAt {
		t.Errorf("%+v", c)
	}
	if c.Campaign == "" || c.Campaign != store.runs[0].Campaign {
		t.Error(fmt.Sprint("campaign ", c.Campaign))
	}
}
