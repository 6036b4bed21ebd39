package foreign

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxPythonDepth bounds how deep lists lie within lists.
const maxPythonDepth = 32

// parsePython reads a Python literal: a string, or a list or tuple of literals. Lists
// and tuples become []any. SWE-bench Pro stores its lists so, and its own scripts run
// them as code; here nothing is run.
//
// https://docs.python.org/3/reference/lexical_analysis.html#string-and-bytes-literals
func parsePython(text string) (any, error) {
	p := &pythonParser{text: text}
	v, err := p.literal(0)
	if err == nil {
		if p.space(); p.at < len(p.text) {
			err = fmt.Errorf("something follows the literal")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("at byte %d: %w", p.at+1, err)
	}
	return v, nil
}

type pythonParser struct {
	text string
	at   int
}

func (p *pythonParser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n\f", p.text[p.at]) >= 0 {
		p.at++
	}
}

// peek returns the next byte; 0 at the end.
func (p *pythonParser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *pythonParser) literal(depth int) (any, error) {
	p.space()
	switch p.peek() {
	case '[':
		return p.sequence(']', depth)
	case '(':
		return p.sequence(')', depth)
	case '\'', '"', 'r', 'R', 'u', 'U':
		return p.strings()
	case 0:
		return nil, fmt.Errorf("the literal ends too early")
	}
	return nil, fmt.Errorf("%q begins no string, list or tuple", p.peek())
}

// sequence reads a list or tuple whose opening bracket is next.
func (p *pythonParser) sequence(end byte, depth int) (any, error) {
	if depth >= maxPythonDepth {
		return nil, fmt.Errorf("more than %d lists lie within each other", maxPythonDepth)
	}
	p.at++
	elements := []any{}
	comma := true // an element may come
	for {
		p.space()
		switch {
		case p.peek() == end:
			p.at++
			if end == ')' && len(elements) == 1 && !comma {
				return elements[0], nil // brackets around a value, and no tuple
			}
			return elements, nil
		case p.peek() == ',' && !comma:
			p.at++
			comma = true
			continue
		case !comma:
			return nil, fmt.Errorf("want \",\" or %q", end)
		}
		v, err := p.literal(depth + 1)
		if err != nil {
			return nil, err
		}
		elements = append(elements, v)
		comma = false
	}
}

// strings reads a string, or several that stand beside each other and are one.
func (p *pythonParser) strings() (any, error) {
	var b strings.Builder
	for {
		if err := p.one(&b); err != nil {
			return nil, err
		}
		p.space()
		if strings.IndexByte("'\"rRuU", p.peek()) < 0 || p.peek() == 0 {
			return b.String(), nil
		}
	}
}

// one reads a single string, with its prefix.
func (p *pythonParser) one(b *strings.Builder) error {
	raw := false
	if c := p.peek(); c != '\'' && c != '"' {
		raw = c == 'r' || c == 'R'
		p.at++
	}
	quote := p.peek()
	if quote != '\'' && quote != '"' {
		return fmt.Errorf("want a string")
	}
	end := string(quote)
	if triple := strings.Repeat(end, 3); strings.HasPrefix(p.text[p.at:], triple) {
		end = triple
	}
	p.at += len(end)
	for {
		rest := p.text[p.at:]
		switch {
		case rest == "" || rest[0] == '\n' && len(end) == 1:
			return fmt.Errorf("the string does not end")
		case strings.HasPrefix(rest, end):
			p.at += len(end)
			return nil
		case rest[0] != '\\':
			b.WriteByte(rest[0])
			p.at++
		case len(rest) == 1:
			return fmt.Errorf("the string does not end")
		case raw:
			b.WriteString(rest[:2])
			p.at += 2
		default:
			if err := p.escape(b); err != nil {
				return err
			}
		}
	}
}

// simpleEscapes are the escapes of one letter.
var simpleEscapes = map[byte]string{
	'\n': "", '\\': "\\", '\'': "'", '"': "\"", 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
}

// escape reads an escape of which the backslash is next and not the last byte.
func (p *pythonParser) escape(b *strings.Builder) error {
	letter := p.text[p.at+1]
	if s, ok := simpleEscapes[letter]; ok {
		b.WriteString(s)
		p.at += 2
		return nil
	}
	switch letter {
	case 'x':
		return p.codePoint(b, 2, 2, 16)
	case 'u':
		return p.codePoint(b, 2, 4, 16)
	case 'U':
		return p.codePoint(b, 2, 8, 16)
	case '0', '1', '2', '3', '4', '5', '6', '7':
		digits := 1
		for digits < 3 && p.at+1+digits < len(p.text) && p.text[p.at+1+digits]-'0' < 8 {
			digits++
		}
		return p.codePoint(b, 1, digits, 8)
	case 'N':
		return fmt.Errorf("characters by name (\\N{...}) are not read")
	}
	b.WriteByte('\\') // an unknown escape stands for itself
	p.at++
	return nil
}

// codePoint reads an escape of skip bytes before its digits.
func (p *pythonParser) codePoint(b *strings.Builder, skip, digits, base int) error {
	from := p.at + skip
	if from+digits > len(p.text) {
		return fmt.Errorf("the string does not end")
	}
	n, err := strconv.ParseUint(p.text[from:from+digits], base, 32)
	if err != nil || !utf8.ValidRune(rune(n)) {
		return fmt.Errorf("%q is no character", p.text[p.at:from+digits])
	}
	b.WriteRune(rune(n))
	p.at = from + digits
	return nil
}
