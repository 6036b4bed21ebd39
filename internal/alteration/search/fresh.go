package search

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"

	"assay/internal/alteration"
	"assay/internal/evaluate"
)

// Fresh is a true version of a test that nobody has seen: the reference fix passes it, and
// the unsolved code fails it. Its edits are made together: a single one leaves a table of
// known inputs nearly whole.
type Fresh struct {
	Edits    []alteration.Edit `json:"edits"`
	Tests    []string          `json:"tests"` // fail_to_pass tests that it is a version of; sorted
	Kinds    []string          `json:"kinds"` // "consistent", "answered"
	Answered int               `json:"answered"`
}

// cluster is tests that share what they are made of, and have one version together.
type cluster struct {
	families map[string]bool // what may be edited for it
	tests    map[string]bool // that it changes
	targets  []string        // fail_to_pass tests of them that the unsolved code is seen to fail; sorted
}

// findFresh looks for fresh truths of tests that the unsolved code can be seen to fail, of
// all clusters side by side.
func (d *discovery) findFresh(ctx context.Context, seed uint64, all []*found) ([]Fresh, error) {
	var seekers []*seeker
	var askers []asker
	for _, c := range d.clusters() {
		s := &seeker{discovery: d, cluster: c, seed: seed, known: all}
		seekers, askers = append(seekers, s), append(askers, asker{c, s.asks()})
	}
	if err := d.serve(ctx, askers); err != nil && !errors.Is(err, errSpent) {
		return nil, err
	}
	var fresh []Fresh
	for _, s := range seekers {
		if s.best != nil {
			fresh = append(fresh, *s.best)
		}
	}
	return fresh, nil
}

// clusters parts the tests that are to be solved and can be seen to fail, with what they
// use, such that nothing is of two clusters.
func (d *discovery) clusters() []*cluster {
	u := &units{parent: make(map[string]string)}
	uses := d.sources.uses()
	targets := make(map[string][]string) // by family
	for _, id := range d.sample.FailToPass {
		if _, ran := d.unsolved.Outcomes[id]; !d.solves[id] || !d.stable[id] || !ran || d.unsolved.Passed[id] {
			continue
		}
		for _, home := range d.sources.familiesOf(id) {
			targets[home] = append(targets[home], id)
			for used := range uses[home] {
				u.join(home, used)
			}
		}
	}
	by := make(map[string]*cluster)
	var list []*cluster
	for _, home := range slices.Sorted(maps.Keys(targets)) {
		root := u.find(home)
		c := by[root]
		if c == nil {
			c = &cluster{families: make(map[string]bool), tests: make(map[string]bool)}
			by[root] = c
			list = append(list, c)
		}
		c.families[home] = true
		maps.Copy(c.families, uses[home])
		for _, id := range targets[home] {
			if !slices.Contains(c.targets, id) {
				c.targets = append(c.targets, id)
			}
		}
	}
	for _, c := range list {
		slices.Sort(c.targets)
		d.claim(c, uses)
	}
	return list
}

// claim finds the tests that a cluster changes: those of its families, and whoever uses them.
func (d *discovery) claim(c *cluster, uses map[string]map[string]bool) {
	homes := maps.Clone(c.families)
	for home, used := range uses {
		for name := range used {
			homes[home] = homes[home] || c.families[name]
		}
	}
	for id := range d.stable {
		if slices.ContainsFunc(d.sources.familiesOf(id), func(home string) bool { return homes[home] }) {
			c.tests[id] = true
		}
	}
}

// familiesOf are the families that a test may be of.
func (s sources) familiesOf(id string) []string {
	var homes []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		for _, region := range s[name].tests {
			home := familyOf(name, region)
			if s.belongs(alteration.Edit{File: name, Region: region, Test: true}, id) && !slices.Contains(homes, home) {
				homes = append(homes, home)
			}
		}
	}
	return homes
}

// uses are, by the family of tests, what they share with others and can be had in other
// versions.
func (s sources) uses() map[string]map[string]bool {
	uses := make(map[string]map[string]bool)
	for name, src := range s {
		for region, users := range src.users {
			if !slices.ContainsFunc(src.candidates, func(e alteration.Edit) bool { return !e.Test && e.Region == region }) {
				continue
			}
			for _, user := range users {
				home := familyOf(name, user)
				if uses[home] == nil {
					uses[home] = make(map[string]bool)
				}
				uses[home][familyOf(name, region)] = true
			}
		}
	}
	return uses
}

// asker asks for runs about a cluster, one after the other.
type asker struct {
	of   *cluster
	asks iter.Seq[*ask]
}

// ask is a run that is asked for, and what is told of it.
type ask struct {
	of    *cluster
	on    tree
	edits []alteration.Edit
	whole bool // whether targets are gone is told, too
	told  answer
}

// answer is what a run says of a cluster.
type answer struct {
	clear   bool              // everything was run, and nothing is gone
	gone    bool              // a target is gone, of those who ask for that
	failing map[string]string // what its tests say that fail
}

func (a answer) holds() bool { return a.clear && len(a.failing) == 0 }

// serve runs what is asked for, in one run what different ones ask for of the same work.
func (d *discovery) serve(ctx context.Context, askers []asker) error {
	resume := make(map[*cluster]func() (*ask, bool))
	var asked []*ask
	for _, s := range askers {
		next, stop := iter.Pull(s.asks)
		defer stop()
		resume[s.of] = next
		if a, more := next(); more {
			asked = append(asked, a)
		}
	}
	for len(asked) > 0 {
		var batch, rest []*ask
		for _, a := range asked {
			if a.on == asked[0].on {
				batch = append(batch, a)
			} else {
				rest = append(rest, a)
			}
		}
		if err := d.answer(ctx, batch); err != nil {
			return err
		}
		for _, a := range batch {
			if next, more := resume[a.of](); more {
				rest = append(rest, next)
			}
		}
		asked = rest
	}
	return nil
}

// answer makes one run for several seekers, and more where it cannot be told whose doing it
// is what the run says.
func (d *discovery) answer(ctx context.Context, batch []*ask) error {
	var edits []alteration.Edit
	for _, a := range batch {
		edits = append(edits, a.edits...)
	}
	files, err := d.sources.with(edits...)
	if err != nil {
		return nil //nolint:nilerr // they cannot be made: that is no answer, and nothing holds
	}
	trial, err := d.trials.run(ctx, batch[0].on, files)
	if err != nil || d.tellAll(batch, trial) || len(batch) == 1 {
		return err
	}
	half := len(batch) / 2
	return errors.Join(d.answer(ctx, batch[:half]), d.answer(ctx, batch[half:]))
}

// tellAll tells seekers what a run says of their tests. It is false if it says more.
func (d *discovery) tellAll(batch []*ask, trial *evaluate.Trial) bool {
	clear := trial.Complete && !trial.TimedOut
	if batch[0].on == unsolved {
		clear = !trial.TimedOut
	}
	for _, a := range batch {
		a.told = answer{clear: clear, failing: make(map[string]string)}
	}
	told := clear
	for _, a := range batch {
		a.told.gone = a.whole && slices.ContainsFunc(a.of.targets, func(id string) bool {
			_, there := trial.Outcomes[id]
			return !there
		})
		told = told && !a.told.gone
	}
	for id := range d.stable {
		outcome, there := trial.Outcomes[id]
		if there && trial.Passed[id] || !there && batch[0].on == unsolved {
			continue
		}
		owned := false
		for _, a := range batch {
			if a.of.tests[id] || len(batch) == 1 && batch[0].on == reference {
				owned = true
				a.told.failing[id] = text(outcome)
				a.told.clear = a.told.clear && there
			}
		}
		told = told && there && (owned || batch[0].on == unsolved)
	}
	return told
}

// gist is what a failure says of what happened, without the source that it may show.
func gist(file, said string) string {
	if !strings.HasSuffix(file, ".py") {
		return said
	}
	var b strings.Builder
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "E ") || strings.HasPrefix(line, "E\t") || place.MatchString(line) {
			b.WriteString(line)
		}
	}
	return b.String()
}
