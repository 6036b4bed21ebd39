package starter

import (
	"fmt"
	"slices"
	"strings"
)

// Outcome is how a test ended.
type Outcome string

// The outcomes that reports tell. A test that is absent from a report has none.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped"
)

// Outcomes are a run's tests by id.
type Outcomes map[string]Outcome

// Add notes one result. Where an id occurs more than once, every occurrence must
// pass for the id to pass, and one failure makes it fail.
func (o Outcomes) Add(id string, result Outcome) {
	rank := map[Outcome]int{Passed: 1, Skipped: 2, Failed: 3}
	if rank[result] > rank[o[id]] {
		o[id] = result
	}
}

// Compare sorts the tests of a run after the fix by how they did before it. Tests
// that are skipped, or gone, after the fix are in no list; neither are the flaky.
func Compare(before, after Outcomes, flaky []string) Lists {
	lists := Lists{FailToPass: []string{}, PassToPass: []string{}, FailToFail: []string{}}
	for id, outcome := range after {
		switch {
		case slices.Contains(flaky, id):
		case outcome == Passed && before[id] == Passed:
			lists.PassToPass = append(lists.PassToPass, id)
		case outcome == Passed:
			lists.FailToPass = append(lists.FailToPass, id)
		case outcome == Failed && before[id] != Passed:
			lists.FailToFail = append(lists.FailToFail, id)
		}
	}
	slices.Sort(lists.FailToPass)
	slices.Sort(lists.PassToPass)
	slices.Sort(lists.FailToFail)
	return lists
}

// Unstable returns the ids that did not end the same way in every run, sorted.
func Unstable(runs []Outcomes) []string {
	unstable := map[string]bool{}
	for _, run := range runs {
		for _, other := range runs {
			for id, outcome := range run {
				if other[id] != outcome {
					unstable[id] = true
				}
			}
		}
	}
	ids := make([]string, 0, len(unstable))
	for id := range unstable {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Diff says, a line each, what a fresh run has otherwise than was recorded: "-" for
// a recorded id that the run does not have in that list, "+" for the reverse. It is
// empty when they agree.
func (l Lists) Diff(fresh Lists) string {
	var b strings.Builder
	for _, list := range []struct {
		name        string
		want, found []string
	}{
		{"fail_to_pass", l.FailToPass, fresh.FailToPass},
		{"pass_to_pass", l.PassToPass, fresh.PassToPass},
		{"fail_to_fail", l.FailToFail, fresh.FailToFail},
	} {
		for _, id := range missing(list.want, list.found) {
			fmt.Fprintf(&b, "- %s %s\n", list.name, id)
		}
		for _, id := range missing(list.found, list.want) {
			fmt.Fprintf(&b, "+ %s %s\n", list.name, id)
		}
	}
	return b.String()
}

// missing returns what is in all but not in some, sorted.
func missing(all, some []string) []string {
	have := make(map[string]bool, len(some))
	for _, id := range some {
		have[id] = true
	}
	var ids []string
	for _, id := range all {
		if !have[id] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
