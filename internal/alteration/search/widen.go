package search

import (
	"maps"
	"slices"

	"assay/internal/alteration"
)

// widen adds candidates where the usual ones gave too little, once those are done: to the rows
// that decide of tests that have no blind alteration, and to tests that have none of their own. It
// tells whether there are any.
func (d *discovery) widen(all []*found, blind map[*found]Blindness) bool {
	sighted := d.solving(func(id string) bool {
		return !slices.ContainsFunc(all, func(f *found) bool { return blind[f] == Blind && slices.Contains(f.tests, id) })
	})
	bare := d.solving(func(id string) bool { // or has what ties it to others alone
		return !slices.ContainsFunc(all, func(f *found) bool { return len(leaves(f.tests)) == 1 && slices.Contains(f.tests, id) })
	})
	wider := false
	for _, name := range slices.Sorted(maps.Keys(d.sources)) {
		src := d.sources[name]
		for _, e := range src.insertions() {
			wider = d.addTo(sighted, e) || wider
		}
		if len(bare) > 0 {
			for _, e := range src.conspicuous() {
				wider = d.addTo(bare, d.cased(e)) || wider
			}
		}
	}
	return wider
}

// solving are the fail_to_pass tests of which something holds.
func (d *discovery) solving(holds func(id string) bool) map[string]bool {
	ids := make(map[string]bool)
	for id := range d.solves {
		if holds(id) {
			ids[id] = true
		}
	}
	return ids
}

// addTo adds an edit to its queue in place of what the queue had left, if it may be of one of
// some tests.
func (d *discovery) addTo(ids map[string]bool, e alteration.Edit) bool {
	q := d.queueOf(e)
	if !slices.ContainsFunc(q.targets, func(id string) bool { return ids[id] }) {
		return false
	}
	if !q.wide {
		q.wide, q.left, q.tries = true, nil, mostTries-mostWide
	}
	q.left = append(q.left, e)
	return true
}

// insertions put one more separator into the rows that decide.
func (s *source) insertions() []alteration.Edit {
	var edits []alteration.Edit
	for _, p := range s.parts {
		if p.Row && p.class == deciding {
			edits = append(edits, alteration.Insertions(alteration.File{Path: s.Path, Source: s.After}, s.options, p.Start, p.End)...)
		}
	}
	return slices.DeleteFunc(edits, func(e alteration.Edit) bool { return e.Known })
}

// conspicuous are the edits that look altered, which are a control and no more.
func (s *source) conspicuous() []alteration.Edit {
	o := s.options
	o.Conspicuous = true
	all := alteration.Candidates(alteration.File{Path: s.Path, Source: s.After}, o)
	return slices.DeleteFunc(all, func(e alteration.Edit) bool { return e.Conspicuous == "" })
}
