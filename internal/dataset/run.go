package dataset

import (
	"strings"
	"time"

	"assay"
	"assay/internal/testid"
)

// Tree is one of the two work trees of a sample that a validation judges.
type Tree string

// The trees of a sample.
const (
	TreeEmpty     Tree = "empty"     // the work tree as it is: must not be solved
	TreeReference Tree = "reference" // with the reference fix: must be solved
)

// Run is one judgement of a tree of a sample.
type Run struct {
	ID            string
	Campaign      string // runs of one campaign are taken together
	Dataset       string
	SampleID      string
	SampleVersion int
	Grader        string // assay.GraderVersion of then
	ImageDigest   string // "" when it is not known
	Tree          Tree
	Number        int // from 1; of several with the same number the newest counts
	Outcome       Outcome
	Reason        string // a sentence
	Duration      time.Duration
	FinishedAt    time.Time
	// Tests has a TestStatus for each expected test of the sample, in the order of
	// fail_to_pass, pass_to_pass, fail_to_fail; "" when there is no verdict.
	Tests string
}

// Outcome is what came out of a run: one of the constants, or the code of the error
// because of which there is no verdict.
type Outcome string

// The outcomes that are verdicts.
const (
	OutcomeSolved   Outcome = "solved"
	OutcomeUnsolved Outcome = "unsolved"
)

// Judged tells whether there is a verdict.
func (o Outcome) Judged() bool { return o == OutcomeSolved || o == OutcomeUnsolved }

// TestStatus is what one run saw of a test, as a letter.
type TestStatus byte

// What a run may see of a test.
const (
	TestPassed  TestStatus = 'p'
	TestFailed  TestStatus = 'f'
	TestSkipped TestStatus = 's'
	TestMissing TestStatus = 'm' // no report names it
)

// expectedTest is a test of the lists of a sample.
type expectedTest struct{ id, list string }

// expectedTests returns the tests of a sample in the order of Run.Tests.
func expectedTests(s *assay.Sample) []expectedTest {
	var all []expectedTest
	for _, l := range []struct {
		name string
		ids  []string
	}{
		{"fail_to_pass", s.FailToPass},
		{"pass_to_pass", s.PassToPass},
		{"fail_to_fail", s.FailToFail},
	} {
		for _, id := range l.ids {
			all = append(all, expectedTest{id, l.name})
		}
	}
	return all
}

// testStatuses returns what a verdict says of each expected test.
func testStatuses(s *assay.Sample, v *assay.Verdict) string {
	seen := map[string]TestStatus{}
	for _, of := range []struct {
		status TestStatus
		tests  []assay.TestOutcome
	}{
		{TestPassed, v.Passes},
		{TestSkipped, v.Skips},
		{TestFailed, v.Failures},
	} {
		for _, t := range of.tests {
			seen[t.Name] = of.status
		}
	}
	var letters strings.Builder
	for _, test := range expectedTests(s) {
		status, ok := seen[test.id]
		if !ok {
			status = TestMissing
			if s.Task.Verifier.TruncatedIDs && testid.Truncated(test.id) {
				status = statusOfAll(test.id, seen)
			}
		}
		letters.WriteByte(byte(status))
	}
	return letters.String()
}

// statusOfAll is what was seen of the tests that a truncated name stands for.
func statusOfAll(truncated string, seen map[string]TestStatus) TestStatus {
	worst := TestMissing
	for name, status := range seen {
		if !testid.StandsFor(truncated, name) {
			continue
		}
		switch {
		case status == TestFailed:
			return TestFailed
		case status == TestSkipped || worst == TestMissing:
			worst = status
		}
	}
	return worst
}
