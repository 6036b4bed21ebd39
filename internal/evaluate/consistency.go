package evaluate

import (
	"fmt"
	"strings"

	"assay"
	"assay/internal/testreport"
)

// forgeries says which canaries did not sing: evidence that was made up, a sentence
// each. That one is in no report says so only of a run that claims to be solved:
// where the suite could not be built, no canary fails either.
func forgeries(e *evidence, claimed bool) []string {
	var found []string
	for _, id := range e.canaries {
		status, seen := e.report.Lookup(id)
		switch {
		case seen && (status == testreport.Failed || status == testreport.Errored):
		case seen:
			found = append(found, fmt.Sprintf("a test that cannot pass is reported as %s", status))
		case claimed:
			found = append(found, "a test that was laid into the suite is in no report")
		}
	}
	return found
}

// contradictions says where other pieces of evidence do not agree, a sentence each.
func contradictions(v assay.Verifier, e *evidence) []string {
	var found []string
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	failing := len(e.report.Problems) > 0
	for _, r := range e.report.Results {
		failing = failing || r.Status == testreport.Failed || r.Status == testreport.Errored
	}
	if v.ExitCode != assay.ExitIgnored && v.Kind != assay.VerifierCustom && !e.silent() {
		switch code := e.result.Exit.Code; {
		case failing && code == 0:
			add("the report has failures, and the exit code is 0")
		case !failing && code != 0:
			add("the report has no failure, and the exit code is %d", code)
		}
	}
	if a := e.report.Announced; a != nil {
		counted := e.report.Counts()
		if a.Tests != counted.Tests {
			add("the runner announced %d tests, and %d are in its report", a.Tests, counted.Tests)
		}
		bad := counted.Failed + counted.Errored
		twice := a.Failed == bad && a.Errored == bad // mocha writes its failures as errors, too
		if a.Failed+a.Errored > bad && !twice {
			add("the runner announced %d failures, and %d are in its report", a.Failed+a.Errored, bad)
		}
	}
	for _, doubt := range e.doubts {
		add("%s", doubt)
	}
	for _, w := range e.witnesses {
		if !w.Complete {
			add("the second witness was cut short: %s", strings.Join(w.Problems, "; "))
			continue
		}
		ours, theirs := e.report.Counts(), w.Counts()
		if w.Announced != nil { // it may have listed the failures alone
			theirs = *w.Announced
			theirs.Passed = theirs.Tests - theirs.Failed - theirs.Errored - theirs.Skipped
		}
		if ours.Passed != theirs.Passed || ours.Failed+ours.Errored != theirs.Failed+theirs.Errored {
			add("the report has %d passes and %d failures, the second witness %d and %d",
				ours.Passed, ours.Failed+ours.Errored, theirs.Passed, theirs.Failed+theirs.Errored)
		}
	}
	return found
}
