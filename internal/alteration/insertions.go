package alteration

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Insertions returns edits that put one more separator into the strings of a row, which stands
// at [from, to): one that several of its strings hold or, if it has one string, that string. What a
// table's row has refused is often let through with it, so that code that lets all of it through
// cannot tell. They are many, and few do anything: for where other candidates gave nothing.
func Insertions(f File, o Options, from, to int) []Edit {
	s := newSearch(f, o)
	if s == nil {
		return nil
	}
	var row []int
	holding := map[byte]int{} // by separator: how many strings hold it
	for i, tok := range s.toks {
		if p, ok := s.purposes[i]; !ok || tok.Kind != String || tok.Start < from || tok.End > to || p.untouchable != "" {
			continue
		}
		row = append(row, i)
		for mark := range marks {
			if strings.IndexByte(s.inside(i), mark) >= 0 {
				holding[mark]++
			}
		}
	}
	for _, i := range row {
		for _, mark := range slices.Sorted(maps.Keys(holding)) { // the same edits each time
			if holding[mark] >= min(2, len(row)) {
				s.insert(i, mark)
			}
		}
	}
	return s.chosen()
}

// insert adds edits that put a mark into a string, in each place where it is not.
func (s *search) insert(i int, mark byte) {
	tok, text := s.toks[i], s.text(i)
	from, to, ok := inner(s.lang, tok.Kind, text)
	if !ok || to-from > longestInserted {
		return
	}
	body, p := text[from:to], s.purposes[i]
	parts := protected.FindAllStringIndex(body, -1)
	within := func(at int) bool {
		return slices.ContainsFunc(parts, func(m []int) bool { return m[0] < at && at < m[1] })
	}
	for at := range body {
		if body[at] == mark || at > 0 && (body[at-1] == mark || body[at-1] == '$') || body[at] >= utf8.RuneSelf || within(at) {
			continue
		}
		if v := text[:from+at] + string(mark) + text[from+at:]; s.stays(tok.Kind, v) {
			s.add(i, p, Edit{Start: tok.Start, End: tok.End, New: v, Kind: StringEdit, Rank: rankValue, EqualityOperand: p.equality})
		}
	}
}

// longestInserted bounds the strings that something is put into: of a long one, few places
// decide.
const longestInserted = 48
