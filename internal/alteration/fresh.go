package alteration

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// FreshKind says how a fresh truth comes to its expected value.
type FreshKind uint8

// The kinds of fresh truths.
const (
	// Consistent: one word or number is another in every literal of a row or test, so that
	// the expected value moves along. It is true if the reference passes it.
	Consistent FreshKind = iota
	// Answered: one input is another. What the failure of the reference says it got goes
	// in the place of what was expected.
	Answered
)

func (k FreshKind) String() string { return [...]string{"consistent", "answered"}[k] }

// Fresh is an edit that might make a true test which nobody has seen.
type Fresh struct {
	Kind   FreshKind
	Region string // as in Edit
	Test   bool
	Row    int
	Scope  int    // the offset of the row, or of the test, whose literals belong together
	Column string // of a table, in which the first of its edits stands; what decides in one row does in others
	Old    string // the word or number that is replaced; the literal of an Answered one
	New    string
	Edits  []Edit // to be made together
	// Probe are other edits of the same literals, which do not fit each other. If nobody says
	// anything else with them, nothing depends on what the literals say.
	Probe []Edit
	// Answers are what an Answered one's failure may speak of: the literals, and lists of
	// them, of its row or test that stand in assertions of equality.
	Answers []Answer
	// Turned: Edits hold the answer already, which is a boolean and can be one thing only.
	Turned bool
	Rank   int // 0 is best
}

// scope is a row or a test: the literals that an input and its answer are among.
type scope struct {
	region   int
	row      int // its first token; -1 for a whole region
	literals []int
	equal    []int // of those, which stand in assertions of equality
	booleans []int // that a row expects
	names    []int // of properties, which strings may name, too
}

// The most that a fresh truth is made of, and has answers for.
const (
	mostLiterals = 256
	mostAnswers  = 32
	mostWords    = 64
)

// FreshCandidates returns edits of a test file that might make fresh truths, the best
// first. They need not look like anything, but names of tests stay as they are. At most
// PerFile are returned, and PerRegion of a region.
func FreshCandidates(f File, o Options) []Fresh {
	s := newSearch(f, o)
	if s == nil {
		return nil
	}
	var list []Fresh
	scopes := s.scopes()
	for _, sc := range scopes {
		if o.In != nil && (sc.region < 0 || !o.In(s.regions[sc.region].Path)) {
			continue
		}
		list = append(list, s.consistent(sc)...)
		list = append(list, s.answered(sc, scopes)...)
		list = append(list, s.turned(sc)...)
	}
	s.rng.Shuffle(len(list), func(a, b int) { list[a], list[b] = list[b], list[a] })
	slices.SortStableFunc(list, func(a, b Fresh) int { return cmp.Compare(a.Rank, b.Rank) })
	return bounded(list, s.o)
}

// bounded takes as many as there may be, each row once before any twice.
func bounded(list []Fresh, o Options) []Fresh {
	type key struct {
		row, rank int
	}
	turns, taken := map[key]int{}, map[string]int{}
	turn := make(map[*Fresh]int, len(list))
	sorted := make([]*Fresh, len(list))
	for i := range list {
		sorted[i] = &list[i]
		k := key{list[i].Row, list[i].Rank}
		turns[k]++
		turn[sorted[i]] = turns[k]
	}
	slices.SortStableFunc(sorted, func(a, b *Fresh) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(turn[a], turn[b]))
	})
	var out []Fresh
	for _, f := range sorted {
		if len(out) < o.PerFile && taken[f.Region] < o.PerRegion {
			taken[f.Region]++
			out = append(out, *f)
		}
	}
	return out
}

// scopes gathers the literals that may change by rows, and by regions where there are none.
func (s *search) scopes() []*scope {
	type key struct{ region, row int }
	found := map[key]*scope{}
	var list []*scope
	of := func(i int, p purpose) *scope {
		k := key{s.regionOf[i], -1}
		if p.table >= 0 {
			k.row = p.row
		}
		sc := found[k]
		if sc == nil {
			sc = &scope{region: k.region, row: k.row}
			found[k] = sc
			list = append(list, sc)
		}
		return sc
	}
	for i, tok := range s.toks {
		if s.property(i) {
			if sc := of(i, s.purposeOf(i)); len(sc.names) < mostLiterals {
				sc.names = append(sc.names, i)
			}
			continue
		}
		p, ok := s.purposes[i]
		if !ok || p.untouchable != "" {
			continue
		}
		sc := of(i, p)
		if len(sc.literals) == mostLiterals {
			continue
		}
		if tok.Kind == Keyword {
			if p.whole && (s.expects(p.column) || outcome.MatchString(p.column)) && (s.text(i) == s.lang.True || s.text(i) == s.lang.False) {
				sc.booleans = append(sc.booleans, i)
			}
			continue
		}
		sc.literals = append(sc.literals, i)
		if p.equality {
			sc.equal = append(sc.equal, i)
		}
	}
	return list
}

// property tells whether a token names a property, which a string may name as well.
func (s *search) property(i int) bool {
	if s.lang.Layout != Calls || !s.is(i, Name) || s.op(i+1, "(") {
		return false
	}
	return s.op(i-1, ".") || s.op(i-1, "?.") || s.op(i+1, ":") && s.kindOf(s.up[i]) == composite
}

// word is what is replaced as one: letters of one case or a capital before them, or digits.
var word = regexp.MustCompile(`[A-Z]?[a-z]+|[A-Z]+|[0-9]+`)

// consistent replaces each word of a scope wherever it stands in it.
func (s *search) consistent(sc *scope) []Fresh {
	places := map[string][]int{} // words, with the literals that hold them
	var order []string
	for _, i := range sc.literals {
		body, _ := s.body(i)
		for _, m := range word.FindAllStringIndex(body, -1) {
			w := body[m[0]:m[1]]
			if has := places[w]; has == nil && len(order) < mostWords {
				order = append(order, w)
				places[w] = []int{i}
			} else if has != nil && has[len(has)-1] != i {
				places[w] = append(has, i)
			}
		}
	}
	for _, i := range sc.names {
		if has := places[s.text(i)]; has != nil {
			places[s.text(i)] = append(has, i)
		}
	}
	var list []Fresh
	for _, w := range order {
		for _, fresh := range s.others(w) {
			f := s.freshOf(sc, places[w][0], Fresh{Kind: Consistent, Old: w, New: fresh})
			f.Edits = s.replaced(places[w], w, func() string { return fresh })
			if len(f.Edits) == 0 {
				break
			}
			f.Probe = s.replaced(places[w], w, func() string { return s.another(w) })
			if contrary := s.contrary(places[w][0]); contrary != "" && len(places[w]) == 1 {
				f.Probe = []Edit{s.editOf(places[w][0], contrary)}
			}
			f.Rank = s.consistentRank(places[w])
			list = append(list, f)
		}
	}
	return list
}

// others returns words that may stand in the place of another: two that have nothing of it,
// and of a long number one that is nearly as large, which bounds may demand.
func (s *search) others(w string) []string {
	var list []string
	for range 2 {
		if fresh := s.another(w); fresh != "" {
			list = append(list, fresh)
		}
	}
	const long = 6
	if len(w) >= long && w[0] >= '0' && w[0] <= '9' {
		if fresh := s.another(w[len(w)/2:]); fresh != "" {
			list = append(list, w[:len(w)/2]+fresh)
		}
	}
	return list
}

// consistentRank prefers words that stand in an input and in what is expected of it.
func (s *search) consistentRank(literals []int) int {
	inputs, answers := 0, 0
	for _, i := range literals {
		if s.purposes[i].equality {
			answers++
		} else {
			inputs++
		}
	}
	switch {
	case inputs > 0 && answers > 0:
		return 0
	case len(literals) > 1:
		return 1
	}
	return 2
}

// freshOf fills in where a literal stands.
func (s *search) freshOf(sc *scope, i int, f Fresh) Fresh {
	if sc.region >= 0 {
		f.Region, f.Test, f.Scope = s.regions[sc.region].Path, s.regions[sc.region].Kind == Test, s.regions[sc.region].Start
	}
	if sc.row >= 0 {
		f.Scope = s.toks[sc.row].Start
	}
	p := s.purposes[i]
	f.Row = s.toks[p.row].Start
	if p.table >= 0 {
		f.Column = strconv.Itoa(s.toks[p.table].Start) + " " + p.column
	}
	return f
}

// body returns what a literal says, and how long what comes before it is.
func (s *search) body(i int) (string, int) {
	text := s.text(i)
	if s.toks[i].Kind == Number || s.toks[i].Kind == Name {
		return text, 0
	}
	from, to, ok := inner(s.lang, s.toks[i].Kind, text)
	if !ok {
		return "", 0
	}
	return text[from:to], from
}

// replaced makes the edits that put words in the place of another in literals, in each of
// them what is drawn for it.
func (s *search) replaced(literals []int, old string, draw func() string) []Edit {
	var edits []Edit
	for _, i := range literals {
		fresh := draw()
		text := s.text(i)
		body, from := s.body(i)
		free := editable(body)
		var b strings.Builder
		at := 0
		for _, m := range word.FindAllStringIndex(body, -1) {
			if body[m[0]:m[1]] != old {
				continue
			}
			if slices.Contains(free[m[0]:m[1]], false) {
				return nil // a part of an escape, say: the others cannot move alone
			}
			b.WriteString(body[at:m[0]])
			b.WriteString(fresh)
			at = m[1]
		}
		b.WriteString(body[at:])
		edits = append(edits, s.editOf(i, text[:from]+b.String()+text[from+len(body):]))
	}
	return edits
}

// editOf puts another text in the place of a token.
func (s *search) editOf(i int, text string) Edit {
	tok, p := s.toks[i], s.purposes[i]
	e := Edit{File: s.path, Start: tok.Start, End: tok.End, Old: s.text(i), New: text, Kind: StringEdit, EqualityOperand: p.equality}
	switch tok.Kind {
	case Number:
		e.Kind = NumberEdit
	case Regex:
		e.Kind = RegexEdit
	case Keyword:
		e.Kind = FlipEdit
	}
	e.Line, e.Row = s.line(firstChange(e))+1, tok.Start
	if r := s.regionOf[i]; r >= 0 {
		e.Region, e.Test = s.regions[r].Path, s.regions[r].Kind == Test
	}
	if tok.Kind != Name {
		e.Row, e.Case = s.toks[p.row].Start, s.caseOf(p)
	}
	return e
}

// another returns a word of the same form that the file does not hold, or "". It shares
// no more letters with the old one than chance has it: what is nearest to a known input
// shall not be the input that it was made of.
func (s *search) another(old string) string {
	const tries = 8
	for range tries {
		b := []byte(old)
		for i := range b {
			b[i] = s.similar(b[i], false)
		}
		fresh := string(b)
		if old[0] >= '0' && old[0] <= '9' && len(old) < 3 {
			return fresh // short numbers are everywhere
		}
		if !s.wordsOf()[fresh] {
			return fresh
		}
	}
	return ""
}

// wordsOf returns the words that the file holds.
func (s *search) wordsOf() map[string]bool {
	if s.vocabulary == nil {
		s.vocabulary = map[string]bool{}
		for _, w := range word.FindAllString(s.str, -1) {
			s.vocabulary[w] = true
		}
	}
	return s.vocabulary
}

// ReplaceWord puts a word in the place of another wherever it stands in a text.
func ReplaceWord(text, old, fresh string) string {
	return word.ReplaceAllStringFunc(text, func(w string) string {
		if w == old {
			return fresh
		}
		return w
	})
}

// HasWord tells whether a text has a word.
func HasWord(text, w string) bool { return slices.Contains(word.FindAllString(text, -1), w) }
