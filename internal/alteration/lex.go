package alteration

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lex divides a source into tokens. It is total: the tokens of any bytes whatever make up
// these bytes again. Where a source is not of its language, tokens are Unknown up to the
// end of the line, or of the source where a string of many lines has no end. It takes time
// linear in the source's length.
func Lex(l *Language, src []byte) []Token {
	x := lexer{l: l, src: src, out: make([]Token, 0, len(src)/4+8)}
	for x.pos < len(src) {
		x.next()
	}
	return x.out
}

type lexer struct {
	l     *Language
	src   []byte
	pos   int
	out   []Token
	holes []hole // substitutions that are open, outermost first

	prev    Token // the last significant token
	started bool
	heads   []bool // of each open parenthesis, whether a regular expression may follow its end
	ended   bool   // the last parenthesis that closed was such
	fresh   bool   // a line began since prev
	noRegex int    // up to here, no slash begins a regular expression
}

// hole is code within a string.
type hole struct {
	q      *Quote
	depth  int  // brackets that are open in it
	format bool // it stands in the format of another hole
}

// emit ends a token at an offset.
func (x *lexer) emit(kind TokenKind, end int) {
	t := Token{kind, x.pos, end}
	x.out = append(x.out, t)
	x.pos = end
	if t.significant() {
		x.prev, x.started, x.fresh = t, true, false
	}
	if kind == Newline {
		x.fresh = true
	}
}

func (x *lexer) rest() []byte { return x.src[x.pos:] }

func (x *lexer) has(s string) bool { return len(s) > 0 && bytes.HasPrefix(x.rest(), []byte(s)) }

func (x *lexer) next() {
	if x.hole() || x.blank() || x.comment() || x.quoted() || x.number() || x.word() || x.regex() {
		return
	}
	x.operator()
}

// blank reads newlines and spaces.
func (x *lexer) blank() bool {
	if n := newline(x.rest()); n > 0 {
		x.emit(Newline, x.pos+n)
		return true
	}
	i := x.pos
	for i < len(x.src) {
		if b := x.src[i]; b == ' ' || b == '\t' || b == '\f' || b == '\v' {
			i++
		} else if n := newline(x.src[i+1:]); b == '\\' && x.l.Continues && n > 0 {
			i += 1 + n
		} else {
			break
		}
	}
	if i == x.pos {
		return false
	}
	x.emit(Space, i)
	return true
}

// newline returns the length of the line's end that begins a text, or 0.
func newline(text []byte) int {
	switch {
	case bytes.HasPrefix(text, []byte("\r\n")):
		return 2
	case len(text) > 0 && (text[0] == '\n' || text[0] == '\r'):
		return 1
	}
	return 0
}

func (x *lexer) comment() bool {
	for _, open := range x.l.LineComments {
		if x.has(open) {
			end := bytes.IndexAny(x.rest(), "\r\n")
			if end < 0 {
				end = len(x.rest())
			}
			x.emit(Comment, x.pos+end)
			return true
		}
	}
	for _, c := range x.l.BlockComments {
		if !x.has(c.Open) {
			continue
		}
		depth := 1
		for i := x.pos + len(c.Open); i < len(x.src); i++ {
			switch tail := x.src[i:]; {
			case bytes.HasPrefix(tail, []byte(c.Close)):
				if depth--; depth == 0 {
					x.emit(Comment, i+len(c.Close))
					return true
				}
				i += len(c.Close) - 1
			case c.Nests && bytes.HasPrefix(tail, []byte(c.Open)):
				depth++
				i += len(c.Open) - 1
			}
		}
		x.emit(Unknown, len(x.src))
		return true
	}
	return false
}

// word reads names and keywords. What follows a dot is a name, whatever it says.
func (x *lexer) word() bool {
	i := x.pos
	for i < len(x.src) {
		r, n := utf8.DecodeRune(x.src[i:])
		if !x.l.inName(r, i > x.pos) || r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	if i == x.pos {
		return false
	}
	kind := Name
	if x.l.words[string(x.src[x.pos:i])] && (!x.started || x.src[x.prev.End-1] != '.' || x.prev.Kind != Operator) {
		kind = Keyword
	}
	x.emit(kind, i)
	return true
}

func (l *Language) inName(r rune, later bool) bool {
	if r < utf8.RuneSelf {
		return r == '_' || r|0x20 >= 'a' && r|0x20 <= 'z' || later && r >= '0' && r <= '9' || strings.ContainsRune(l.NameBytes, r)
	}
	return unicode.IsLetter(r) || later && (unicode.IsDigit(r) || unicode.Is(unicode.Mn, r))
}

// number reads digits, a fraction, an exponent and whatever letters follow at once.
func (x *lexer) number() bool {
	at := func(i int) byte {
		if i < len(x.src) {
			return x.src[i]
		}
		return 0
	}
	digit := func(i int) bool { return at(i) >= '0' && at(i) <= '9' }
	if !digit(x.pos) && (at(x.pos) != '.' || !digit(x.pos+1)) {
		return false
	}
	i, hex := x.pos, false
	for _, base := range x.l.Digits {
		if n := len(base.Prefix); len(x.rest()) > n && strings.EqualFold(string(x.rest()[:n]), base.Prefix) {
			i, hex = x.pos+n, true
		}
	}
	dotted := false
	for {
		c := at(i)
		switch {
		case digit(i) || c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z':
			i++
			// The sign of an exponent: of ten's, or of two's where the base is another.
			if sign := at(i); (c|0x20 == 'e' && !hex || c|0x20 == 'p' && hex) && (sign == '+' || sign == '-') && digit(i+1) {
				i++
			}
			continue
		case c == '.' && !dotted && at(i+1) != '.' && !x.l.inName(rune(at(i+1)), false):
			dotted = true
			i++
			continue
		}
		break
	}
	x.emit(Number, i)
	return true
}

// operator reads the longest operator, or one byte or rune.
func (x *lexer) operator() {
	b := x.src[x.pos]
	for _, op := range x.l.operators[b] {
		// a?.5:1 is a condition and a fraction.
		if next := x.pos + len(op); x.has(op) && (op != "?." || next >= len(x.src) || x.src[next] < '0' || x.src[next] > '9') {
			x.emit(Operator, x.pos+len(op))
			return
		}
	}
	if b >= utf8.RuneSelf {
		_, n := utf8.DecodeRune(x.rest())
		x.emit(Unknown, x.pos+n)
		return
	}
	x.bracket(b)
	kind := Operator
	if !strings.ContainsRune("()[]{}.,;:=+-*/%&|^~!<>?@#$", rune(b)) {
		kind = Unknown
	}
	x.emit(kind, x.pos+1)
}

// bracket keeps what later tokens need to know of the brackets that are open.
func (x *lexer) bracket(b byte) {
	if n := len(x.holes); n > 0 {
		switch b {
		case '(', '[', '{':
			x.holes[n-1].depth++
		case ')', ']', '}':
			x.holes[n-1].depth = max(0, x.holes[n-1].depth-1)
		}
	}
	if x.l.Regex == nil {
		return
	}
	switch b {
	case '(':
		x.heads = append(x.heads, x.prev.Kind == Keyword && in(x.l.Regex.Heads, x.prev.Text(x.src)))
	case ')':
		x.ended = false
		if n := len(x.heads); n > 0 {
			x.ended = x.heads[n-1]
			x.heads = x.heads[:n-1]
		}
	}
}
