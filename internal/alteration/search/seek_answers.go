package search

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strconv"

	"assay/internal/alteration"
)

// answers looks, in a version of the tests, for inputs with another answer, which a failure
// of the reference fix tells. Where nothing else was found, inputs with the same answer are
// pieces, too.
func (s *seeker) answers(base []alteration.Edit, alone bool) (pieces []piece, err error) {
	s.left = mostAnswers
	answered := 0
	tried := make(map[int]int) // by scope
	for _, c := range s.candidates(base) {
		const each = 3
		if c.Kind != alteration.Answered || len(c.Answers) == 0 && !c.Turned && (!alone || len(pieces) >= enough) || tried[c.Scope] >= each && (c.Row != c.Scope || c.Turned) {
			continue
		}
		tried[c.Scope]++
		p, err := s.tryAnswer(base, c)
		if err == nil && p != nil && !p.answered {
			keep := false
			if alone && len(p.Probe) > 0 {
				keep, err = s.decides(*p)
			}
			if !keep {
				p = nil
			}
		}
		if p != nil && !overlaps(version(pieces), p.Edits) {
			pieces = append(pieces, *p)
			if p.answered {
				answered++
			}
		}
		if err != nil {
			return pieces, partly(err)
		}
		if answered == enough {
			break
		}
	}
	return pieces, nil
}

// tryAnswer changes an input, and as long as the reference fix fails puts what it got in
// the place of what was expected. Nil if that cannot be read, or does not hold.
func (s *seeker) tryAnswer(base []alteration.Edit, c alteration.Fresh) (*piece, error) {
	const rounds = 5
	p := &piece{Fresh: c, answered: c.Turned}
	for range rounds {
		told, err := s.ask(reference, onto(base, p.Edits))
		if err != nil {
			return nil, err
		}
		if told.holds() {
			return p, nil
		}
		if !told.clear || c.Turned {
			return nil, nil
		}
		more := s.replacements(base, *p, told)
		if len(more) == 0 {
			return nil, nil
		}
		p.Edits = append(slices.Clone(p.Edits), more...)
		p.answered = true
	}
	return nil, nil
}

// replacements are the edits that put what was got in the place of what was wanted: of what
// says the same, the nearest to a line that the failure names.
func (s *seeker) replacements(base []alteration.Edit, p piece, told answer) []alteration.Edit {
	file := p.Edits[0].File
	src, err := alteration.Apply(s.sources[file].After, of(base, file)...)
	if err != nil {
		return nil
	}
	language := alteration.LanguageOf(file)
	var edits []alteration.Edit
	for _, id := range slices.Sorted(maps.Keys(told.failing)) {
		for _, failure := range alteration.ParseGot(language, told.failing[id]) {
			lines := linesNamed(failure.Line, file)
			if len(lines) == 0 {
				lines = linesNamed(told.failing[id], file)
			}
			if e, ok := s.replacement(language, src, p, failure, lines); ok && !overlaps(p.Edits, []alteration.Edit{e}) && !overlaps(edits, []alteration.Edit{e}) {
				edits = append(edits, e)
			}
		}
	}
	return edits
}

func (s *seeker) replacement(l *alteration.Language, src []byte, p piece, failure alteration.Failure, lines []int) (best alteration.Edit, ok bool) {
	nearest := 0
	for _, a := range p.Answers {
		text, fits := alteration.NewAnswer(l, src, a, failure)
		if !fits {
			continue
		}
		e := alteration.Edit{
			File: p.Edits[0].File, Start: a.Start, End: a.End, Old: string(src[a.Start:a.End]), New: text,
			Region: p.Region, Test: p.Test, Row: p.Row, Case: p.Edits[0].Case, Line: lineOfOffset(src, a.Start), EqualityOperand: true,
		}
		if far := distance(e.Line, lines); !ok || far < nearest {
			best, ok, nearest = e, true, far
		}
	}
	return best, ok
}

func lineOfOffset(src []byte, offset int) int {
	n := 1
	for _, b := range src[:offset] {
		if b == '\n' {
			n++
		}
	}
	return n
}

// distance is how many lines a line is from the nearest of some.
func distance(line int, lines []int) int {
	least := 0
	for i, n := range lines {
		if far := max(n-line, line-n); i == 0 || far < least {
			least = far
		}
	}
	return least
}

// linesNamed are the lines of a file that a text names.
func linesNamed(said, file string) []int {
	var lines []int
	for _, m := range place.FindAllStringSubmatch(said, 1000) {
		if n, err := strconv.Atoi(m[2]); err == nil && m[1] == path.Base(file) {
			lines = append(lines, n)
		}
	}
	return lines
}

// of are the edits of one file.
func of(edits []alteration.Edit, file string) []alteration.Edit {
	return slices.DeleteFunc(slices.Clone(edits), func(e alteration.Edit) bool { return e.File != file })
}

// onto makes edits of a version edits of what the version was made of. An edit of a token
// that the version edited takes its place; so does one of a list of such tokens.
func onto(base, more []alteration.Edit) []alteration.Edit {
	if len(base) == 0 {
		return more
	}
	base = slices.Clone(base)
	slices.SortStableFunc(base, func(a, b alteration.Edit) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Start, b.Start))
	})
	gone := make([]bool, len(base))
	var edits []alteration.Edit
	for _, e := range more {
		before, within := 0, 0 // by how much the version is longer
		for i, b := range base {
			if b.File != e.File {
				continue
			}
			switch at := b.Start + before + within; {
			case at+len(b.New) <= e.Start:
				before += len(b.New) - len(b.Old)
			case at < e.End: // what it replaced comes back
				gone[i] = true
				from := at - e.Start - within
				e.Old = e.Old[:from] + b.Old + e.Old[from+len(b.New):]
				within += len(b.New) - len(b.Old)
			}
		}
		e.Start -= before
		e.End = e.Start + len(e.Old)
		edits = append(edits, e)
	}
	for i, b := range base {
		if !gone[i] {
			edits = append(edits, b)
		}
	}
	return edits
}
