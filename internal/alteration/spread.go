package alteration

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// spread orders edits and takes as many as there may be. New lines come before those that
// the image holds; then the better ranks; among equals, each region and each row of it has
// its turn before any has a second: a test that ends at its first failing row shows what
// an edit of a later row does only if the earlier rows are as they were, and one row alone
// may be of no use.
func spread(edits []Edit, o Options, rng *rand.Rand) []Edit {
	type key struct {
		region string
		row    int
		class  int
	}
	rng.Shuffle(len(edits), func(a, b int) { edits[a], edits[b] = edits[b], edits[a] })
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Compare(order(a), order(b)) })
	turns, tokens := map[key]int{}, map[key]int{}
	turn := make([]int, len(edits))
	for n, e := range edits {
		// The second edit of a token waits until each token of its row had one.
		token := key{e.Region, e.Start, order(e)}
		tokens[token]++
		row := key{e.Region, e.Row, order(e)*8 + min(tokens[token], 7)}
		turns[row]++
		turn[n] = min(tokens[token], 7)*1000 + turns[row]
	}
	ranked := make([]int, len(edits))
	for n := range ranked {
		ranked[n] = n
	}
	slices.SortStableFunc(ranked, func(a, b int) int {
		return cmp.Or(cmp.Compare(order(edits[a]), order(edits[b])), cmp.Compare(turn[a], turn[b]))
	})
	return limit(edits, ranked, o)
}

// order is what comes first whatever its place.
func order(e Edit) int {
	n := e.Rank
	if e.Known {
		n += 100
	}
	if e.Conspicuous != "" {
		n += 1000
	}
	return n
}

// limit takes edits in order, up to the bounds, which hold for those that look altered by
// themselves. A quarter of each bound is kept for edits of other kinds than values, which may be
// all that makes a test fail.
func limit(edits []Edit, ranked []int, o Options) []Edit {
	values := func(e Edit) bool { return e.Rank < rankAnswer }
	others, othersOf := 0, map[string]int{}
	for _, e := range edits {
		if !values(e) {
			others++
			othersOf[e.Region]++
		}
	}
	mostValues := o.PerFile - min(others, o.PerFile/4)
	type place struct {
		region string
		looks  bool
	}
	taken, takenOf := map[bool]int{}, map[place]int{}
	var list []Edit
	for _, n := range ranked {
		e := edits[n]
		perFile, perRegion := o.PerFile, o.PerRegion
		if values(e) {
			perFile, perRegion = mostValues, o.PerRegion-min(othersOf[e.Region], o.PerRegion/4)
		}
		at := place{e.Region, e.Conspicuous != ""}
		if taken[at.looks] < perFile && takenOf[at] < perRegion {
			taken[at.looks]++
			takenOf[at]++
			list = append(list, e)
		}
	}
	return list
}
