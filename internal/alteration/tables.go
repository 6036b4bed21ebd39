package alteration

import "strings"

// columnsOf returns the names of the columns of a table whose rows are positional, or nil.
func (x *file) columnsOf(open int) []string {
	if names, ok := x.columns[open]; ok {
		return names
	}
	if x.lang.Layout != Braces {
		return nil
	}
	// []struct{ a, b string }{{...}}, []row{{...}}, map[string]row{"": {...}}
	var names []string
	switch prev := open - 1; {
	case x.op(prev, "}") && x.match[prev] < prev && x.kindOf(x.match[prev]) == body:
		names = x.fields(x.match[prev])
	case x.is(prev, Name):
		names = x.structs[x.text(prev)]
	}
	x.columns[open] = names
	return names
}

// findColumns notes the columns that parametrize, each and loops give names to.
func (x *file) findColumns() {
	for i := range x.toks {
		switch x.lang.Layout {
		case Indents:
			x.parametrized(i)
		case Calls:
			x.looped(i)
			x.each(i)
		}
	}
}

// value returns the bracket that begins the value of an expression that is a literal or a
// variable's name, or -1.
func (x *file) value(i int) int {
	if x.kindOf(i) == composite {
		return i
	}
	if x.is(i, Name) {
		if open, ok := x.values[x.text(i)]; ok {
			return open
		}
	}
	return -1
}

// parametrized reads pytest.mark.parametrize("a,b", [...]).
func (x *file) parametrized(i int) {
	if x.kind[i] != call || x.called(i) != "parametrize" {
		return
	}
	args := x.elements(i)
	if len(args) < 2 {
		return
	}
	var names []string
	for j := args[0].from; j < args[0].to; j++ {
		if x.is(j, String) {
			names = append(names, strings.FieldsFunc(x.name(j), func(r rune) bool { return r == ',' || r == ' ' })...)
		}
	}
	at := args[1].from
	if x.op(at+1, "=") { // argvalues=
		at += 2
	}
	if open := x.value(at); open >= 0 {
		x.columns[open] = names
	}
}

// looped reads for (const [a, b] of table), and table.forEach(([a, b]) => ...).
func (x *file) looped(i int) {
	switch {
	case x.is(i, Name) && x.text(i) == "of" && x.keyword(x.head[i], "for"), x.keyword(i, "of"):
		if open := x.value(i + 1); open >= 0 && x.op(i-1, "]") {
			x.columns[open] = x.namesIn(x.match[i-1])
		}
	case x.is(i, Name) && (x.text(i) == "forEach" || x.text(i) == "map") && x.op(i-1, ".") && x.op(i+1, "("):
		open := x.value(i - 2)
		if x.op(i-2, "]") {
			open = x.match[i-2]
		}
		first := i + 2
		for first < i+6 && (x.op(first, "(") || x.keyword(first, "function") || x.keyword(first, "async")) {
			first++
		}
		if open >= 0 && x.op(first, "[") {
			x.columns[open] = x.namesIn(first)
		}
	}
}

// each reads test.each(table)('title', (a, b) => ...).
func (x *file) each(i int) {
	if x.titled(i) < 0 || !x.op(i-1, ")") {
		return
	}
	table := x.value(x.match[i-1] + 1)
	word := x.function(i)
	if table < 0 || word < 0 {
		return
	}
	params := word - 1 // (a, b) =>
	if x.op(word, "=>") && x.op(params, ")") {
		x.columns[table] = x.namesIn(x.match[params])
	} else if x.keyword(word, "function") && x.op(word+1, "(") {
		x.columns[table] = x.namesIn(word + 1)
	}
	if args := x.elements(i); len(args) > 0 {
		format := x.text(args[0].from)
		x.titles.tests[table] = true
		if x.titles.ids[table] = strings.Count(format, "%"); strings.Contains(format, "$") {
			x.titles.ids[table] = everyCell
		}
	}
}

// namesIn returns the first name of each element of brackets.
func (x *file) namesIn(open int) []string {
	if open < 0 {
		return nil
	}
	var names []string
	for _, e := range x.elements(open) {
		name := ""
		for i := e.from; i < e.to && name == ""; i++ {
			if x.is(i, Name) {
				name = x.text(i)
			}
		}
		names = append(names, name)
	}
	return names
}

// table is brackets whose elements are rows.
type table struct {
	rows    []row
	byStart map[int]int    // rows by their first tokens
	inputs  map[string]int // how many rows have these inputs
	holds   map[cell]bool  // which values columns have
}

// cell is a value in a column.
type cell struct{ column, text string }

// The columns of a row's key, and of a row that is one value.
const (
	keyColumn   = "\x00key"
	valueColumn = "\x00value"
)

// row is a row's cells by column, as they stand in the source.
type row struct {
	open  int // its bracket, or the token that it is
	cells map[string]string

	answers map[string]bool // of the file
}

// tableAt reads a table: what its rows are, and what their inputs are.
func (x *file) tableAt(open int) *table {
	if t, ok := x.tables[open]; ok {
		return t
	}
	t := &table{inputs: map[string]int{}, byStart: map[int]int{}, holds: map[cell]bool{}}
	x.tables[open] = t
	for _, e := range x.elements(open) {
		r := x.row(open, e)
		r.answers = x.answers
		t.byStart[e.from] = len(t.rows)
		t.rows = append(t.rows, r)
		t.inputs[r.inputs()]++
		for column, text := range r.cells {
			t.holds[cell{column, text}] = true
		}
	}
	return t
}

// row reads the cells of one element of a table. A row of one value has one cell; the key
// of a keyed row is one, too.
func (x *file) row(table int, e span) row {
	at := e.from
	r := row{open: e.from, cells: map[string]string{}}
	if x.op(e.from+1, ":") {
		r.cells[keyColumn] = x.text(e.from)
		at += 2
	}
	for at < e.to-1 && x.kind[at] == noBracket { // pytest.param(, &T{
		at++
	}
	if at >= e.to || x.kindOf(at) == noBracket {
		at = e.to
	}
	if at == e.to || x.match[at] != e.to-1 {
		r.cells[valueColumn] = x.between(e.from, e.to)
		return r
	}
	r.open = at
	columns := x.columnsOf(table)
	for n, cell := range x.elements(at) {
		r.cells[x.column(columns, n, cell)] = x.between(cell.from, cell.to)
	}
	return r
}

// column returns the name of a cell's column: its key, or the name at its place, or its
// place.
func (x *file) column(columns []string, n int, cell span) string {
	if (x.op(cell.from+1, ":") || x.op(cell.from+1, "=")) && cell.to > cell.from+2 {
		return x.name(cell.from)
	}
	if n < len(columns) && columns[n] != "" {
		return columns[n]
	}
	return string(rune('0' + min(n, 64)))
}

// between returns the text of tokens without what stands between them.
func (x *file) between(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		b.WriteString(x.text(i))
		b.WriteByte(' ')
	}
	return b.String()
}

// value returns what a column of a row holds, without its key.
func (r row) value(column string) string {
	text := strings.TrimSuffix(r.cells[column], " ")
	for _, sign := range []string{" : ", " = "} {
		text = strings.TrimPrefix(text, column+sign)
	}
	return text
}

// inputs returns what a row gives to the code under test, as far as names tell. "" stands
// for a row of which that is not known.
func (r row) inputs() string { return r.inputsWith("", "") }

// inputsWith is inputs with another text in one cell.
func (r row) inputsWith(column, text string) string {
	names := make([]string, 0, len(r.cells))
	for name := range r.cells {
		if !title.MatchString(name) && !expected.MatchString(name) && !r.answers[name] && !outcome.MatchString(name) {
			names = append(names, name)
		}
	}
	if len(names) == len(r.cells) && len(names) > 1 { // nothing says what is expected: the last is
		last := ""
		for _, name := range names {
			last = max(last, name)
		}
		if _, keyed := r.cells[keyColumn]; keyed {
			last = valueColumn
		}
		if len(last) == 1 || last == valueColumn {
			names = deleteName(names, last)
		}
	}
	return joinCells(names, func(name string) string {
		if name == column {
			return text
		}
		return r.cells[name]
	})
}
