package rounds

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/alteration/search"
)

// planned tells the units of a world that have alterations, by their tests, and what they
// cover.
func (w *world) planned() map[string][]string {
	p := newPlan(w.sample, w.known, assay.FreshInform)
	units := make(map[string][]string)
	for _, u := range p.units {
		if len(u.alterations) > 0 {
			name := fmt.Sprint(u.tests)
			if _, twice := units[name]; twice {
				name += " again"
			}
			units[name] = p.faceOf(u, nil, map[string]int{"a": 1}).covered
		}
	}
	return units
}

func TestWhatIsCovered(t *testing.T) {
	for name, tt := range map[string]struct {
		know func() *world
		want map[string][]string // what each unit covers
	}{
		"tests by themselves": {
			func() *world { return newWorld("a", "b").expect(1, "a", "b") },
			map[string][]string{"[a]": {"a"}, "[b]": {"b"}},
		},
		"a test fails with its subtests, and they with nothing": {
			func() *world { return newWorld("T", "T/x", "T/y").expect(1, "T/x", "T/y") },
			map[string][]string{"[T/x]": {"T", "T/x"}, "[T/y]": {"T", "T/y"}},
		},
		"where subtests are not graded, all decide of one test": {
			func() *world {
				w := newWorld("T", "T/x", "T/y").expect(1, "T/x", "T/y")
				w.sample.FailToPass = []string{"T"}
				return w
			},
			map[string][]string{"[T]": {"T"}},
		},
		"a test that its subtests make fail is not guessed less for its own": {
			func() *world { return newWorld("T", "T/x").expect(1, "T", "T/x") },
			map[string][]string{"[T]": nil, "[T/x]": {"T", "T/x"}},
		},
		"tests that are altered together tell of each other": {
			func() *world {
				w := newWorld("a", "b", "c").expect(3, "a", "b")
				both := w.alter("c", "w0", "w1", search.Input, search.Blind)
				both.Tests, both.Unit = []string{"b", "c"}, w.known.Alterations[3].Unit
				return w
			},
			map[string][]string{"[a]": {"a"}, "[b c]": {"b"}},
		},
		"of tests that are never altered together, one": {
			func() *world {
				w := newWorld("a", "b").expect(2, "a", "b")
				for i := range w.known.Alterations {
					w.known.Alterations[i].Unit = 1
				}
				return w
			},
			map[string][]string{"[a b]": {"b"}},
		},
		"of these, one that accuses": {
			func() *world {
				w := newWorld("a", "b").expect(2, "a")
				w.alter("b", "i0", "i1", search.Input, search.Blind)
				for i := range w.known.Alterations {
					w.known.Alterations[i].Unit = 1
				}
				return w
			},
			map[string][]string{"[a b]": {"a"}},
		},
		"what makes a test of no list fail, too, is told by it": {
			func() *world {
				w := newWorld("a").expect(1, "a")
				w.known.Alterations[0].Tests = []string{"a", "other"}
				return w
			},
			map[string][]string{"[a]": nil},
		},
		"quarantined tests are not graded": {
			func() *world {
				w := newWorld("a", "b").expect(1, "a", "b")
				w.sample.Task.Verifier.Quarantined = []string{"a"}
				return w
			},
			map[string][]string{"[b]": {"b"}},
		},
		"a name without its end stands for the tests that it is the beginning of": {
			func() *world {
				w := newWorld("a[1").expect(1, "a[1")
				w.sample.Task.Verifier.TruncatedIDs = true
				w.known.Alterations[0].Tests = []string{"a[1 2]", "a[1 3]"}
				return w
			},
			map[string][]string{"[a[1]": {"a[1"}},
		},
		"what can be told covers nothing": {
			func() *world {
				w := newWorld("a")
				w.alter("a", "w0", "w1", search.Expected, search.SeenElsewhere)
				return w
			},
			map[string][]string{"[a]": nil},
		},
		"of edits that overlap, one draw's are left": {
			func() *world {
				w := newWorld("a", "b").expect(2, "a")
				w.alter("b", "i0", "i1", search.Input, search.Blind)
				over := w.alter("a", "w0", "w7", search.Expected, search.Blind) // in the place of a's
				over.Tests, over.Unit = []string{"b"}, w.known.Alterations[2].Unit
				return w
			},
			map[string][]string{"[a]": {"a"}, "[b]": {"b"}},
		},
	} {
		if diff := cmp.Diff(tt.want, tt.know().planned()); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// Of alterations of different draws any two can be shown together, and no draw loses all of
// its own for another that has several.
func TestEditsOfDifferentDrawsAreApart(t *testing.T) {
	for n := range 200 {
		w, rng := newWorld("a", "b", "c", "d"), seedOf(n).stream("world")
		for range 8 {
			name := []string{"a", "b", "c", "d"}[rng.IntN(4)]
			a := w.alter(name, "w0", fmt.Sprint("w", 1+rng.IntN(3)), search.Expected, search.Blind)
			if rng.IntN(3) == 0 { // it stands in another test's line
				a.Edit = w.edit([]string{"a", "b", "c", "d"}[rng.IntN(4)], "w0", "w9")
			}
		}
		p := newPlan(w.sample, w.known, assay.FreshInform)
		kept := 0
		for i, u := range p.units {
			kept += len(u.alterations)
			for _, o := range p.units[i+1:] {
				for _, x := range u.alterations {
					for _, y := range o.alterations {
						if overlap(p.edit(x), p.edit(y)) {
							t.Fatalf("%+v and %+v", p.edit(x), p.edit(y))
						}
					}
				}
			}
		}
		if kept == 0 {
			t.Error("nothing is left")
		}
	}
}

// randomKnown makes alterations known that make up to three tests fail, in draws as a search
// finds them.
func (w *world) randomKnown(rng *rand.Rand) {
	names := w.sample.FailToPass
	for range 5 {
		at := names[rng.IntN(len(names))]
		a := w.alter(at, "w0", fmt.Sprint("w", len(w.known.Alterations)+1), search.Expected, search.Blind)
		for range rng.IntN(3) {
			a.Tests = append(a.Tests, names[rng.IntN(len(names))])
		}
		slices.Sort(a.Tests)
		a.Tests = slices.Compact(a.Tests)
	}
	all := w.known.Alterations
	for range all { // tests that one edit makes fail share a draw
		for i := range all {
			for j := range all {
				if slices.ContainsFunc(all[i].Tests, func(id string) bool { return slices.Contains(all[j].Tests, id) }) {
					all[i].Unit = min(all[i].Unit, all[j].Unit)
					all[j].Unit = all[i].Unit
				}
			}
		}
	}
}

// Who solves all tests but one that is covered, and sees of all others whether they are
// altered, guesses it no better than the odds say.
func TestWhoSeesAllOtherTestsGuessesNoBetter(t *testing.T) {
	const plays, rounds = 1500, 2
	covered := 0
	for n := range 12 {
		w := newWorld("a", "b", "c")
		w.randomKnown(seedOf(n).stream("known"))
		p := newPlan(w.sample, w.known, assay.FreshInform)
		total := make(map[string]int)                        // of plays, by what is covered
		seen := make(map[string]map[string]map[sequence]int) // by that, and by what the others are: how often a sequence was drawn
		for i := range plays {
			req := w.request(0)
			req.Seed, req.Rounds = seedOf(i), rounds
			play := newPlay(Config{}, p, req)
			pattern := make(map[string]sequence) // by test: the rounds in which it is altered
			for round, s := range play.showings(0, p.units, rounds) {
				for _, a := range s.altered {
					for _, id := range p.touched[a] {
						pattern[id] |= 1 << round
					}
				}
			}
			for _, u := range p.units {
				for _, id := range play.stand[u].face.covered {
					others := ""
					for _, other := range w.sample.FailToPass {
						if other != id {
							others += fmt.Sprint(pattern[other], " ")
						}
					}
					if seen[id] == nil {
						seen[id] = make(map[string]map[sequence]int)
					}
					if seen[id][others] == nil {
						seen[id][others] = make(map[sequence]int)
					}
					seen[id][others][pattern[id]]++
					total[id]++
				}
			}
		}
		for id, by := range seen {
			covered++
			right, slack := 0, 0.0
			for _, counts := range by {
				most, all := 0, 0
				for _, n := range counts {
					most, all = max(most, n), all+n
				}
				right += most
				slack += 1.2 * math.Sqrt(float64(all)) // the best of few is better than its chance
			}
			if most := search.Odds(rounds)*float64(total[id]) + slack; float64(right) > most {
				t.Errorf("world %d: %s is guessed %d times of %d, want at most %.0f: %+v", n, id, right, total[id], most, p.known.Alterations)
			}
		}
	}
	if covered < 12 {
		t.Errorf("only %d tests are covered: this shows nothing", covered)
	}
}

// Where nothing is blind, what the unsolved code cannot tell is shown, unless a test would never
// be altered then.
func TestWhatIsToldByTheIssueIsShownBeforeTheRest(t *testing.T) {
	for name, tt := range map[string]struct {
		others func(*world)
		want   []int
	}{
		"beside what the unsolved code passes": {func(w *world) { w.alter("a", "+", "-", search.Input, search.SeenPassing) }, []int{0}},
		"beside a blind one":                   {func(w *world) { w.alter("a", "+", "-", search.Input, search.Blind) }, []int{1}},
		"beside what another test has alone": {func(w *world) {
			w.alter("b", "+", "-", search.Input, search.SeenPassing).Unit = w.known.Alterations[0].Unit
		}, []int{0, 1}},
	} {
		w := newWorld("a", "b")
		w.alter("a", "w0", "w1", search.Input, search.SeenTold)
		tt.others(w)
		p := newPlan(w.sample, w.known, assay.FreshInform)
		shown := []int(nil)
		for _, u := range p.units {
			if len(u.alterations) > 0 {
				shown = p.faceOf(u, nil, nil).alterations
			}
		}
		if !slices.Equal(shown, tt.want) {
			t.Errorf("%s: %v are shown, want %v", name, shown, tt.want)
		}
	}
}
