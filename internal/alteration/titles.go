package alteration

import (
	"slices"
	"strings"
)

// everyCell is more cells than a row has.
const everyCell = 1 << 20

// titles are the parts of tables that become names of tests. To edit one gives the test
// another name, under which nobody looks for it.
type titles struct {
	fields map[string]map[int]bool // columns, with the outermost regions of the tests that they name
	ids    map[int]int             // tables: how many scalars of each row, from its first on, are parts of its name
	keys   map[int]bool            // tables whose keys are names
	tests  map[int]bool            // tables each row of which is a test of its own, whatever names it
}

func deleteName(names []string, name string) []string {
	return slices.DeleteFunc(names, func(s string) bool { return s == name })
}

// joinCells writes cells in the order of their names.
func joinCells(names []string, cell func(string) string) string {
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		b.WriteString(name)
		b.WriteByte(0)
		b.WriteString(cell(name))
		b.WriteByte(0)
	}
	return b.String()
}

// findTitles follows what calls that name tests are given, back to tables.
func (x *file) findTitles() {
	bare := map[string]bool{}
	where := map[string]map[int]bool{}
	for i := range x.toks {
		if x.kind[i] != call {
			continue
		}
		switch {
		case x.lang.Layout == Indents:
			x.paramIDs(i)
		case x.titled(i) >= 0 && x.function(i) >= 0, x.lang.Layout == Braces && in(x.lang.Style.Titles, x.called(i)):
			x.nameParts(i, where)
		}
	}
	for name, regions := range where {
		bare[name] = true
		for _, field := range append([]string{name}, x.assigned[name]...) {
			for r := range regions {
				note(x.titles.fields, field, r)
			}
		}
	}
	for i := range x.toks {
		x.loopTitles(i, bare)
	}
}

// note notes a region of a name.
func note(regions map[string]map[int]bool, name string, region int) {
	if regions[name] == nil {
		regions[name] = map[int]bool{}
	}
	regions[name][region] = true
}

// outermost returns the outermost region that a token stands in, or -1.
func (x *file) outermost(i int) int {
	r := -1
	if i >= 0 && i < len(x.regionOf) {
		r = x.regionOf[i]
	}
	for r >= 0 && x.regions[r].Parent >= 0 {
		r = x.regions[r].Parent
	}
	return r
}

// names tells whether a column of a table that a token stands in names tests: those of the
// same function, or of any for what stands in none.
func (x *file) names(column string, i int) bool {
	regions := x.titles.fields[column]
	r := x.outermost(i)
	return len(regions) > 0 && (r < 0 || x.regions[r].Kind == Shared || x.lang.Layout != Braces || regions[r])
}

// nameParts collects the fields and variables that a title is made of.
func (x *file) nameParts(open int, bare map[string]map[int]bool) {
	region := x.outermost(open)
	args := x.elements(open)
	if len(args) == 0 {
		return
	}
	for i := args[0].from; i < args[0].to; i++ {
		switch {
		case !x.is(i, Name) || x.op(i+1, "("):
		case x.op(i-1, "."):
			note(x.titles.fields, x.text(i), region)
		case !x.op(i+1, "."):
			note(bare, x.text(i), region)
		}
	}
}

// paramIDs reads parametrize, which makes names of plain values unless it is given ids,
// and fixtures with params, which do the same.
func (x *file) paramIDs(open int) {
	name := x.called(open)
	if name != "parametrize" && name != "fixture" {
		return
	}
	values, named := -1, false
	for n, arg := range x.elements(open) {
		switch keyed := x.op(arg.from+1, "="); {
		case keyed && x.text(arg.from) == "ids":
			named = true
		case keyed && (x.text(arg.from) == "argvalues" || x.text(arg.from) == "params"):
			values = arg.from + 2
		case !keyed && n == 1:
			values = arg.from
		}
	}
	if table := x.value(values); table >= 0 {
		if x.titles.tests[table] = true; !named {
			x.titles.ids[table] = everyCell
		}
	}
}

// loopTitles finds tables that a loop walks whose variable is a test's name.
func (x *file) loopTitles(i int, bare map[string]bool) {
	var names []string
	table := -1
	switch {
	case x.keyword(i, "range"):
		for j := max(x.head[i]+1, i-6); j < i; j++ {
			if x.is(j, Name) {
				names = append(names, x.text(j))
			}
		}
		table = x.ranged(i + 1)
		if table >= 0 && len(names) == 2 && bare[names[0]] {
			x.titles.keys[table] = true
		}
		if len(names) > 0 {
			names = names[len(names)-1:]
		}
	case x.is(i, Name) && x.text(i) == "of":
		names, table = []string{x.text(i - 1)}, x.value(i+1)
	case x.is(i, Name) && (x.text(i) == "forEach" || x.text(i) == "map") && x.op(i+1, "("):
		table = x.value(i - 2)
		if x.op(i-2, "]") {
			table = x.match[i-2]
		}
		for j := i + 2; j < i+6; j++ {
			if x.is(j, Name) {
				names = []string{x.text(j)}
				break
			}
		}
	}
	if table >= 0 && len(names) == 1 && bare[names[0]] {
		x.titles.ids[table] = everyCell
	}
}

// ranged returns the brackets of what a loop of Go walks: a literal with its type, or a
// variable.
func (x *file) ranged(i int) int {
	if open := x.value(i); open >= 0 {
		return open
	}
	const far = 64 // tokens of a type
	for j := i; j < len(x.toks) && j < i+far; j++ {
		switch x.kind[j] {
		case composite:
			return j
		case block:
			return -1
		case body, index:
			j = x.match[j]
		}
	}
	return -1
}
