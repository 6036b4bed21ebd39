package catalog

import (
	"slices"
	"testing"
	"time"

	"assay/internal/alteration/search"
)

func TestBoundsThatASearchCovers(t *testing.T) {
	all := reach{Runs: 10, Limit: time.Minute, Made: 8}
	spent := reach{Runs: 100, Limit: time.Hour, Made: 90, Spent: true}
	late := reach{Runs: 100, Limit: time.Hour, Made: 40, Spent: true, Late: true}
	for name, tt := range map[string]struct {
		of   reach
		by   Bounds
		want bool
	}{
		"all was tried":                     {all, Bounds{Runs: 1000, Limit: 0}, true},
		"spent, and as many runs":           {spent, Bounds{Runs: 100, Limit: time.Hour}, true},
		"spent, and more time":              {spent, Bounds{Runs: 100, Limit: 2 * time.Hour}, true},
		"spent, and more runs":              {spent, Bounds{Runs: 101, Limit: time.Hour}, false},
		"late, and as much time":            {late, Bounds{Runs: 100, Limit: time.Hour}, true},
		"late, and more time":               {late, Bounds{Runs: 100, Limit: 2 * time.Hour}, false},
		"late, and no end":                  {late, Bounds{Runs: 100}, false},
		"late, and more runs":               {late, Bounds{Runs: 200, Limit: time.Hour}, false},
		"late, but after enough runs":       {late, Bounds{Runs: 40, Limit: 2 * time.Hour}, true},
		"late, and less of both":            {late, Bounds{Runs: 50, Limit: time.Minute}, true},
		"no end of time, and more of it":    {reach{Runs: 9, Spent: true, Late: true}, Bounds{Runs: 9, Limit: time.Hour}, true},
		"spent, and more runs in less time": {spent, Bounds{Runs: 101, Limit: time.Second}, false},
	} {
		if got := tt.of.covers(tt.by); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// outcome is what a search found: by test, how many alterations, blind ones and fresh truths.
func outcome(fresh, spent bool, runs int, tests ...search.Test) *kept {
	r := &search.Result{Tests: tests, Spent: spent, Runs: runs, Candidates: runs}
	for _, t := range tests {
		for range t.Blind {
			r.Alterations = append(r.Alterations, search.Alteration{Tests: []string{t.ID}, Blindness: search.Blind})
		}
		for range t.Fresh {
			r.Fresh = append(r.Fresh, search.Fresh{Tests: []string{t.ID}})
		}
	}
	return keptOf(r, Bounds{Runs: runs, Fresh: fresh}, uint64(runs))
}

func TestTheBetterOfTwoOutcomesIsKept(t *testing.T) {
	type test = search.Test
	rich := outcome(true, false, 90, test{ID: "a", Altered: 3, Blind: 2, Fresh: 1}, test{ID: "b", Altered: 1, Blind: 1, Fresh: 1})
	for name, tt := range map[string]struct {
		before, found       *kept
		again               bool
		alterations, truths int // of which search, by its runs
		stays, spent        bool
	}{
		"nothing before": {nil, outcome(false, true, 9, test{ID: "a"}), false, 9, 0, false, true},
		"the same again": {rich, outcome(true, false, 91, rich.Tests...), false, 91, 91, false, false},
		"a test less": {
			rich, outcome(true, true, 30, test{ID: "a", Altered: 9, Blind: 9, Fresh: 1}, test{ID: "b", Altered: 1, Fresh: 1}), false, 90, 30, true, false,
		},
		"a fresh truth less": {
			rich, outcome(true, true, 30, test{ID: "a", Altered: 3, Blind: 2, Fresh: 1}, test{ID: "b", Altered: 2, Blind: 2}), false, 30, 90, true, false,
		},
		"fewer of each": {
			rich, outcome(true, true, 30, test{ID: "a", Altered: 1, Blind: 1, Fresh: 1}, test{ID: "b", Altered: 1, Blind: 1, Fresh: 1}), false, 90, 30, true, false,
		},
		"ended before it knew the tests": {rich, outcome(true, true, 2), false, 90, 90, true, false},
		"fresh truths were not looked for": {
			rich, outcome(false, false, 91, test{ID: "a", Altered: 3, Blind: 2}, test{ID: "b", Altered: 1, Blind: 1}), false, 91, 90, false, false,
		},
		"it is asked for": {rich, outcome(true, true, 30, test{ID: "a"}, test{ID: "b"}), true, 30, 30, false, true},
		"it is asked for, without fresh truths": {
			rich, outcome(false, true, 30, test{ID: "a"}, test{ID: "b"}), true, 30, 90, false, true,
		},
		"all was tried now, and less was found": {
			outcome(false, true, 30, test{ID: "a", Altered: 3, Blind: 3}), outcome(false, false, 90, test{ID: "a", Altered: 2, Blind: 2}), false, 30, 0, true, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, stays := tt.found.beside(tt.before, tt.again)
			if stays != tt.stays || got.Spent != tt.spent || got.Seed != tt.found.Seed {
				t.Errorf("stays: %v, spent: %v, seed %d", stays, got.Spent, got.Seed)
			}
			from := func(runs int) *kept {
				for _, k := range []*kept{tt.before, tt.found} {
					if k != nil && k.Candidates == runs {
						return k
					}
				}
				return &kept{}
			}
			alterations, truths := from(tt.alterations), from(tt.truths)
			if len(got.Alterations) != len(alterations.Alterations) || len(got.Fresh) != len(truths.Fresh) {
				t.Errorf("%d alterations and %d fresh truths", len(got.Alterations), len(got.Fresh))
			}
			for _, test := range got.Tests {
				find := func(k *kept) search.Test {
					return k.Tests[slices.IndexFunc(k.Tests, func(o search.Test) bool { return o.ID == test.ID })]
				}
				a, f := find(alterations), search.Test{}
				if tt.truths > 0 {
					f = find(truths)
				}
				if test.Altered != a.Altered || test.Blind != a.Blind || test.Fresh != f.Fresh {
					t.Errorf("%+v, want %+v and %+v", test, a, f)
				}
			}
			if !got.covers(Bounds{Runs: tt.found.Runs}) {
				t.Error("the same would be searched again")
			}
		})
	}
}
