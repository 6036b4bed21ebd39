package alteration

import (
	"maps"
	"regexp"
	"slices"
)

// The most that Uses follows, so that no source makes it slow: regions of one name, and
// regions that one region uses (those of one step more are all told).
const (
	mostNamesakes = 8
	mostUses      = 64
)

// implicit are functions that run before tests without being named.
var implicit = regexp.MustCompile(`^(?:async)?[sS]et_?[uU]p|^init$|^TestMain$`)

// Uses tells for each region which shared regions of the same source it names, or what it
// names names, by their indices in order: a table and a helper decide tests that do not
// hold them. What the regions around it name it uses, too, and what they run before it.
// What is named in other files is not seen.
func Uses(src []byte, tokens []Token, regions []Region) [][]int {
	own := ownUses(src, tokens, regions)
	direct := make([]map[int]bool, len(regions))
	for i, r := range regions {
		direct[i] = map[int]bool{}
		maps.Copy(direct[i], own[i])
		for p, n := r.Parent, 0; p >= 0 && n < deepest; p, n = regions[p].Parent, n+1 {
			for target := range own[p] {
				direct[i][target] = target != i
			}
		}
	}
	for i := len(regions) - 1; i >= 0; i-- { // inner regions come later
		if p := regions[i].Parent; p >= 0 {
			for target, ok := range direct[i] {
				direct[p][target] = direct[p][target] || ok && target != p
			}
		}
	}
	all := make([][]int, len(regions))
	for i := range regions {
		all[i] = reach(direct, i)
	}
	return all
}

// ownUses finds what regions name outside of the regions in them.
func ownUses(src []byte, tokens []Token, regions []Region) []map[int]bool {
	own := make([]map[int]bool, len(regions))
	named := map[string][]int{}
	for i, r := range regions {
		own[i] = map[int]bool{}
		if r.Kind != Shared {
			continue
		}
		if r.Name != "" && len(named[r.Name]) < mostNamesakes {
			named[r.Name] = append(named[r.Name], i)
		}
		if r.Parent >= 0 && len(own[r.Parent]) < mostUses && implicit.MatchString(r.Name) {
			own[r.Parent][i] = true
		}
	}
	at, open := 0, []int(nil)
	for _, tok := range tokens {
		for len(open) > 0 && regions[open[len(open)-1]].End <= tok.Start {
			open = open[:len(open)-1]
		}
		for at < len(regions) && regions[at].Start <= tok.Start {
			open = append(open, at)
			at++
		}
		if tok.Kind != Name || len(open) == 0 {
			continue
		}
		from := open[len(open)-1]
		for _, target := range named[string(src[tok.Start:tok.End])] {
			if target != from && len(own[from]) < mostUses {
				own[from][target] = true
			}
		}
	}
	return own
}

// reach walks the uses from one region, the nearest first, until there are many.
func reach(direct []map[int]bool, from int) []int {
	seen := map[int]bool{from: true}
	list := []int{from}
	for at := 0; at < len(list) && len(list) <= mostUses; at++ {
		for _, target := range slices.Sorted(maps.Keys(direct[list[at]])) {
			if direct[list[at]][target] && !seen[target] {
				seen[target] = true
				list = append(list, target)
			}
		}
	}
	list = list[1:]
	slices.Sort(list)
	return list
}
