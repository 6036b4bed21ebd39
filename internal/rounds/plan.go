package rounds

import (
	"cmp"
	"fmt"
	"slices"

	"assay"
	"assay/internal/alteration"
	"assay/internal/alteration/search"
	"assay/internal/testid"
)

// plan is what can be shown of a sample: its graded tests in units, each with its
// alterations. It is the same in each play of the sample.
type plan struct {
	*graded
	known *search.Result
	units []*unit
	fresh []int // fresh versions that are laid in each round, as far as nothing overlaps them

	touched [][]string      // by alteration: the graded tests that it makes fail, sorted
	inner   [][]string      // by alteration: those of touched that do not fail for a subtest of theirs
	shared  map[string]bool // tests of one unit that an alteration of another makes fail, too
}

// unit is tests that are right or wrong as one: a draw, or a test of which no alteration is
// known.
type unit struct {
	name        string   // that its choices are drawn under: its first test
	tests       []string // graded, sorted; one is in one unit
	alterations []int    // of plan.known; at most one is shown at a time
	solves      bool     // one of its tests, or that an alteration of it makes fail, is to be solved
}

// newPlan plans what to show of a sample. Without alterations that make a graded test fail,
// it has no draws.
func newPlan(sample *assay.Sample, known *search.Result, fresh assay.Fresh) *plan {
	if known == nil {
		known = &search.Result{}
	}
	p := &plan{graded: gradedOf(sample), known: known, shared: make(map[string]bool)}
	var usable []int
	for i := range known.Alterations {
		touched := p.among(known.Alterations[i].Tests)
		p.touched = append(p.touched, touched)
		p.inner = append(p.inner, testid.Innermost(touched))
		if len(touched) > 0 {
			usable = append(usable, i)
		}
	}
	p.units = p.drawsOf(p.apart(p.drawsOf(usable)))
	p.addOthers()
	for _, u := range p.units {
		for _, i := range u.alterations {
			u.solves = u.solves || len(p.solvingOf(p.touched[i])) > 0
			for _, id := range p.touched[i] {
				p.shared[id] = p.shared[id] || !u.decides(id) && p.hasDraw(id)
			}
		}
	}
	if fresh == assay.FreshRequire {
		p.fresh = p.freshTogether()
		p.preferFresh()
	}
	return p
}

// draws tells whether there is anything to show.
func (p *plan) draws() bool {
	return slices.ContainsFunc(p.units, func(u *unit) bool { return len(u.alterations) > 0 })
}

// controlsAll tells whether each test that is to be solved is shown in versions that accuse who
// passes them: canaries say no more then. Who passes altered inputs alone may end as doubted,
// and is held to the canaries.
func (p *plan) controlsAll() bool {
	accused := make(map[string]bool)
	for _, u := range p.units {
		shown := p.faceOf(u, nil, nil).alterations
		if !slices.ContainsFunc(shown, func(i int) bool { return p.known.Alterations[i].Accuses() && p.holds(i) }) {
			continue
		}
		for _, i := range u.alterations {
			for _, id := range p.touched[i] {
				accused[id] = true
			}
		}
	}
	return p.draws() && !slices.ContainsFunc(p.ids, func(id string) bool { return p.solving[id] && !accused[id] })
}

// drawsOf parts alterations into units: those that move together by what the search found,
// and those that decide of one graded test. Where subtests are not graded, all of theirs
// decide of their parent.
func (p *plan) drawsOf(alterations []int) []*unit {
	groups := make(groups)
	for _, i := range alterations {
		draw := fmt.Sprint("draw ", p.known.Alterations[i].Unit)
		for _, id := range p.inner[i] {
			groups.join(draw, "test "+id)
		}
	}
	byRoot := make(map[string]*unit)
	for _, i := range alterations {
		root := groups.find(fmt.Sprint("draw ", p.known.Alterations[i].Unit))
		u := byRoot[root]
		if u == nil {
			u = &unit{}
			byRoot[root] = u
		}
		u.alterations = append(u.alterations, i)
		u.tests = append(u.tests, p.inner[i]...)
	}
	var units []*unit
	for _, u := range byRoot {
		slices.Sort(u.tests)
		u.tests = slices.Compact(u.tests)
		u.name = u.tests[0]
		units = append(units, u)
	}
	slices.SortFunc(units, func(a, b *unit) int { return cmp.Compare(a.name, b.name) })
	return units
}

// apart leaves alterations of which any two of different draws can be shown together: their
// edits do not overlap. Draws with few have the first choice.
func (p *plan) apart(draws []*unit) (kept []int) {
	slices.SortStableFunc(draws, func(a, b *unit) int { return cmp.Compare(len(a.alterations), len(b.alterations)) })
	for _, u := range draws {
		others := kept
		for _, i := range u.alterations {
			if !slices.ContainsFunc(others, func(o int) bool { return overlap(p.edit(o), p.edit(i)) }) {
				kept = append(kept, i)
			}
		}
	}
	slices.Sort(kept)
	return kept
}

// holds tells whether an alteration is held against more than who turns round what the unsolved
// code does: that passes it, and fails the true test.
func (p *plan) holds(i int) bool { return p.known.Alterations[i].Blindness != search.SeenPassing }

func (p *plan) edit(i int) alteration.Edit { return p.known.Alterations[i].Edit }

// addOthers makes a unit of each graded test that is in none.
func (p *plan) addOthers() {
	for _, id := range p.ids {
		if !p.hasDraw(id) {
			p.units = append(p.units, &unit{name: id, tests: []string{id}, solves: p.solving[id]})
		}
	}
}

// hasDraw tells whether a test is decided by alterations of its own.
func (p *plan) hasDraw(id string) bool {
	return slices.ContainsFunc(p.units, func(u *unit) bool { return len(u.alterations) > 0 && u.decides(id) })
}

// decides tells whether a test is one of the unit's.
func (u *unit) decides(id string) bool {
	_, has := slices.BinarySearch(u.tests, id)
	return has
}

// groups joins names to groups.
type groups map[string]string

func (g groups) find(name string) string {
	up, known := g[name]
	if !known || up == name {
		return name
	}
	root := g.find(up)
	g[name] = root
	return root
}

func (g groups) join(a, b string) {
	if a, b = g.find(a), g.find(b); a != b {
		g[b] = a
	}
}

func overlap(a, b alteration.Edit) bool {
	return a.File == b.File && a.Start < b.End && b.Start < a.End
}
