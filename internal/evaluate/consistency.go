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

// Contradiction is a point in which pieces of evidence do not agree.
type Contradiction struct {
	Kind ContradictionKind
	What string // a sentence
}

// ContradictionKind says which pieces they are: a suite that contradicts itself whatever is
// run in it does so in one kind, and in other numbers.
type ContradictionKind string

// The kinds of contradictions.
const (
	HidesFailures ContradictionKind = "failures and exit code 0"
	ExitsBadly    ContradictionKind = "exit code without failures"
	CountsTests   ContradictionKind = "announced tests"
	CountsFailing ContradictionKind = "announced failures"
	Doubted       ContradictionKind = "doubtful report"
	CutWitness    ContradictionKind = "witness cut short"
	OtherWitness  ContradictionKind = "witness"
)

// contradictions says where other pieces of evidence do not agree.
func contradictions(v assay.Verifier, e *evidence) []Contradiction {
	var found []Contradiction
	add := func(kind ContradictionKind, format string, args ...any) {
		found = append(found, Contradiction{kind, fmt.Sprintf(format, args...)})
	}
	failing := len(e.report.Problems) > 0
	for _, r := range e.report.Results {
		failing = failing || r.Status == testreport.Failed || r.Status == testreport.Errored
	}
	if v.ExitCode != assay.ExitIgnored && v.Kind != assay.VerifierCustom && !e.silent() {
		switch code := e.result.Exit.Code; {
		case failing && code == 0:
			add(HidesFailures, "the report has failures, and the exit code is 0")
		case !failing && code != 0:
			add(ExitsBadly, "the report has no failure, and the exit code is %d", code)
		}
	}
	if a := e.report.Announced; a != nil {
		counted := e.report.Counts()
		if a.Tests != counted.Tests {
			add(CountsTests, "the runner announced %d tests, and %d are in its report", a.Tests, counted.Tests)
		}
		bad := counted.Failed + counted.Errored
		twice := a.Failed == bad && a.Errored == bad // mocha writes its failures as errors, too
		if a.Failed+a.Errored > bad && !twice {
			add(CountsFailing, "the runner announced %d failures, and %d are in its report", a.Failed+a.Errored, bad)
		}
	}
	for _, doubt := range e.doubts {
		add(Doubted, "%s", doubt)
	}
	for _, w := range e.witnesses {
		if !w.Complete {
			add(CutWitness, "the second witness was cut short: %s", strings.Join(w.Problems, "; "))
			continue
		}
		ours, theirs := e.report.Counts(), w.Counts()
		if w.Announced != nil { // it may have listed the failures alone
			theirs = *w.Announced
			theirs.Passed = theirs.Tests - theirs.Failed - theirs.Errored - theirs.Skipped
		}
		if ours.Passed != theirs.Passed || ours.Failed+ours.Errored != theirs.Failed+theirs.Errored {
			add(OtherWitness, "the report has %d passes and %d failures, the second witness %d and %d",
				ours.Passed, ours.Failed+ours.Errored, theirs.Passed, theirs.Failed+theirs.Errored)
		}
	}
	return found
}
