package alteration

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Literal writes a value, as a failure printed it, as a literal of the kind and in the
// quotes of another. It is false if that cannot be done in one token (a number may have a
// sign before it), or if like is no literal.
func Literal(l *Language, got Printed, like string) (string, bool) {
	kind, ok := one(l, like)
	if !ok || len(got.Text) > longestValue {
		return "", false
	}
	switch kind {
	case String, Char:
		text, ok := l.value(got)
		if !ok || kind == Char && utf8.RuneCountInString(text) != 1 {
			return "", false
		}
		return l.quote(text, like, kind)
	case Number:
		digits := strings.TrimPrefix(got.Text, "-")
		if kind, ok := one(l, digits); ok && kind == Number {
			return got.Text, true
		}
	case Keyword:
		if got.Text == l.True || got.Text == l.False || in(l.Nulls, got.Text) {
			return got.Text, true
		}
	}
	return "", false
}

// Printed is one side of a Failure.
type Printed struct {
	Text string
	Raw  bool // as in Failure
}

// one returns the kind of the only token of a text.
func one(l *Language, text string) (TokenKind, bool) {
	if tokens := Lex(l, []byte(text)); len(tokens) == 1 {
		return tokens[0].Kind, true
	}
	return Unknown, false
}

// value reads a printed string: one in quotes, or the text itself.
func (l *Language) value(got Printed) (string, bool) {
	if kind, ok := one(l, got.Text); got.Raw || !ok || kind != String {
		return got.Text, true
	}
	q := l.quoteAt([]byte(got.Text))
	body := got.Text[len(q.Open) : len(got.Text)-len(q.Close)]
	if q.Subst != "" {
		return "", false
	}
	if !q.Escape || q.Raw {
		return body, true
	}
	return unescape(body, l.bytewise(q))
}

// bytewise tells whether \xff in a string is a byte, not a character.
func (l *Language) bytewise(q *Quote) bool {
	return l.Layout == Braces || strings.ContainsAny(strings.TrimRight(q.Open, "\"'"), "bB")
}

// simple are escapes of one letter.
var simple = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'a': 7, 'b': 8, 'f': 12, 'v': 11, '\\': '\\', '\'': '\'', '"': '"', '`': '`', '/': '/', '\n': 0}

// unescape reads the escapes that the languages share. It is false at one that it does not
// know.
func unescape(s string, bytewise bool) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		if i == len(s) {
			return "", false
		}
		if c, ok := simple[s[i]]; ok {
			if c != 0 {
				b.WriteByte(c)
			}
			continue
		}
		n, size := escaped(s[i:])
		if size == 0 {
			return "", false
		}
		if bytewise && (s[i] == 'x' || s[i] <= '9') {
			b.WriteByte(byte(n))
		} else {
			b.WriteRune(n)
		}
		i += size - 1
	}
	return b.String(), true
}

// escaped reads what follows a backslash as a number: xHH, uHHHH, u{H}, UHHHHHHHH, octal.
func escaped(s string) (r rune, size int) {
	var digits string
	base := 16
	width := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[0]]
	switch {
	case strings.HasPrefix(s, "u{"):
		end := strings.IndexByte(s, '}')
		if end < 0 {
			return 0, 0
		}
		digits, size = s[2:end], end+1
	case width > 0:
		if len(s) <= width {
			return 0, 0
		}
		digits, size = s[1:1+width], 1+width
	default:
		for size < 3 && size < len(s) && s[size] >= '0' && s[size] <= '7' {
			size++
		}
		digits, base = s[:size], 8
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n > utf8.MaxRune {
		return 0, 0
	}
	return rune(n), size
}

// quote writes a text in the quotes of another literal.
func (l *Language) quote(text, like string, kind TokenKind) (string, bool) {
	q := l.quoteAt([]byte(like))
	if q == nil || q.Subst != "" && strings.Contains(text, q.Subst) {
		return "", false
	}
	open := like[:len(q.Open)] // in its own case
	if !q.Escape || q.Raw {
		literal := open + text + q.Close
		if strings.Contains(text, q.Close) || strings.ContainsAny(text, "\\\r") && q.Escape || !q.Lines && strings.ContainsAny(text, "\r\n") {
			return "", false
		}
		got, ok := one(l, literal)
		return literal, ok && got == kind
	}
	var b strings.Builder
	b.WriteString(open)
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			if !l.bytewise(q) {
				return "", false
			}
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case r >= utf8.RuneSelf && l.bytewise(q) && l.Layout == Indents: // bytes are ASCII
			for _, c := range []byte(text[i : i+n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		default:
			b.WriteString(escape(r, q))
		}
		i += n
	}
	b.WriteString(q.Close)
	got, ok := one(l, b.String())
	return b.String(), ok && got == kind
}

// escape writes a character for quotes.
func escape(r rune, q *Quote) string {
	switch {
	case r == '\\', r == rune(q.Close[0]):
		return `\` + string(r)
	case r == '\n':
		return `\n`
	case r == '\t':
		return `\t`
	case r == '\r':
		return `\r`
	case r < ' ' || r == 0x7f:
		return fmt.Sprintf(`\x%02x`, r)
	}
	return string(r)
}
