package alteration

import "strings"

// flips adds the contrary of what a token says. Such edits are the last resort: what a
// file says everywhere else the other way gives them away.
func (s *search) flips(i int) {
	switch tok := s.toks[i]; tok.Kind {
	case Keyword:
		s.constantFlip(i)
		s.wordFlip(i)
	case Name:
		s.nameFlip(i)
	case Operator:
		s.operatorFlip(i)
	}
}

// flip adds an edit of the bytes [start, end) for a token.
func (s *search) flip(i, start, end int, text string, rank int) {
	p, ok := s.purposes[i]
	if !ok {
		p = s.purposeOf(i)
	}
	if p.untouchable == "" {
		s.add(i, p, Edit{Start: start, End: end, New: text, Kind: FlipEdit, Rank: rank, EqualityOperand: ok && p.equality})
	}
}

// constantFlip turns booleans, and values into none.
func (s *search) constantFlip(i int) {
	text := s.constant(i)
	if _, ok := s.purposes[i]; !ok || text == "" || s.keyword(s.head[i], "for") || s.keyword(s.head[i], "while") {
		return
	}
	rank := rankFlip
	if p := s.purposes[i]; p.table >= 0 && p.whole && s.tableAt(p.table).holds[cell{p.column, text + " "}] {
		rank = rankAnswer // rows say either
	}
	s.flip(i, s.toks[i].Start, s.toks[i].End, text, rank)
}

// condition tells whether a token stands in what a test decides by: an assertion, or in Go
// an if that fails the test.
func (s *search) condition(i int) bool {
	child := i
	for range deepest {
		open := s.up[child]
		if open < 0 || s.kind[open] == block {
			return s.statement(s.head[child]).asserts
		}
		if s.kind[open] == call {
			name := s.called(open)
			_, compares := s.lang.Style.Equality[name]
			return in(s.lang.Style.Truths, name) || compares && s.lang.Layout != Calls || s.called(open) == "" && s.lang.Layout == Calls
		}
		child = open
	}
	return false
}

// operatorFlip turns comparisons, and drops what negates.
func (s *search) operatorFlip(i int) {
	text, tok := s.text(i), s.toks[i]
	if opposite := s.lang.Style.Flips[text]; opposite != "" {
		// Type parameters and tags have no spaces on both sides.
		if spaced := s.spaced[i] && i+1 < len(s.toks) && s.spaced[i+1]; spaced && s.condition(i) {
			s.flip(i, tok.Start, tok.End, opposite, s.customary(i))
		}
		return
	}
	if text == s.lang.Style.Not && s.condition(i) {
		s.flip(i, tok.Start, tok.End, "", rankName)
	}
}

// customary ranks a comparison last that every file makes: if err != nil.
func (s *search) customary(i int) int {
	if strings.HasPrefix(strings.ToLower(s.text(i-1)), "err") && s.is(i+1, Keyword) {
		return rankCustom
	}
	return rankFlip
}

// wordFlip turns what Python says in words, and negates what an assertion or an if asserts.
func (s *search) wordFlip(i int) {
	tok := s.toks[i]
	if s.lang.Layout == Indents {
		if !s.statement(s.head[i]).asserts || s.up[i] >= 0 && s.up[i] >= s.head[i] {
			return
		}
		switch s.text(i) {
		case "not":
			end := tok.End
			if i+1 < len(s.toks) {
				end = s.toks[i+1].Start
			}
			s.flip(i, tok.Start, end, "", rankName)
		case "in":
			if !s.keyword(i-1, "not") {
				s.flip(i, tok.Start, tok.End, "not in", rankFlip)
			}
		case "is":
			if !s.keyword(i+1, "not") {
				s.flip(i, tok.Start, tok.End, "is not", rankFlip)
			}
		case "assert":
			s.negate(i+1, s.head[i])
		}
		return
	}
	if s.text(i) == "if" && s.lang.Layout == Braces && s.statement(i).asserts {
		first := i + 1
		for j := i + 1; j < len(s.toks) && s.kind[j] != block && s.head[j] == i; j++ {
			if s.op(j, ";") {
				first = j + 1
			} else if s.kind[j] != noBracket {
				j = s.match[j]
			}
		}
		s.negate(first, i)
	}
}

// negate puts a negation before a condition that is one value: a name, a call, an element.
// Before anything else it would bind to a part.
func (s *search) negate(first, head int) {
	if !s.is(first, Name) {
		return
	}
	for i := first; i < len(s.toks) && s.up[i] == s.up[first]; i++ {
		switch {
		case s.kind[i] == block, s.lang.Layout == Indents && i > first && s.head[i] != head, s.lang.Layout == Indents && s.op(i, ","):
			s.flip(first, s.toks[first].Start, s.toks[first].End, s.lang.Style.Not+s.text(first), rankName)
			return
		case s.kind[i] == call || s.kind[i] == index:
			i = s.match[i]
		case s.is(i, Name), s.op(i, "."), s.op(i, "?."):
		default:
			return
		}
	}
	if s.lang.Layout != Braces {
		s.flip(first, s.toks[first].Start, s.toks[first].End, s.lang.Style.Not+s.text(first), rankName)
	}
}

// nameFlip turns the names of assertions. The opposite has to exist: a call of what does
// not fails for everybody, and in other words.
func (s *search) nameFlip(i int) {
	style := &s.lang.Style
	tok, text := s.toks[i], s.text(i)
	if style.Expectations && s.op(i-1, ".") && s.expectation(i) {
		return
	}
	if !s.op(i+1, "(") || s.kind[i+1] != call {
		return
	}
	if style.Expectations && in(style.Truths, text) && text != "expect" {
		if args := s.elements(i + 1); len(args) > 0 && s.simple(args[0]) && s.asserting(i) {
			first := args[0].from
			s.flip(first, s.toks[first].Start, s.toks[first].End, style.Not+s.text(first), rankName)
		}
	}
	if opposite := style.Opposites[text]; opposite != "" && s.asserting(i) {
		s.flip(i, tok.Start, tok.End, opposite, rankName)
	}
}

// simple tells whether an argument is one value that can be negated.
func (s *search) simple(e span) bool {
	if !s.is(e.from, Name) {
		return false
	}
	for i := e.from; i < e.to; i++ {
		switch {
		case s.kind[i] == call || s.kind[i] == index:
			i = s.match[i]
		case s.is(i, Name), s.op(i, "."):
		default:
			return false
		}
	}
	return true
}

// asserting tells whether a call is of an assertion, by what it is asked of.
func (s *search) asserting(i int) bool {
	style := &s.lang.Style
	receiver := s.receiver(i)
	if receiver == "" {
		return style.FreeAsserts && !s.op(i-1, ".") && strings.HasPrefix(strings.ToLower(s.text(i)), "assert")
	}
	if style.Receivers.MatchString(receiver) || s.params[receiver] {
		return true
	}
	args := s.elements(i + 1)
	return len(args) > 1 && in(style.Leads, s.text(args[0].from)) && args[0].to == args[0].from+1
}

// expectation negates a matcher: expect(x).toBe(y), expect(x).to.equal(y).
func (s *search) expectation(i int) bool {
	text, tok := s.text(i), s.toks[i]
	matcher := len(text) > 2 && text[:2] == "to" && text[2] >= 'A' && text[2] <= 'Z' && s.op(i+1, "(")
	chain := text == "to" || text == "should"
	switch {
	case text == "not" && s.op(i+1, "."):
		s.flip(i, tok.Start, s.toks[i+1].End, "", rankName)
	case matcher && s.op(i-2, ")"):
		s.flip(i, tok.Start, tok.End, "not."+text, rankName)
	case chain && s.op(i+1, ".") && s.text(i+2) != "not":
		s.flip(i, tok.Start, tok.End, text+".not", rankName)
	default:
		return text == "not"
	}
	return true
}
