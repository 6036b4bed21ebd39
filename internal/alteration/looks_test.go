package alteration_test

import (
	"slices"
	"strings"
	"testing"

	"assay/internal/alteration"
)

// TestWhatWouldLookAltered gives lines of tests in which an edit of some text would be
// seen by whoever reads them.
func TestWhatWouldLookAltered(t *testing.T) {
	goTest := func(lines ...string) string {
		return "package a\n\nfunc TestA(t *testing.T) {\n\t" + strings.Join(lines, "\n\t") + "\n}\n"
	}
	for _, tc := range []struct{ why, path, src, old string }{
		{"repeated", "a_test.go", goTest(`a := f("harbour")`, `b := g(x)`, `c := h("harbour")`), `"harbour"`},
		{"said by a comment above", "a_test.go", goTest(`// 4096 is the page's size.`, `if f(x) != 4096 {`, "\tt.Fatal()", "}"), "4096"},
		{"said by a message", "a_test.go", goTest(`if f(x) != 4096 {`, "\tt.Fatal(\"not 4096\")", "}"), "4096"},
		{"said by the title", "a.test.js", "test('reads harbour', t => { t.equal(f(x), 'harbour') })", "'harbour'"},
		{"names a file", "test_a.py", "def test_a():\n    assert read('testdata/one.json') == {}\n", "'testdata/one.json'"},
		{"another row has its inputs", "test_a.py", "ROWS = [\n ('abcdef', 1234),\n\n\n\n\n ('abcdef', 5678),\n]\n", "1234"},
		{"the line before has its inputs", "test_a.py", "def test_a():\n    assert f(x, 'abc') == 1234\n    y = 1\n    z = 2\n    w = 3\n    assert f(x, 'abc') == 5678\n", "5678"},
		{"a sleep", "a_test.go", goTest(`time.Sleep(25 * time.Millisecond)`), "25"},
		{"a loop", "a_test.go", goTest(`for i := 0; i < 25; i++ {`, "}"), "25"},
		{"a time", "a_test.go", goTest(`d := 25 * time.Millisecond`), "25"},
		{"an index", "a_test.go", goTest(`x := list[25]`), "25"},
		{"ids of a fixture", "test_a.py", "@pytest.fixture(params=['one', 'two'])\ndef f(request): pass\n", "'one'"},
		{"a map's keys that are names", "a_test.go", goTest(`for name, tc := range map[string]struct{ in string }{`, `"one": {"first"},`, `"two": {"second"},`, `} {`, `t.Run(name, func(t *testing.T) { f(tc.in) })`, `}`), `"one"`},
		{"elements that are names", "a.test.js", "for (const word of ['one', 'two']) {\n  it(word, () => { expect(f(word)).toBe(word) })\n}", "'one'"},
		{"elements that are names", "a.test.js", "['one', 'two'].forEach(function (word) {\n  it('reads ' + word, () => { f(word) })\n})", "'one'"},
		{"jest's mock", "a.test.js", "jest.mock('harbour')", "'harbour'"},
		{"a form of a number", "test_a.py", "def test_a():\n    assert f(f'{x:{25}}') == y\n", "25"},
	} {
		for _, e := range alteration.Candidates(alteration.File{Path: tc.path, Source: []byte(tc.src)}, all) {
			if e.Old == tc.old {
				t.Errorf("%s: %s became %s", tc.why, e.Old, e.New)
			}
		}
	}
}

func TestNoRowsContradict(t *testing.T) {
	src := []byte("def test_a():\n    for given, want in [\n        ('a1', 10),\n\n\n\n\n        ('a2', 20),\n\n\n\n\n        ('a3', 30),\n    ]:\n        assert f(given) == want\n")
	for seed := range uint64(200) {
		o := all
		o.Seed = seed
		for _, e := range alteration.Candidates(alteration.File{Path: "test_a.py", Source: src}, o) {
			if edited, _ := alteration.Apply(src, e); slices.ContainsFunc([]string{"'a1'", "'a2'", "'a3'"}, func(s string) bool { return strings.Count(string(edited), s) > 1 }) {
				t.Fatalf("two rows have one input: %s became %s", e.Old, e.New)
			}
		}
	}
}

func TestConspicuousEditsAreToldOnRequest(t *testing.T) {
	f := alteration.File{Path: "test_a.py", Source: []byte("def test_a():\n    assert f('harbour') == 1\n    assert g('harbour') == 2\n")}
	o := all
	o.Conspicuous = true
	found := false
	for _, e := range alteration.Candidates(f, o) {
		if e.Old == "'harbour'" {
			found = true
			if e.Conspicuous == "" {
				t.Errorf("%s became %s, and nothing is said", e.Old, e.New)
			}
		}
	}
	if !found {
		t.Error("none")
	}
}

func TestKnownLines(t *testing.T) {
	src := []byte("def test_a():\n    assert f('first')  ==  'old'\n    assert g('second') == 'new'\n    x = '''one\n    two two\n    three'''\n")
	old := alteration.LinesOf([]byte("if x:\n        assert f('first') == 'old'\n\ttwo two\n"))
	for _, e := range alteration.Candidates(alteration.File{Path: "test_a.py", Source: src}, alteration.Options{Old: old, PerFile: 1000, PerRegion: 1000}) {
		if want := e.Line == 2 || e.Line == 5; e.Known != want {
			t.Errorf("line %d, %q to %q: known %v", e.Line, e.Old, e.New, e.Known)
		}
	}
}

func TestApplyRefuses(t *testing.T) {
	src := []byte("abcdef")
	for why, edits := range map[string][]alteration.Edit{
		"overlap":     {{Start: 0, End: 3, Old: "abc"}, {Start: 2, End: 4, Old: "cd"}},
		"other text":  {{Start: 0, End: 1, Old: "b"}},
		"beyond":      {{Start: 5, End: 9, Old: "f"}},
		"wrong order": {{Start: 3, End: 1}},
	} {
		if out, err := alteration.Apply(src, edits...); err == nil {
			t.Errorf("%s: %q", why, out)
		}
	}
	edits := []alteration.Edit{{Start: 4, End: 5, Old: "e", New: ""}, {Start: 0, End: 1, Old: "a", New: "xyz"}}
	out, err := alteration.Apply(src, edits...)
	if err != nil || string(out) != "xyzbcdf" {
		t.Fatalf("%q, %v", out, err)
	}
	back, err := alteration.Apply(out, alteration.Reverse(edits...)...)
	if err != nil || string(back) != "abcdef" {
		t.Fatalf("%q, %v", back, err)
	}
}

func TestDataCandidates(t *testing.T) {
	o := alteration.Options{PerFile: 1000, PerRegion: 1000}
	olds := func(name, text string) map[string]alteration.Edit {
		m := map[string]alteration.Edit{}
		for _, e := range alteration.DataCandidates(name, []byte(text), o) {
			m[e.Old] = e
			if e.Kind != alteration.DataEdit || len(e.New) == 0 {
				t.Errorf("%s: %+v", name, e)
			}
		}
		return m
	}
	json := olds("testdata/a.json", `{"key": "value", "list": [12, true], "other": {"inner": "words"}}`)
	for _, old := range []string{`"value"`, "12", "true", `"words"`} {
		if _, ok := json[old]; !ok {
			t.Errorf("%s is not edited", old)
		}
	}
	for _, old := range []string{`"key"`, `"inner"`} {
		if e, ok := json[old]; ok {
			t.Errorf("the key %s became %s", old, e.New)
		}
	}
	snap := olds("__snapshots__/a.snap", "exports[`reads one 1`] = `\n<b>\n  first\n</b>\n`;\n\nexports[`reads two 1`] = `second`;\nlast\n")
	if e := snap["  first"]; e.Region != "reads one 1" {
		t.Errorf("%+v", e)
	}
	if e := snap["second"]; e.Region != "reads two 1" || e.Line != 7 {
		t.Errorf("%+v", e)
	}
	for old := range snap {
		if strings.Contains(old, "`") {
			t.Errorf("%s is edited", old)
		}
		if strings.Contains(old, "exports") {
			t.Errorf("%s is edited", old)
		}
	}
	text := olds("a.golden", "alpha\nsame\nsame\nomega 17")
	if _, ok := text["same"]; ok || len(text) != 2 {
		t.Errorf("%v", text)
	}
	if n := len(olds("a.bin", "ab\x00cd")) + len(olds("b.txt", "\xff\xfe")); n > 0 {
		t.Errorf("%d edits of what is no text", n)
	}
}

func TestColumnsAreKnownByTheirUse(t *testing.T) {
	src := []byte(`package a

var rows = []struct {
	src, t, alt, zone string
}{
	{"first", "second", "third", f("fourth")},
	{"fifth", "sixth", "seventh", f("eighth")},
}

func TestA(t *testing.T) {
	for _, tc := range rows {
		if got := parse(tc.src, tc.alt); got != tc.t || got == tc.alt || !same.Equal(got, tc.zone) {
			t.Error(tc.t)
		}
	}
}
`)
	want := map[string]bool{"first": false, "second": true, "third": false, "fourth": true, "fifth": false, "sixth": true, "seventh": false, "eighth": true}
	found := map[string]bool{}
	for _, e := range alteration.Candidates(alteration.File{Path: "a_test.go", Source: src}, all) {
		if e.Kind == alteration.StringEdit {
			old := strings.Trim(e.Old, `"`)
			found[old] = true
			if e.EqualityOperand != want[old] {
				t.Errorf("%s: %v", old, e.EqualityOperand)
			}
		}
	}
	if len(found) != len(want) {
		t.Errorf("%v", found)
	}
}

// An edit that makes old lines of old lines is one that nobody knows, but for flips.
func TestOldLinesMadeOfOldLines(t *testing.T) {
	src := "def test_a():\n    assert show(1) == '''<a>\n  <b>one</b>\n  <c>two</c>\n  <d>three</d>\n</a>'''\n    assert not ready()\n"
	old := alteration.LinesOf([]byte("x\n  <b>one</b>\n  <c>two</c>\n  <d>three</d>\n    assert ready()\n    assert not ready()\n"))
	swapped, flipped := false, false
	for _, e := range alteration.Candidates(alteration.File{Path: "test_a.py", Source: []byte(src)}, alteration.Options{Old: old}) {
		edited, err := alteration.Apply([]byte(src), e)
		if err != nil {
			t.Fatal(err)
		}
		lines := func(text string) []string { return slices.Sorted(strings.Lines(text)) }
		switch {
		case e.Kind == alteration.StringEdit && slices.Equal(lines(src), lines(string(edited))):
			swapped = true
			if e.Known {
				t.Errorf("two lines in the other order are known: %q", e.New)
			}
		case strings.Contains(string(edited), "    assert ready()"):
			flipped = true
			if !e.Known {
				t.Errorf("a flip both ways of which stand in the old tests is not known: %+v", e)
			}
		case e.Line > 2 && e.Line < 6 && !e.Known:
			t.Errorf("%q is not known", e.New)
		}
	}
	if !swapped || !flipped {
		t.Errorf("swapped: %v, flipped: %v", swapped, flipped)
	}
}
