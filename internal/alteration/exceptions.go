package alteration

import (
	"slices"
	"strings"
)

// nameExceptions collects the exceptions that the file names, in order.
func (s *search) nameExceptions() {
	form := s.lang.Style.Exception
	for i := range s.toks {
		if s.is(i, Name) && form.MatchString(s.text(i)) && !s.op(i+1, "(") {
			if name := s.qualified(i); !in(s.names, name) && len(s.names) < 64 {
				s.names = append(s.names, name)
			}
		}
	}
}

// qualified returns a name with the package before it.
func (s *search) qualified(i int) string {
	if s.op(i-1, ".") && s.is(i-2, Name) && s.toks[i].Start-s.toks[i-1].Start == 1 && s.toks[i-1].Start == s.toks[i-2].End {
		return s.text(i-2) + "." + s.text(i)
	}
	return s.text(i)
}

// exception adds edits that expect another exception: one that the same file names, or one
// that is always there. Whether they are related is not known; if they are, the edit makes
// nothing fail, which running finds out.
func (s *search) exception(i int) {
	style := &s.lang.Style
	if !s.is(i, Name) || !style.Exception.MatchString(s.text(i)) || !s.expectedException(i) {
		return
	}
	old := s.qualified(i)
	start := s.toks[i].End - len(old)
	p := s.purposeOf(i)
	if p.untouchable != "" && p.untouchable != forPeople {
		return
	}
	others := slices.Clone(s.names)
	s.rng.Shuffle(len(others), func(a, b int) { others[a], others[b] = others[b], others[a] })
	for _, name := range style.Exceptions {
		if !in(others, name) {
			others = append(others, name)
		}
	}
	most := 2
	for _, name := range others {
		if most > 0 && name != old && s.add(i, p, Edit{Start: start, End: s.toks[i].End, New: name, Kind: ExceptionEdit, Rank: rankException}) {
			most--
		}
	}
}

// expectedNone adds edits that expect an exception in a row that expects none, one that
// other rows of the same table expect.
func (s *search) expectedNone(i int) {
	if !s.is(i, Keyword) || !in(s.lang.Nulls, s.text(i)) {
		return
	}
	p, ok := s.purposes[i]
	if !ok {
		p = s.purposeOf(i)
	}
	if p.table < 0 || !p.whole || p.untouchable != "" || !expected.MatchString(p.column) && !outcome.MatchString(p.column) {
		return
	}
	const most = 2
	seen := []string{}
	for _, r := range s.tableAt(p.table).rows {
		name := strings.ReplaceAll(strings.TrimSpace(strings.TrimPrefix(r.cells[p.column], p.column+" : ")), " ", "")
		if last := name[strings.LastIndexByte(name, '.')+1:]; s.lang.Style.Exception.MatchString(last) && !in(seen, name) {
			seen = append(seen, name)
		}
	}
	s.rng.Shuffle(len(seen), func(a, b int) { seen[a], seen[b] = seen[b], seen[a] })
	for _, name := range seen[:min(most, len(seen))] {
		s.add(i, p, Edit{Start: s.toks[i].Start, End: s.toks[i].End, New: name, Kind: ExceptionEdit, Rank: rankException})
	}
}

// expectedException tells whether a name says which exception a test expects: as the
// argument of a call that is there for it, or in a table's row.
func (s *search) expectedException(i int) bool {
	open := s.up[i]
	if open < 0 {
		return false
	}
	if s.kind[open] == call {
		nth, e := s.element(open, i)
		want, ok := s.lang.Style.Raises[s.called(open)]
		if args := s.elements(open); len(args) > 2 && in(s.lang.Style.Leads, s.text(args[0].from)) {
			nth--
		}
		return ok && nth == want && e.to == i+1
	}
	p := s.purposeOf(i)
	return p.table >= 0 && p.whole && !p.called && (expected.MatchString(p.column) || outcome.MatchString(p.column))
}
