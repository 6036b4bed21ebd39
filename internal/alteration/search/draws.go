package search

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"

	"assay/internal/alteration"
	"assay/internal/evaluate"
)

// draws parts alterations into those that move together. Two tests do if one edit makes
// both fail, or if what is done to one changes what the other does.
type draws struct {
	parent map[string]string // of tests
}

func newDraws(all []*found) *draws {
	d := &draws{parent: make(map[string]string)}
	for _, f := range all {
		own := leaves(f.tests)
		for _, id := range own[1:] {
			d.join(own[0], id)
		}
	}
	return d
}

// leaves leaves out tests that fail because a subtest of theirs does: the subtest is named
// by them, "/" and its own name.
func leaves(ids []string) []string {
	own := slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return slices.ContainsFunc(ids, func(other string) bool { return strings.HasPrefix(other, id+"/") })
	})
	if len(own) == 0 {
		return ids
	}
	return own
}

func (d *draws) find(id string) string {
	up, known := d.parent[id]
	if !known || up == id {
		return id
	}
	root := d.find(up)
	d.parent[id] = root
	return root
}

func (d *draws) join(a, b string) {
	if a, b = d.find(a), d.find(b); a != b {
		d.parent[b] = a
	}
}

// of names the draw of an alteration.
func (d *draws) of(f *found) string { return d.find(leaves(f.tests)[0]) }

// How often what was found is tried together, before it is believed: until each was seen
// again.
const (
	leastCombinations = 3
	mostCombinations  = 10
)

// together runs some of what was found at once, as it will be shown: of each draw one
// alteration or none. What does not do then what it did alone is dropped, or moves from now
// on with what it was tried with.
func (d *discovery) together(ctx context.Context, all []*found, parts *draws, rng *rand.Rand) ([]*found, error) {
	for n := range mostCombinations {
		if n >= leastCombinations && !slices.ContainsFunc(all, func(f *found) bool { return f.seen < 2 }) {
			break
		}
		chosen := parts.choose(all, rng)
		if len(chosen) == 0 {
			return all, nil
		}
		files, err := d.sources.with(editsOf(chosen)...)
		if err != nil {
			return nil, err
		}
		trial, err := d.trials.run(ctx, reference, files)
		if errors.Is(err, errSpent) {
			break
		}
		if err != nil {
			return nil, err
		}
		all = d.believe(all, chosen, parts, trial)
	}
	return slices.DeleteFunc(all, func(f *found) bool { return f.seen < 2 }), nil
}

// choose takes one alteration of about three in four draws, those first that were seen least.
func (d *draws) choose(all []*found, rng *rand.Rand) []*found {
	of := make(map[string][]*found)
	var names []string
	for _, f := range all {
		name := d.of(f)
		if of[name] == nil {
			names = append(names, name)
		}
		of[name] = append(of[name], f)
	}
	slices.Sort(names)
	var chosen []*found
	for _, name := range names {
		list := of[name]
		least := slices.MinFunc(list, func(a, b *found) int { return a.seen - b.seen })
		if least.seen >= 2 && rng.IntN(4) == 0 {
			continue
		}
		if !slices.ContainsFunc(chosen, func(o *found) bool { return overlap(o.Edit, least.Edit) }) {
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
func (d *discovery) believe(all, chosen []*found, parts *draws, trial *evaluate.Trial) []*found {
	if trial.TimedOut || !trial.Complete {
		return all // nothing was seen a second time
	}
	demanded := make(map[string]bool)
	for _, f := range chosen {
		for _, id := range f.tests {
			demanded[id] = true
		}
	}
	odd := make(map[string]bool)
	for id := range d.stable {
		if _, there := trial.Outcomes[id]; !there || trial.Passed[id] == demanded[id] {
			odd[id] = true
		}
	}
	var wrong []*found
	for _, f := range chosen {
		if slices.ContainsFunc(f.tests, func(id string) bool { return odd[id] }) {
			wrong = append(wrong, f)
		} else {
			f.seen++
		}
	}
	for _, f := range wrong {
		for _, o := range chosen {
			if o != f && group(o.Edit) == group(f.Edit) {
				parts.join(parts.of(o), parts.of(f))
			}
		}
	}
	return all
}
