package alteration

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

func in(list []string, s string) bool { return slices.Contains(list, s) }

// quoted reads a string or a character, or the first piece of a string with code in it.
func (x *lexer) quoted() bool {
	q := x.l.quoteAt(x.rest())
	if q == nil {
		return false
	}
	if q.Char {
		end := charEnd(q, x.src, x.pos+len(q.Open))
		if end < 0 {
			return false
		}
		x.emit(Char, end)
		return true
	}
	x.text(q, x.pos+len(q.Open), String)
	return true
}

// charEnd returns where a literal of one character ends, or -1: a quote alone may be a
// lifetime in Rust, and is nothing in Go.
func charEnd(q *Quote, src []byte, i int) int {
	if i >= len(src) || newline(src[i:]) > 0 {
		return -1
	}
	if src[i] != '\\' {
		_, n := utf8.DecodeRune(src[i:])
		if bytes.HasPrefix(src[i+n:], []byte(q.Close)) && !bytes.HasPrefix(src[i:], []byte(q.Close)) {
			return i + n + len(q.Close)
		}
		return -1
	}
	const longest = 12 // \u{10FFFF}
	for j := i + 2; j < len(src) && j < i+2+longest && newline(src[j:]) == 0; j++ {
		if bytes.HasPrefix(src[j:], []byte(q.Close)) {
			return j + len(q.Close)
		}
	}
	return -1
}

// text reads what a string says from an offset, up to its end or to where code begins in
// it. whole is the kind of the token if the string ends.
func (x *lexer) text(q *Quote, i int, whole TokenKind) {
	for i < len(x.src) {
		tail := x.src[i:]
		switch {
		case q.Escape && tail[0] == '\\':
			i++
			if n := newline(x.src[i:]); n > 0 {
				i += n
			} else if i < len(x.src) {
				i++
			}
		case bytes.HasPrefix(tail, []byte(q.Close)):
			x.emit(whole, i+len(q.Close))
			return
		case q.Subst != "" && bytes.HasPrefix(tail, []byte(q.Subst)):
			if q.Doubled && bytes.HasPrefix(tail[len(q.Subst):], []byte(q.Subst)) {
				i += 2 * len(q.Subst)
				continue
			}
			x.emit(Template, i+len(q.Subst))
			x.holes = append(x.holes, hole{q: q})
			return
		case !q.Lines && newline(tail) > 0:
			x.emit(Unknown, i)
			return
		default:
			i++
		}
	}
	x.emit(Unknown, len(x.src))
}

// hole ends code within a string, or begins its format.
func (x *lexer) hole() bool {
	n := len(x.holes)
	if n == 0 || x.holes[n-1].depth > 0 {
		return false
	}
	h := x.holes[n-1]
	switch b := x.src[x.pos]; {
	case b == '}' && h.format:
		x.holes = x.holes[:n-1]
		x.format(h.q)
	case b == '}':
		x.holes = x.holes[:n-1]
		x.text(h.q, x.pos+1, Template)
	case b == ':' && h.q.Formats:
		x.format(h.q)
	default:
		return false
	}
	return true
}

// format reads how code is formatted, up to the end of its hole, which another token
// begins with, or to code within it.
func (x *lexer) format(q *Quote) {
	i := x.pos + 1
	for i < len(x.src) && x.src[i] != '}' && newline(x.src[i:]) == 0 && !bytes.HasPrefix(x.src[i:], []byte(q.Close)) {
		if x.src[i] == '{' {
			x.emit(Format, i+1)
			x.holes = append(x.holes, hole{q: q, format: true})
			return
		}
		i++
	}
	x.emit(Format, i)
}

// regex reads a literal regular expression where a value may begin.
func (x *lexer) regex() bool {
	if x.l.Regex == nil || x.src[x.pos] != '/' || x.pos < x.noRegex || !x.valueMayBegin() {
		return false
	}
	class := false
	for i := x.pos + 1; i < len(x.src); i++ {
		switch b := x.src[i]; {
		case newline(x.src[i:]) > 0:
			x.noRegex = i
			return false
		case b == '\\' && i+1 < len(x.src) && newline(x.src[i+1:]) == 0:
			i++
		case b == '[':
			class = true
		case b == ']':
			class = false
		case b == '/' && !class:
			for i++; i < len(x.src) && x.l.inName(rune(x.src[i]), true); {
				i++
			}
			x.emit(Regex, i)
			return true
		}
	}
	// To look for an end once more from the next slash would take quadratic time.
	x.noRegex = len(x.src)
	return false
}

// valueMayBegin tells whether the tokens before say that a value is next, not an operator.
func (x *lexer) valueMayBegin() bool {
	if !x.started {
		return true
	}
	text := x.prev.Text(x.src)
	switch x.prev.Kind {
	case Keyword:
		return !in(x.l.Regex.Values, text)
	case Template:
		return text[len(text)-1] == '{'
	case Operator:
		switch text {
		case ")":
			return x.ended
		case "}":
			return x.fresh // rather a block's end than an object that is divided
		case "]", "++", "--":
			return false
		}
		return true
	}
	return false
}
