package alteration

import (
	"slices"
	"strings"
	"testing"
)

// offs applies what leaves each part out, and returns what is left of the lines that say "part".
func offs(t *testing.T, name, src string, row bool) string {
	t.Helper()
	var edits []Edit
	for _, p := range Parts(File{Path: name, Source: []byte(src)}) {
		if p.Row == row {
			edits = append(edits, p.Off)
		}
	}
	text, err := Apply([]byte(src), edits...)
	if err != nil {
		t.Fatal(err)
	}
	if was, is := strings.Count(src, "\n"), strings.Count(string(text), "\n"); was != is {
		t.Errorf("%d lines became %d", was, is)
	}
	return string(text)
}

// Each part can be left out, and no line moves.
func TestParts(t *testing.T) {
	for name, tt := range map[string]struct {
		file, src, want string
		row             bool
	}{
		"rows of Go": {
			"a_test.go", "func TestA(t *testing.T) {\n\tfor _, tc := range []struct{ in, want string }{\n\t\t{\"a\", \"b\"},\n\t\t{\"c\",\n\t\t\t\"d\"}, // that\n\t} {\n\t\tif f(tc.in) != tc.want {\n\t\t\tt.Fatal(tc.in)\n\t\t}\n\t}\n}\n",
			"func TestA(t *testing.T) {\n\tfor _, tc := range []struct{ in, want string }{\n\t\t\n\t\t\n // that\n\t} {\n\t\tif f(tc.in) != tc.want {\n\t\t\tt.Fatal(tc.in)\n\t\t}\n\t}\n}\n", true,
		},
		"rows of Go that are tests": {
			"a_test.go", "func TestA(t *testing.T) {\n\tfor _, tc := range []struct{ name, want string }{\n\t\t{\"a\", \"b\"},\n\t\t{\"c\", \"d\"},\n\t} {\n\t\tt.Run(tc.name, func(t *testing.T) {})\n\t}\n}\n",
			"func TestA(t *testing.T) {\n\tfor _, tc := range []struct{ name, want string }{\n\t\t{\"a\", \"b\"},\n\t\t{\"c\", \"d\"},\n\t} {\n\t\tt.Run(tc.name, func(t *testing.T) {})\n\t}\n}\n", true,
		},
		"statements of Go": {
			"a_test.go", "func TestA(t *testing.T) {\n\tif got := f(1); got != 2 {\n\t\tt.Errorf(\"got %d\", got)\n\t}\n\tif x {\n\t\tskip()\n\t}\n\trequire.Equal(t, 1, f(2))\n}\n",
			"func TestA(t *testing.T) {\n\tif got := f(1); false && (got != 2) {\n\t\tt.Errorf(\"got %d\", got)\n\t}\n\tif x {\n\t\tskip()\n\t}\n\tif false { require.Equal(t, 1, f(2)) }\n}\n", false,
		},
		"statements of Python": {
			"test_a.py", "def test_a(self):\n    x = f(1)\n    assert x == [\n        1,\n    ]\n    self.assertEqual(x, 2)\n    with pytest.raises(ValueError) as e:\n        f(3)\n    g(x)\n",
			"def test_a(self):\n    x = f(1)\n    if 0: assert x == [\n        1,\n    ]\n    if 0: self.assertEqual(x, 2)\n    with __import__(\"contextlib\").suppress(Exception) as e:\n        f(3)\n    g(x)\n", false,
		},
		"parameters of Python": {
			"test_a.py", "@pytest.mark.parametrize(\"a, b\", [\n    (1, 2),\n    (3, 4),\n])\ndef test_a(a, b):\n    pass\n",
			"@pytest.mark.parametrize(\"a, b\", [\n    (1, 2),\n    (3, 4),\n])\ndef test_a(a, b):\n    pass\n", true,
		},
		"statements of JavaScript": {
			"a.test.js", "test('a', function (t) {\n  const x = f(1);\n  t.deepEqual(x, { a: 1 });\n  assert(x)\n  expect(x).to.equal(3);\n  t.end();\n});\n",
			"test('a', function (t) {\n  const x = f(1);\n  if (0) t.deepEqual(x, { a: 1 });\n  if (0) assert(x)\n  if (0) expect(x).to.equal(3);\n  t.end();\n});\n", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := offs(t, tt.file, tt.src, tt.row); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// What may not be run without rows is told: what stands in loops, and in helpers.
func TestLoopedParts(t *testing.T) {
	const check = "if f(tc) != 1 {\n\t\tt.Error()\n\t}\n"
	src := "func TestA(t *testing.T) {\n\t" + check + "\tfor _, tc := range rows {\n\t" + check + "\t}\n}\n\nfunc helper(t *testing.T, tc int) {\n\t" + check + "}\n"
	var looped []bool
	for _, p := range Parts(File{Path: "a_test.go", Source: []byte(src)}) {
		looped = append(looped, p.Looped)
	}
	if !slices.Equal(looped, []bool{false, true, true}) {
		t.Errorf("%v", looped)
	}
}
