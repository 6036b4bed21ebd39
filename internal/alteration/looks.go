package alteration

import (
	"regexp"
	"strings"
)

// Why an edit can be told from what was always so. A forger who reads the test, and finds
// what its author would not have written, passes what is true and fails the rest.
const (
	looksRepeated      = "the same value stands beside it"
	looksExplained     = "a comment or a message beside it says the value"
	looksContradictory = "another row has the same inputs"
	looksCrowded       = "there is too much beside it to compare"
	looksPath          = "it names a file"
	looksFilled        = "it was empty, and a name or a comment may say so"
)

// sight is how many lines before and after a token are looked at. neighbours and extent
// are how many literals, and how much of each: lines may be as long as the file.
const (
	sight      = 3
	neighbours = 200
	extent     = 4096 // bytes
)

// looks says why an edit of a token looks altered, or "".
func (s *search) looks(i int, p purpose, e Edit) string {
	if e.Kind == FlipEdit || e.Kind == ElementEdit || e.Kind == ExceptionEdit {
		if s.toks[i].Kind == Keyword && s.contradicts(i, p, e) {
			return looksContradictory
		}
		return ""
	}
	if s.toks[i].Kind == String && filename.MatchString(s.inside(i)) {
		return looksPath
	}
	if s.toks[i].Kind == String && s.inside(i) == "" {
		return looksFilled
	}
	if why := s.beside(i, e); why != "" {
		return why
	}
	if s.contradicts(i, p, e) {
		return looksContradictory
	}
	return ""
}

var filename = regexp.MustCompile(`^(?:\.{0,2}/|~/|testdata/|tests?/|fixtures?/|\w+://)\S*$|^[\w./-]+\.(?:json|txt|ya?ml|xml|html?|pem|key|cer|crt|pub|csv|md|js|ts|py|go|golden|snap|toml|ini|conf|log)$`)

// beside compares a literal and what is put in its place with what stands near.
func (s *search) beside(i int, e Edit) string {
	tok := s.toks[i]
	first, last := s.line(tok.Start), s.line(tok.End-1)
	whole, part := s.inside(i), changedWord(e)
	says := func(text string) bool {
		return (len(whole) > 3 || tok.Kind == Number) && says(text, whole) || len(part) > 1 && says(text, part)
	}
	seen := 0
	for _, n := range s.linesAround(first, last) {
		for _, j := range s.near[n] {
			if j == i {
				continue
			}
			if seen++; seen > neighbours {
				return looksCrowded
			}
			// A string may come to be another of its test: tests say things twice.
			if other := s.text(j); other == e.Old || other == e.New && tok.Kind != String {
				return looksRepeated
			}
			if why := s.purposes[j].untouchable; (why == forPeople || why == forNames) && says(s.glimpse(s.toks[j])) {
				return looksExplained
			}
		}
		for _, c := range s.aside[n] {
			if seen++; seen > neighbours {
				return looksCrowded
			}
			if says(s.glimpse(c)) {
				return looksExplained
			}
		}
	}
	return ""
}

// changedWord returns the word or number of a token that an edit changes.
func changedWord(e Edit) string {
	at := firstChange(e) - e.Start
	from, to := at, at
	for from > 0 && alphanumeric(e.Old[from-1]) {
		from--
	}
	for to < len(e.Old) && alphanumeric(e.Old[to]) {
		to++
	}
	return e.Old[from:to]
}

// linesAround returns the lines near lines, without those in the middle of a long string.
func (s *search) linesAround(first, last int) []int {
	var list []int
	for n := first - sight; n <= last+sight; n++ {
		if n > first+sight && n < last-sight {
			n = last - sight
		}
		list = append(list, n)
	}
	return list
}

// glimpse returns the beginning of a token's text.
func (s *search) glimpse(t Token) string {
	return s.str[t.Start:min(t.End, t.Start+extent)]
}

// says tells whether a text holds a word that is no part of a longer one.
func says(text, word string) bool {
	if word == "" || len(word) > len(text) {
		return false
	}
	for from := 0; ; {
		at := strings.Index(text[from:], word)
		if at < 0 {
			return false
		}
		start := from + at
		end := start + len(word)
		if (start == 0 || !alphanumeric(text[start-1]) || !alphanumeric(word[0])) &&
			(end == len(text) || !alphanumeric(text[end]) || !alphanumeric(word[len(word)-1])) {
			return true
		}
		from = start + 1
	}
}

// explained tells whether a comment ends the line of a token: what it says may be true of
// the value only as it was.
func (s *search) explained(i int) bool {
	return len(s.aside[s.line(s.toks[i].Start)]) > 0
}

// contradicts tells whether an edit gives two rows, or two lines, the same inputs.
func (s *search) contradicts(i int, p purpose, e Edit) bool {
	if p.table >= 0 {
		return s.rowContradicts(i, p, e)
	}
	return s.lineContradicts(i, p, e)
}

// Rows and lines that are longer are not compared, since nobody could by looking either.
const (
	longestCell = 256     // tokens
	longestRow  = 8 << 10 // bytes
	longestLine = 400     // tokens
)

func (s *search) rowContradicts(i int, p purpose, e Edit) bool {
	t := s.tableAt(p.table)
	r, ok := t.at(p.row)
	if !ok {
		return false
	}
	inputs := r.inputs()
	if inputs == "" || len(inputs) > longestRow {
		return false
	}
	text := e.New + " "
	if !p.whole {
		text, ok = s.cellWith(i, p, e.New)
		if !ok {
			return false
		}
	}
	edited := r.inputsWith(p.column, text)
	if edited == inputs { // another answer to what was asked: is it asked again?
		return t.inputs[inputs] > 1
	}
	return t.inputs[edited] > 0
}

// at returns the row that begins with a token.
func (t *table) at(from int) (row, bool) {
	n, ok := t.byStart[from]
	if !ok {
		return row{}, false
	}
	return t.rows[n], true
}

// cellWith returns the text of the cell that a token stands in, with another in its place.
func (s *search) cellWith(i int, p purpose, text string) (string, bool) {
	at := i
	for n := 0; n < deepest && s.up[at] >= 0 && s.up[at] != p.table; n++ {
		open := s.up[at]
		if s.up[open] != p.table {
			at = open
			continue
		}
		_, cell := s.element(open, at)
		if cell.to-cell.from > longestCell || i < cell.from || i >= cell.to {
			return "", false
		}
		return s.between(cell.from, i) + text + " " + s.between(i+1, cell.to), true
	}
	return "", false
}

// keyLines notes what each line says without what it expects.
func (s *search) keyLines() {
	s.lineKeys, s.keyCount = map[int]string{}, map[string]int{}
	for from := 0; from < len(s.toks); {
		to := from + 1
		for to < len(s.toks) && !s.fresh[to] {
			to++
		}
		if key, inputs := s.lineKey(from, to, -1, ""); inputs && to-from <= longestLine {
			s.lineKeys[from] = key
			s.keyCount[key]++
		}
		from = to
	}
}

// lineKey returns what a line says without what it expects, with another text in the place
// of one token, and whether it has any input.
func (s *search) lineKey(from, to, i int, text string) (string, bool) {
	var b strings.Builder
	inputs := false
	for j := from; j < to; j++ {
		p, literal := s.purposes[j]
		switch {
		case literal && p.equality:
			b.WriteByte(0)
		case j == i:
			b.WriteString(text)
		default:
			inputs = inputs || literal
			b.WriteString(s.text(j))
		}
		b.WriteByte(' ')
	}
	return b.String(), inputs
}

func (s *search) lineContradicts(i int, p purpose, e Edit) bool {
	from := s.first[i]
	key, ok := s.lineKeys[from]
	if !ok {
		return false
	}
	if p.equality {
		return s.keyCount[key] > 1
	}
	to := i + 1
	for to < len(s.toks) && !s.fresh[to] {
		to++
	}
	edited, _ := s.lineKey(from, to, i, e.New)
	return s.keyCount[edited] > 0
}
