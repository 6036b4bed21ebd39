package alteration

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// Language is what there is to know of a language: how its source divides into tokens, and
// how its tests are written. It is data: a language whose strings, comments, numbers and
// regular expressions are of the forms below is added as a table (tables of C, Java and
// Rust stand in the tests). Here-documents and literals with delimiters of the author's
// choice, as in Ruby, PHP and Perl, are not of these forms, and Regions knows two layouts:
// blocks in braces and blocks by indentation.
type Language struct {
	Name       string
	Extensions []string // of file names, with the dot

	LineComments  []string
	BlockComments []BlockComment
	Quotes        []Quote
	Digits        []Base   // the prefixes of numbers of other bases than ten
	NameBytes     string   // what names may hold beside letters, digits and underscores
	Operators     []string // of more than one byte; each other mark of ASCII is one by itself
	Keywords      []string
	True, False   string
	Nulls         []string // the absence of a value
	Continues     bool     // a backslash before a newline makes both space
	Regex         *RegexSyntax

	Layout Layout
	Style  TestStyle

	// Made of the above by compile.
	quotes    [256][]*Quote
	operators [256][]string
	words     map[string]bool
}

// BlockComment is a comment with an end of its own.
type BlockComment struct {
	Open, Close string
	Nests       bool
}

// Quote is one syntax of strings or characters.
type Quote struct {
	Open, Close string // Open with its prefix
	Fold        bool   // Open's letters may be of either case
	Escape      bool   // a backslash takes the next character's meaning
	Raw         bool   // what a backslash escapes stays as it is written
	Lines       bool   // may hold newlines
	Char        bool   // holds one character
	Subst       string // begins code that is put in; "}" ends it
	Doubled     bool   // Subst twice is text
	Formats     bool   // a colon in the code begins how it is formatted
}

// Base is a base of numbers.
type Base struct {
	Prefix string // in lower case; also in upper case
	Digits string
}

// RegexSyntax says where a slash begins a regular expression: anywhere but after a value.
type RegexSyntax struct {
	Values []string // keywords that are values
	Heads  []string // keywords whose parentheses are no values: if (x) /re/
}

// Layout is how blocks are written.
type Layout uint8

// The layouts.
const (
	Braces Layout = iota // functions at the top, known by their names
	Indents
	Calls // braces, and tests are calls that are given functions
)

// languages are all that there are.
var languages = []*Language{golang, python, javascript, typescript}

// LanguageOf returns the language of a file by its name, or nil.
func LanguageOf(name string) *Language {
	ext := strings.ToLower(path.Ext(name))
	for _, l := range languages {
		if slices.Contains(l.Extensions, ext) {
			return l
		}
	}
	return nil
}

// compile makes the tables by which Lex looks things up, the longest first.
func compile(l Language) *Language {
	l.words = map[string]bool{}
	for _, word := range slices.Concat(l.Keywords, l.Nulls, []string{l.True, l.False}) {
		l.words[word] = true
	}
	for i := range l.Quotes {
		q := &l.Quotes[i]
		l.quotes[q.Open[0]] = append(l.quotes[q.Open[0]], q)
		if upper := strings.ToUpper(q.Open)[0]; q.Fold && upper != q.Open[0] {
			l.quotes[upper] = append(l.quotes[upper], q)
		}
	}
	for b := range l.quotes {
		slices.SortStableFunc(l.quotes[b], func(a, b *Quote) int { return cmp.Compare(len(b.Open), len(a.Open)) })
	}
	for _, op := range l.Operators {
		l.operators[op[0]] = append(l.operators[op[0]], op)
	}
	for b := range l.operators {
		slices.SortStableFunc(l.operators[b], func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	}
	return &l
}

// quoteAt returns the syntax of the string that begins a text, or nil.
func (l *Language) quoteAt(text []byte) *Quote {
	if len(text) == 0 {
		return nil
	}
	for _, q := range l.quotes[text[0]] {
		if len(text) < len(q.Open) {
			continue
		}
		if head := string(text[:len(q.Open)]); head == q.Open || q.Fold && strings.EqualFold(head, q.Open) {
			return q
		}
	}
	return nil
}
