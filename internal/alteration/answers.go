package alteration

// findAnswers finds the columns of tables that are compared with what the code under test
// gives and are given to nothing: whatever they are called, they are what is expected.
func (x *file) findAnswers() {
	given := map[string]bool{}
	for i := range x.toks {
		if !x.is(i, Name) || x.op(i+1, "(") || x.op(i+1, ".") || x.op(i+1, "=") || x.op(i+1, ":=") {
			continue
		}
		if x.lang.Layout == Braces && !x.op(i-1, ".") { // columns are fields there: t is no column
			continue
		}
		start := i
		for n := 0; n < deepest && x.op(start-1, ".") && x.is(start-2, Name); n++ {
			start -= 2
		}
		switch x.useOf(start, i) {
		case useCompared:
			x.answers[x.text(i)] = true
		case useGiven:
			given[x.text(i)] = true
		}
	}
	for name := range given {
		delete(x.answers, name)
	}
}

// use is what a value is used for.
type use uint8

const (
	useOther use = iota
	useCompared
	useGiven // to a call that is neither an assertion nor there for people
)

// useOf tells what the value of tokens [start, end] is used for.
func (x *file) useOf(start, end int) use {
	if x.is(start-1, Operator) && isEquality(x.text(start-1)) || x.is(end+1, Operator) && isEquality(x.text(end+1)) {
		if x.up[start] >= 0 && x.kind[x.up[start]] == call && in(x.lang.Style.Truths, x.called(x.up[start])) || x.statement(x.head[start]).asserts {
			return useCompared
		}
		return useOther
	}
	open := x.up[start]
	if open < 0 || x.kind[open] != call {
		return useOther
	}
	name := x.called(open)
	nth, e := x.element(open, start)
	if nth < 0 || in(x.lang.Style.Quiet, name) || in(x.lang.Style.Titles, name) {
		return useOther
	}
	if c, ok := x.lang.Style.Equality[name]; ok && e.from == start && e.to == end+1 {
		first := x.elements(open)[0]
		if first.to == first.from+1 && in(x.lang.Style.Leads, x.text(first.from)) {
			nth--
		}
		if nth >= c.First && nth < c.First+c.Count {
			return useCompared
		}
		return useOther
	}
	if in(x.lang.Style.Truths, name) || x.lang.Style.Opposites[name] != "" {
		return useOther
	}
	return useGiven
}
