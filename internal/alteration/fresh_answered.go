package alteration

import (
	"slices"
	"strings"
)

// Answer is what a test expects: a literal, or the literals between the brackets of a list.
type Answer struct {
	Start, End int // offsets of what a new answer takes the place of
	Items      []Token
	List       bool
}

// answered changes one input of a scope. Where the scope says what it expects, or where
// tests share it and say so, that is another then, or not.
func (s *search) answered(sc *scope, all []*scope) []Fresh {
	answers := s.answersOf(sc)
	if len(answers) == 0 && sc.region >= 0 && s.regions[sc.region].Kind == Shared {
		for _, test := range all {
			if test.region >= 0 && s.regions[test.region].Kind == Test && len(answers) < mostAnswers {
				answers = append(answers, s.answersOf(test)...)
			}
		}
	}
	rank := 3
	if len(answers) == 0 {
		rank = 4
	}
	var list []Fresh
	for _, i := range sc.literals {
		if p := s.purposes[i]; p.equality || p.key || len(list) >= mostWords {
			continue
		}
		variants := s.inputs(i)
		for n, v := range variants[:min(2, len(variants))] {
			e := s.editOf(i, v)
			f := s.freshOf(sc, i, Fresh{Kind: Answered, Old: e.Old, New: v, Edits: []Edit{e}, Answers: answers, Rank: rank})
			if other := s.probe(i, variants, n); other != "" {
				f.Probe = []Edit{s.editOf(i, other)}
			}
			list = append(list, f)
		}
	}
	return list
}

// inputs are what may stand in the place of an input: an escape that is another, a mark that
// is, and small edits as of any literal. Another string of the test is none: it says nothing
// of what decides.
func (s *search) inputs(i int) []string {
	const most = 2
	marked := s.marked(i)
	var list []string
	for _, v := range slices.Concat(s.otherEscapes(i), s.variants(i), marked[:min(most, len(marked))]) {
		if v != s.text(i) && !in(s.siblings[s.regionOf[i]], v) {
			list = append(list, v)
		}
	}
	if len(list) > 1 && len(marked) > 0 && s.rng.IntN(2) == 0 { // an input often fails by what separates its parts
		list[0], list[len(list)-1] = list[len(list)-1], list[0]
	}
	return list
}

// marked are strings that differ from a string in one mark, which often separates its parts:
// it is another, gone, or there twice.
func (s *search) marked(i int) []string {
	from, to, ok := inner(s.lang, s.toks[i].Kind, s.text(i))
	if !ok || s.toks[i].Kind != String {
		return nil
	}
	text := s.text(i)
	body := text[from:to]
	free := editable(body)
	var list []string
	for at := range body {
		if !free[at] || alphanumeric(body[at]) {
			continue
		}
		for _, v := range []string{marks[body[at]], "", body[at:at+1] + body[at:at+1]} {
			if v != body[at:at+1] && len(list) < mostWords && len(body) > 1 {
				list = append(list, text[:from]+body[:at]+v+body[at+1:]+text[to:])
			}
		}
	}
	s.rng.Shuffle(len(list), func(a, b int) { list[a], list[b] = list[b], list[a] })
	return list
}

// contrary returns what stands in the same column of another row, which expects something
// else; or "".
func (s *search) contrary(i int) string {
	p := s.purposes[i]
	if p.table < 0 || !p.whole {
		return ""
	}
	t := s.tableAt(p.table)
	own, ok := t.at(p.row)
	if !ok || len(t.rows) > mostLiterals {
		return ""
	}
	start := s.rng.IntN(len(t.rows))
	for n := range t.rows {
		other := t.rows[(start+n)%len(t.rows)]
		text := strings.TrimSpace(strings.TrimPrefix(other.cells[p.column], p.column+" : "))
		if kind, one := one(s.lang, text); !one || kind != s.toks[i].Kind || text == s.text(i) {
			continue
		}
		for column, value := range own.cells {
			if column != p.column && (s.expects(column) || outcome.MatchString(column)) && other.cells[column] != value {
				return text
			}
		}
	}
	return ""
}

// otherEscapes returns a string with its first escape of a space replaced by another.
func (s *search) otherEscapes(i int) []string {
	text := s.text(i)
	q := s.lang.quoteAt([]byte(text))
	if !s.is(i, String) || q == nil || !q.Escape || q.Raw {
		return nil
	}
	for at := len(q.Open); at < len(text)-1; at++ {
		if text[at] != '\\' {
			continue
		}
		if other := map[byte]string{'n': `\r`, 'r': `\n`, 't': `\n`}[text[at+1]]; other != "" {
			return []string{text[:at] + other + text[at+2:]}
		}
		at++
	}
	return nil
}

// probe returns what says something quite else than a literal and its nth variant, or "".
func (s *search) probe(i int, variants []string, n int) string {
	if s.is(i, String) {
		if q := s.lang.quoteAt([]byte(s.text(i))); q != nil && len(s.text(i)) > len(q.Open)+len(q.Close) {
			return s.text(i)[:len(q.Open)] + q.Close
		}
	}
	for m := len(variants) - 1; m >= 0; m-- {
		if m != n {
			return variants[m]
		}
	}
	return ""
}

// answersOf are the literals that a scope expects, and the lists that hold nothing else.
func (s *search) answersOf(sc *scope) []Answer {
	var list []Answer
	seen := map[int]bool{}
	for _, i := range sc.equal {
		open := s.up[i]
		if open >= 0 && !seen[open] && s.kind[open] == composite && s.match[open] < len(s.toks) {
			if a, ok := s.listAnswer(open); ok && len(list) < mostAnswers {
				list = append(list, a)
			}
		}
		seen[open] = true
		if len(list) < mostAnswers {
			list = append(list, Answer{Start: s.toks[i].Start, End: s.toks[i].End, Items: []Token{s.toks[i]}})
		}
	}
	return list
}

// listAnswer reads a list of plain literals of one kind.
func (s *search) listAnswer(open int) (Answer, bool) {
	a := Answer{Start: s.toks[open].End, End: s.toks[s.match[open]].Start, List: true}
	for _, e := range s.elements(open) {
		if e.to != e.from+1 || !s.is(e.from, String) && !s.is(e.from, Number) && !s.is(e.from, Char) || s.toks[e.from].Kind != s.toks[s.elements(open)[0].from].Kind {
			return Answer{}, false
		}
		a.Items = append(a.Items, s.toks[e.from])
	}
	return a, len(a.Items) > 0
}

// turned changes one input of a row, and turns what the row expects round: if the change
// decides, it can be only that.
func (s *search) turned(sc *scope) []Fresh {
	if len(sc.booleans) == 0 || sc.row < 0 {
		return nil
	}
	var turns []Edit
	for _, i := range sc.booleans {
		if s.text(i) == s.text(sc.booleans[0]) {
			turns = append(turns, s.editOf(i, s.constant(i)))
		}
	}
	var list []Fresh
	for _, i := range sc.literals {
		if p := s.purposes[i]; p.equality || p.key {
			continue
		}
		variants := s.marked(i)
		if others := s.variants(i); len(others) > 0 {
			variants = append(variants[:min(3, len(variants))], others[0])
		}
		for _, v := range variants {
			edits := append([]Edit{s.editOf(i, v)}, turns...)
			list = append(list, s.freshOf(sc, i, Fresh{Kind: Answered, Old: s.text(i), New: v, Edits: edits, Turned: true, Rank: 3}))
		}
	}
	return list
}

// NewAnswer returns what an answer is to be replaced by, given what a failure says was got
// in its place. It is false if the failure speaks of something else.
func NewAnswer(l *Language, src []byte, a Answer, f Failure) (string, bool) {
	for _, pair := range [][2]string{{f.Want, f.Got}, {f.Got, f.Want}} {
		want, got := Printed{pair[0], f.Raw}, Printed{pair[1], f.Raw}
		if a.List {
			if text, ok := newList(l, src, a, want, got); ok {
				return text, true
			}
			continue
		}
		old := a.Items[0].Text(src)
		if text, ok := Literal(l, want, old); !ok || text != old {
			continue
		}
		if text, ok := Literal(l, got, old); ok && text != old {
			return text, true
		}
	}
	return "", false
}

// newList writes a list that was printed as one of the items of another.
func newList(l *Language, src []byte, a Answer, want, got Printed) (string, bool) {
	wanted, ok := itemsOf(l, want)
	if !ok || len(wanted) != len(a.Items) {
		return "", false
	}
	for i, item := range wanted {
		old := a.Items[i].Text(src)
		if text, ok := Literal(l, item, old); !ok || text != old {
			return "", false
		}
	}
	items, ok := itemsOf(l, got)
	if !ok {
		return "", false
	}
	texts := make([]string, len(items))
	for i, item := range items {
		if texts[i], ok = Literal(l, item, a.Items[0].Text(src)); !ok {
			return "", false
		}
	}
	return strings.Join(texts, ", "), true
}

// itemsOf takes a printed list apart: [1 2], ["a" "b"], []string{"a", "b"}, [ 'a', 'b' ],
// and [a b], whose items are the texts themselves.
func itemsOf(l *Language, p Printed) ([]Printed, bool) {
	text := strings.TrimSpace(p.Text)
	open := strings.IndexAny(text, "[{(")
	if open >= 0 && strings.HasPrefix(text[open:], "[]") && strings.HasSuffix(text, "}") {
		open = strings.IndexByte(text, '{')
	}
	if open < 0 || len(text) < open+2 || !strings.ContainsRune("]})", rune(text[len(text)-1])) || open > 0 && text[len(text)-1] != '}' {
		return nil, false
	}
	inner := text[open+1 : len(text)-1]
	var items []Printed
	minus := ""
	for _, tok := range Lex(l, []byte(inner)) {
		switch part := inner[tok.Start:tok.End]; {
		case !tok.significant(), part == ",":
		case part == "-":
			minus = part
		case tok.Kind == String, tok.Kind == Char, tok.Kind == Number, tok.Kind == Keyword:
			items = append(items, Printed{Text: minus + part})
			minus = ""
		default:
			return rawItems(inner), !strings.ContainsAny(inner, "\"'`[]{}(),")
		}
	}
	return items, true
}

func rawItems(text string) []Printed {
	var items []Printed
	for _, w := range strings.Fields(text) {
		items = append(items, Printed{Text: w, Raw: true})
	}
	return items
}
