package alteration

import (
	"hash/fnv"
	"math/rand/v2"
)

// EditKind says what sort of token an edit changes.
type EditKind uint8

// The kinds of edits.
const (
	StringEdit    EditKind = iota // one character of a string, or of a literal of one character
	NumberEdit                    // one digit, or what one more or one less changes
	RegexEdit                     // one character of a literal regular expression
	ElementEdit                   // an element of a list, dropped or repeated
	ExceptionEdit                 // the exception that is expected
	FlipEdit                      // a boolean, a comparison, a negation, the name of an assertion
	DataEdit                      // one character of a file that tests read, or of expected output in a comment
)

var editNames = [...]string{"string", "number", "regex", "element", "exception", "flip", "data"}

func (k EditKind) String() string { return editNames[k] }

// Edit is a small change of one token of one file.
type Edit struct {
	File       string
	Start, End int // offsets in bytes of what is replaced
	Old, New   string
	Kind       EditKind

	Line   int    // the first that changes, from 1
	Region string // the Path of the innermost region, "" if it stands in none
	Test   bool   // that is a test
	Row    int    // the offset of the row or line that it belongs to: edits are spread over those
	// Case is the name of the row that it stands in, where rows of a table are tests of
	// their own: the parts that the name is made of, with CaseSeparator between.
	Case string `json:",omitempty"`
	Rank int    // 0 is best: the less it looks like an alteration

	// EqualityOperand: the token stands in an assertion of exact equality, on either side. It
	// is expected, not an input, if two edits of it leave what the reference gives unchanged.
	EqualityOperand bool
	// Known: the lines that it changes stand in the image's old tests, so that whoever kept
	// those sees it.
	Known bool
	// Told: what it changes stands in the text of the issue, which everybody has read.
	Told bool `json:",omitempty"`
	// Conspicuous says why it can be told from a token that was always so; "" if nothing
	// is known that tells. Only with Options.Conspicuous are there any that can.
	Conspicuous string
}

// The ranks of edits.
const (
	rankExpected  = iota // strings and numbers in assertions of equality
	rankValue            // and elsewhere
	rankExplained        // with a comment beside, which may say what the value is
	rankAnswer           // a boolean of a column that has the other, too
	rankElement          // elements of lists
	rankException
	rankFlip   // booleans, and comparisons that files have either way
	rankName   // negations, names of assertions
	rankCustom // what every file does the other way: if err == nil { t.Fatal(err) }
)

// Options say how many candidates there are to be, and which.
type Options struct {
	// Seed decides which characters change, and the order among equals. Who knows it and
	// the test knows the edits: it is to be drawn like a key where they are secret.
	Seed uint64
	// PerFile, PerRegion and PerToken are the most that there are of a file, region and
	// token. They default to 600, 60 and 6 (2 for what is expected: a third edit of the
	// same token says nothing more).
	PerFile, PerRegion, PerToken int
	// Old are the lines of the image's old tests.
	Old Lines
	// Issue is the text of the issue that the tests are of.
	Issue string
	// In tells of a region, by its Path, whether FreshCandidates are wanted there. Nil stands
	// for all; the bounds hold for what is wanted.
	In func(region string) bool
	// Conspicuous keeps edits that can be told, for a control that shall hold against
	// runners that pass everything, and nobody else. The bounds hold for them and for the rest,
	// each by itself.
	Conspicuous bool
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		value *int
		def   int
	}{{&o.PerFile, 600}, {&o.PerRegion, 60}, {&o.PerToken, 6}} {
		if *d.value <= 0 {
			*d.value = d.def
		}
	}
	return o
}

// Candidates returns edits of a test file that might make tests fail, the best first, such
// that any first part of them is spread over regions and rows. Files of no known language
// have none. The same options give the same edits.
func Candidates(f File, o Options) []Edit {
	s := newSearch(f, o)
	if s == nil {
		return nil
	}
	for i := range s.toks {
		s.literal(i)
		s.flips(i)
		s.exception(i)
		s.expectedNone(i)
		s.list(i)
	}
	s.outputs()
	return s.chosen()
}

func random(seed uint64, path string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(path))
	return rand.New(rand.NewPCG(seed, h.Sum64())) //nolint:gosec // the same seed gives the same edits; that nobody knows it is the caller's
}

// search collects the edits of one file.
type search struct {
	*file
	o        Options
	rng      *rand.Rand
	purposes map[int]purpose
	lineKeys map[int]string   // by line: its tokens without what is expected
	keyCount map[string]int   // how many lines have a key
	siblings map[int][]string // by region: its strings, for replacements
	names    []string         // exceptions that the file names
	edits    []Edit

	vocabulary map[string]bool // words of the file, once they are asked for
}

// newSearch begins a search of a file; nil if it is of no known language.
func newSearch(f File, o Options) *search {
	l := LanguageOf(f.Path)
	if l == nil {
		return nil
	}
	o = o.withDefaults()
	s := &search{file: newFile(l, f), o: o, rng: random(o.Seed, f.Path)}
	s.prepare()
	return s
}

// chosen are the edits that were found, the best first, as many as there may be.
func (s *search) chosen() []Edit {
	NotIn(s.edits, s.src, s.o.Old)
	NotTold(s.edits, s.o.Issue)
	return spread(s.edits, s.o, s.rng)
}

// prepare finds what every literal is there for.
func (s *search) prepare() {
	s.purposes = map[int]purpose{}
	s.siblings = map[int][]string{}
	for i, tok := range s.toks {
		switch tok.Kind {
		case String, Char, Template, Number, Regex, Keyword:
			if tok.Kind == Keyword && s.constant(i) == "" {
				continue
			}
			p := s.purposeOf(i)
			s.purposes[i] = p
			if tok.Kind == String && p.untouchable == "" {
				r := s.regionOf[i]
				s.siblings[r] = append(s.siblings[r], s.text(i))
			}
		}
	}
	s.keyLines()
	s.nameExceptions()
}

// constant returns what a keyword is replaced by if it is a boolean or nothing, or "".
func (x *file) constant(i int) string {
	l := x.lang
	text := x.text(i)
	switch {
	case text == l.True:
		return l.False
	case text == l.False:
		return l.True
	case len(l.Nulls) == 2 && text == l.Nulls[0]:
		return l.Nulls[1]
	case len(l.Nulls) == 2 && text == l.Nulls[1]:
		return l.Nulls[0]
	case l.Layout == Indents && in(l.Nulls, text):
		return l.False
	}
	return ""
}

// literal adds edits of a string, a number or a regular expression.
func (s *search) literal(i int) {
	p, ok := s.purposes[i]
	tok := s.toks[i]
	if !ok || p.untouchable != "" || tok.Kind == Keyword {
		return
	}
	most := s.o.PerToken
	if p.equality {
		most = min(most, 2)
	}
	kind := StringEdit
	switch tok.Kind {
	case Number:
		kind = NumberEdit
	case Regex:
		kind = RegexEdit
	}
	rank := rankValue
	switch {
	case s.explained(i):
		rank = rankExplained
	case p.equality:
		rank = rankExpected
	}
	for _, text := range s.variants(i) {
		if most == 0 {
			break
		}
		if s.add(i, p, Edit{Start: tok.Start, End: tok.End, New: text, Kind: kind, Rank: rank, EqualityOperand: p.equality}) {
			most--
		}
	}
}

// variants returns what may be put in the place of a literal.
func (s *search) variants(i int) []string {
	if s.toks[i].Kind == Number {
		return s.numbers(s.text(i))
	}
	return s.strings(i)
}

// add completes an edit of a token and keeps it, unless it looks altered.
func (s *search) add(i int, p purpose, e Edit) bool {
	e.Old = s.str[e.Start:e.End]
	if e.Old == e.New {
		return false
	}
	e.Conspicuous = s.looks(i, p, e)
	if e.Conspicuous != "" && !s.o.Conspicuous {
		return false
	}
	e.File = s.path
	e.Line = s.line(firstChange(e)) + 1
	if r := s.regionOf[i]; r >= 0 {
		e.Region, e.Test = s.regions[r].Path, s.regions[r].Kind == Test
	}
	e.Row, e.Case = s.toks[p.row].Start, s.caseOf(p)
	s.edits = append(s.edits, e)
	return true
}

// firstChange returns the offset of the first byte that an edit changes.
func firstChange(e Edit) int {
	n := 0
	for n < len(e.Old)-1 && n < len(e.New) && e.Old[n] == e.New[n] {
		n++
	}
	return e.Start + n
}
