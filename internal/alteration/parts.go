package alteration

import (
	"cmp"
	"slices"
	"strings"
)

// Part is a piece of a test that can be left out of it: a row of a table, or a statement
// that asserts something. The other parts of the test say the same without it.
type Part struct {
	Region      string // the Path of the innermost region, "" if it stands in none
	Start, End  int    // offsets in bytes
	First, Last int    // lines, from 1
	Row         bool
	Looped      bool     // a statement of the body of a loop, or of a helper: without rows, it may not be run
	Words       []string // of a row: its strings and numbers, without quotes
	Off         Edit     // leaves it out, and moves no line
}

// mostParts bounds the parts of a file.
const mostParts = 2000

// Parts returns the parts of a file's tests, in order. Rows that are tests of their own are
// none: without one, its test is gone.
func Parts(f File) []Part {
	l := LanguageOf(f.Path)
	if l == nil {
		return nil
	}
	x := newFile(l, f)
	var list []Part
	rows := map[int]bool{}
	for i := 0; i < len(x.toks) && len(list) < mostParts; i++ {
		if p, ok := x.rowPart(i, rows); ok {
			list = append(list, p)
		}
		if p, ok := x.statementPart(i); ok {
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(a, b Part) int { return cmp.Or(a.Start-b.Start, b.End-a.End) })
	end := 0
	return slices.DeleteFunc(list, func(p Part) bool { // t.Errorf() within its if
		within := p.End <= end
		end = max(end, p.End)
		return within
	})
}

// part completes a part of the tokens [from, to).
func (x *file) part(from, to int) Part {
	p := Part{Start: x.toks[from].Start, End: x.toks[to-1].End}
	p.First, p.Last = x.line(p.Start)+1, x.line(p.End-1)+1
	if r := x.regionOf[from]; r >= 0 {
		p.Region = x.regions[r].Path
	}
	return p
}

// off is the edit that puts a text in the place of the tokens [from, to).
func (x *file) off(from, to int, text string) Edit {
	e := Edit{File: x.path, Start: x.toks[from].Start, End: x.toks[to-1].End, New: text}
	e.Old, e.Line = x.str[e.Start:e.End], x.line(e.Start)+1
	return e
}

// rowPart returns the row that a literal stands in, if it is the first that does.
func (x *file) rowPart(i int, seen map[int]bool) (Part, bool) {
	switch x.toks[i].Kind {
	case String, Char, Template, Number, Regex, Keyword:
	default:
		return Part{}, false
	}
	if x.is(i, Keyword) && x.constant(i) == "" {
		return Part{}, false
	}
	pr := x.purposeOf(i)
	if pr.table < 0 || seen[pr.row] || x.titles.tests[pr.table] || x.titles.ids[pr.table] > 0 || x.titles.keys[pr.table] || x.caseOf(pr) != "" {
		return Part{}, false
	}
	seen[pr.row] = true
	n, e := x.element(pr.table, pr.row)
	if n < 0 || len(x.elements(pr.table)) < 2 {
		return Part{}, false
	}
	p := x.part(e.from, e.to)
	p.Row = true
	for j := e.from; j < e.to; j++ {
		switch x.toks[j].Kind {
		case String, Char, Number, Regex:
			if w := x.name(j); w != "" {
				p.Words = append(p.Words, w)
			}
		}
	}
	to := e.to
	if x.op(to, ",") {
		to++
	}
	p.Off = x.off(e.from, to, "")
	p.Off.New = strings.Repeat("\n", strings.Count(p.Off.Old, "\n"))
	return p, true
}

// statementPart returns the statement that a token begins, if it asserts.
func (x *file) statementPart(h int) (Part, bool) {
	if x.head[h] != h || x.up[h] >= 0 && x.kind[x.up[h]] != block || x.lang.Layout != Braces && !x.fresh[h] {
		return Part{}, false
	}
	to := h + 1
	for to < len(x.toks) && (x.up[to] != x.up[h] || x.head[to] == h) && (x.up[h] < 0 || to < x.match[x.up[h]]) {
		to++
	}
	if x.op(to-1, ";") {
		to--
	}
	p := x.part(h, to)
	for at := x.up[h]; at >= 0; at = x.up[at] {
		name := x.text(x.callee(x.up[at]))
		p.Looped = p.Looped || x.keyword(x.head[at], "for") || x.keyword(x.head[at], "while") || name == "forEach" || name == "map"
	}
	if r := x.regionOf[h]; r < 0 || x.regions[r].Kind != Test { // a helper may be called for each row
		p.Looped = true
	}
	if x.lang.Layout == Indents { // what stands around it is not known by brackets
		p.Looped = true
	}
	var ok bool
	switch x.lang.Layout {
	case Braces:
		p.Off, ok = x.offBraces(h, to)
	case Indents:
		p.Off, ok = x.offIndents(h, to)
	default:
		p.Off, ok = x.offCalls(h, to)
	}
	return p, ok
}

// assertion tells whether a statement is a call that asserts.
func (x *file) assertion(h, to int) bool {
	if x.statement(h).target != "" {
		return false
	}
	style := &x.lang.Style
	for i := h; i < to; i++ {
		if x.kind[i] != call {
			continue
		}
		name := x.called(i)
		_, compares := style.Equality[name]
		_, opposes := style.Opposites[name]
		_, raises := style.Raises[name]
		if compares || opposes || raises || in(style.Truths, name) || asserter.MatchString(name) {
			return true
		}
		if x.lang.Layout != Calls { // expect(x).to.equal(y): a later call asserts
			return false
		}
		i = x.match[i]
	}
	return false
}

// offBraces keeps the condition, so that what it names is used.
func (x *file) offBraces(h, to int) (Edit, bool) {
	if !x.keyword(h, "if") {
		if !x.is(h, Name) || !x.assertion(h, to) {
			return Edit{}, false
		}
		return x.off(h, to, "if false { "+x.str[x.toks[h].Start:x.toks[to-1].End]+" }"), true
	}
	if !x.complains(h) {
		return Edit{}, false
	}
	first := h + 1
	for i := first; i < to; i++ {
		switch {
		case x.kind[i] == block:
			if i == first {
				return Edit{}, false
			}
			return x.off(first, i, "false && ("+x.str[x.toks[first].Start:x.toks[i-1].End]+")"), true
		case x.kind[i] != noBracket:
			i = x.match[i]
		case x.op(i, ";"):
			first = i + 1
		}
	}
	return Edit{}, false
}

func (x *file) offIndents(h, to int) (Edit, bool) {
	switch {
	case x.keyword(h, "with"):
		end := h + 1
		for i := end; i < to; i++ {
			if x.op(i, ":") || x.keyword(i, "as") {
				end = i
				break
			}
			if x.kind[i] != noBracket {
				i = x.match[i]
			}
		}
		if end == h+1 || !x.assertion(h, end) {
			return Edit{}, false
		}
		return x.off(h+1, end, `__import__("contextlib").suppress(Exception)`), true
	case x.keyword(h, "assert"), x.is(h, Name) && x.assertion(h, to):
		return x.off(h, h+1, "if 0: "+x.text(h)), true
	}
	return Edit{}, false
}

func (x *file) offCalls(h, to int) (Edit, bool) {
	if !x.is(h, Name) && !x.keyword(h, "await") || x.titled(h) >= 0 || !x.assertion(h, to) {
		return Edit{}, false
	}
	return x.off(h, h+1, "if (0) "+x.text(h)), true
}
