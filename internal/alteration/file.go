package alteration

import (
	"strings"
)

// File is a test file of a sample, as the reference's tests have it.
type File struct {
	Path   string // relative to the work tree
	Source []byte
}

// file is what was found out of a File, once.
type file struct {
	*tree
	path     string
	regions  []Region
	regionOf []int // of each token, the innermost region, or -1

	params   map[string]bool     // first parameters of tests' functions
	structs  map[string][]string // fields of types, by their names
	values   map[string]int      // variables: the bracket that begins their value
	assigned map[string][]string // variables: the fields that their values are made of

	columns map[int][]string // tables whose rows are positional: the columns' names
	answers map[string]bool  // columns that are compared with what the code gives
	titles  titles
	facts   map[int]statement // by head
	equal   map[int]bool      // by an element's first token: whether it compares at its own level
	aside   map[int][]Token   // comments, by the lines that they touch
	tables  map[int]*table
	near    map[int][]int // literals, by line
}

func newFile(l *Language, f File) *file {
	t := newTree(l, f.Source, Lex(l, f.Source))
	x := &file{tree: t, path: f.Path, regions: t.regions(),
		structs: map[string][]string{}, values: map[string]int{}, assigned: map[string][]string{},
		columns: map[int][]string{}, answers: map[string]bool{}, titles: titles{map[string]map[int]bool{}, map[int]int{}, map[int]bool{}, map[int]bool{}}, facts: map[int]statement{}, equal: map[int]bool{},
		aside: map[int][]Token{}, tables: map[int]*table{}, near: map[int][]int{}}
	x.place()
	if l.Layout == Calls {
		x.params = t.parameters()
	}
	x.declare()
	x.findColumns()
	x.findTitles()
	x.findAnswers()
	x.note()
	return x
}

// place finds the innermost region of each token.
func (x *file) place() {
	x.regionOf = make([]int, len(x.toks))
	at, open := 0, []int(nil)
	for i, tok := range x.toks {
		for len(open) > 0 && x.regions[open[len(open)-1]].End <= tok.Start {
			open = open[:len(open)-1]
		}
		for at < len(x.regions) && x.regions[at].Start <= tok.Start {
			open = append(open, at)
			at++
		}
		x.regionOf[i] = -1
		if len(open) > 0 {
			x.regionOf[i] = open[len(open)-1]
		}
	}
}

// declare notes types with fields, and what variables are given.
func (x *file) declare() {
	for i := range x.toks {
		switch {
		case x.keyword(i, "type") && x.keyword(i+2, "struct"):
			x.structs[x.text(i+1)] = x.fields(i + 3)
		case x.is(i, Name) && (x.op(i+1, "=") || x.op(i+1, ":=")):
			x.assign(i, i+2)
		case x.is(i, Name) && x.op(i+1, ":") && (x.keyword(i-1, "const") || x.keyword(i-1, "let")): // with a type
			for j := i + 2; j < len(x.toks) && j < i+16; j++ {
				if x.op(j, "=") {
					x.assign(i, j+1)
					break
				}
			}
		case x.keyword(i, "var") && x.is(i+1, Name) && !x.op(i+2, "="):
			for j := i + 2; j < len(x.toks) && j < i+16 && !x.fresh[j]; j++ {
				if x.op(j, "=") {
					x.assign(i+1, j+1)
					break
				}
			}
		}
	}
}

// fields returns the names of the fields of a struct whose brace is given.
func (x *file) fields(open int) []string {
	if !x.op(open, "{") {
		return nil
	}
	var list []string
	for i := open + 1; i < min(x.match[open], len(x.toks)); i++ {
		if x.up[i] != open || x.head[i] != i {
			continue
		}
		for ; x.is(i, Name); i += 2 {
			list = append(list, x.text(i))
			if !x.op(i+1, ",") {
				break
			}
		}
	}
	return list
}

// assign notes the value of a variable that begins at a token: its first brackets with
// values, and the fields that it is made of.
func (x *file) assign(name, from int) {
	const far = 64 // tokens; a name that is made of more is no title
	for i := from; i < len(x.toks) && i < from+far; i++ {
		if i > from && x.head[i] == i && x.up[i] == x.up[name] {
			return
		}
		if x.kind[i] == composite && x.up[i] == x.up[name] {
			if _, known := x.values[x.text(name)]; !known {
				x.values[x.text(name)] = i
			}
			return
		}
		if x.is(i, Name) && x.op(i-1, ".") && !x.op(i+1, "(") {
			x.assigned[x.text(name)] = append(x.assigned[x.text(name)], x.text(i))
		}
	}
}

// note files comments and literals by lines.
func (x *file) note() {
	for _, tok := range x.all {
		if tok.Kind == Comment {
			first, last := x.line(tok.Start), x.line(max(tok.Start, tok.End-1))
			for n := first; n <= last; n++ {
				x.aside[n] = append(x.aside[n], tok)
			}
		}
	}
	for i, tok := range x.toks {
		switch tok.Kind {
		case String, Template, Char, Number, Regex:
			first, last := x.line(tok.Start), x.line(tok.End-1)
			for n := first; n <= last; n++ {
				x.near[n] = append(x.near[n], i)
			}
		}
	}
}

// name returns a key's text without its quotes.
func (x *file) name(i int) string { return strings.Trim(x.text(i), "\"'`") }
