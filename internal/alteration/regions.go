package alteration

import (
	"cmp"
	"regexp"
	"slices"
)

// RegionKind says whose a region is.
type RegionKind uint8

// The kinds of regions.
const (
	Shared RegionKind = iota // what several tests may use: a helper, a table
	Group                    // what surrounds tests: a class, a suite. What stands in no inner region is shared by them
	Test
)

func (k RegionKind) String() string { return [...]string{"shared", "group", "test"}[k] }

// longestPath bounds what tests within tests within tests are called.
const longestPath = 1024 // bytes

// Region is a part of a source that is a test, or that tests share. Regions nest: an inner
// one begins later and ends no later than the one around it.
type Region struct {
	Name       string // "" if it has none
	Path       string // the names from the outermost region to this one, with " > " between
	Kind       RegionKind
	Start, End int // offsets in bytes
	Parent     int // the index of the region around it, or -1
}

// Regions finds the tests of a source, and what has a name of its own beside them, in
// order. What stands in none is shared.
func Regions(l *Language, src []byte, tokens []Token) []Region {
	return newTree(l, src, tokens).regions()
}

func (t *tree) regions() []Region {
	var list []Region
	switch t.lang.Layout {
	case Indents:
		list = t.indentedRegions()
	case Calls:
		list = t.calledRegions()
	default:
		list = append(t.declaredRegions(), t.subtests()...)
	}
	slices.SortStableFunc(list, func(a, b Region) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End)) })
	var open []int
	for i := range list {
		for len(open) > 0 && list[open[len(open)-1]].End < list[i].End {
			open = open[:len(open)-1]
		}
		r := &list[i]
		r.Parent, r.Path = -1, r.Name
		if len(open) > 0 {
			r.Parent = open[len(open)-1]
			r.Path = list[r.Parent].Path
			if len(r.Path) < longestPath {
				r.Path += " > " + r.Name
			}
		}
		open = append(open, i)
	}
	return list
}

// region makes a region of tokens [from, to).
func (t *tree) region(name string, kind RegionKind, from, to int) Region {
	to = max(from+1, min(to, len(t.toks)))
	return Region{Name: name, Kind: kind, Start: t.toks[from].Start, End: t.toks[to-1].End}
}

var goTest = regexp.MustCompile(`^(?:Test|Example|Fuzz|Benchmark)(?:[^a-z]|$)`)

// declaredRegions finds functions, and the variables and types at the top.
func (t *tree) declaredRegions() []Region {
	var list []Region
	for i := 0; i < len(t.toks); i++ {
		if t.up[i] >= 0 || t.head[i] != i || !t.is(i, Keyword) {
			continue
		}
		end := i + 1
		for end < len(t.toks) && (t.up[end] >= 0 || t.head[end] == i) {
			end++
		}
		switch t.text(i) {
		case "func":
			name := i + 1
			if t.op(name, "(") {
				name = t.match[name] + 1
			}
			kind := Shared
			if goTest.MatchString(t.text(name)) {
				kind = Test
			}
			list = append(list, t.region(t.text(name), kind, i, end))
		case "var", "const", "type":
			if t.op(i+1, "(") {
				list = append(list, t.declarations(i+1)...)
			} else {
				list = append(list, t.region(t.text(i+1), Shared, i, end))
			}
		}
		i = end - 1
	}
	return list
}

// declarations finds what is declared in the parentheses of var (...).
func (t *tree) declarations(open int) []Region {
	var list []Region
	from := open + 1
	for i := from; i < t.match[open]; i++ {
		last := i+1 == t.match[open]
		if last || t.up[i+1] == open && t.fresh[i+1] {
			list = append(list, t.region(t.text(from), Shared, from, i+1))
			from = i + 1
		}
	}
	return list
}

// subtests finds calls that name a test with a literal and give its function: t.Run.
func (t *tree) subtests() []Region {
	var list []Region
	for i := range t.toks {
		if t.kind[i] != call || !in(t.lang.Style.Titles, t.called(i)) {
			continue
		}
		if args := t.elements(i); len(args) > 1 && args[0].to == args[0].from+1 && t.is(args[0].from, String) && t.function(i) >= 0 {
			list = append(list, t.region(t.inside(args[0].from), Test, t.callee(i), t.match[i]+1))
		}
	}
	return list
}

// function returns the word that begins a function among arguments, or -1.
func (t *tree) function(open int) int {
	for _, arg := range t.elements(open) {
		for i := arg.from; i < arg.to; i++ {
			if t.keyword(i, "func") || t.keyword(i, "function") || t.op(i, "=>") {
				return i
			}
			if t.kind[i] == call || t.kind[i] == composite {
				i = t.match[i]
			}
		}
	}
	return -1
}

// inside returns what stands between the quotes of a string.
func (t *tree) inside(i int) string {
	text := t.text(i)
	from, to, ok := inner(t.lang, t.toks[i].Kind, text)
	if !ok {
		return text
	}
	return text[from:to]
}
