package verification

import (
	"fmt"
	"slices"
	"strings"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/session"
	"assay/internal/testreport"
)

// grade turns what the suite reported into a verdict, by the rule of the sample's
// dataset: solved if and only if every fail_to_pass and every pass_to_pass test was
// seen to pass. A test that was skipped or that no report names was not seen to
// pass. (SWE-bench's harness takes a skipped pass_to_pass test for maintained; we
// do not.)
//
// A suite that reported no test at all, not even that it could not be built, never
// ran: that is an error.
func grade(sample *assay.Sample, res sandbox.Result, report *testreport.Report) (*assay.Verdict, error) {
	v := &assay.Verdict{
		Tool:     sample.Task.Verifier.Kind,
		Grading:  sample.Task.Grading,
		Duration: res.Duration,
		ExitCode: res.Exit.Code,
		TimedOut: res.Exit.TimedOut,
		Passes:   []assay.TestOutcome{},
		Failures: []assay.TestOutcome{},
		Skips:    []assay.TestOutcome{},
		Missing:  []string{},
		Stdout:   session.Text(bounded(res.Stdout)),
		Stderr:   session.Text(bounded(res.Stderr)),
	}
	if len(report.Results) == 0 && len(report.Problems) == 0 && !res.Exit.TimedOut {
		return nil, assay.Errorf(assay.CodeSuiteNotRun, "the verifier ended with exit code %d and reported no test: %s", res.Exit.Code, lastLine(res))
	}
	sortOutcomes(v, sample, report)
	v.Passed, v.Failed, v.Skipped = len(v.Passes), len(v.Failures), len(v.Skips)

	wanted := slices.Concat(sample.FailToPass, sample.PassToPass)
	var unmet []string
	for _, id := range wanted {
		status, seen := report.Lookup(id)
		if !seen {
			v.Missing = append(v.Missing, id)
		}
		if !seen || status != testreport.Passed {
			unmet = append(unmet, id)
		}
	}
	v.Solved, v.Reason = reason(sample, res, report, wanted, unmet, v.Missing)
	return v, nil
}

// reason decides, and says why in a sentence.
func reason(sample *assay.Sample, res sandbox.Result, report *testreport.Report, wanted, unmet, missing []string) (solved bool, why string) {
	switch {
	case res.Exit.TimedOut:
		return false, fmt.Sprintf("the suite was killed after its timeout of %s", suiteTimeout(sample))
	case len(sample.FailToPass) == 0:
		return false, "the sample names no fail_to_pass test, so that nothing can show that it is solved"
	case !report.Complete:
		return false, "the report has no proper end: " + strings.Join(report.Problems, "; ")
	case len(unmet) > 0:
		return false, fmt.Sprintf("%d of %d expected tests did not pass (%d of them were not seen at all), the first: %s", len(unmet), len(wanted), len(missing), unmet[0])
	}
	return true, fmt.Sprintf("all %d expected tests passed, in %s", len(wanted), seconds(res.Duration))
}

// sortOutcomes files every reported test under what it did, once each.
func sortOutcomes(v *assay.Verdict, sample *assay.Sample, report *testreport.Report) {
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
	filed := make(map[string]bool, len(report.Results))
	for _, r := range report.Results {
		status, _ := report.Lookup(r.ID) // of all tests of this id together
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

// bounded cuts a stream to what is kept with a verdict.
func bounded(out sandbox.Output) sandbox.Output {
	const half = assay.OutputLimit / 2
	if len(out.Head) > half {
		if len(out.Tail) == 0 {
			out.Tail = out.Head[max(half, len(out.Head)-half):]
		}
		out.Head = out.Head[:half]
	}
	if len(out.Tail) > half {
		out.Tail = out.Tail[len(out.Tail)-half:]
	}
	return out
}
