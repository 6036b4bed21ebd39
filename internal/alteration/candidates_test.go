package alteration_test

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"assay/internal/alteration"
)

// all is enough for every edit that there is.
var all = alteration.Options{Seed: 7, PerFile: 10000, PerRegion: 10000}

func candidates(t testing.TB, path string, o alteration.Options) []alteration.Edit {
	t.Helper()
	return alteration.Candidates(alteration.File{Path: path, Source: source(t, path)}, o)
}

// TestWhatIsEdited names literals of the sources by what they are for. What is expected
// stands in an assertion of exact equality; inputs do not; the rest is never edited.
func TestWhatIsEdited(t *testing.T) {
	for _, tc := range []struct {
		path, expected, inputs, never []string
	}{
		{
			path: []string{"table_test.go"},
			expected: []string{"12000", `"alpha"`, `"one:more"`, `"Rotterdam"`, "4", "81", "1250",
				"// three parcels cost 12.40"},
			inputs: []string{`"12 kg"`, `"1 stone"`, `"alpha:beta"`, `"one\\:more\n"`, `"rotterdam"`, "`box {5,8}`", "'q'", "0x1F", `"hamburg"`,
				`"%Y-%m-%d"`, "3"},
			never: []string{
				`"errors"`, `"example.org/parcel"`, "`json:\"field,omitempty\"`", // imports, tags
				`"two parts"`, `"escaped"`, `"empty"`, `"moved"`, `"2024-03-05"`, `"17:45"`, // names of tests
				`"Weight(%q) = %d, want %d"`, `"steps"`, `"the total of 1251 sheets"`, // messages
				`""`, "0", // empty, repeated
			},
		},
		{
			path:     []string{"test_parcel.py"},
			expected: []string{"12000", "0.25", `"right"`, `"lower"`, `"19.95"`, "64", `"n1"`, `"n2"`},
			inputs:   []string{`"300 mg"`, `"left"`, `"upper"`, `"trec"`, `"no such unit"`, `rb"5 \x00 feet"`, "4711", "'later'", `"breda"`, "20"},
			never: []string{
				`"""Tests of parcels: 'nothing here is code'."""`, `"""The city is "kept"."""`,
				`"12 kg"`, `"7 g"`, `"milligrams"`, `"first"`, `("text", "expected")`, `"text"`, `"raw, expected"`, // names
				`"needs a scale"`, `"the city was lost"`, `"north has two"`, `"should be valid"`, "12",
			},
		},
		{
			path:     []string{"tape.test.js"},
			expected: []string{"'left|right'", "'p'", "'q'", "'17'", "625"},
			inputs:   []string{"'left:right'", "'x=17&y=true'", "'abbc42'", "'by zero'", `/^ab+[/]c\d{2}$/gi`, "2"},
			never:    []string{"'use strict'", "'tape'", "'../lib/parcel.js'", "'split()'", "4", "'splits at colons'", "'joined with bars'", "'divides'"},
		},
		{
			path:     []string{"jest.spec.ts"},
			expected: []string{"12000", "750", "3000000", "0.009", "'Lisbon'", "5"},
			inputs:   []string{"'12 kg'", "'750 g'", "'lisbon'", "'nowhere'"},
			never:    []string{"'vitest'", "'../src/parcel'", "'kilograms'", "'grams'", "'weigh'", "'3 t'", "'9 mg'", "'weighs %s'", "'keeps the city'"},
		},
		{
			path:     []string{"node.test.mjs"},
			expected: []string{"2", "36", "'4.0.7'"},
			inputs:   []string{"/ab{2}c/", "/(a+)+$/", "'(x+x+)+y'", "25", "'aa.bb.cc'", "'TypeError'"},
			never:    []string{"'node:assert/strict'", "'../index.mjs'", "'safe'", "'good patterns'", "2500", "'version 4.0.8 is old'"},
		},
	} {
		path := tc.path[0]
		found := map[string]alteration.Edit{}
		for _, e := range candidates(t, path, all) {
			if e.Kind != alteration.FlipEdit && e.Kind != alteration.ElementEdit {
				found[e.Old] = e
			}
		}
		for _, old := range tc.expected {
			if e, ok := found[old]; !ok || !e.EqualityOperand {
				t.Errorf("%s: %s is not edited as expected: %v", path, old, ok)
			}
		}
		for _, old := range tc.inputs {
			if e, ok := found[old]; !ok || e.EqualityOperand {
				t.Errorf("%s: %s is not edited as an input: %v", path, old, ok)
			}
		}
		for _, old := range tc.never {
			if e, ok := found[old]; ok {
				t.Errorf("%s: %s became %s", path, old, e.New)
			}
		}
	}
}

func TestFlips(t *testing.T) {
	for path, want := range map[string]map[string][]string{
		"table_test.go": {
			"!=":    {"=="},
			"!":     {""},
			"Equal": {"NotEqual"},
		},
		"test_parcel.py": {
			"==": {"!="}, "in": {"not in"},
			"assertEqual": {"assertNotEqual"}, "assertTrue": {"assertFalse"},
			"BadUnit": {"ParcelError", "ValueError"}, "ParcelError": {"BadUnit", "ValueError"},
		},
		"tape.test.js": {
			"equal": {"notEqual"}, "deepEqual": {"notDeepEqual"}, "RangeError": {"TypeError", "SyntaxError"}, "parcel": {"!parcel"},
		},
		"jest.spec.ts":  {"toBe": {"not.toBe"}, "toEqual": {"not.toEqual"}, "toHaveLength": {"not.toHaveLength"}, "to": {"to.not"}, "TypeError": {"RangeError"}},
		"node.test.mjs": {"strictEqual": {"notStrictEqual"}, "deepStrictEqual": {"notDeepStrictEqual"}, "throws": {"doesNotThrow"}, "!": {""}, "===": {"!=="}, "false": {"true"}, "safe": {"!safe"}},
	} {
		found := map[string][]string{}
		for _, e := range candidates(t, path, all) {
			if e.Kind == alteration.FlipEdit || e.Kind == alteration.ExceptionEdit {
				found[e.Old] = append(found[e.Old], e.New)
			}
		}
		if not := found["not "]; path == "test_parcel.py" && !slices.Contains(not, "") {
			t.Errorf("%s: a negation became %q", path, not)
		}
		for old, any := range want {
			if !slices.ContainsFunc(any, func(s string) bool { return slices.Contains(found[old], s) }) {
				t.Errorf("%s: %s became %q, none of %q", path, old, found[old], any)
			}
		}
		for _, old := range []string{"Errorf", "Fatal", "notOk", "rejects"} { // not on t, of what tape has, with a matcher after it
			if old != "notOk" && found[old] != nil {
				t.Errorf("%s: %s became %q", path, old, found[old])
			}
		}
	}
}

// TestValuesComeFirst holds the order of ranks: what is expected before other values, and
// flips last.
func TestValuesComeFirst(t *testing.T) {
	for path := range sources(t) {
		edits := candidates(t, path, all)
		if !slices.IsSortedFunc(edits, func(a, b alteration.Edit) int { return a.Rank - b.Rank }) {
			t.Errorf("%s: not in the order of ranks", path)
		}
		if len(edits) == 0 || !edits[0].EqualityOperand || edits[len(edits)-1].Kind != alteration.FlipEdit {
			t.Errorf("%s: %d edits, the first and last of the wrong kinds", path, len(edits))
		}
	}
}

func TestABooleanThatRowsSayEitherWayComesBeforeOtherFlips(t *testing.T) {
	src := []byte("package a\n\nvar rows = []struct {\n\tin string\n\twant, strict bool\n}{\n\t{\"ab\", true, true},\n\t{\"cd\", false, true},\n}\n")
	ranks := map[int]int{}
	for _, e := range alteration.Candidates(alteration.File{Path: "a_test.go", Source: src}, all) {
		if e.Kind == alteration.FlipEdit {
			ranks[e.Start] = e.Rank
		}
	}
	first := bytes.Index(src, []byte("true"))
	if len(ranks) != 4 || ranks[first] >= ranks[first+len("true, ")] {
		t.Errorf("%v", ranks)
	}
}

func TestBoundsAndSpread(t *testing.T) {
	var src strings.Builder
	src.WriteString("package a\n\nfunc TestA(t *testing.T) {\n\tfor _, tc := range []struct{ in, want string }{\n")
	for i := range 40 {
		src.WriteString("\t\t{\"" + strings.Repeat(string(rune('a'+i%26)), 3+i) + "\", \"" + strings.Repeat(string(rune('A'+i%26)), 3+i) + "\"},\n\n\n\n")
	}
	src.WriteString("\t} {\n\t\tif f(tc.in) != tc.want {\n\t\t\tt.Fatal(tc)\n\t\t}\n\t}\n}\n")
	f := alteration.File{Path: "a_test.go", Source: []byte(src.String())}
	edits := alteration.Candidates(f, alteration.Options{PerRegion: 40})
	if len(edits) > 40 || len(edits) < 30 {
		t.Fatalf("%d edits", len(edits))
	}
	rows := map[int]bool{}
	for _, e := range edits[:30] {
		rows[e.Row] = true
	}
	if len(rows) != 30 {
		t.Errorf("the first 30 edits are of %d rows", len(rows))
	}
	if !slices.ContainsFunc(edits, func(e alteration.Edit) bool { return e.Kind == alteration.FlipEdit }) {
		t.Error("no room was left for another kind")
	}
	if n := len(alteration.Candidates(f, alteration.Options{PerFile: 12})); n != 12 {
		t.Errorf("%d of 12 edits", n)
	}
	perToken := map[int]int{}
	for _, e := range alteration.Candidates(f, alteration.Options{PerFile: 10000, PerRegion: 10000, PerToken: 1}) {
		if perToken[e.Start]++; perToken[e.Start] > 1 {
			t.Errorf("%s has two edits", e.Old)
		}
	}
}

func TestSeedsDecide(t *testing.T) {
	for path := range sources(t) {
		a, b := candidates(t, path, alteration.Options{Seed: 1}), candidates(t, path, alteration.Options{Seed: 1})
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: two answers for one seed", path)
		}
		if reflect.DeepEqual(a, candidates(t, path, alteration.Options{Seed: 2})) {
			t.Errorf("%s: one answer for two seeds", path)
		}
		src := source(t, path)
		if f := (alteration.File{Path: path, Source: src}); !reflect.DeepEqual(alteration.FreshCandidates(f, alteration.Options{Seed: 1}), alteration.FreshCandidates(f, alteration.Options{Seed: 1})) {
			t.Errorf("%s: two fresh answers for one seed", path)
		}
	}
}

// sound fails unless an edit changes one token and nothing else, and can be undone.
func sound(t *testing.T, path string, src []byte, e alteration.Edit) {
	t.Helper()
	edited, err := alteration.Apply(src, e)
	if err != nil {
		t.Fatal(err)
	}
	back, err := alteration.Apply(edited, alteration.Reverse(e)...)
	if err != nil || !bytes.Equal(back, src) {
		t.Fatalf("%s: %q to %q was not undone: %v", path, e.Old, e.New, err)
	}
	if bytes.Equal(edited, src) {
		t.Fatalf("%s: %q became itself", path, e.Old)
	}
	l := alteration.LanguageOf(path)
	before, after := alteration.Lex(l, src), alteration.Lex(l, edited)
	same := func(a, b alteration.Token) bool { return a.Kind == b.Kind && a.Text(src) == b.Text(edited) }
	first := 0
	for first < min(len(before), len(after)) && same(before[first], after[first]) {
		first++
	}
	last := 0
	for last < min(len(before), len(after))-first && same(before[len(before)-1-last], after[len(after)-1-last]) {
		last++
	}
	switch e.Kind {
	case alteration.ElementEdit, alteration.FlipEdit, alteration.ExceptionEdit:
		const most = 5 // "a, a" for "a"; "not.toBe" for "toBe"; "a.B" for "C"
		if n, m := len(before)-first-last, len(after)-first-last; n > most || m > most {
			t.Fatalf("%s: %q to %q changed %d tokens to %d", path, e.Old, e.New, n, m)
		}
	default:
		if len(before) != len(after) || first+last != len(before)-1 || before[first].Kind != after[first].Kind {
			t.Fatalf("%s: %q to %q changed %d tokens to %d", path, e.Old, e.New, len(before)-first-last, len(after)-first-last)
		}
	}
}

func TestAnEditChangesOneToken(t *testing.T) {
	for path, src := range sources(t) {
		for seed := range uint64(6) {
			o := all
			o.Seed, o.Conspicuous = seed, seed%2 == 0
			for _, e := range candidates(t, path, o) {
				sound(t, path, src, e)
				if strings.Count(string(src[:e.Start]), "\n")+1 > e.Line || strings.Count(string(src[:e.End]), "\n")+1 < e.Line {
					t.Errorf("%s: %q is not in line %d", path, e.Old, e.Line)
				}
			}
			for _, f := range alteration.FreshCandidates(alteration.File{Path: path, Source: src}, o) {
				for _, e := range f.Edits {
					sound(t, path, src, e)
				}
				if _, err := alteration.Apply(src, f.Edits...); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func FuzzCandidates(f *testing.F) {
	for path, src := range sources(f) {
		f.Add(uint8(slices.IndexFunc(paths, func(p string) bool { return alteration.LanguageOf(p) == alteration.LanguageOf(path) })), uint64(1), src)
	}
	f.Add(uint8(1), uint64(1), []byte("f'{a:{b:{c}}}' f'{' }"))
	f.Add(uint8(1), uint64(3), []byte("def test_a():\n    assert f(1) == \"\"\"a \"b\".\"\"\"\n"))
	f.Add(uint8(0), uint64(176), []byte("t,st*'`*'`"))
	f.Add(uint8(2), uint64(1), []byte("test('a', t => t.equal(f('b'), `c${1}$`))"))
	f.Fuzz(func(t *testing.T, n uint8, seed uint64, src []byte) {
		path := paths[int(n)%len(paths)]
		o := alteration.Options{Seed: seed, PerFile: 64, Conspicuous: seed%2 == 0, Old: alteration.LinesOf(src)}
		for _, e := range alteration.Candidates(alteration.File{Path: path, Source: src}, o) {
			sound(t, path, src, e)
		}
		for _, fresh := range alteration.FreshCandidates(alteration.File{Path: path, Source: src}, o) {
			if _, err := alteration.Apply(src, fresh.Edits...); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"a.json", "a.snap", "a.golden"} {
			for _, e := range alteration.DataCandidates(name, src, o) {
				if _, err := alteration.Apply(src, e); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// A row that expects no exception may come to expect one that other rows do.
func TestARowComesToExpectAnException(t *testing.T) {
	src := "func TestA(t *testing.T) {\n\tfor _, tc := range []struct {\n\t\tin  string\n\t\terr error\n\t}{\n\t\t{\"parcel\", nil},\n\t\t{\"bridge[\", words.ErrSyntax},\n\t\t{\"lantern\", nil},\n\t} {\n\t\tif err := f(tc.in); err != tc.err {\n\t\t\tt.Error(err)\n\t\t}\n\t}\n}\n"
	n := 0
	for _, e := range alteration.Candidates(alteration.File{Path: "a_test.go", Source: []byte(src)}, alteration.Options{}) {
		if e.Old == "nil" {
			n++
			if e.New != "words.ErrSyntax" || e.Kind != alteration.ExceptionEdit {
				t.Errorf("%+v", e)
			}
		}
	}
	if n != 2 {
		t.Errorf("%d rows", n)
	}
}
