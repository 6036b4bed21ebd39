package rounds

import (
	"cmp"
	"slices"
	"strings"

	"assay/internal/alteration/search"
	"assay/internal/testid"
)

// face is the alterations of a unit that are shown in a sequence.
//
// Who forges one test and solves all others sees in the room what is altered in those. So the
// chance of a sequence is that of a test only if no other test tells in which of its rounds
// the test is altered: each alteration of the face makes it fail, and no other but what it is
// a subtest of; and no alteration of another unit makes it fail. Of tests that share a unit,
// one is covered in a play, by the choice of the seed.
type face struct {
	alterations []int
	blind       bool     // none of them can be told from the true test by what the unsolved code does
	covered     []string // fail_to_pass tests that a blind face holds the odds for: one, and what it is a subtest of
}

// faceOf returns the best face of a unit without some of its alterations: the blind one that
// covers most or, where there is none, what only who has read the issue can tell, else all that is
// left. Where several are as good, the order of their tests decides.
func (p *plan) faceOf(u *unit, without map[int]bool, order map[string]int) face {
	left := slices.DeleteFunc(slices.Clone(u.alterations), func(i int) bool { return without[i] })
	best := face{alterations: p.alike(left)}
	var first string
	for _, id := range u.tests {
		f := p.faceFor(id, left)
		better := cmp.Or(
			cmp.Compare(len(f.covered), len(best.covered)),
			cmp.Compare(p.accusing(f), p.accusing(best)),
			cmp.Compare(order[first], order[id]),
		)
		if f.blind && (!best.blind || better > 0) {
			best, first = f, id
		}
	}
	return best
}

// alike leaves of some alterations those that the unsolved code cannot tell, if they make all
// tests fail that are to be solved and that any of them does: who passes one kind of failure, or
// turns outcomes round, comes through with the others.
func (p *plan) alike(some []int) []int {
	var alike []int
	held := make(map[string]bool)
	for _, i := range some {
		if p.known.Alterations[i].Alike() {
			alike = append(alike, i)
			for _, id := range p.solvingOf(p.touched[i]) {
				held[id] = true
			}
		}
	}
	lacks := func(i int) bool {
		return slices.ContainsFunc(p.solvingOf(p.touched[i]), func(id string) bool { return !held[id] })
	}
	if len(alike) == 0 || slices.ContainsFunc(some, lacks) {
		return some
	}
	return alike
}

// faceFor returns the face that covers a test; one that is not blind if there is none.
func (p *plan) faceFor(id string, alterations []int) (f face) {
	if !p.solving[id] || p.shared[id] {
		return face{}
	}
	for _, i := range alterations {
		a := &p.known.Alterations[i]
		if !a.Blind() || slices.ContainsFunc(testid.Innermost(a.Tests), func(name string) bool { return !p.standsFor(id, name) && !strings.HasPrefix(name, id+"/") }) {
			continue
		}
		touched := p.solvingOf(p.touched[i])
		if f.alterations = append(f.alterations, i); f.covered == nil {
			f.covered = touched
		}
		f.covered = slices.DeleteFunc(f.covered, func(id string) bool { return !slices.Contains(touched, id) })
	}
	f.blind = len(f.alterations) > 0
	return f
}

// accusing is 1 if an alteration of a face accuses who passes it.
func (p *plan) accusing(f face) int {
	if slices.ContainsFunc(f.alterations, func(i int) bool { return p.known.Alterations[i].Kind == search.Expected }) {
		return 1
	}
	return 0
}

// kinds orders the kinds of alterations: those that accuse first, those that files have
// either way last.
var kinds = map[search.Kind]int{search.Expected: 0, search.Input: 1, search.Flip: 2}

// pick returns the alteration of a face to show next in the nth sequence, by its kind, by how
// often it was shown, and by the seed. Where a unit gets another sequence, those that accuse
// come first.
func (p *plan) pick(f face, nth int, shown, rank map[int]int) int {
	late := func(i int) int {
		if nth > 0 && !p.known.Alterations[i].Accuses() {
			return 1
		}
		return 0
	}
	return slices.MinFunc(f.alterations, func(a, b int) int {
		return cmp.Or(
			cmp.Compare(late(a), late(b)),
			cmp.Compare(kinds[p.known.Alterations[a].Kind], kinds[p.known.Alterations[b].Kind]),
			cmp.Compare(shown[a], shown[b]),
			cmp.Compare(rank[a], rank[b]),
		)
	})
}

func without(list []int, i int) []int {
	return slices.DeleteFunc(slices.Clone(list), func(o int) bool { return o == i })
}
