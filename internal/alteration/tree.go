package alteration

import "sort"

// tree is a source as its significant tokens and the brackets around them. It is no
// grammar: what a bracket is, is guessed from what stands before it.
type tree struct {
	lang  *Language
	src   []byte
	str   string // src, of which texts are parts without a copy
	all   []Token
	toks  []Token // significant
	lines []int   // where lines begin

	kind   []bracketKind // of opening brackets
	up     []int         // the bracket that a token stands in, or -1
	match  []int         // the other bracket of a pair; len(toks) where there is none
	head   []int         // the first token of the statement that a token stands in, within the same brackets
	fresh  []bool        // a line begins before the token
	first  []int         // the first token of the token's line
	spaced []bool        // something insignificant stands before it

	elementsOf map[int][]span
}

// span is a run of significant tokens, [from, to).
type span struct{ from, to int }

type bracketKind uint8

const (
	noBracket bracketKind = iota
	block
	call
	composite // a list, a tuple, an object, the values of a struct
	group
	index // also types: [3]int
	body  // of a type
)

func newTree(l *Language, src []byte, all []Token) *tree {
	t := &tree{lang: l, src: src, str: string(src), all: all, elementsOf: map[int][]span{}}
	t.lines = append(t.lines, 0)
	for i, b := range src {
		if b == '\n' {
			t.lines = append(t.lines, i+1)
		}
	}
	fresh, spaced := true, true
	for _, tok := range all {
		if !tok.significant() {
			fresh, spaced = fresh || tok.Kind == Newline, true
			continue
		}
		t.toks = append(t.toks, tok)
		t.fresh = append(t.fresh, fresh)
		if n := len(t.toks) - 1; fresh {
			t.first = append(t.first, n)
		} else {
			t.first = append(t.first, t.first[n-1])
		}
		t.spaced = append(t.spaced, spaced)
		fresh, spaced = false, false
	}
	t.nest()
	return t
}

func (t *tree) text(i int) string {
	if i < 0 || i >= len(t.toks) {
		return ""
	}
	return t.str[t.toks[i].Start:t.toks[i].End]
}

func (t *tree) is(i int, kind TokenKind) bool {
	return i >= 0 && i < len(t.toks) && t.toks[i].Kind == kind
}

// op tells whether a token is an operator of some text.
func (t *tree) op(i int, text string) bool { return t.is(i, Operator) && t.text(i) == text }

func (t *tree) keyword(i int, text string) bool { return t.is(i, Keyword) && t.text(i) == text }

// line returns the number of the line of an offset, from 0.
func (t *tree) line(offset int) int {
	return sort.Search(len(t.lines), func(i int) bool { return t.lines[i] > offset }) - 1
}

// token returns the index of the first significant token that begins at or after an offset.
func (t *tree) token(offset int) int {
	return sort.Search(len(t.toks), func(i int) bool { return t.toks[i].Start >= offset })
}

// nest pairs brackets and finds statements. A bracket that closes what is not open is
// passed over; one that is not closed reaches to the end of what it stands in.
func (t *tree) nest() {
	n := len(t.toks)
	t.kind, t.up, t.match, t.head = make([]bracketKind, n), make([]int, n), make([]int, n), make([]int, n)
	type frame struct{ opener, head int }
	stack := []frame{{-1, -1}}
	open := map[string]int{}
	closes := map[string]string{")": "(", "]": "[", "}": "{"}
	for i := range t.toks {
		t.match[i] = n
		text := ""
		if t.toks[i].Kind == Operator {
			text = t.text(i)
		}
		if opener, ok := closes[text]; ok && open[opener] > 0 {
			for {
				top := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				name := t.text(top.opener)
				open[name]--
				t.match[top.opener] = i
				if name == opener {
					t.match[i] = top.opener
					break
				}
			}
		}
		top := &stack[len(stack)-1]
		t.up[i] = top.opener
		if top.head < 0 || t.begins(i, top.opener, top.head) {
			top.head = i
		}
		t.head[i] = top.head
		if text == "(" || text == "[" || text == "{" {
			t.kind[i] = t.bracket(i)
			open[text]++
			stack = append(stack, frame{i, -1})
		}
	}
}

// begins tells whether a token begins a statement in the brackets that it stands in.
func (t *tree) begins(i, opener, head int) bool {
	if opener >= 0 && t.kind[opener] != block && t.kind[opener] != body {
		return false
	}
	if t.lang.Layout != Indents && (t.op(i, ")") || t.op(i, "]") || t.op(i, "}")) {
		return false // it ends the statement that its bracket was opened in, also after a block
	}
	if t.op(i-1, ";") && !t.fresh[i] && (t.keyword(head, "if") || t.keyword(head, "for") || t.keyword(head, "switch")) {
		return false // if x := f(); x != y {
	}
	if t.op(i-1, ";") || t.op(i-1, "}") && t.match[i-1] < i && t.kindOf(t.match[i-1]) == block && t.fresh[i] {
		return true
	}
	if t.is(i, Keyword) {
		switch t.text(i) {
		case "assert", "if", "for", "while", "return", "switch", "with":
			return true
		}
	}
	if !t.fresh[i] || i == 0 {
		return false
	}
	if t.lang.Layout == Indents {
		return true
	}
	return !t.continues(i-1) && !t.op(i, ".") && !t.op(i, "?.") && !t.op(i, "&&") && !t.op(i, "||") && !t.op(i, "?")
}

// continues tells whether a statement goes on after a token at a line's end.
func (t *tree) continues(i int) bool {
	if !t.is(i, Operator) {
		return false
	}
	switch t.text(i) {
	case ")", "]", "}", "++", "--", ";":
		return false
	}
	return true
}

func (t *tree) kindOf(i int) bracketKind {
	if i < 0 || i >= len(t.kind) {
		return noBracket
	}
	return t.kind[i]
}

// bracket guesses what an opening bracket begins.
func (t *tree) bracket(i int) bracketKind {
	prev := i - 1
	value := t.is(prev, Name) && t.text(prev) != "of" || t.is(prev, String) || t.op(prev, ")") || t.op(prev, "]") || t.op(prev, "}") && t.lang.Layout == Braces
	switch t.text(i) {
	case "(":
		if value || t.keyword(prev, "super") || t.keyword(prev, "import") && t.lang.Layout == Calls {
			return call
		}
		if t.lang.Layout == Indents {
			return composite
		}
		return group
	case "[":
		if t.lang.Layout == Braces || value && (t.lang.Layout != Calls || !t.fresh[i]) {
			return index
		}
		return composite
	}
	switch t.lang.Layout {
	case Indents:
		return composite
	case Braces:
		return t.goBrace(i)
	}
	if t.is(prev, Operator) {
		switch t.text(prev) {
		case "=>", ")", "{", "}", ";", "]", ">":
			return block
		}
		return composite
	}
	if t.is(prev, Template) || t.keyword(prev, "return") || t.keyword(prev, "yield") || t.keyword(prev, "default") {
		return composite
	}
	return block
}

// goBrace tells a composite literal from a block as gofmt shows it: no space before it,
// unless it stands where an element does.
func (t *tree) goBrace(i int) bracketKind {
	prev := i - 1
	if t.keyword(prev, "struct") || t.keyword(prev, "interface") {
		return body
	}
	if t.op(prev, ",") || t.op(prev, ":") || t.op(prev, "{") && t.kind[prev] == composite {
		return composite
	}
	if !t.spaced[i] && (t.is(prev, Name) || t.op(prev, "]") || t.op(prev, "}")) {
		return composite
	}
	return block
}

// callee returns the name that an argument list is applied to, or -1.
func (t *tree) callee(open int) int {
	i := open - 1
	if t.op(i, "]") && t.lang.Layout == Braces { // type arguments
		i = t.match[i] - 1
	}
	if t.is(i, Name) || t.is(i, Keyword) {
		return i
	}
	if t.lang.Layout == Calls && t.op(i, "]") && t.match[i] == i-2 && t.is(i-1, String) { // t['throws'](...)
		return i - 1
	}
	return -1
}

// called returns the name that an argument list is applied to, or "".
func (t *tree) called(open int) string {
	name := t.callee(open)
	if t.is(name, String) {
		return t.inside(name)
	}
	return t.text(name)
}

// receiver returns what a name is asked of: the name before its dot; "()" after a call;
// "" if there is none.
func (t *tree) receiver(name int) string {
	if name < 2 || !t.op(name-1, ".") && !t.op(name-1, "?.") {
		return ""
	}
	if t.op(name-2, ")") {
		return "()"
	}
	return t.text(name - 2)
}

// elements returns what the commas in brackets divide.
func (t *tree) elements(open int) []span {
	if list, ok := t.elementsOf[open]; ok {
		return list
	}
	var list []span
	from, end := open+1, min(t.match[open], len(t.toks))
	for i := from; i < end; i++ {
		if t.kind[i] != noBracket {
			i = min(t.match[i], end)
			continue
		}
		if t.op(i, ",") {
			list = append(list, span{from, i})
			from = i + 1
		}
	}
	if from < end {
		list = append(list, span{from, end})
	}
	t.elementsOf[open] = list
	return list
}

// element returns the number of the element of its brackets that a token stands in, and
// the element.
func (t *tree) element(open, i int) (int, span) {
	list := t.elements(open)
	n := sort.Search(len(list), func(n int) bool { return list[n].to > i })
	if n == len(list) || list[n].from > i {
		return -1, span{}
	}
	return n, list[n]
}
