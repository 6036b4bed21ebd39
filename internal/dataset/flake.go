package dataset

import (
	"slices"

	"assay"
)

// TestRuns is what the runs of one tree of a sample saw of an expected test.
type TestRuns struct {
	Test        string
	List        string // fail_to_pass, pass_to_pass or fail_to_fail
	Tree        Tree
	Runs        int // that ended with a verdict: the sum of the next four
	Passed      int
	Failed      int
	Skipped     int
	Missing     int
	Quarantined bool // listed and not graded
}

// FlakeRate is the share (0 to 1) of the runs that did not see what most of them saw.
func (t *TestRuns) FlakeRate() float64 {
	if t.Runs == 0 {
		return 0
	}
	return float64(t.Runs-t.most()) / float64(t.Runs)
}

// Flakes tells whether the runs saw different things.
func (t *TestRuns) Flakes() bool { return t.most() < t.Runs }

func (t *TestRuns) most() int { return max(t.Passed, t.Failed, t.Skipped, t.Missing) }

func (t *TestRuns) count(status TestStatus) {
	t.Runs++
	switch status {
	case TestPassed:
		t.Passed++
	case TestFailed:
		t.Failed++
	case TestSkipped:
		t.Skipped++
	default:
		t.Missing++
	}
}

// flakes returns the expected tests of which runs of the same tree saw different
// things. A run without a verdict says nothing of them.
func flakes(s *assay.Sample, runs []*Run) []TestRuns {
	var found []TestRuns
	expected := expectedTests(s)
	for _, tree := range []Tree{TreeEmpty, TreeReference} {
		for i, test := range expected {
			t := TestRuns{Test: test.id, List: test.list, Tree: tree}
			for _, r := range runs {
				if r.Tree == tree && r.Outcome.Judged() && i < len(r.Tests) {
					t.count(TestStatus(r.Tests[i]))
				}
			}
			if t.Flakes() {
				t.Quarantined = slices.Contains(s.Task.Verifier.Quarantined, test.id)
				found = append(found, t)
			}
		}
	}
	return found
}
