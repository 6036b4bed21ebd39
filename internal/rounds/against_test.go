package rounds

import (
	"slices"
	"testing"

	"assay/internal/evaluate"
)

// contradict has a run say something against itself.
func contradict(kinds ...evaluate.ContradictionKind) func(*trialResult) {
	return func(trial *trialResult) {
		for _, k := range kinds {
			trial.Contradictions = append(trial.Contradictions, evaluate.Contradiction{Kind: k, What: "it says so"})
		}
	}
}

// rewrite has a run write to files.
func rewrite(files ...evaluate.Rewritten) func(*trialResult) {
	return func(trial *trialResult) { trial.Rewritten = append(trial.Rewritten, files...) }
}

// A work whose rounds contradict themselves is refused, whatever its tests did; one that does
// so once is given another sequence; and what the reference fix does as well accuses nobody.
func TestRoundsThatContradictThemselves(t *testing.T) {
	file := func(name, digest string) evaluate.Rewritten { return evaluate.Rewritten{Path: name, Digest: digest} }
	for name, c := range map[string]struct {
		work, fixed func(*trialResult)
		times       int
		solved      bool
	}{
		"failures, and the exit code is 0":       {work: contradict(evaluate.HidesFailures), times: 100},
		"once":                                   {work: contradict(evaluate.HidesFailures), times: 1, solved: true},
		"as the reference does":                  {work: contradict(evaluate.HidesFailures), fixed: contradict(evaluate.HidesFailures), times: 100, solved: true},
		"more than the reference does":           {work: contradict(evaluate.HidesFailures, evaluate.OtherWitness), fixed: contradict(evaluate.HidesFailures), times: 100},
		"a test is rewritten":                    {work: rewrite(file("tests/all.txt", "1")), times: 100},
		"a test is rewritten once":               {work: rewrite(file("tests/all.txt", "1")), times: 1, solved: true},
		"a runner is rewritten":                  {work: rewrite(file("/usr/bin/python3", "")), times: 100},
		"the suite installs packages":            {work: rewrite(file("/usr/lib/x.pth", "")), fixed: rewrite(file("/usr/lib/x.pth", "")), times: 100, solved: true},
		"the suite checks its tests out":         {work: rewrite(file("tests/all.txt", "1")), fixed: rewrite(file("tests/all.txt", "1")), times: 100, solved: true},
		"the suite does, and the work otherwise": {work: rewrite(file("tests/all.txt", "2")), fixed: rewrite(file("tests/all.txt", "1")), times: 100},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld("a", "b").expect(2, "a", "b")
			left := c.times
			w.report = func(r run, trial *trialResult) {
				switch {
				case r.fixed && c.fixed != nil:
					c.fixed(trial)
				case !r.fixed && left > 0:
					left--
					c.work(trial)
				}
			}
			v, o := w.play(t, w.request(1))
			if v.Solved != c.solved || o.Voids > 0 {
				t.Errorf("solved %t: %s, %+v", v.Solved, v.Reason, o)
			}
			if o.End == Refused && v.Reason != RefusedReason {
				t.Errorf("it says %q", v.Reason)
			}
		})
	}
}

// What suites do by themselves is asked of the reference fix once a play.
func TestExcusesAreKept(t *testing.T) {
	w := newWorld("a", "b").expect(2, "a", "b")
	w.report = func(_ run, trial *trialResult) {
		contradict(evaluate.HidesFailures)(trial)
		rewrite(evaluate.Rewritten{Path: "/usr/lib/x.pth"})(trial)
	}
	v, o := w.play(t, w.request(1))
	fixed := slices.DeleteFunc(slices.Clone(w.runs), func(r run) bool { return !r.fixed })
	if !v.Solved || len(fixed) != 1 || o.Runs != 4 {
		t.Errorf("%d runs of the reference fix, %+v", len(fixed), o)
	}
}

// That an altered version is excused does not excuse what is not right in it.
func TestExcusesCoverNothingElse(t *testing.T) {
	w := newWorld("a").expect(2, "a")
	w.report = func(_ run, trial *trialResult) { contradict(evaluate.HidesFailures)(trial) }
	w.work = func(seen) bool { return true }
	if v, o := w.play(t, w.request(1)); v.Solved || o.End != Refused {
		t.Errorf("%s, %+v", v.Reason, o)
	}
}
