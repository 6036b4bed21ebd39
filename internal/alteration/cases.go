package alteration

import "strings"

// CaseSeparator stands between the parts of a Case.
const CaseSeparator = "\x00"

// caseOf returns the parts of the name of the test that a row of a table is: what its titles
// say, unescaped. It is "" where rows are no tests of their own, where more than plain
// strings goes into their names, and where that is not known of a language.
func (x *file) caseOf(p purpose) string {
	if p.table < 0 || x.lang.Layout != Braces {
		return ""
	}
	n, e := x.element(p.table, p.row)
	if n < 0 {
		return ""
	}
	at := e.from
	if x.op(at+1, ":") {
		if x.titles.keys[p.table] {
			name, _ := x.said(at, at+1)
			return name
		}
		at += 2
	}
	for at < e.to-1 && x.kind[at] == noBracket { // &T{
		at++
	}
	if at >= e.to || x.kind[at] == noBracket {
		return ""
	}
	var parts []string
	columns := x.columnsOf(p.table)
	for n, cell := range x.elements(at) {
		if !x.names(x.column(columns, n, cell), cell.from) {
			continue
		}
		from := cell.from
		if x.op(from+1, ":") {
			from += 2
		}
		part, ok := x.said(from, cell.to)
		if !ok {
			return ""
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, CaseSeparator)
}

// said returns what the only token of a span says, if it is a string.
func (x *file) said(from, to int) (string, bool) {
	if to != from+1 || !x.is(from, String) {
		return "", false
	}
	return x.lang.value(Printed{Text: x.text(from)})
}
