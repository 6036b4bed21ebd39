package alteration

import "strings"

// inner returns where the text of a literal's token, between its quotes, begins and ends.
func inner(l *Language, kind TokenKind, text string) (from, to int, ok bool) {
	switch kind {
	case String, Char:
		q := l.quoteAt([]byte(text))
		if q == nil || len(text) < len(q.Open)+len(q.Close) {
			return 0, 0, false
		}
		return len(q.Open), len(text) - len(q.Close), true
	case Template:
		from, to = 1, len(text) // after the brace that ends code
		if q := l.quoteAt([]byte(text)); q != nil {
			from = len(q.Open)
			if strings.HasSuffix(text, q.Subst) {
				return from, max(from, to-len(q.Subst)), true
			}
		}
		return from, max(from, to-trailer(l, text)), true
	case Regex:
		to = strings.LastIndexByte(text, '/')
		return 1, to, to >= 1
	}
	return 0, 0, false
}

// trailer returns the length of what ends a later piece of a template: the beginning of
// code, or the string's close.
func trailer(l *Language, text string) int {
	longest := 0
	for i := range l.Quotes {
		q := &l.Quotes[i]
		if q.Subst == "" {
			continue
		}
		for _, end := range []string{q.Subst, q.Close} {
			if strings.HasSuffix(text, end) {
				longest = max(longest, len(end))
			}
		}
	}
	return longest
}
