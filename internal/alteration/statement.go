package alteration

// statement is what is known of a statement by its first token.
type statement struct {
	equality bool   // it asserts and compares for equality
	asserts  bool   // it asserts
	message  int    // where what it says if it fails begins
	target   string // what it assigns to
	words    bool   // it has nothing that a test decides by: imports, decorators
	counts   bool   // it is the head of a loop
}

// inStatement says what a literal is to its statement, in which it stands or the brackets
// around it do.
func (x *file) inStatement(p *purpose, i, child int) {
	h := x.head[child]
	s := x.statement(h)
	switch {
	case s.words && (!x.op(h, "@") || p.table < 0):
		p.untouchable = forPeople
	case s.asserts && child > s.message:
		p.untouchable = forPeople
	case s.counts && x.is(i, Number) && !p.listed && !p.called:
		p.untouchable = "loop"
	case x.is(i, String) && i == h && child == i && (i+1 == len(x.toks) || x.head[i+1] != h || x.op(i+1, ";")):
		p.untouchable = forPeople // a docstring, "use strict"
	case x.timed(i):
		p.untouchable = "time"
	case s.asserts:
		p.asserted = true
		p.equality = p.equality || (s.equality || p.compared) && !p.called
	case s.target != "" && expected.MatchString(s.target) && !p.called:
		p.equality = true
	}
}

// statement reads the tokens of a statement at its own level.
func (x *file) statement(h int) statement {
	if s, ok := x.facts[h]; ok {
		return s
	}
	s := statement{message: len(x.toks)}
	switch {
	case x.op(h, "@"), x.keyword(h, "import"), x.keyword(h, "package"), x.keyword(h, "from"):
		s.words = true
	case x.keyword(h, "for"), x.keyword(h, "while"):
		s.counts = true
	case x.keyword(h, "assert"):
		s.asserts = true
	case x.keyword(h, "if") && x.lang.Layout == Braces:
		s.asserts = x.complains(h)
	}
	exported := x.keyword(h, "export")
	for i := h; i < len(x.toks) && x.up[i] == x.up[h] && x.head[i] == h; i++ {
		switch {
		case x.is(i, Operator) && isEquality(x.text(i)):
			s.equality = s.asserts
		case x.op(i, ",") && x.lang.Layout == Indents && s.message == len(x.toks):
			s.message = i
		case (x.op(i, "=") || x.op(i, ":=")) && s.target == "":
			s.target = x.assignee(h, i)
		case exported && x.text(i) == "from":
			s.words = true
		}
		if x.kind[i] != noBracket {
			i = x.match[i]
		}
	}
	x.facts[h] = s
	return s
}

// assignee returns the name that an assignment gives a value to, without its type.
func (x *file) assignee(h, op int) string {
	name := ""
	for i := h; i < op; i++ {
		if x.op(i, ":") {
			break
		}
		if x.is(i, Name) && (name == "" || x.lang.Layout != Braces || !x.keyword(h, "var")) {
			name = x.text(i)
		}
	}
	return name
}

// complains tells whether the block of an if in Go fails the test.
func (x *file) complains(h int) bool {
	open := h
	for open < len(x.toks) && x.kind[open] != block {
		if x.kind[open] != noBracket {
			open = x.match[open]
		}
		open++
		if open < len(x.toks) && x.head[open] != h {
			return false
		}
	}
	if open >= len(x.toks) {
		return false
	}
	const far = 48 // tokens
	for i := open + 1; i < min(x.match[open], len(x.toks), open+far); i++ {
		if x.is(i, Name) && x.op(i-1, ".") {
			switch x.text(i) {
			case "Error", "Errorf", "Fatal", "Fatalf", "Fail", "FailNow":
				return true
			}
		}
		if x.text(i) == "panic" {
			return true
		}
	}
	return false
}

// timed tells whether a number is so many of a unit of time: an edit of it makes a test
// slower, or one that depends on the machine.
func (x *file) timed(i int) bool {
	if !x.is(i, Number) {
		return false
	}
	return x.op(i+1, "*") && x.text(i+2) == "time" || x.op(i-1, "*") && x.op(i-3, ".") && x.text(i-4) == "time"
}
