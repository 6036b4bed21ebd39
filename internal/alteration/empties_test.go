package alteration_test

import (
	"strings"
	"testing"

	"assay/internal/alteration"
)

// TestEmptyCellsAreFilled holds that a row whose input is made by the test, since its cell is
// empty, is given one such as other rows have: nothing else of the row may make it fail.
func TestEmptyCellsAreFilled(t *testing.T) {
	for path, src := range map[string]string{
		"a_test.go": "package a\n\nvar table = []struct {\n\tname, token string\n\tok bool\n}{\n\t{\"given\", \"abc.def\", true},\n\n\n\n\t{\"made\", \"\", true},\n}\n",
		"test_a.py": "import pytest\n\n@pytest.mark.parametrize('token,ok', [\n    ('abc.def', True),\n\n\n\n    ('', True),\n], ids=['given', 'made'])\ndef test_it(token, ok):\n    assert good(token) == ok\n",
		"a.test.js": "test.each([\n  ['abc.def', true],\n\n\n\n  ['', true],\n])('it', (token, ok) => {\n  expect(good(token)).toBe(ok)\n})\n",
		"b_test.go": "package a\n\nfunc TestIt(t *testing.T) {\n\tfor _, tt := range []struct{ in string }{{in: \"abc.def\"}, {in: \"\"}} {\n\t\tcheck(tt.in)\n\t}\n}\n",
	} {
		filled := ""
		for _, e := range alteration.Candidates(alteration.File{Path: path, Source: []byte(src)}, alteration.Options{Conspicuous: true}) {
			if e.Kind == alteration.StringEdit && strings.Trim(e.Old, `"'`) == "" {
				if e.Conspicuous == "" {
					t.Errorf("%s: that %s was empty is not said", path, e.New)
				}
				filled = strings.Trim(e.New, `"'`)
			}
		}
		if len(filled) != len("abc.def") || filled == "abc.def" {
			t.Errorf("%s: the empty cell becomes %q, want what the other row has with a character changed", path, filled)
		}
	}
	alone := "package a\n\nvar table = []struct{ in string }{{\"\"}, {\"\"}}\n\nvar name = \"\"\n"
	for _, e := range alteration.Candidates(alteration.File{Path: "a_test.go", Source: []byte(alone)}, alteration.Options{Conspicuous: true}) {
		t.Errorf("%q becomes %q, where no row says what it may be", e.Old, e.New)
	}
}
