package search

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"

	"assay/internal/alteration"
	"assay/internal/evaluate"
	"assay/internal/testid"
)

// units parts alterations into those of which one at a time is tried: two tests are of one
// unit if one edit makes both fail, or if what is done to one changes what the other does.
type units struct {
	parent map[string]string // of tests
}

func newUnits(all []*found) *units {
	u := &units{parent: make(map[string]string)}
	for _, f := range all {
		own := leaves(f.tests)
		for _, id := range own[1:] {
			u.join(own[0], id)
		}
	}
	return u
}

// untied leaves out what makes several tests fail, most of which something else makes fail
// without so many others, and as blindly: to keep it would tie them to one unit, of which one
// alteration at a time is tried and shown.
func untied(all []*found, blind map[*found]Blindness) []*found {
	isBlind := func(f *found) bool { return (&Alteration{Blindness: blind[f]}).Alike() }
	finer := func(f *found, id string) bool {
		own := leaves(f.tests)
		return slices.ContainsFunc(all, func(o *found) bool {
			some := leaves(o.tests)
			return len(some) < len(own) && slices.Contains(some, id) && (isBlind(o) || !isBlind(f))
		})
	}
	return slices.DeleteFunc(slices.Clone(all), func(f *found) bool {
		own, lacking := leaves(f.tests), 0
		for _, id := range own {
			if !finer(f, id) {
				lacking++
			}
		}
		return len(own) > 1 && 2*lacking < len(own)
	})
}

// draws joins units to draws, of which one alteration at a time is shown: what also makes
// the same parent fail, and what stands in one test or declaration, a table's rows say. A
// parent that was altered whenever one of its subtests is would be altered nearly always,
// and could be guessed.
func (u *units) draws(all []*found) *units {
	d := &units{parent: maps.Clone(u.parent)}
	first := make(map[string]string)
	for _, f := range all {
		if _, known := first[family(f.Edit)]; !known {
			first[family(f.Edit)] = f.tests[0]
		}
		for _, id := range f.tests {
			d.join(first[family(f.Edit)], id)
		}
	}
	return d
}

// leaves leaves out tests that fail because a subtest of theirs does.
func leaves(ids []string) []string { return testid.Innermost(ids) }

// isBelow tells whether a test is a subtest of another.
func isBelow(id, parent string) bool {
	return len(id) > len(parent) && id[len(parent)] == '/' && strings.HasPrefix(id, parent)
}

func (u *units) find(id string) string {
	up, known := u.parent[id]
	if !known || up == id {
		return id
	}
	root := u.find(up)
	u.parent[id] = root
	return root
}

func (u *units) join(a, b string) {
	if a, b = u.find(a), u.find(b); a != b {
		u.parent[b] = a
	}
}

// of names the unit or draw of an alteration.
func (u *units) of(f *found) string { return u.find(leaves(f.tests)[0]) }

// How often what was found is tried together, before it is believed: until each was seen
// again, and each unit altered without each other.
const (
	leastCombinations = 3
	mostCombinations  = 16
)

// together runs some of what was found at once, as it will be shown: of each unit one
// alteration or none. What does not do then what it did alone is dropped, or moves from now
// on with what it was tried with.
func (d *discovery) together(ctx context.Context, all []*found, parts *units, rng *rand.Rand) ([]*found, error) {
	for n := range mostCombinations {
		names := parts.names(all)
		enough := n >= max(leastCombinations, 2*bits.Len(uint(len(names)-1)))
		if len(names) == 0 || enough && !slices.ContainsFunc(all, func(f *found) bool { return f.seen < 2 && f.shown < 2 }) {
			break
		}
		chosen := parts.choose(all, names, n, rng)
		trial, err := d.fixedWith(ctx, chosen)
		if err == nil {
			err = d.believe(ctx, all, chosen, parts, trial)
		}
		if errors.Is(err, errSpent) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(all, func(f *found) bool { return f.seen < 2 || f.ends }), nil
}

// fixedWith runs the reference fix with some of what was found.
func (d *discovery) fixedWith(ctx context.Context, chosen []*found) (*evaluate.Trial, error) {
	files, err := d.sources.with(editsOf(chosen)...)
	if err != nil {
		return nil, err
	}
	return d.trials.run(ctx, reference, files)
}

// names are the units of what was found.
func (u *units) names(all []*found) []string {
	names := make(map[string]bool)
	for _, f := range all {
		if !f.ends {
			names[u.of(f)] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// choose takes one alteration of each unit of the nth half of them, those first that were
// shown least. The halves are by the digits of the units' numbers, one after the other,
// each with the other half after it, so that any two units are parted either way; and any
// when that is done.
func (u *units) choose(all []*found, names []string, n int, rng *rand.Rand) []*found {
	var chosen []*found
	for number, name := range names {
		show := number>>(n/2)&1 == n%2
		if n >= 2*bits.Len(uint(len(names)-1)) {
			show = rng.IntN(2) == 0 || number == len(names)-1 && len(chosen) == 0
		}
		if !show {
			continue
		}
		of := slices.DeleteFunc(slices.Clone(all), func(f *found) bool { return f.ends || u.of(f) != name })
		least := slices.MinFunc(of, func(a, b *found) int { return cmp.Or(a.shown-b.shown, a.seen-b.seen) })
		if !slices.ContainsFunc(chosen, func(o *found) bool { return overlap(o.Edit, least.Edit) }) {
			least.shown++
			chosen = append(chosen, least)
		}
	}
	return chosen
}

func overlap(a, b alteration.Edit) bool {
	return a.File == b.File && a.Start < b.End && b.Start < a.End
}

func editsOf(list []*found) []alteration.Edit {
	edits := make([]alteration.Edit, len(list))
	for i, f := range list {
		edits[i] = f.Edit
	}
	return edits
}

// believe holds what a combination did against what each of its parts did.
func (d *discovery) believe(ctx context.Context, all, chosen []*found, parts *units, trial *evaluate.Trial) error {
	if trial.TimedOut || !trial.Complete {
		return nil // nothing was seen a second time
	}
	demanded := make(map[string]bool)
	for _, f := range chosen {
		for _, id := range f.tests {
			demanded[id] = true
		}
	}
	odd := make(map[string]bool)
	var strange []string // nobody was to make them fail
	for id := range d.stable {
		if _, there := trial.Outcomes[id]; !there || trial.Passed[id] == demanded[id] {
			odd[id] = true
			if !demanded[id] {
				strange = append(strange, id)
			}
		}
	}
	slices.Sort(strange)
	strange, err := d.again(ctx, chosen, strange, trial)
	if err != nil {
		return err
	}
	if guilty, err := d.blame(ctx, chosen, strange, trial); err != nil || len(guilty) > 0 {
		for _, f := range guilty {
			own := leaves(f.tests)
			for _, id := range own {
				parts.join(own[0], id)
			}
			for _, o := range all { // what was seen of them was seen of others
				if parts.of(o) == parts.of(f) {
					o.seen, o.shown = 1, 0
				}
			}
		}
		return err
	}
	for _, f := range chosen {
		d.acquit(f, trial)
		if !slices.ContainsFunc(f.tests, func(id string) bool { return odd[id] }) {
			f.seen++
			continue
		}
		for _, o := range chosen {
			if o != f && family(o.Edit) == family(f.Edit) {
				parts.join(parts.of(o), parts.of(f))
			}
		}
	}
	return nil
}

// acquit takes tests from an alteration that passed this time, where its own failed as they did:
// such a test failed by itself when the alteration was found. What did not run tells nothing.
func (d *discovery) acquit(f *found, trial *evaluate.Trial) {
	own := func(id string) bool { return d.sources.belongs(f.Edit, id) }
	failed := func(id string) bool {
		_, there := trial.Outcomes[id]
		return there && !trial.Passed[id]
	}
	if !slices.ContainsFunc(f.tests, func(id string) bool { return own(id) && failed(id) }) {
		return
	}
	f.tests = slices.DeleteFunc(f.tests, func(id string) bool {
		if own(id) || d.solves[id] || !trial.Passed[id] {
			return false
		}
		delete(d.stable, id)
		return true
	})
}

// again leaves the strange failures that happen again. A test that fails once and not again
// is one that does not pass each time, under load perhaps: from now on it tells nothing.
func (d *discovery) again(ctx context.Context, chosen []*found, strange []string, trial *evaluate.Trial) ([]string, error) {
	if !slices.ContainsFunc(strange, func(id string) bool { return !trial.Passed[id] }) {
		return strange, nil
	}
	second, err := d.fixedWith(ctx, chosen)
	if err != nil {
		return strange, err
	}
	return slices.DeleteFunc(strange, func(id string) bool {
		if trial.Passed[id] || !second.Passed[id] {
			return false
		}
		delete(d.stable, id)
		return true
	}), nil
}

// blame finds whose doing it is that tests fail, or are gone, which no alteration was seen
// to change: when it was found, they were altered themselves. It is nobody's if it does not
// happen again.
func (d *discovery) blame(ctx context.Context, chosen []*found, strange []string, trial *evaluate.Trial) (guilty []*found, err error) {
	happened := slices.ContainsFunc(strange, func(id string) bool { return !trial.Passed[id] })
	switch {
	case !happened:
		return nil, nil
	case len(chosen) == 1:
		d.correct(chosen[0], trial)
		return chosen, nil
	}
	half := len(chosen) / 2
	for _, part := range [][]*found{chosen[:half], chosen[half:]} {
		trial, err := d.fixedWith(ctx, part)
		if err != nil {
			return guilty, err
		}
		more, err := d.blame(ctx, part, strange, trial)
		if guilty = append(guilty, more...); err != nil {
			return guilty, err
		}
	}
	return guilty, nil
}

// correct notes what an alteration does alone.
func (d *discovery) correct(f *found, trial *evaluate.Trial) {
	f.tests, f.ends = nil, trial.TimedOut || !trial.Complete
	for id := range d.stable {
		if outcome, there := trial.Outcomes[id]; !trial.Passed[id] {
			f.ends = f.ends || !there
			f.tests = append(f.tests, id)
			f.said[id] = text(outcome)
		}
	}
	slices.Sort(f.tests)
}
