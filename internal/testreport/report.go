// Package testreport reads what a test run, or a linter, said of itself. Formats
// lists the formats.
//
// Reports are written by programs that nobody vouches for, so reading is streaming
// and bounded, and doubt is never resolved in favour of a pass: a test passed only
// if the report says so whole and every time that it names the test.
package testreport

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"assay/internal/testid"
)

// Status is what became of a test. The zero value is no status at all.
type Status string

// The statuses of a test.
const (
	Passed  Status = "passed"
	Skipped Status = "skipped" // not run, or run with its outcome disregarded (xfail, todo)
	Failed  Status = "failed"  // it said no, or was begun and never ended
	Errored Status = "errored" // it, or what it stands on, broke
)

// rank orders the statuses from good to bad.
func (s Status) rank() int { return slices.Index([]Status{Passed, Skipped, Failed, Errored}, s) }

// worse returns the worse of two statuses; any status is worse than none.
func worse(a, b Status) Status {
	if b.rank() > a.rank() {
		return b
	}
	return a
}

// Result is one occurrence of a test in a report.
type Result struct {
	ID       string // never empty, valid UTF-8, no NUL; at most Limits.MaxName bytes
	Status   Status
	Duration time.Duration // as reported; 0 if it was not
	Message  string        // why it did not pass, in a line or a few; at most Limits.MaxText bytes
	Details  string        // output or stack; at most Limits.MaxText bytes
}

// Totals are numbers of tests.
type Totals struct {
	Tests, Passed, Skipped, Failed, Errored int
}

// Report is what one or more test runs said. Its fields are not changed once
// Lookup was called. It is safe for concurrent reading.
type Report struct {
	// Results holds every occurrence of every test, in the order read. A test that
	// was reported twice is there twice.
	Results []Result

	// Announced holds the totals that the runner itself wrote down, nil where the
	// format or the dialect has none. Runners count differently (surefire leaves
	// tests out once it repeats some), so they are evidence, not truth. Passed is
	// never announced and always 0; TAP announces Tests alone.
	Announced *Totals

	// Solved is the verifier's own verdict, and Reason what it said of it. Only
	// AssayJSON and Reward have one, and only a whole report: else it is nil.
	Solved *bool
	Reason string // at most Limits.MaxText bytes
	// Reward is the number that a verifier gave, never NaN nor infinite. Nil but in a
	// whole report in the format Reward.
	Reward *float64

	// Problems are contradictions and faults that belong to no test: a package that
	// could not be built, an end that was never seen. At most 100, plus a line that
	// says how many were left out.
	Problems []string

	// Noise counts lines that are not of the format.
	Noise int

	// Complete tells whether the format's own end was seen. If not, tests may be
	// missing, none of which passed, and so may the worse half of a test that is
	// reported twice.
	Complete bool

	unlisted int   // problems beyond the limit
	idBytes  int64 // in all ids
	once     sync.Once
	index    map[string]Status
	ids      []string // of index, sorted
}

// Lookup returns the status of the test called id, and whether the report names
// it. Of several occurrences the worst counts, from passed over skipped and failed
// to errored: a test that passed once and was skipped once did not pass.
func (r *Report) Lookup(id string) (Status, bool) {
	r.once.Do(r.buildIndex)
	status, seen := r.index[id]
	return status, seen
}

// LookupTruncated is Lookup for ids that may have lost their end, as SWE-bench's lists
// cut them at a space in a parameter (see testid.Truncated). One that may have stands
// for all tests that it is the beginning of up to a space, and the worst status of them
// counts.
func (r *Report) LookupTruncated(id string) (Status, bool) {
	if !testid.Truncated(id) {
		return r.Lookup(id)
	}
	r.once.Do(r.buildIndex)
	var worst Status
	first, _ := slices.BinarySearch(r.ids, id)
	for _, name := range r.ids[first:] {
		if !strings.HasPrefix(name, id) {
			break
		}
		if testid.StandsFor(id, name) {
			worst = worse(worst, r.index[name])
		}
	}
	return worst, worst != ""
}

func (r *Report) buildIndex() {
	r.index = make(map[string]Status, len(r.Results))
	for _, res := range r.Results {
		r.index[res.ID] = worse(r.index[res.ID], res.Status)
	}
	r.ids = slices.Sorted(maps.Keys(r.index))
}

// Counts counts the occurrences in Results.
func (r *Report) Counts() Totals {
	t := Totals{Tests: len(r.Results)}
	for _, res := range r.Results {
		switch res.Status {
		case Passed:
			t.Passed++
		case Skipped:
			t.Skipped++
		case Failed:
			t.Failed++
		case Errored:
			t.Errored++
		}
	}
	return t
}

// Merge joins the reports of one run, nil ones left out. The whole is complete if
// there is at least one report and all of them are; it announces totals if all do.
// Of several verdicts and rewards the worst counts.
func Merge(reports ...*Report) *Report {
	whole := &Report{}
	parts, announcing := 0, 0
	complete := true
	var announced Totals
	for _, r := range reports {
		if r == nil {
			continue
		}
		parts++
		complete = complete && r.Complete
		whole.Results = append(whole.Results, r.Results...)
		whole.Noise += r.Noise
		for _, p := range r.Problems {
			whole.problem(p)
		}
		if r.Announced != nil {
			announcing++
			announced.add(*r.Announced)
		}
		whole.mergeVerdict(r)
	}
	whole.Complete = complete && parts > 0
	if announcing == parts && parts > 0 {
		whole.Announced = &announced
	}
	return whole
}

// mergeVerdict takes over the verdict and the reward of a part, if they are worse.
func (r *Report) mergeVerdict(part *Report) {
	if part.Solved != nil && (r.Solved == nil || *r.Solved && !*part.Solved) {
		r.Solved, r.Reason = part.Solved, part.Reason
	}
	if part.Reward != nil && (r.Reward == nil || *part.Reward < *r.Reward) {
		r.Reward = part.Reward
	}
}

func (t *Totals) add(o Totals) {
	t.Tests += o.Tests
	t.Passed += o.Passed
	t.Skipped += o.Skipped
	t.Failed += o.Failed
	t.Errored += o.Errored
}
