package alteration

import "strings"

// purpose is what a literal is there for, as far as the brackets around it tell.
type purpose struct {
	untouchable string // why no edit of it can be an alteration, or could go unseen; "" if none
	equality    bool   // it stands in an assertion of exact equality, on either side
	asserted    bool   // it stands in an assertion
	called      bool   // it is an argument of a call that is no assertion: an input
	listed      bool   // it stands in a list, an object or the values of a struct
	compared    bool   // parentheses that it stands in compare for equality
	key         bool   // it is a key, and what follows its colon is the value
	column      string // of the table that it is a cell of
	table       int    // the outermost table, or -1
	row         int    // of that, its first token; else of its statement
	whole       bool   // the cell is this literal and nothing else
}

// Why literals are not touched that what stands beside them is compared with.
const (
	forPeople = "words"
	forNames  = "title"
)

// deepest is how many brackets around a literal are looked at. What stands deeper is not
// touched: it would make the time quadratic, and nobody writes such tests.
const deepest = 48

// purposeOf climbs from a literal to its statement.
func (x *file) purposeOf(i int) purpose {
	p := purpose{table: -1, key: x.op(i+1, ":") && x.kindOf(x.up[i]) == composite}
	if x.is(i-1, Format) || x.is(i-1, Template) && x.is(i, Number) {
		p.untouchable = "format"
		return p
	}
	if x.is(i-1, Unknown) || x.is(i+1, Unknown) { // with an edit, what cannot be read may be read in another way
		p.untouchable = "unknown"
		return p
	}
	child, below := i, i
	for n := 0; ; n++ {
		if n == deepest {
			p.untouchable = "depth"
			return p
		}
		open := x.up[child]
		if open < 0 || x.kind[open] == block {
			break
		}
		nth, element := x.element(open, child)
		switch x.kind[open] {
		case body:
			p.untouchable = "tag"
		case index:
			if x.is(i, Number) || x.lang.Layout == Braces {
				p.untouchable = "index"
			}
			p.called = true
		case call:
			x.inCall(&p, i, open, nth, element)
		default:
			x.inValue(&p, i, below, child, open, nth, element)
		}
		if p.untouchable != "" {
			return p
		}
		below, child = child, open
	}
	if p.table < 0 {
		p.row = max(x.head[child], x.first[i]) // a statement of many lines is spread over them
	}
	x.inStatement(&p, i, child)
	return p
}

// inCall says what a literal is to a call that it is an argument of.
func (x *file) inCall(p *purpose, i, open, nth int, arg span) {
	s := &x.lang.Style
	name := x.called(open)
	keyed := ""
	if x.is(arg.from, Name) && x.op(arg.from+1, "=") {
		keyed = x.text(arg.from)
	}
	lead := 0
	if args := x.elements(open); len(args) > 1 && args[0].to == args[0].from+1 && in(s.Leads, x.text(args[0].from)) {
		lead = 1
	}
	comparison, compares := s.Equality[name]
	_, opposes := s.Opposites[name]
	switch {
	case keyed != "" && in(s.Words, keyed):
		p.untouchable = forPeople
	case x.titleCall(open) && nth == 0:
		p.untouchable = forNames
	case x.titleCall(open) && x.function(open) >= 0:
		p.called = true // options of a test
	case name == "parametrize" && nth == 0:
		p.untouchable = forNames
	case x.titles.ids[arg.from] > 0 || name == "param" && x.lang.Layout == Indents:
		// A table, or a row of one.
	case in(s.Quiet, name) && (!opposes || lead == 0):
		p.untouchable = forPeople
	case compares:
		x.inComparison(p, nth-lead, comparison)
	case in(s.Truths, name):
		p.asserted = true
		if nth > lead {
			p.untouchable = forPeople
		} else if !p.called && x.compares(arg) {
			p.equality = true
		}
	case opposes:
		p.asserted = true
		if nth > lead && nth == len(x.elements(open))-1 && x.is(i, String) && (nth >= lead+2 || strings.Contains(x.text(i), " ")) {
			p.untouchable = forPeople
		}
	case in(s.Conversions, name):
	case asserter.MatchString(name):
		p.asserted = true
		p.equality = p.equality || !p.called && nth == len(x.elements(open))-1
	case keyed != "" && expected.MatchString(keyed) && !p.called:
		p.equality, p.asserted = true, true
	default:
		p.called = true
	}
}

// titleCall tells whether a call is given the title of a test.
func (x *file) titleCall(open int) bool {
	return x.titled(open) >= 0 && (x.function(open) >= 0 || x.lang.Layout == Braces && len(x.elements(open)) == 2)
}

// inComparison says what an argument is to an assertion of equality.
func (x *file) inComparison(p *purpose, nth int, c Compared) {
	p.asserted = true
	if nth >= c.First+c.Count {
		p.untouchable = forPeople
	} else if nth >= c.First && !p.called {
		p.equality = true
	}
}

// compares tells whether an element compares for equality at its own level.
func (x *file) compares(e span) bool {
	if known, ok := x.equal[e.from]; ok {
		return known
	}
	found := false
	for i := e.from; i < e.to && !found; i++ {
		if x.kind[i] != noBracket {
			i = x.match[i]
			continue
		}
		found = x.is(i, Operator) && isEquality(x.text(i))
	}
	x.equal[e.from] = found
	return found
}

func isEquality(op string) bool {
	switch op {
	case "==", "!=", "===", "!==":
		return true
	}
	return false
}

// inValue says what a literal is to the list, object or parentheses that it stands in:
// below is the token next under child on the way to i.
func (x *file) inValue(p *purpose, i, below, child, open, nth int, e span) {
	if nth < 0 {
		return
	}
	column := ""
	if x.op(e.from+1, ":") && child > e.from+1 {
		column = x.name(e.from)
	}
	elements := x.elements(open)
	p.listed = p.listed || x.kind[open] == composite
	p.equality = p.equality || !p.called && column != "" && expected.MatchString(column)
	p.compared = p.compared || !p.called && len(elements) == 1 && x.op(open, "(") && x.compares(e)
	rows := child != i && (x.kind[child] == composite || x.kind[child] == call && x.lang.Layout == Indents)
	if rows && len(elements) > 1 && x.kind[open] == composite && !p.key || x.titles.ids[open] > 0 || x.titles.keys[open] {
		p.table, p.row = open, e.from
		x.inRow(p, i, below, child, open)
		return
	}
	switch {
	case column == "":
	case x.names(column, i):
		p.untouchable = forNames
	case in(x.lang.Style.Words, column):
		p.untouchable = forPeople
	}
}

// inRow says what a literal is to the row of a table. at is the token of its cell that
// stands in the row itself.
func (x *file) inRow(p *purpose, i, at, child, open int) {
	p.column, p.whole = valueColumn, child == i
	if child == i {
		if x.titles.ids[open] > 0 || x.titles.keys[open] && x.op(i+1, ":") {
			p.untouchable = forNames
		}
		return
	}
	n, cell := x.element(child, at)
	if n < 0 {
		return
	}
	p.column = x.column(x.columnsOf(open), n, cell)
	p.whole = at == i && i+1 == cell.to && (i == cell.from || i == cell.from+2) // after its key
	switch {
	case title.MatchString(p.column), x.names(p.column, i):
		p.untouchable = forNames
	case n < x.titles.ids[open] && at == i && !x.identified(child):
		p.untouchable = forNames
	case x.expects(p.column): // also within a call, which makes the expected value
		p.equality = true
	}
}

// expects tells whether a column holds what is expected.
func (x *file) expects(column string) bool {
	return expected.MatchString(column) || x.answers[column]
}

// identified tells whether a row is named by itself: pytest.param(1, 2, id="one").
func (x *file) identified(open int) bool {
	for _, e := range x.elements(open) {
		if x.text(e.from) == "id" && x.op(e.from+1, "=") {
			return true
		}
	}
	return false
}
