package alteration

// list adds edits of a list of plain values on one line: one dropped, one repeated. Rows
// of tables are no such values: a test would be missing, or there twice.
func (s *search) list(i int) {
	if !s.isList(i) {
		return
	}
	elements := s.elements(i)
	const longest = 64
	if len(elements) == 0 || len(elements) > longest {
		return
	}
	for _, e := range elements {
		p, ok := s.purposes[e.from]
		if e.to != e.from+1 || !ok || p.untouchable != "" || s.op(e.from+1, ":") {
			return
		}
	}
	n := s.rng.IntN(len(elements))
	e := elements[n]
	p := s.purposes[e.from]
	add := func(start, end int, text string) {
		s.add(e.from, p, Edit{Start: start, End: end, New: text, Kind: ElementEdit, Rank: rankElement, EqualityOperand: p.equality})
	}
	if len(elements) > 1 {
		if n > 0 { // with the comma before it
			add(s.toks[elements[n-1].to-1].End, s.toks[e.from].End, "")
		} else {
			add(s.toks[e.from].Start, s.toks[elements[1].from].Start, "")
		}
	}
	value := s.text(e.from)
	add(s.toks[e.from].Start, s.toks[e.from].End, value+", "+value)
}

// isList tells whether a bracket begins a list of a length that may change.
func (s *search) isList(i int) bool {
	if s.kind[i] != composite || s.match[i] >= len(s.toks) || s.line(s.toks[i].Start) != s.line(s.toks[s.match[i]].Start) {
		return false
	}
	if s.titles.ids[i] > 0 || s.columns[i] != nil {
		return false
	}
	if s.lang.Layout != Braces {
		return s.op(i, "[")
	}
	// []T{...}; the length of [3]T is said.
	for j := i - 1; j > i-8 && j > 0; j-- {
		if s.op(j, "]") {
			return s.op(j-1, "[")
		}
		if !s.is(j, Name) && !s.op(j, ".") && !s.op(j, "*") {
			return false
		}
	}
	return false
}
