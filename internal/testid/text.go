package testid

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Truncated tells whether a name may have lost its end: lists of SWE-bench were made by
// cutting lines at white space, which cuts names in their parameters. Such a name has
// more "[" than "]".
func Truncated(id string) bool { return strings.Count(id, "[") > strings.Count(id, "]") }

// StandsFor tells whether a name that may have lost its end is that of a test: the
// test's own, or what stands before white space in it. "a.py::test[1" stands for
// "a.py::test[1 2]", and not for "a.py::test[10]".
func StandsFor(truncated, id string) bool {
	rest, ok := strings.CutPrefix(id, truncated)
	if !ok || rest == "" {
		return ok
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return unicode.IsSpace(r)
}

// CutParameters cuts a name behind its parameters: brackets, and what they hold, that
// follow a name without a space between them. Without any, all of it is rest; where
// they do not end, nothing is.
func CutParameters(id string) (upTo, rest string) {
	depth := 0
	for i := range len(id) {
		switch {
		case id[i] == '[' && (depth > 0 || i > 0 && id[i-1] != ' '):
			depth++
		case id[i] == ']' && depth > 0:
			if depth--; depth == 0 {
				return id[:i+1], id[i+1:]
			}
		}
	}
	if depth > 0 {
		return id, ""
	}
	return "", id
}

// CutMessage parts "id - message", as pytest's summary writes it. Both may hold " - "
// and brackets. The id ends at the first " - " that stands outside of brackets, or else
// at the first one after a "]", or at the end if that is a "]", or at the first one at all.
func CutMessage(s string) (id, message string) {
	const sep = " - "
	depth, afterBracket, first := 0, -1, -1
	for i := range len(s) {
		switch s[i] {
		case '[':
			depth++
		case ']':
			depth--
		}
		if !strings.HasPrefix(s[i:], sep) {
			continue
		}
		if depth == 0 {
			return s[:i], s[i+len(sep):]
		}
		if first < 0 {
			first = i
		}
		if afterBracket < 0 && i > 0 && s[i-1] == ']' {
			afterBracket = i
		}
	}
	switch {
	case afterBracket >= 0:
		first = afterBracket
	case first < 0, strings.HasSuffix(s, "]"):
		return s, ""
	}
	return s[:first], s[first+len(sep):]
}
