package rounds

import (
	"cmp"
	"slices"

	"assay/internal/alteration/search"
)

// face is the alterations of a unit that are shown in a sequence.
//
// Who forges one test and solves all others sees whether those are altered. So the chance of
// a sequence is that of a test only if the test is altered in exactly those of its rounds in
// which the unit is: then each of the face's alterations makes it fail, and none of another
// unit's does, but for tests that fail because a subtest of theirs does.
type face struct {
	alterations []int
	blind       bool     // none of them can be told from the true test by what the unsolved code does
	covered     []string // fail_to_pass tests that a blind face holds the odds for
}

// faceOf returns the best face of a unit without some of its alterations: the blind one that
// covers most tests or, where there is none, all that is left.
func (p *plan) faceOf(u *unit, without map[int]bool) face {
	var left, blind []int
	for _, i := range u.alterations {
		if without[i] {
			continue
		}
		left = append(left, i)
		if p.known.Alterations[i].Blind() {
			blind = append(blind, i)
		}
	}
	best := face{alterations: left}
	for _, i := range blind {
		f := face{blind: true}
		for _, o := range blind {
			if containsAll(p.touched[o], p.solvingOf(p.touched[i])) {
				f.alterations = append(f.alterations, o)
			}
		}
		f.covered = p.coveredBy(u, p.solvingOf(p.touched[i]))
		if len(f.covered) > 0 && p.compareFaces(f, best) < 0 {
			best = f
		}
	}
	return best
}

// coveredBy returns those of the tests that all alterations of a face of a unit make fail
// for which its odds hold; none if they hold for no test of the unit itself.
func (p *plan) coveredBy(u *unit, tests []string) []string {
	own := 0
	covered := slices.DeleteFunc(slices.Clone(tests), func(id string) bool {
		if !u.decides(id) {
			return false // it fails as one of its subtests does
		}
		if !p.shared[id] {
			own++
		}
		return p.shared[id]
	})
	if own == 0 {
		return nil
	}
	return covered
}

// compareFaces orders faces, the better first.
func (p *plan) compareFaces(a, b face) int {
	expected := func(f face) int {
		return len(slices.DeleteFunc(slices.Clone(f.alterations), func(i int) bool { return p.known.Alterations[i].Kind != search.Expected }))
	}
	return -cmp.Or(
		cmp.Compare(len(a.covered), len(b.covered)),
		cmp.Compare(expected(a), expected(b)),
		cmp.Compare(len(a.alterations), len(b.alterations)),
	)
}

func containsAll(all, some []string) bool {
	return !slices.ContainsFunc(some, func(id string) bool { return !slices.Contains(all, id) })
}

// kinds orders the kinds of alterations: those that accuse first, those that files have
// either way last.
var kinds = map[search.Kind]int{search.Expected: 0, search.Input: 1, search.Flip: 2}

// pick returns the alteration of a face to show next, by its kind, by how often it was
// shown, and by the seed.
func (p *plan) pick(f face, shown, rank map[int]int) int {
	return slices.MinFunc(f.alterations, func(a, b int) int {
		return cmp.Or(
			cmp.Compare(kinds[p.known.Alterations[a].Kind], kinds[p.known.Alterations[b].Kind]),
			cmp.Compare(shown[a], shown[b]),
			cmp.Compare(rank[a], rank[b]),
		)
	})
}

func without(list []int, i int) []int {
	return slices.DeleteFunc(slices.Clone(list), func(o int) bool { return o == i })
}
