package alteration_test

import (
	"slices"
	"strings"
	"testing"

	"assay/internal/alteration"
)

// fresh returns the candidates of a source that an edit of a text begins.
func freshOf(t *testing.T, path, src, old string) []alteration.Fresh {
	t.Helper()
	var list []alteration.Fresh
	for _, f := range alteration.FreshCandidates(alteration.File{Path: path, Source: []byte(src)}, alteration.Options{Seed: 3}) {
		if slices.ContainsFunc(f.Edits, func(e alteration.Edit) bool { return e.Old == old }) {
			list = append(list, f)
		}
	}
	if len(list) == 0 {
		t.Fatalf("%s: nothing fresh of %s", path, old)
	}
	return list
}

// A word that an object's property has as well moves there, too.
func TestFreshWordsOfProperties(t *testing.T) {
	src := "test('no leak', () => {\n  load({ 'deep.leaked': true })\n  assert.notStrictEqual({}.leaked, true)\n  assert.equal(other.leaked(), 1)\n})\n"
	for _, f := range freshOf(t, "a.test.js", src, "'deep.leaked'") {
		if f.Kind != alteration.Consistent || f.Old != "leaked" {
			continue
		}
		if len(f.Edits) != 2 || f.Edits[1].Old != "leaked" || f.Edits[1].New != f.New || f.Edits[0].New != "'deep."+f.New+"'" {
			t.Errorf("%+v", f.Edits)
		}
		if len(f.Probe) != 2 || f.Probe[0].New == "'deep."+f.Probe[1].New+"'" {
			t.Errorf("the probe fits itself: %+v", f.Probe)
		}
		return
	}
	t.Error("the property does not move along")
}

// Regular expressions have words, long numbers a neighbour, and strings another escape.
func TestFreshInputs(t *testing.T) {
	regex := "const bad = [\n  /(a+|b\\d+)+/,\n  /x{10}/\n]\ntest('unsafe', t => { bad.forEach(re => t.ok(!safe(re))) })\n"
	for _, f := range freshOf(t, "a.test.js", regex, `/(a+|b\d+)+/`) {
		if !strings.Contains(f.Edits[0].New, `\d`) {
			t.Errorf("%+v", f.Edits)
		}
	}
	number := "func TestA(t *testing.T) {\n\tif got := f(\"9223372036854775809\"); got != 9223372036854775809 {\n\t\tt.Errorf(\"got %v\", got)\n\t}\n}\n"
	near := false
	for _, f := range freshOf(t, "a_test.go", number, "9223372036854775809") {
		near = near || f.Kind == alteration.Consistent && strings.HasPrefix(f.New, "922337203") && f.New != "9223372036854775809" && len(f.Edits) == 2
	}
	if !near {
		t.Error("no number is nearly as large")
	}
	escape := "func TestA(t *testing.T) {\n\tif ok := f(\"\\n\"); !ok {\n\t\tt.Fatal(\"Expected match\")\n\t}\n}\n"
	if f := freshOf(t, "a_test.go", escape, `"\n"`)[0]; f.New != `"\r"` || len(f.Probe) != 1 || f.Probe[0].New != `""` {
		t.Errorf("%+v", f)
	}
}

// A row that expects a boolean is turned with its input.
func TestFreshTurns(t *testing.T) {
	src := `func TestA(t *testing.T) {
	for _, tc := range []struct {
		in  string
		err bool
	}{
		{"1.2.3", false},
		{"1.2.x", true},
	} {
		if _, err := f(tc.in); (err != nil) != tc.err {
			t.Fatal(tc.in)
		}
	}
}
`
	turned := 0
	for _, f := range freshOf(t, "a_test.go", src, `"1.2.x"`) {
		if !f.Turned {
			continue
		}
		turned++
		if len(f.Edits) != 2 || f.Edits[1].Old != "true" || f.Edits[1].New != "false" || f.Edits[0].New == `"1.2.x"` {
			t.Errorf("%+v", f.Edits)
		}
	}
	if turned == 0 {
		t.Error("no row is turned")
	}
}

func TestNewAnswer(t *testing.T) {
	for _, tc := range []struct {
		path, src, answer string // the answer is marked in the source by this text
		got, want         string
		raw               bool
		is                string
	}{
		{"a.py", "assert f() == 'c'", "'c'", "'b'", "'c'", false, "'b'"},
		{"a.py", "assert f() == 'c'", "'c'", "'c'", "'b'", false, "'b'"}, // the sides are not told
		{"a.py", "assert f() == 'c'", "'c'", "'b'", "'d'", false, ""},
		{"a.go", "f := []int{1, 2}", "1, 2", "[2 1 3]", "[1 2]", false, "2, 1, 3"},
		{"a.go", "f := []int{1, 2}", "1, 2", "[-2 1]", "[1 2]", false, "-2, 1"},
		{"a.go", "f := []int{1, 2}", "1, 2", "[]int{2}", "[]int{1, 2}", false, "2"},
		{"a.go", "f := []int{1, 2}", "1, 2", "[2 1]", "[1 3]", false, ""},
		{"a.go", `f := []string{"a", "#b"}`, `"a", "#b"`, `["a"]`, `["a" "#b"]`, false, `"a"`},
		{"a.go", `f := []string{"a", "#b"}`, `"a", "#b"`, `[a c]`, `[a #b]`, false, `"a", "c"`},
		{"a.go", `f := []string{"a", "b"}`, `"a", "b"`, `[]string{"x"}`, `[]string{"a", "b"}`, false, `"x"`},
		{"a.go", `f := []string{"a", "b"}`, `"a", "b"`, `map[string]int{"x":1}`, `[]string{"a", "b"}`, false, ""},
		{"a.go", `f := []string{"a", "b"}`, `"a", "b"`, `[]`, `[a b]`, false, ``},
		{"a.js", "f = ['a', 'b']", "'a', 'b'", "[ 'b' ]", "[ 'a', 'b' ]", false, "'b'"},
	} {
		l := alteration.LanguageOf(tc.path)
		start := strings.Index(tc.src, tc.answer)
		a := alteration.Answer{Start: start, End: start + len(tc.answer), List: strings.ContainsAny(tc.src, "[{")}
		for _, tok := range alteration.Lex(l, []byte(tc.src)) {
			if tok.Start >= a.Start && tok.End <= a.End && (tok.Kind == alteration.String || tok.Kind == alteration.Number) {
				a.Items = append(a.Items, tok)
			}
		}
		is, ok := alteration.NewAnswer(l, []byte(tc.src), a, alteration.Failure{Got: tc.got, Want: tc.want, Raw: tc.raw})
		if is != tc.is || ok != (tc.is != "" || tc.got == "[]") {
			t.Errorf("%s, got %s, want %s: %q, %v; want %q", tc.src, tc.got, tc.want, is, ok, tc.is)
		}
	}
}

func TestReplaceWord(t *testing.T) {
	for _, tc := range [][2]string{{`"city and City"`, `"town and City"`}, {`citycity`, `citycity`}, {`/city+\d/`, `/town+\d/`}, {"city2", "town2"}} {
		if got := alteration.ReplaceWord(tc[0], "city", "town"); got != tc[1] {
			t.Errorf("%s: %s", tc[0], got)
		}
	}
	if !alteration.HasWord("a city.", "city") || alteration.HasWord("cities", "city") {
		t.Error("words are told wrongly")
	}
}

func TestIsData(t *testing.T) {
	for name, want := range map[string]bool{
		"testdata/a.golden": true, "test/__snapshots__/a.js.snap": true, "tests/data/rows.json": true, "testdata/input": true,
		"package.json": false, "test/package-lock.json": false, "README.md": false, "a_test.go": false, "testdata/a.go": false, "src/words.zig": false, "pyproject.toml": false,
	} {
		if got := alteration.IsData(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Rows that are subtests say so, whatever their names are made of.
func TestCases(t *testing.T) {
	of := func(body, run string) map[string]bool {
		src := "var rows = []struct{ name, in, want string }{\n" + body + "}\n\nfunc TestA(t *testing.T) {\n\tfor _, tc := range rows {\n\t\tt.Run(" + run + ", func(t *testing.T) {\n\t\t\tif f(tc.in) != tc.want {\n\t\t\t\tt.Error()\n\t\t\t}\n\t\t})\n\t}\n}\n"
		cases := map[string]bool{}
		for _, e := range alteration.Candidates(alteration.File{Path: "a_test.go", Source: []byte(src)}, alteration.Options{}) {
			if e.Region == "rows" {
				cases[e.Case] = true
			}
		}
		return cases
	}
	const sep = alteration.CaseSeparator
	for _, tc := range []struct {
		body, run string
		want      []string
	}{
		{"\t{\"first one\", \"parcel\", \"PARCEL\"},\n\t{name: \"tab\\t\", in: \"bridge\", want: \"BRIDGE\"},\n", "tc.name", []string{"first one", "tab\t"}},
		{"\t{\"first\", \"parcel\", \"PARCEL\"},\n\t{\"second\", \"bridge\", \"BRIDGE\"},\n", `tc.name + "/" + tc.in`, []string{"first" + sep + "parcel", "second" + sep + "bridge"}},
		{"\t{title(1), \"parcel\", \"PARCEL\"},\n\t{title(2), \"bridge\", \"BRIDGE\"},\n", "tc.name", []string{""}},
		{"\t{\"first\", \"parcel\", \"PARCEL\"},\n\t{\"second\", \"bridge\", \"BRIDGE\"},\n", `"always"`, []string{""}},
	} {
		got := of(tc.body, tc.run)
		for _, name := range tc.want {
			if !got[name] || len(got) != len(tc.want) {
				t.Errorf("%s in %s: %v, want %q", tc.run, tc.body, got, tc.want)
			}
		}
	}
}

// A column names the tests of the function that says so, and not of others.
func TestTitlesAreOfTheirFunction(t *testing.T) {
	src := `func TestNamed(t *testing.T) {
	for _, tc := range []struct{ line, want string }{
		{"parcel one", "PARCEL"},
		{"bridge one", "BRIDGE"},
	} {
		t.Run(tc.line, func(t *testing.T) {
			if f(tc.line) != tc.want {
				t.Error()
			}
		})
	}
}

func TestPlain(t *testing.T) {
	for _, tc := range []struct{ line, want string }{
		{"meadow two", "MEADOW"},
		{"hollow two", "HOLLOW"},
	} {
		if f(tc.line) != tc.want {
			t.Error()
		}
	}
}
`
	edited := map[string]bool{}
	for _, e := range alteration.Candidates(alteration.File{Path: "a_test.go", Source: []byte(src)}, alteration.Options{}) {
		edited[e.Old] = true
		if (e.Case != "") != strings.HasPrefix(e.Region, "TestNamed") && strings.Contains(e.Old, "E") {
			t.Errorf("%+v", e)
		}
	}
	if edited[`"parcel one"`] || !edited[`"meadow two"`] {
		t.Errorf("%v", edited)
	}
}
