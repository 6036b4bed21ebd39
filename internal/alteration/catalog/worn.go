package catalog

import (
	"context"
	"slices"

	"assay/internal/alteration/search"
)

// Worn tells whether alterations of a sample were shown more often than most, for which others
// were not searched yet: who was shown one more than once may know it again.
func (c *Catalog) Worn(ctx context.Context, key Key, most int) (bool, error) {
	times, err := c.cfg.Store.Shown(ctx, key)
	if err != nil {
		return false, err
	}
	for name, n := range times {
		if n <= most {
			delete(times, name)
		}
	}
	if len(times) == 0 {
		return false, nil
	}
	k, err := c.stored(ctx, key)
	if err != nil || k == nil {
		return false, err
	}
	return k.worn(func(a *search.Alteration) bool { return times[c.nameOf(a)] > 0 }) > k.Worn, nil
}

// worn counts alterations.
func (k *kept) worn(is func(*search.Alteration) bool) (n int) {
	for i := range k.Alterations {
		if is(&k.Alterations[i]) {
			n++
		}
	}
	return n
}

// inPlaceOf returns what is to be stored of what was found in the place of alterations that
// are worn: it, without those that are worn as well, or what there was, where fewer tests
// could be altered.
func (k *kept) inPlaceOf(before *kept, worn func(*search.Alteration) bool) (best *kept, stays bool) {
	k.dropWorn(worn)
	if before != nil && slices.Compare(k.worth()[:2], before.worth()[:2]) < 0 {
		best, stays = new(kept), true
		*best = *before
		best.Seed = k.Seed // which was tried
	} else {
		best, _ = k.beside(before, true)
	}
	best.Worn = best.worn(worn)
	return best, stays
}

// dropWorn drops alterations that are worn, where each test that they make fail has another
// that is as good.
func (k *kept) dropWorn(worn func(*search.Alteration) bool) {
	fresh, blind := make(map[string]bool), make(map[string]bool)
	for i := range k.Alterations {
		if a := &k.Alterations[i]; !worn(a) {
			for _, id := range a.Tests {
				fresh[id], blind[id] = true, blind[id] || a.Blind()
			}
		}
	}
	draws := make(map[int]bool)
	var left []search.Alteration
	for i := range k.Alterations {
		a := &k.Alterations[i]
		needed := slices.ContainsFunc(a.Tests, func(id string) bool { return !fresh[id] || a.Blind() && !blind[id] })
		if !worn(a) || needed {
			left, draws[a.Draw] = append(left, *a), true
			continue
		}
		for j := range k.Tests {
			if t := &k.Tests[j]; slices.Contains(a.Tests, t.ID) {
				t.Altered--
				if a.Blind() {
					t.Blind--
				}
			}
		}
	}
	k.Alterations, k.Draws = left, len(draws)
}
