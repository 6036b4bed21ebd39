package alteration

import (
	"fmt"
	"strings"
	"testing"
)

// Tables of languages that are not there yet, to hold the claim that one is added as a
// table: how strings, characters, comments and numbers are read is all that they say.
var (
	c = compile(Language{
		LineComments:  []string{"//"},
		BlockComments: []BlockComment{{Open: "/*", Close: "*/"}},
		Quotes:        []Quote{{Open: `"`, Close: `"`, Escape: true}, {Open: `L"`, Close: `"`, Escape: true}, {Open: "'", Close: "'", Escape: true, Char: true}},
		Digits:        []Base{{"0x", "0123456789abcdef"}},
		Operators:     words("-> == != <= >= && || ++ --"),
		Keywords:      words("if int return"),
		Continues:     true,
	})
	java = compile(Language{
		LineComments:  []string{"//"},
		BlockComments: []BlockComment{{Open: "/*", Close: "*/"}},
		Quotes:        []Quote{{Open: `"""`, Close: `"""`, Escape: true, Lines: true}, {Open: `"`, Close: `"`, Escape: true}, {Open: "'", Close: "'", Escape: true, Char: true}},
		NameBytes:     "$",
		Operators:     words("-> :: == != <= >= && ||"),
		True:          "true", False: "false", Nulls: []string{"null"},
	})
	rust = compile(Language{
		LineComments:  []string{"//"},
		BlockComments: []BlockComment{{Open: "/*", Close: "*/", Nests: true}},
		Quotes: []Quote{
			{Open: `"`, Close: `"`, Escape: true, Lines: true}, {Open: `b"`, Close: `"`, Escape: true, Lines: true},
			{Open: `r"`, Close: `"`, Raw: true, Lines: true}, {Open: `r#"`, Close: `"#`, Raw: true, Lines: true}, {Open: `r##"`, Close: `"##`, Raw: true, Lines: true},
			{Open: "'", Close: "'", Escape: true, Char: true}, {Open: "b'", Close: "'", Escape: true, Char: true},
		},
		Operators: words("-> => :: == != <= >= && || .. ..="),
		Keywords:  words("fn let"),
		True:      "true", False: "false",
	})
)

func TestALanguageIsATable(t *testing.T) {
	for _, tc := range []struct {
		l         *Language
		src, want string
	}{
		{c, `if (x->y == L"a\"" && c != '\'') /* " */ return 0x1FUL;`, `keyword if|operator (|name x|operator ->|name y|operator ==|string L"a\""|operator &&|name c|operator !=|char '\''|operator )|comment /* " */|keyword return|number 0x1FUL|operator ;`},
		{java, "assertEquals(\"\"\"\n a \"b\"\n \"\"\", f('x'), 10_000L); // done", "name assertEquals|operator (|string \"\"\"\n a \"b\"\n \"\"\"|operator ,|name f|operator (|char 'x'|operator )|operator ,|number 10_000L|operator )|operator ;|comment // done"},
		{rust, `/* a /* b */ c */ fn f<'a>(x: &'a str) { r#"a"b"# 'x' b'\n' 1..2u8 }`, `comment /* a /* b */ c */|keyword fn|name f|operator <|unknown '|name a|operator >|operator (|name x|operator :|operator &|unknown '|name a|name str|operator )|operator {|string r#"a"b"#|char 'x'|char b'\n'|number 1|operator ..|number 2u8|operator }`},
	} {
		var out []string
		for _, tok := range Lex(tc.l, []byte(tc.src)) {
			if tok.Kind != Space && tok.Kind != Newline {
				out = append(out, fmt.Sprintf("%s %s", tok.Kind, tok.Text([]byte(tc.src))))
			}
		}
		if got := strings.Join(out, "|"); got != tc.want {
			t.Errorf("%s\n got %s\nwant %s", tc.src, got, tc.want)
		}
	}
}
