package alteration

import "regexp"

// python is Python, with pytest and unittest.
var python = compile(Language{
	Name:         "python",
	Extensions:   []string{".py", ".pyi"},
	LineComments: []string{"#"},
	Quotes:       pythonQuotes(),
	Digits:       []Base{{"0x", "0123456789abcdef"}, {"0b", "01"}, {"0o", "01234567"}},
	Operators:    words("**= //= >>= <<= ... ** // >> << -> := == != <= >= += -= *= /= %= &= |= ^= @="),
	Keywords: words(`and as assert async await break class continue def del elif else except finally for
		from global if import in is lambda nonlocal not or pass raise return try while with yield`),
	True:      "True",
	False:     "False",
	Nulls:     []string{"None"},
	Continues: true,

	Layout: Indents,
	Style: TestStyle{
		Equality: compared(Compared{0, 2}, `assertEqual assertEquals assertListEqual assertDictEqual assertTupleEqual assertSetEqual
			assertSequenceEqual assertCountEqual assertMultiLineEqual assertIs assertJSONEqual assert_equal assert_array_equal eq_`),
		Truths: words("assertTrue assertFalse assert_ ok_"),
		Opposites: pairs(`assertEqual/assertNotEqual assertEquals/assertNotEqual assertTrue/assertFalse assertIn/assertNotIn
			assertIs/assertIsNot assertIsNone/assertIsNotNone assertIsInstance/assertNotIsInstance assertRegex/assertNotRegex
			assertAlmostEqual/assertNotAlmostEqual assertGreater/assertLessEqual assertLess/assertGreaterEqual`),
		Receivers:   regexp.MustCompile(`^(?:self|cls)$`),
		Raises:      map[string]int{"raises": 0, "assertRaises": 0, "assertRaisesRegex": 0, "warns": 0, "assertWarns": 0, "assertWarnsRegex": 0, "deprecated_call": 0},
		Exception:   regexp.MustCompile(`^[A-Z]\w*(?:Error|Exception|Warning|Failure|Expired|NotFound|DoesNotExist)$|^(?:Bad|Invalid|Missing)[A-Z]\w*$`),
		Exceptions:  words("ValueError TypeError KeyError IndexError AttributeError RuntimeError ZeroDivisionError"),
		Titles:      words("subTest"),
		Quiet:       words("print fail skip skipTest xfail importorskip sleep open log debug info warning error exception join joinpath getenv setenv import_module"),
		Words:       words("msg reason ids id timeout help desc description err_msg"),
		Conversions: words("bytes bytearray tuple list set frozenset dict str int float Decimal Fraction OrderedDict"),
		Flips:       map[string]string{"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"},
		Not:         "not ",
	},
})

// pythonQuotes are all pairs of a prefix and quotes. A raw string's backslash keeps a
// quote from ending it all the same.
func pythonQuotes() []Quote {
	var all []Quote
	for _, prefix := range []string{"", "r", "b", "u", "br", "rb", "f", "fr", "rf", "t", "tr", "rt"} {
		for _, mark := range []string{`"""`, `'''`, `"`, `'`} {
			q := Quote{Open: prefix + mark, Close: mark, Fold: true, Escape: true, Lines: len(mark) == 3}
			for _, letter := range prefix {
				switch letter {
				case 'r':
					q.Raw = true
				case 'f', 't':
					q.Subst, q.Doubled, q.Formats = "{", true, true
				}
			}
			all = append(all, q)
		}
	}
	return all
}
