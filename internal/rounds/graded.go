package rounds

import (
	"slices"

	"assay"
	"assay/internal/evaluate"
	"assay/internal/testid"
)

// graded are the tests that a round is judged by: those that are expected to pass, but for
// the quarantined.
type graded struct {
	ids       []string        // sorted
	solving   map[string]bool // fail_to_pass
	truncated bool            // an id may stand for several; see assay.Verifier
}

func gradedOf(sample *assay.Sample) *graded {
	g := &graded{solving: make(map[string]bool), truncated: sample.Task.Verifier.TruncatedIDs}
	keep := func(id string) bool { return !slices.Contains(sample.Task.Verifier.Quarantined, id) }
	for _, id := range sample.FailToPass {
		if keep(id) {
			g.ids, g.solving[id] = append(g.ids, id), true
		}
	}
	for _, id := range sample.PassToPass {
		if keep(id) {
			g.ids = append(g.ids, id)
		}
	}
	slices.Sort(g.ids)
	g.ids = slices.Compact(g.ids)
	return g
}

// standsFor tells whether a graded test is, or stands for, one that a report names.
func (g *graded) standsFor(id, reported string) bool {
	return id == reported || g.truncated && testid.Truncated(id) && testid.StandsFor(id, reported)
}

// among returns the graded tests among some that reports name, sorted.
func (g *graded) among(reported []string) []string {
	var ids []string
	for _, id := range g.ids {
		if slices.ContainsFunc(reported, func(name string) bool { return g.standsFor(id, name) }) {
			ids = append(ids, id)
		}
	}
	return ids
}

// did tells whether a graded test was seen in a run, and whether it passed: all that it
// stands for.
func (g *graded) did(trial *evaluate.Trial, id string) (seen, passed bool) {
	if !g.truncated || !testid.Truncated(id) {
		_, seen = trial.Outcomes[id]
		return seen, seen && trial.Passed[id]
	}
	passed = true
	for name := range trial.Outcomes {
		if testid.StandsFor(id, name) {
			seen, passed = true, passed && trial.Passed[name]
		}
	}
	return seen, seen && passed
}

// solvingOf returns those of some graded tests that are to be solved.
func (g *graded) solvingOf(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !g.solving[id] })
}
