package foreign

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPythonLiterals(t *testing.T) {
	for text, want := range map[string]any{
		`[]`:                        []any{},
		` [ ] `:                     []any{},
		`()`:                        []any{},
		`['a']`:                     []any{"a"},
		`["a", 'b',]`:               []any{"a", "b"},
		`('a',)`:                    []any{"a"},
		`('a')`:                     "a",
		`(['a'])`:                   []any{"a"},
		`['a' "b"` + "\n" + ` 'c']`: []any{"abc"},
		`[['a'], ('b', 'c')]`:       []any{[]any{"a"}, []any{"b", "c"}},
		`['it\'s "x"', "it's \"y\""]`: []any{
			`it's "x"`, `it's "y"`,
		},
		`'\n\t\\\a\x41\u00e9\U0001F600\101\0'`: "\n\t\\\aA\u00e9\U0001F600A\x00",
		`'\d\''`:                               `\d'`,
		`r'\d\''`:                              `\d\'`,
		`u'é'`:                                 "é",
		"'''a\n'b'''":                          "a\n'b",
		"'a\\\nb'":                             "ab",
		`''`:                                   "",
	} {
		got, err := parsePython(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", text, diff)
		}
	}
}

func TestWhatIsNoPythonLiteralIsRefused(t *testing.T) {
	for _, text := range []string{
		``, ` `, `[`, `['a`, `['a'`, `['a' 'b`, `['a',,]`, `[,]`, `['a']]`, `['a'] + ['b']`, `['a')`, `('a']`,
		`1`, `None`, `{}`, `__import__('os').system('true')`, `['a', __import__('os')]`, `f'{1}'`, `b'a'`,
		`'\x4'`, `'\xgg'`, `'\u12'`, `'\U00110000'`, `'\ud800'`, `'\N{BULLET}'`, `'\`, `r'\`, "'a\nb'", `rr'a'`,
		strings.Repeat("[", maxPythonDepth+1) + strings.Repeat("]", maxPythonDepth+1),
	} {
		if got, err := parsePython(text); err == nil {
			t.Errorf("%q is taken for %#v", text, got)
		}
	}
}

// FuzzPythonLiterals: whatever the text, the parser ends without a panic, and what it
// takes for a list of strings it reads again when it is written down again.
func FuzzPythonLiterals(f *testing.F) {
	for _, text := range []string{`['a', "b\n", ('c',)]`, `[[[`, `'\x41\777'`, "'''a'''", `r'\'`, `['a' 'b']`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parsePython(text)
		if err != nil {
			return
		}
		again, err := parsePython(written(v))
		if err != nil {
			t.Fatalf("%q gave %#v, which is written %s: %v", text, v, written(v), err)
		}
		if diff := cmp.Diff(v, again); diff != "" {
			t.Errorf("%q differs when written again:\n%s", text, diff)
		}
	})
}

// written writes a literal as Python would.
func written(v any) string {
	switch v := v.(type) {
	case string:
		return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(v) + "'"
	case []any:
		parts := make([]string, 0, len(v))
		for _, e := range v {
			parts = append(parts, written(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return ""
}
