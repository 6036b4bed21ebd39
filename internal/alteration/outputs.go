package alteration

import (
	"regexp"
	"strings"
)

// output begins the output that an example of Go's is expected to write.
var output = regexp.MustCompile(`(?i)^//\s*(?:unordered )?output:`)

// outputs adds edits of what examples are expected to write: the only comments that
// decide anything.
func (s *search) outputs() {
	if s.lang.Layout != Braces {
		return
	}
	on := false
	for n, tok := range s.all {
		switch {
		case tok.Kind == Comment && output.MatchString(tok.Text(s.src)):
			on = s.inExample(tok.Start)
			s.output(n, strings.IndexByte(tok.Text(s.src), ':')+1, on)
		case tok.Kind == Comment:
			s.output(n, len("//"), on)
		case tok.significant():
			on = false
		}
	}
}

// inExample tells whether an offset stands in a function whose output is compared.
func (s *search) inExample(offset int) bool {
	next := s.token(offset)
	if next == 0 || next == len(s.toks) || s.regionOf[next] < 0 {
		return false
	}
	return strings.HasPrefix(s.regions[s.regionOf[next]].Name, "Example")
}

// output adds edits of a comment from an offset in it on.
func (s *search) output(n, from int, on bool) {
	tok := s.all[n]
	text := tok.Text(s.src)
	if !on || from >= len(text) {
		return
	}
	body := text[from:]
	next := s.token(tok.Start)
	for _, v := range s.substitutions(body, s.fromTheMiddle(body, editable(body))) {
		e := Edit{File: s.path, Start: tok.Start, End: tok.End, Old: text, New: text[:from] + v, Kind: DataEdit,
			Row: tok.Start, Rank: rankExpected, EqualityOperand: true, Test: true}
		e.Line = s.line(firstChange(e)) + 1
		e.Region = s.regions[s.regionOf[next]].Path
		s.edits = append(s.edits, e)
		if s.o.PerToken == 1 {
			return
		}
	}
}
