package dataset

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"assay"
)

// Validation is what the runs of one sample came to.
type Validation struct {
	SampleID  string
	Version   int
	Empty     Tally
	Reference Tally
	Flakes    []TestRuns    // the expected tests that flake; all others have a flake rate of 0
	Median    time.Duration // of a run with a verdict
	Finished  time.Time     // the last run
	Reasons   []string      // why the sample is not valid, a sentence each
	Note      string        // why something was not run, or is not used; "" when all was
	Narrow    bool          // the command for some tests was seen to run the fail_to_pass tests
}

// Valid tells whether every run was as it must be.
func (v *Validation) Valid() bool { return len(v.Reasons) == 0 }

// Flaky tells whether a test flakes that is graded.
func (v *Validation) Flaky() bool {
	return slices.ContainsFunc(v.Flakes, func(t TestRuns) bool { return !t.Quarantined })
}

// Tally counts the runs of one tree.
type Tally struct {
	Runs     int // the sum of the next three
	Solved   int
	Unsolved int
	Errors   int // without a verdict

	// ErrorCode is that of the last error; "" without one.
	ErrorCode assay.Code

	unsolved, failed string // reasons of the last that was unsolved, and of the last error
}

func (t *Tally) count(r *Run) {
	t.Runs++
	switch r.Outcome {
	case OutcomeSolved:
		t.Solved++
	case OutcomeUnsolved:
		t.Unsolved++
		t.unsolved = r.Reason
	default:
		t.Errors++
		t.ErrorCode, t.failed = assay.Code(r.Outcome), r.Reason
	}
}

// of says how many of the runs something is about; nothing when there is but one.
func (t *Tally) of(n int) string {
	if t.Runs == 1 {
		return ""
	}
	return fmt.Sprintf(" in %d of %d runs", n, t.Runs)
}

// Conclusion is the part of a Validation by which datasets are shown.
type Conclusion struct {
	Dataset         string
	SampleID        string
	SampleVersion   int
	Grader          string
	Campaign        string
	ReferenceRuns   int
	ReferenceSolved int
	Flaky           bool
	Narrow          bool      // see Validation.Narrow
	FinishedAt      time.Time // the last run
}

// slot is the place of a run in a campaign.
type slot struct {
	tree   Tree
	number int
}

// counting returns the runs that count, of those of a version of a sample from oldest
// to newest: the newest of each slot that was judged by the rules of today, on the
// image of today if that is known. What has no verdict counts up to number n alone.
func counting(runs []*Run, digest string, n int) []*Run {
	newest := map[slot]*Run{}
	for _, r := range runs {
		sameImage := r.ImageDigest == digest || r.ImageDigest == "" || digest == ""
		if r.Grader == assay.GraderVersion && sameImage && (r.Outcome.Judged() || r.Number <= n) {
			newest[slot{r.Tree, r.Number}] = r
		}
	}
	return slices.SortedFunc(maps.Values(newest), func(a, b *Run) int {
		return cmp.Or(cmp.Compare(a.Tree, b.Tree), cmp.Compare(a.Number, b.Number))
	})
}

// conclude says what the runs of a sample that count come to.
func conclude(s *assay.Sample, runs []*Run) Validation {
	v := Validation{SampleID: s.ID, Version: s.Version, Flakes: flakes(s, runs)}
	var took []time.Duration
	for _, r := range runs {
		if r.Tree == TreeEmpty {
			v.Empty.count(r)
		} else {
			v.Reference.count(r)
		}
		if r.Outcome.Judged() {
			took = append(took, r.Duration)
		}
		if r.FinishedAt.After(v.Finished) {
			v.Finished = r.FinishedAt
		}
	}
	if len(took) > 0 {
		slices.Sort(took)
		v.Median = took[len(took)/2]
	}
	if s.ReferencePatch() == "" {
		v.Note = "the sample has no reference fix: only the work tree as it is was judged"
	}
	v.Reasons = reasons(&v.Empty, &v.Reference)
	return v
}

// reasons says what is wrong with a sample.
func reasons(empty, reference *Tally) (all []string) {
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if empty.Errors > 0 {
		say("the empty patch could not be judged%s: %s", empty.of(empty.Errors), empty.failed)
	}
	if empty.Solved > 0 {
		say("the empty patch passes%s: the tests do not tell whether the task is solved", empty.of(empty.Solved))
	}
	if reference.Errors > 0 {
		say("the reference fix could not be judged%s: %s", reference.of(reference.Errors), reference.failed)
	}
	if reference.Unsolved > 0 {
		say("the reference fix does not pass%s: %s", reference.of(reference.Unsolved), reference.unsolved)
	}
	return all
}
