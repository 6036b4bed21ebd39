package evaluate

import (
	"fmt"
	"slices"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/testreport"
)

// grade turns what a suite left into a verdict, by the rule of the sample's dataset
// and the kind of its verifier. Evidence that contradicts itself solves nothing,
// whatever it says.
func grade(sample *assay.Sample, e *evidence) *assay.Verdict {
	res := e.result
	v := newVerdict(sample, res)
	sortOutcomes(v, sample, e)
	v.Passed, v.Failed, v.Skipped = len(v.Passes), len(v.Failures), len(v.Skips)

	solved, why := rule(sample, e, v)
	switch cut := cutShort(sample, res); {
	case cut != "":
		solved, why = false, cut
	case e.overflow != "": // what was not read may say otherwise
		solved, why = false, e.overflow+"; without these changes all of it is"
	}
	forged := forgeries(e, solved)
	v.Contradictions = forged
	for _, c := range contradictions(sample.Task.Verifier, e) {
		v.Contradictions = append(v.Contradictions, c.What)
	}
	if solved && len(v.Contradictions) > 0 {
		solved, forged = false, v.Contradictions
		why = "the evidence contradicts itself: " + v.Contradictions[0]
	}
	for _, what := range forged {
		v.Tampering = append(v.Tampering, assay.Tampering{Kind: assay.TamperingForgery, Detail: what})
	}
	v.Solved, v.Reason = solved, why
	return v
}

// newVerdict is what a verdict says of a sample and the run of its verifier, before
// anything is graded.
func newVerdict(sample *assay.Sample, res sandbox.Result) *assay.Verdict {
	return &assay.Verdict{
		Tool:     sample.Task.Verifier.Kind,
		Grading:  sample.Task.Grading,
		Duration: res.Duration,
		ExitCode: res.Exit.Code,
		TimedOut: res.Exit.TimedOut,
		Passes:   []assay.TestOutcome{},
		Failures: []assay.TestOutcome{},
		Skips:    []assay.TestOutcome{},
		Missing:  []string{},
		Stdout:   textOf(res.Stdout),
		Stderr:   textOf(res.Stderr),
		Evidence: assay.Evidence{
			Grader:        assay.GraderVersion,
			SampleVersion: sample.Version,
			Expected:      assay.Expected{FailToPass: orEmpty(sample.FailToPass), PassToPass: orEmpty(sample.PassToPass), FailToFail: orEmpty(sample.FailToFail)},
			Quarantined:   sample.Task.Verifier.Quarantined,
		},
	}
}

func orEmpty(ids []string) []string {
	if ids == nil {
		return []string{}
	}
	return ids
}

// rule applies the rule of the verifier's kind, and says why in a sentence.
func rule(sample *assay.Sample, e *evidence, v *assay.Verdict) (solved bool, why string) {
	switch sample.Task.Verifier.Kind {
	case assay.VerifierLinter, assay.VerifierStaticAnalysis:
		return gradeFindings(sample, e)
	case assay.VerifierCustom:
		if ok, why := gradeCustom(e); !ok || len(sample.FailToPass) == 0 {
			return ok, why
		}
	}
	if sample.Task.Grading == assay.GradingExact {
		return gradeExact(sample, e, v)
	}
	return gradeLists(sample, e, v)
}

// cutShort says why a run did not come to its own end; "" when it did.
func cutShort(sample *assay.Sample, res sandbox.Result) string {
	const notRun = 126 // and what is above it: not found, and killed by a signal
	switch {
	case res.Exit.TimedOut:
		return fmt.Sprintf("the suite was killed after its timeout of %s", suiteTimeout(sample))
	case res.Exit.OOMKilled:
		return "the suite was killed because it used more memory than the sample allows"
	case sample.Task.Verifier.ExitCode != assay.ExitIgnored && res.Exit.Code >= notRun:
		return fmt.Sprintf("the suite was cut short: its exit code is %d", res.Exit.Code)
	}
	return ""
}

// lookup returns what became of an expected test.
func lookup(sample *assay.Sample, report *testreport.Report, id string) (testreport.Status, bool) {
	if sample.Task.Verifier.TruncatedIDs {
		return report.LookupTruncated(id)
	}
	return report.Lookup(id)
}

// gradeLists is the rule "swe-bench": solved if and only if every fail_to_pass and
// every pass_to_pass test was seen to pass. A test that was skipped or that no report
// names was not seen to pass. (SWE-bench's harness takes a skipped pass_to_pass test
// for maintained; we do not.)
func gradeLists(sample *assay.Sample, e *evidence, v *assay.Verdict) (solved bool, why string) {
	wanted := graded(sample, slices.Concat(sample.FailToPass, sample.PassToPass))
	var unmet []string
	for _, id := range wanted {
		status, seen := lookup(sample, e.report, id)
		if !seen {
			v.Missing = append(v.Missing, id)
		}
		if !seen || status != testreport.Passed {
			unmet = append(unmet, id)
		}
	}
	switch {
	case len(graded(sample, sample.FailToPass)) == 0:
		return false, "the sample names no fail_to_pass test, so that nothing can show that it is solved"
	case e.silent():
		return false, fmt.Sprintf("with these changes the suite ended with exit code %d and reported no test, which it does without them; it said: %s", e.result.Exit.Code, lastLine(e.result))
	case !e.report.Complete:
		return false, "the report has no proper end: " + e.problems()
	case len(unmet) > 0:
		return false, fmt.Sprintf("%d of %d expected tests did not pass (%d of them were not seen at all), the first: %s", len(unmet), len(wanted), len(v.Missing), unmet[0])
	}
	return true, fmt.Sprintf("all %d expected tests passed, in %s", len(wanted), seconds(e.result.Duration))
}

// graded leaves out what the operator has quarantined.
func graded(sample *assay.Sample, ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return slices.Contains(sample.Task.Verifier.Quarantined, id)
	})
}

// gradeExact is the rule "exact": the tests that passed are those of fail_to_pass and
// pass_to_pass, no more and no less, and those that failed are those of fail_to_fail.
// Skipped tests are ignored.
func gradeExact(sample *assay.Sample, e *evidence, v *assay.Verdict) (solved bool, why string) {
	wantPass := setOf(graded(sample, slices.Concat(sample.FailToPass, sample.PassToPass)))
	wantFail := setOf(graded(sample, sample.FailToFail))
	passed := setOf(graded(sample, namesOf(v.Passes)))
	failed := setOf(graded(sample, namesOf(v.Failures)))
	for _, id := range graded(sample, slices.Concat(sample.FailToPass, sample.PassToPass, sample.FailToFail)) {
		if _, seen := e.report.Lookup(id); !seen {
			v.Missing = append(v.Missing, id)
		}
	}
	if len(graded(sample, sample.FailToPass)) == 0 {
		return false, "the sample names no fail_to_pass test, so that nothing can show that it is solved"
	}
	if !e.report.Complete {
		return false, "the report has no proper end: " + e.problems()
	}
	for _, d := range []struct {
		have, lack map[string]bool
		what       string
	}{
		{wantPass, passed, "expected to pass and did not"},
		{passed, wantPass, "passed and were not expected to"},
		{wantFail, failed, "expected to fail and did not"},
		{failed, wantFail, "failed and were not expected to"},
	} {
		if n, first := missingFrom(d.have, d.lack); n > 0 {
			return false, fmt.Sprintf("the outcomes are not exactly the expected ones: %d tests %s, the first: %s", n, d.what, first)
		}
	}
	return true, fmt.Sprintf("exactly the %d expected tests passed and the %d expected ones failed", len(wantPass), len(wantFail))
}

func namesOf(outcomes []assay.TestOutcome) []string {
	names := make([]string, len(outcomes))
	for i, o := range outcomes {
		names[i] = o.Name
	}
	return names
}

func setOf(ids []string) map[string]bool {
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// missingFrom counts what is in have and not in other, and names the first by order.
func missingFrom(have, other map[string]bool) (n int, first string) {
	for id := range have {
		if other[id] {
			continue
		}
		if n++; n == 1 || id < first {
			first = id
		}
	}
	return n, first
}

// gradeFindings is the rule of linters: none of the findings in fail_to_pass is left,
// and there is none that the sample does not know (fail_to_fail).
func gradeFindings(sample *assay.Sample, e *evidence) (solved bool, why string) {
	if !e.report.Complete {
		return false, "the report has no proper end: " + e.problems()
	}
	known := setOf(slices.Concat(sample.FailToPass, sample.FailToFail))
	var left, fresh []string
	for _, r := range e.report.Results {
		switch {
		case slices.Contains(sample.Task.Verifier.Quarantined, r.ID):
		case slices.Contains(sample.FailToPass, r.ID):
			left = append(left, r.ID)
		case !known[r.ID]:
			fresh = append(fresh, r.ID)
		}
	}
	switch {
	case len(left) > 0:
		return false, fmt.Sprintf("%d findings that were to go are still there, the first: %s", len(left), left[0])
	case len(fresh) > 0:
		return false, fmt.Sprintf("%d new findings appeared, the first: %s", len(fresh), fresh[0])
	}
	return true, fmt.Sprintf("all %d findings are gone, and no new one appeared", len(sample.FailToPass))
}

// gradeCustom is the rule of verifiers that decide themselves: exit code 0, and no
// report that says otherwise.
func gradeCustom(e *evidence) (solved bool, why string) {
	switch {
	case e.result.Exit.Code != 0:
		return false, fmt.Sprintf("the verifier ended with exit code %d: %s", e.result.Exit.Code, lastLine(e.result))
	case e.reports > 0 && !e.report.Complete:
		return false, "the report has no proper end: " + e.problems()
	case e.report.Solved != nil && !*e.report.Solved:
		return false, "the verifier says that it is not solved: " + e.report.Reason
	}
	return true, "the verifier says that it is solved"
}

// sortOutcomes files every reported test under what it did, once each. Canaries are
// nobody's tests.
func sortOutcomes(v *assay.Verdict, sample *assay.Sample, e *evidence) {
	expected := make(map[string]string)
	for list, ids := range map[string][]string{
		"fail_to_pass": sample.FailToPass,
		"pass_to_pass": sample.PassToPass,
		"fail_to_fail": sample.FailToFail,
	} {
		for _, id := range ids {
			expected[id] = list
		}
	}
	filed := make(map[string]bool, len(e.report.Results))
	for _, id := range e.canaries {
		filed[id] = true
	}
	for _, r := range e.report.Results {
		status, _ := e.report.Lookup(r.ID) // of all tests of this id together
		if filed[r.ID] || status != r.Status {
			continue
		}
		filed[r.ID] = true
		t := assay.TestOutcome{Name: r.ID, Expected: expected[r.ID], Duration: r.Duration, Message: r.Message, Details: r.Details}
		switch status {
		case testreport.Passed:
			v.Passes = append(v.Passes, t)
		case testreport.Skipped:
			v.Skips = append(v.Skips, t)
		default:
			v.Failures = append(v.Failures, t)
		}
	}
}
