package alteration_test

import (
	"reflect"
	"strings"
	"testing"

	"assay/internal/alteration"
)

func TestParseGot(t *testing.T) {
	for _, tc := range []struct {
		name, path, output string
		want               []alteration.Failure
	}{
		{"pytest", "a.py", "    def test_a():\n>       assert f('a') == 'c'\nE       AssertionError: assert 'b' == 'c'\nE         \nE         - c\nE         + b\n",
			[]alteration.Failure{{Got: "'b'", Want: "'c'"}}},
		{"pytest with a call", "a.py", "E       assert [1, 'a == b'] == [1]\nE        +  where [1] = f()\n", []alteration.Failure{{Got: "[1, 'a == b']", Want: "[1]"}}},
		{"pytest, cut", "a.py", "E       AssertionError: assert 'aaaa...bbbb' == 'aaaa...cccc'\nE         \nE         - aaaa and cccc\nE         + aaaa and bbbb\n",
			[]alteration.Failure{{Got: "aaaa and bbbb", Want: "aaaa and cccc", Raw: true}}},
		{"unittest", "a.py", "AssertionError: {'a': 1} != {'a': 2}\n", []alteration.Failure{{Got: "{'a': 1}", Want: "{'a': 2}"}}},
		{"did not raise", "a.py", "E       Failed: DID NOT RAISE <class 'ValueError'>\n", nil},
		{"got, want", "a.go", `    a_test.go:12: Parse("a, b"): got "x", want "y"` + "\n", []alteration.Failure{{Got: `"x"`, Want: `"y"`}}},
		{"is, want", "a.go", `    a_test.go:12: Parse("a") = 12, want 13`, []alteration.Failure{{Got: "12", Want: "13"}}},
		{"expected, got", "a.go", "    a_test.go:12: expected [a b], got [a]", []alteration.Failure{{Got: "[a]", Want: "[a b]"}}},
		{"expected but got", "a.go", "    a_test.go:12: expected: 3 but got: 4", []alteration.Failure{{Got: "4", Want: "3"}}},
		{"got: want:", "a.go", "    a_test.go:9: wrong keys got: [1 2], want: [2 1] ", []alteration.Failure{{Got: "[1 2]", Want: "[2 1]"}}},
		{"testify", "a.go", "        \tError:      \tNot equal: \n        \t            \texpected: \"a\"\n        \t            \tactual  : \"b\"\n", []alteration.Failure{{Got: `"b"`, Want: `"a"`}}},
		{"tape", "a.js", "not ok 2 should be equal\n  ---\n    operator: equal\n    expected: |-\n      'a=c'\n    actual: |-\n      'a=d'\n    at: x\n  ...\n", []alteration.Failure{{Got: "'a=d'", Want: "'a=c'"}}},
		{"node's TAP", "a.js", "  error: 'Expected values'\n  expected: 'a'\n  actual: 'b'\n  operator: 'strictEqual'\n", []alteration.Failure{{Got: "'b'", Want: "'a'"}}},
		{"node", "a.js", "AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:\n\n1 !== 2\n\n    at x {\n  actual: 1,\n  expected: 2,\n", []alteration.Failure{{Got: "1", Want: "2"}}},
		{"node's difference", "a.js", "Expected values to be strictly equal:\n+ actual - expected\n\n+ 'left'\n- 'right'\n", []alteration.Failure{{Got: "'left'", Want: "'right'"}}},
		{"mocha", "a.js", "      AssertionError: x\n      + expected - actual\n\n      -left\n      +right\n      \n", []alteration.Failure{{Got: "left", Want: "right", Raw: true}}},
		{"chai", "a.js", "AssertionError: expected 'a' to equal 'b'\n", []alteration.Failure{{Got: "'a'", Want: "'b'"}}},
		{"jest", "a.ts", "    expect(received).toBe(expected)\n\n    Expected: \x1b[32m\"b\"\x1b[39m\n    Received: \x1b[31m\"a\"\x1b[39m\n", []alteration.Failure{{Got: `"a"`, Want: `"b"`}}},
	} {
		got := alteration.ParseGot(alteration.LanguageOf(tc.path), tc.output)
		for i := range got {
			got[i].Line = ""
		}
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tc.name, got, tc.want)
		}
	}
}

func TestLiteral(t *testing.T) {
	for _, tc := range []struct{ path, got, like, want string }{
		{"a.py", "'it\\'s'", `"x"`, `"it's"`},
		{"a.py", `'say "x"\n'`, `"x"`, `"say \"x\"\n"`},
		{"a.py", `b'\xff\x00a'`, `b"x"`, `b"\xff\x00a"`},
		{"a.py", "plain text", `'x'`, `'plain text'`},
		{"a.py", `'a\\d'`, `r"x"`, ""}, // a backslash in a raw string may take the quote
		{"a.py", `'abc'`, `r"x"`, `r"abc"`},
		{"a.py", "-12", "7", "-12"},
		{"a.py", "12 apples", "7", ""},
		{"a.py", "True", "False", "True"},
		{"a.py", "maybe", "False", ""},
		{"a.go", `"a\tb"`, "`x`", "`a\tb`"},
		{"a.go", "\"a`b\"", "`x`", ""},
		{"a.go", `"\u00e9\""`, `"x"`, `"é\""`},
		{"a.go", "é", "'x'", "'é'"},
		{"a.go", "ab", "'x'", ""},
		{"a.go", "0x1f", "12", "0x1f"},
		{"a.js", "'a\\x41\\u{42}'", "`x`", "`aAB`"},
		{"a.js", "'a${b}'", "`x`", ""},
		{"a.js", "\"a'b\"", "'x'", `'a\'b'`},
		{"a.js", "null", "undefined", "null"},
		{"a.js", "'x'", "a + b", ""},
	} {
		got, ok := alteration.Literal(alteration.LanguageOf(tc.path), alteration.Printed{Text: tc.got}, tc.like)
		if ok != (tc.want != "") || got != tc.want {
			t.Errorf("%s: %s like %s: %s, %v", tc.path, tc.got, tc.like, got, ok)
		}
	}
	if got, _ := alteration.Literal(alteration.LanguageOf("a.py"), alteration.Printed{Text: `'x'`, Raw: true}, `"y"`); got != `"'x'"` {
		t.Errorf("a raw text: %s", got)
	}
}

func FuzzParseGot(f *testing.F) {
	f.Add(uint8(0), "got \"a\", want \"b\"", `"x"`)
	f.Add(uint8(1), "E  assert b'\\xff' == 'c'", `rb'x'`)
	f.Add(uint8(2), "expected: |-\n  'a'\nactual: |-\n  'b'", "`x`")
	f.Fuzz(func(t *testing.T, n uint8, output, like string) {
		l := alteration.LanguageOf(paths[int(n)%len(paths)])
		list := append(alteration.ParseGot(l, output), alteration.Failure{Got: output})
		for _, failure := range list {
			literal, ok := alteration.Literal(l, alteration.Printed{Text: failure.Got, Raw: failure.Raw}, like)
			if !ok {
				continue
			}
			tokens, sample := alteration.Lex(l, []byte(strings.TrimPrefix(literal, "-"))), alteration.Lex(l, []byte(like))
			if len(tokens) != 1 || tokens[0].Kind != sample[0].Kind {
				t.Fatalf("%q like %q is %q", failure.Got, like, literal)
			}
		}
	})
}
