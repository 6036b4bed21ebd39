// Package alteration finds small edits of tests that might make them fail, and edits of
// their inputs that might make new true tests of them.
//
// It knows source text and nothing else: no sandbox, no sample, no suite. What it gives are
// candidates; whether one is an alteration is found by whoever runs the suites. It reads
// tokens and brackets, not grammars, so that a language is a table, and a mistake costs a
// candidate that compiles nowhere or changes nothing, which running finds out.
//
// Two things are held by all that it does. An edit must not look altered: whoever reads the
// test must not be able to tell it from one that was always so, or a forgery fails it by
// looks and passes the others. And everything is bounded and linear in the size of the
// source, which comes from datasets that nobody here has read.
package alteration

// TokenKind says what a token is.
type TokenKind uint8

// The kinds of tokens.
const (
	Unknown  TokenKind = iota // what the language's table does not know, or a string without an end
	Space                     // spaces and tabs, and a newline that a language lets be escaped
	Newline                   // one line's end
	Comment                   // without its line's end
	String                    // a whole string literal, with its prefix and quotes
	Char                      // a literal of one character, with its quotes
	Template                  // a piece of a string with substitutions: up to where code begins, or from where it ends
	Format                    // how a substitution is to be formatted, from its colon
	Number                    // a number, without sign
	Name                      // an identifier
	Keyword                   // a keyword, or a name that is a boolean or the absence of a value
	Operator                  // operators, brackets and punctuation
	Regex                     // a literal regular expression with its flags
)

var kindNames = [...]string{"unknown", "space", "newline", "comment", "string", "char", "template", "format", "number", "name", "keyword", "operator", "regex"}

func (k TokenKind) String() string { return kindNames[k] }

// Token is a piece of a source. The tokens of a source follow each other without a gap.
type Token struct {
	Kind       TokenKind
	Start, End int // offsets in bytes
}

// Text returns the token's text.
func (t Token) Text(src []byte) string { return string(src[t.Start:t.End]) }

// significant tells whether a token means something to a compiler.
func (t Token) significant() bool { return t.Kind != Space && t.Kind != Newline && t.Kind != Comment }
