package alteration

import (
	"regexp"
	"slices"
	"strings"
)

// strings returns variants of a string, of one character in quotes or of a regular
// expression, the least conspicuous first: a character in the middle becomes another of
// its class, a string of the same test takes its place, a character is dropped or doubled.
// No escape is broken, and a string that says something never becomes empty.
func (s *search) strings(i int) []string {
	tok, text := s.toks[i], s.text(i)
	from, to, ok := inner(s.lang, tok.Kind, text)
	if !ok || from > to || from == to && tok.Kind != String {
		return nil
	}
	if from == to {
		return s.filled(i)
	}
	body := text[from:to]
	free := editable(body)
	if tok.Kind == Regex {
		quantifiers(body, free)
	}
	order := s.fromTheMiddle(body, free)
	var list []string
	put := func(body string) {
		v := text[:from] + body + text[to:]
		if body != "" && v != text && !slices.Contains(list, v) && s.stays(tok.Kind, v) {
			list = append(list, v)
		}
	}
	substitutions := s.substitutions(body, order)
	if tok.Kind == String {
		for _, v := range s.swapped(body) {
			put(v)
		}
	}
	if len(substitutions) > 0 {
		put(substitutions[0])
	}
	if tok.Kind == Regex {
		for _, v := range unquantified(body, free) {
			put(v)
		}
	}
	if tok.Kind == Char || tok.Kind == Regex { // anything else may be none any more
		for _, v := range substitutions {
			put(v)
		}
		return list
	}
	if tok.Kind == String {
		if sibling := s.sibling(i); sibling != "" {
			list = append(list, sibling)
		}
	}
	if len(substitutions) > 1 {
		put(substitutions[1])
	}
	if tok.Kind == Template && text[0] == '}' { // what ends it is not known here
		return list
	}
	// An input often fails by what separates its parts: by the first of them, or the last.
	dropped := 0
	for _, at := range order {
		if dropped < 2 && !alphanumeric(body[at]) && len(body) > 1 && body[at] != ' ' {
			put(body[:at] + body[at+1:])
			dropped++
		}
	}
	for n, at := range order {
		if len(body) < 2 || n > 0 {
			break
		}
		put(body[:at] + body[at+1:])
		put(body[:at+1] + body[at:])
	}
	for _, v := range substitutions {
		if len(list) > 6 {
			break
		}
		put(v)
	}
	return list
}

// swapped is a text of many lines with two that follow each other in the other order: all
// of its lines are such as they were.
func (s *search) swapped(body string) []string {
	lines := strings.SplitAfter(body, "\n")
	const least, most = 4, 1000
	if len(lines) < least || len(lines) > most {
		return nil
	}
	start := s.rng.IntN(len(lines))
	for n := range lines {
		at := (start + n) % len(lines)
		if at == 0 || at+2 >= len(lines) { // the first and the last may be parts
			continue
		}
		one, other := lines[at], lines[at+1]
		if one != other && strings.TrimSpace(one) != "" && strings.TrimSpace(other) != "" && indent(one) == indent(other) {
			return []string{strings.Join(lines[:at], "") + other + one + strings.Join(lines[at+2:], "")}
		}
	}
	return nil
}

// stays tells whether a text is one token of a kind: without the full stop in
// """a "b".""" its quotes would come together.
func (s *search) stays(kind TokenKind, text string) bool {
	if kind == Template && text[0] == '}' {
		return true
	}
	got, ok := one(s.lang, text)
	return ok && got == kind
}

// protected are parts of strings that mean something together: escapes, also of regular
// expressions in raw strings, verbs of formats, and places for values.
var protected = regexp.MustCompile(`\\(?:x[0-9A-Fa-f]{0,2}|u\{[0-9A-Fa-f]*\}|[uU][0-9A-Fa-f]{0,8}|[0-7]{1,3}|[pPN]\{[^}]*\}|k?<\w*>|.|\n)|%[-+# 0-9.*]*(?:\(\w*\))?[a-zA-Z%]|\{\w*\}|\{\{|\}\}|\$\w+`)

// editable tells which bytes of a string may be changed: those of ASCII outside of what
// is protected. %2C is no verb, but half of it is not changed without harm either.
func editable(body string) []bool {
	free := make([]bool, len(body))
	for i := range free {
		free[i] = body[i] > ' ' && body[i] < 0x7f && !strings.ContainsRune("\"'`${}", rune(body[i])) && (i == 0 || body[i-1] != '$')
	}
	for _, m := range protected.FindAllStringIndex(body, -1) {
		for i := m[0]; i < m[1]; i++ {
			free[i] = false
		}
	}
	return free
}

// quantifiers leaves of a regular expression's marks only those that stand for each other
// everywhere. Its first byte stays: /* begins a comment.
func quantifiers(body string, free []bool) {
	for i := range free {
		free[i] = free[i] && i > 0 && (alphanumeric(body[i]) || body[i] == '+' || body[i] == '*')
	}
}

// unquantified are a regular expression's bodies with one quantifier less, the last first:
// the outermost ones stand there, and decide most.
func unquantified(body string, free []bool) []string {
	const most = 3
	var list []string
	for i := len(body) - 1; i > 0 && len(list) < most; i-- {
		if free[i] && !alphanumeric(body[i]) && (i+1 == len(body) || !strings.ContainsRune("+*?{", rune(body[i+1]))) {
			list = append(list, body[:i]+body[i+1:])
		}
	}
	return list
}

// fromTheMiddle returns offsets that may be changed, letters and digits before marks, and
// those near the middle first, as a seed has it.
func (s *search) fromTheMiddle(body string, free []bool) []int {
	const most = 24 // offsets; a long string has more than anybody tries
	step := max(1, len(body)/(4*most))
	var marks, list []int
	start := len(body)/3 + s.rng.IntN(len(body)/3+1)
	for n := 0; n < len(body) && len(list) < most; n += step {
		for _, at := range []int{start + n, start - n} {
			if at < 0 || at >= len(body) || !free[at] || n == 0 && at != start || slices.Contains(list, at) {
				continue
			}
			if alphanumeric(body[at]) {
				list = append(list, at)
			} else if len(marks) < most && !slices.Contains(marks, at) {
				marks = append(marks, at)
			}
		}
	}
	return append(list, marks...)
}

func alphanumeric(b byte) bool { return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z' }

// marks are what marks become: others that stand in the same places.
var marks = map[byte]string{'-': "_", '_': "-", '.': "-", ',': ";", ';': ",", ':': ";", '/': "-", '+': "*", '*': "+", '#': "%", '@': "#", '!': "?", '?': "!", '&': ";", '=': ":", '<': ">", '>': "<", '|': "/", '~': "-", '^': "~"}

// substitutions are bodies with one character changed.
func (s *search) substitutions(body string, order []int) []string {
	hex := hexadecimal.MatchString(body)
	var list []string
	for _, at := range order {
		if c := s.similar(body[at], hex); c != 0 {
			list = append(list, body[:at]+string(c)+body[at+1:])
		}
		if len(list) == 4 {
			break
		}
	}
	if len(order) > 0 && len(list) == 1 { // one place only: two edits of it
		if c := s.similar(body[order[0]], hex); c != 0 {
			list = append(list, body[:order[0]]+string(c)+body[order[0]+1:])
		}
	}
	return list
}

var hexadecimal = regexp.MustCompile(`^(?:[0-9a-f]{8,}|[0-9A-F]{8,})$`)

// similar returns another character of a character's class, or 0.
func (s *search) similar(c byte, hex bool) byte {
	var class string
	switch {
	case c >= '0' && c <= '9':
		class = "123456789"
	case hex:
		class = "abcdef"
	case strings.IndexByte("aeiouAEIOU", c) >= 0:
		class = "aeiou"
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		class = "bcdfghklmnprst"
	default:
		if m := marks[c]; m != "" {
			return m[0]
		}
		return 0
	}
	for {
		if d := class[s.rng.IntN(len(class))]; d != lower(c) {
			if c >= 'A' && c <= 'Z' {
				return d &^ 0x20
			}
			return d
		}
	}
}

// sibling returns another string of the same test that begins or ends as this one does, or
// has the same shape; or "".
func (s *search) sibling(i int) string {
	list := s.siblings[s.regionOf[i]]
	want := shape(s.text(i))
	const tries = 8
	for _, other := range list[:min(tries, len(list))] {
		if other != s.text(i) && related(literalBody(s.text(i)), literalBody(other)) {
			return other
		}
	}
	for range min(tries, len(list)) {
		if other := list[s.rng.IntN(len(list))]; other != s.text(i) && shape(other) == want {
			return other
		}
	}
	return ""
}

// related tells whether one of two texts is the beginning or the end of the other.
func related(a, b string) bool {
	const least = 3 // bytes that they share
	return min(len(a), len(b)) >= least && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a) || strings.HasSuffix(a, b) || strings.HasSuffix(b, a))
}

func literalBody(text string) string { return strings.Trim(text, "\"'`") }

// shape is a string's classes of characters, with runs as one.
func shape(text string) string {
	const longest = 200
	if len(text) > longest {
		return text
	}
	var b strings.Builder
	last := byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c >= '0' && c <= '9':
			c = '9'
		case c >= 'a' && c <= 'z':
			c = 'a'
		case c >= 'A' && c <= 'Z':
			c = 'A'
		}
		if c != last || !alphanumeric(c) {
			b.WriteByte(c)
		}
		last = c
	}
	return b.String()
}
