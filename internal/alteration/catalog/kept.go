package catalog

import (
	"cmp"
	"slices"
	"time"

	"assay/internal/alteration/search"
)

// Bounds are what a search of a sample may cost, and what it looks for.
type Bounds struct {
	Runs  int           // of the suite, at most. Defaults to search.DefaultRuns
	Limit time.Duration // at most; 0 is no limit
	Fresh bool          // look for fresh truths, too
}

func (b Bounds) withDefaults() Bounds {
	if b.Runs == 0 {
		b.Runs = search.DefaultRuns
	}
	return b
}

// reach is how far a search went.
type reach struct {
	Runs  int           `json:"runs"` // that it might make
	Limit time.Duration `json:"limit"`
	Made  int           `json:"made"`
	Spent bool          `json:"spent,omitempty"` // it ended at its bounds
	Late  bool          `json:"late,omitempty"`  // at that of its time
}

// covers tells whether a search with bounds would find nothing more.
func (r *reach) covers(b Bounds) bool {
	if !r.Spent || r.Made >= b.Runs {
		return true
	}
	longer := r.Limit > 0 && (b.Limit == 0 || b.Limit > r.Limit)
	return r.Runs >= b.Runs && (!r.Late || !longer)
}

// further returns the one of two that went further.
func further(a, b *reach) *reach {
	switch {
	case a == nil:
		return b
	case b == nil || !a.Spent:
		return a
	case !b.Spent || b.Made > a.Made || b.Made == a.Made && b.Runs > a.Runs:
		return b
	}
	return a
}

// kept is what is stored of a sample, sealed: the best of what searches found, its
// alterations of one and its fresh truths perhaps of another.
type kept struct {
	search.Result
	Seed  uint64 `json:"seed"` // of the latest search
	Plain *reach `json:"plain_reach"`
	Truth *reach `json:"fresh_reach"` // nil when fresh truths were not looked for
	// Worn is how many of its alterations had been shown often when others were searched in
	// their place, and none were found.
	Worn int `json:"worn,omitempty"`
}

func keptOf(r *search.Result, b Bounds, seed uint64) *kept {
	k := &kept{Result: *r, Seed: seed}
	k.Plain = &reach{Runs: b.Runs, Limit: b.Limit, Made: r.Runs, Spent: r.Spent, Late: r.Spent && b.Limit > 0 && r.Took >= b.Limit}
	if b.Fresh {
		k.Truth = k.Plain
	}
	return k
}

// covers tells whether a search with bounds would find nothing more.
func (k *kept) covers(b Bounds) bool {
	return k.Plain != nil && k.Plain.covers(b) && (!b.Fresh || k.Truth != nil && k.Truth.covers(b))
}

// beside returns what is to be stored of what was found, where something is stored already:
// the better alterations and the better fresh truths. again takes what was found, as far as it
// was looked for. stays tells that what was stored is better in something.
func (k *kept) beside(before *kept, again bool) (best *kept, stays bool) {
	if before == nil {
		return k, false
	}
	best = new(kept)
	*best = *k
	best.Tests = slices.Clone(k.Tests)
	if !again && k.lessThan(before) {
		stays = true
		best.Alterations, best.Candidates, best.Draws = before.Alterations, before.Candidates, before.Draws
		best.Runs, best.Took = before.Runs, before.Took
		best.takeTests(before, func(t *search.Test, b search.Test) { t.Altered, t.Blind, t.Reason = b.Altered, b.Blind, b.Reason })
	}
	if !again {
		best.Plain = further(k.Plain, before.Plain)
		best.Truth = further(k.Truth, before.Truth)
	} else if k.Truth == nil {
		best.Truth = before.Truth
	}
	if k.Truth == nil || !again && k.fresh() < before.fresh() {
		stays = stays || k.Truth != nil
		best.Fresh = before.Fresh
		best.takeTests(before, func(t *search.Test, b search.Test) { t.Fresh = b.Fresh })
	}
	best.Spent = best.Plain != nil && best.Plain.Spent || best.Truth != nil && best.Truth.Spent
	return best, stays
}

// takeTests takes something of what another search said of the tests. One that ended before
// it knew the tests has none.
func (k *kept) takeTests(from *kept, take func(to *search.Test, from search.Test)) {
	for _, t := range from.Tests {
		i := slices.IndexFunc(k.Tests, func(o search.Test) bool { return o.ID == t.ID })
		if i < 0 {
			i = len(k.Tests)
			k.Tests = append(k.Tests, search.Test{ID: t.ID, Reason: t.Reason})
		}
		take(&k.Tests[i], t)
	}
}

// lessThan tells whether the alterations are poorer than others: they are of fewer tests, or
// they are fewer.
func (k *kept) lessThan(other *kept) bool {
	return slices.Compare(k.worth(), other.worth()) < 0
}

// worth is what makes one set of alterations better than another, the most important first.
func (k *kept) worth() []int {
	blind, altered, all := 0, 0, 0
	for _, t := range k.Tests {
		blind += cmp.Compare(t.Blind, 0)
		altered += cmp.Compare(t.Altered, 0)
	}
	for i := range k.Alterations {
		if k.Alterations[i].Blind() {
			all++
		}
	}
	return []int{blind, altered, all}
}

// fresh counts the tests that have a fresh truth.
func (k *kept) fresh() int {
	n := 0
	for _, t := range k.Tests {
		n += cmp.Compare(t.Fresh, 0)
	}
	return n
}

func summarize(key Key, r *search.Result) *Summary {
	s := &Summary{Key: key, Tests: len(r.Tests), Runs: r.Runs, Took: r.Took}
	for _, t := range r.Tests {
		if t.Altered > 0 {
			s.Altered++
		}
		if t.Blind > 0 {
			s.Blind++
		}
		if t.Fresh > 0 {
			s.Fresh++
		}
	}
	draws := make(map[int]bool)
	for i := range r.Alterations {
		if a := &r.Alterations[i]; a.Blind() {
			draws[a.Draw] = true
		}
	}
	s.Draws = len(draws)
	return s
}
