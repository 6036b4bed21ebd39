package search

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"assay/internal/alteration"
)

// single is a toy of one test, which is to be solved.
func single(base, fix, body string, old ...string) *toy {
	y := &toy{
		base: base, fix: fix,
		tests:  map[string]string{"tests/test_words.py": "import pytest\n\n\ndef test_it():\n    " + strings.ReplaceAll(body, "\n", "\n    ") + "\n"},
		solves: []string{ids("it")},
	}
	if len(old) > 0 {
		y.old = map[string]string{"tests/test_old.py": "def test_old():\n    " + strings.Join(old, "\n    ") + "\n"}
	}
	return y
}

// What the unsolved code makes of an alteration says whether it counts.
func TestBlindness(t *testing.T) {
	for name, tt := range map[string]struct {
		toy  *toy
		old  string // that is edited
		want Blindness
	}{
		"the same words": {single("shout = same\n", "shout = upper\n", `assert shout("parcel") == "PARCEL"`), `"PARCEL"`, Blind},
		"the input is repeated": {
			single("shout = same\n", "shout = upper\n", `assert shout("parcel") == "PARCEL"`), `"parcel"`, Blind,
		},
		"it is raised before": {single("shout = refuse\n", "shout = upper\n", `assert shout("parcel") == "PARCEL"`), `"PARCEL"`, Blind},
		"the unsolved code passes it": {
			single("none = upper\n", "none = nothing\n", `assert not none("parcel")`), `not `, SeenPassing,
		},
		"an expected exception": {
			single("check = same\n", "check = refuse\n", "with pytest.raises(ValueError):\n    check(\"parcel\")"), `ValueError`, SeenKind,
		},
		"the unsolved code gets right what comes before the place of the issue": {
			single("none = upper\nwrap = wrap\n", "none = nothing\nwrap = wrap\n", "assert wrap(\"meadow\") == \"<meadow>\"\n\nassert not none(\"parcel\")", `assert not none("parcel")`),
			`"<meadow>"`, DecidesNone,
		},
		"the unsolved code gets right what comes after the place of the issue": {
			single("none = upper\nwrap = wrap\n", "none = nothing\nwrap = wrap\n", "assert not none(\"parcel\")\n\nassert wrap(\"meadow\") == \"<meadow>\"", `assert not none("parcel")`),
			`"<meadow>"`, DecidesNone,
		},
		"the image has the line": {
			single("shout = same\n", "shout = upper\n", `assert shout("parcel") == "PARCEL"`, `assert shout("parcel")  ==  "PARCEL"`), `"PARCEL"`, SeenKnown,
		},
		"the image has the line elsewhere in the same file": {
			func() *toy {
				y := single("shout = same\n", "shout = upper\n", `assert shout("parcel") == "PARCEL"`)
				y.old = map[string]string{"tests/test_words.py": "def test_gone():\n    assert shout(\"parcel\") == \"PARCEL\"\n"}
				return y
			}(), `"PARCEL"`, SeenKnown,
		},
		"the unsolved code passes the true test": {
			single("shout = upper\n", "shout = upper\nwrap = wrap\n", `assert shout("parcel") == "PARCEL"`), `"PARCEL"`, SolvedAlready,
		},
		"the unsolved code ends before it": {
			func() *toy {
				y := single("shout = same\nstart = crash\n", "shout = upper\nstart = same\n", `assert shout("parcel") == "PARCEL"`)
				y.tests["tests/test_first.py"] = "def test_start():\n    assert start(\"wobbly\") == \"wobbly\"\n"
				return y
			}(), `"PARCEL"`, NotRun,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(4) {
				r := search(t, tt.toy, Request{Seed: seed})
				for _, a := range append(r.of(tt.old), one(t, r, tt.old)) {
					if a.Blindness != tt.want {
						t.Errorf("seed %d: %s -> %s is %s, want %s", seed, a.Edit.Old, a.Edit.New, a.Blindness, tt.want)
					}
				}
				known := tt.want == Blind || tt.want == BlindPlace
				if test := r.Tests[0]; known && (test.Blind == 0 || test.Reason != "") || test.Blind == 0 && test.Reason == "" {
					t.Errorf("seed %d: %+v", seed, test)
				}
			}
		})
	}
}

// A test that is solved already is told as such, and not as one that was not run.
func TestATestThatIsSolvedAlready(t *testing.T) {
	y := single("shout = upper\n", "shout = upper\nwrap = wrap\n", `assert shout("parcel") == "PARCEL"`)
	for runs := range 20 {
		r := search(t, y, Request{Seed: 1, Runs: runs + 4})
		if test := r.Tests[0]; test.Blind > 0 || !strings.Contains(test.Reason, "passes it already") {
			t.Errorf("of %d runs: %+v", runs+4, test)
		}
	}
}

// What the unsolved code was not run with, because the search ended before, is not told as
// something that it cannot be run with.
func TestWhatWasNotTriedIsToldAsThat(t *testing.T) {
	all, untried := newLab(t, words()).search(t, Request{Seed: 1}), 0
	for most := 3; most < all.Runs; most++ {
		for _, a := range newLab(t, words()).search(t, Request{Seed: 1, Runs: most}).Alterations {
			if a.Blindness == Untried {
				untried++
			}
			if a.Blindness == NotRun {
				t.Errorf("of %d runs: %+v", most, a)
			}
		}
	}
	if untried == 0 {
		t.Error("no search ended where something was untried")
	}
}

// A base that does not compile with the tests says nothing of any alteration.
func TestABaseThatDoesNotCompile(t *testing.T) {
	y := goTrap()
	y.base = "other = same\n"
	r := search(t, y, Request{Seed: 1, Fresh: true})
	for _, test := range r.Tests {
		if test.Altered == 0 || test.Blind > 0 || test.Fresh > 0 || !strings.Contains(test.Reason, "does not build") {
			t.Errorf("%+v", test)
		}
	}
	for _, a := range r.Alterations {
		if a.Blindness != NotRun {
			t.Errorf("%+v", a)
		}
	}
	if len(r.Alterations) == 0 || len(r.Fresh) > 0 {
		t.Errorf("%+v", r)
	}
}

// Only what leaves the code under test's answer as it was is expected, whatever it is
// called.
func TestExpectedIsFoundByTrying(t *testing.T) {
	table := func(call, want string) *toy {
		return &toy{
			language: "go", base: "shout = same\n", fix: "shout = upper\n",
			tests: map[string]string{"words/words_test.go": fmt.Sprintf(`package words_test

func TestIt(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{in: "parcel", want: "PARCEL"},
		{in: "bridge", want: "BRIDGE"},
	} {
		if got := code.Shout(%s); got != %s {
			t.Errorf("got %%q, want %%q", got, %[2]s)
		}
	}
}
`, call, want)},
			solves: []string{goID("TestIt")},
		}
	}
	turned := table("tc.want", "tc.in")
	turned.fix, turned.base = "shout = lower\n", "shout = same\n"
	for name, tt := range map[string]struct {
		toy  *toy
		want map[string]Kind
	}{
		"as they are called":  {table("tc.in", "tc.want"), map[string]Kind{`"PARCEL"`: Expected, `"parcel"`: Input}},
		"the other way round": {turned, map[string]Kind{`"PARCEL"`: Input}},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(4) {
				r := search(t, tt.toy, Request{Seed: seed})
				for old, want := range tt.want {
					for _, a := range r.of(old) {
						if a.Kind != want && (want == Input || len(r.of(old)) > 1) {
							t.Errorf("seed %d: %s -> %s is %s, want %s", seed, a.Edit.Old, a.Edit.New, a.Kind, want)
						}
					}
				}
				if !slices.ContainsFunc(r.Alterations, func(a Alteration) bool { return tt.want[a.Edit.Old] != "" }) {
					t.Errorf("seed %d: %s", seed, told(r))
				}
			}
		})
	}
}

// JavaScript's reporters say expected and actual on lines of their own.
func TestJavaScript(t *testing.T) {
	y := &toy{
		language: "javascript", base: "shout = same\n", fix: "shout = upper\n",
		tests: map[string]string{"test/words.test.js": `const test = require('tape')

test('shouts a word', t => {
  t.equal(shout('parcel'), 'PARCEL')
  t.end()
})

test('shouts another', t => {
  t.equal(shout('lantern'), 'LANTERN')
  t.end()
})
`},
		solves: []string{"suite::shouts a word", "suite::shouts another"},
	}
	for seed := range uint64(4) {
		r := search(t, y, Request{Seed: seed})
		if a := one(t, r, `'PARCEL'`); a.Kind != Expected || a.Blindness != Blind || !slices.Equal(a.Tests, []string{"suite::shouts a word"}) {
			t.Errorf("seed %d: %+v", seed, a)
		}
		if r.Draws != 2 {
			t.Errorf("seed %d: %d draws: %s", seed, r.Draws, told(r))
		}
	}
}

// What differs between two runs of the same is no difference.
func TestNoiseIsNoDifference(t *testing.T) {
	e := alteration.Edit{File: "tests/test_words.py", Old: `"PARCEL"`, New: `"PAFCEL"`}
	const was = "E  assert 'parcel' == 'PARCEL' at 0x7f01 in /tmp/pytest-1/x after 12ms\ntests/test_words.py:5: AssertionError"
	for is, want := range map[string]Blindness{
		was: Blind,
		"E  assert 'parcel' == 'PAFCEL' at 0x7fa9 in /tmp/pytest-2/y after 3.5 s\ntests/test_words.py:5: AssertionError": Blind,
		"E  assert 'parsel' == 'PAFCEL'\ntests/test_words.py:5: AssertionError":                                          BlindPlace,
		"E  assert 'parcel' == 'PAFCEL'\ntests/test_words.py:4: AssertionError":                                          SeenElsewhere,
		"E  assert 'parcel' == 'PAFCEL'\ntests/other.py:5: in helper\ntests/test_words.py:5: AssertionError":             BlindPlace,
	} {
		if got := compareFailures(was, is, e, nil); got != want {
			t.Errorf("%q is %s, want %s", is, got, want)
		}
	}
}

// What runners print of lists is told from what sources say of them.
func TestExpectedLists(t *testing.T) {
	edit := alteration.Edit{File: "a_test.go", Old: `"echo"`, New: `"echo", "echo"`, EqualityOperand: true}
	other := edit
	other.New = `"eche"`
	said := func(want string) map[string]string {
		return map[string]string{"x::TestA": `    a_test.go:12: Parse("echo # x") = ["echo"], want ` + want}
	}
	one := &found{Edit: edit, tests: []string{"x::TestA"}, said: said(`["echo" "echo"]`)}
	two := &found{Edit: other, tests: []string{"x::TestA"}, said: said(`["eche"]`)}
	if !sameGot(one, two) {
		t.Errorf("%q and %q", gots(one, "x::TestA"), gots(two, "x::TestA"))
	}
}

// Of two failures in the same place, what they say and in what way they fail decides.
func TestCompareFailures(t *testing.T) {
	word := alteration.Edit{File: "tests/test_a.py", Old: `"parcel"`, New: `"parxel"`}
	source := []byte("def test_a():\n    with raises(IssuerError) as info:\n        check()\n")
	raises := alteration.Edit{File: "tests/test_a.py", Old: "IssuerError", New: "AudienceError", Kind: alteration.ExceptionEdit}
	raises.Start = bytes.Index(source, []byte(raises.Old))
	raises.End = raises.Start + len(raises.Old)
	for name, tt := range map[string]struct {
		edit    alteration.Edit
		was, is string
		want    Blindness
	}{
		"the same":              {word, "E   assert 'a' == 'b'\ntest_a.py:3: AssertionError", "E   assert 'a' == 'b'\ntest_a.py:3: AssertionError", Blind},
		"what was edited":       {word, "E   assert 'a' == 'parcel'\ntest_a.py:3: AssertionError", "E   assert 'a' == 'parxel'\ntest_a.py:3: AssertionError", Blind},
		"what differs always":   {word, "test_a.py:3: AssertionError 0.01s", "test_a.py:3: AssertionError 0.02s", Blind},
		"other words":           {word, "E   assert 'PARCEL' == 'b'\ntest_a.py:3: AssertionError", "E   assert 'PARXEL' == 'b'\ntest_a.py:3: AssertionError", BlindPlace},
		"another place":         {word, "test_a.py:3: AssertionError", "test_a.py:4: AssertionError", SeenElsewhere},
		"another exception":     {word, "E   ValueError: parcel\ntest_a.py:3: ValueError", "E   KeyError: parxel\ntest_a.py:3: KeyError", SeenKind},
		"another is expected":   {raises, "E   Failed: DID NOT RAISE <class 'IssuerError'>\ntest_a.py:3: Failed", "E   Failed: DID NOT RAISE <class 'AudienceError'>\ntest_a.py:3: Failed", SeenKind},
		"it is raised before":   {raises, "E   OSError: gone\ntest_a.py:2: OSError", "E   OSError: gone\ntest_a.py:2: OSError", Blind},
		"the source is printed": {raises, ">   with raises(IssuerError) as info:\nE   OSError: gone\ntest_a.py:2: OSError", ">   with raises(AudienceError) as info:\nE   OSError: gone\ntest_a.py:2: OSError", Blind},
		"and what is expected": {
			raises, ">   with raises(IssuerError) as info:\nE   Failed: DID NOT RAISE <class 'IssuerError'>\ntest_a.py:2: Failed",
			">   with raises(AudienceError) as info:\nE   Failed: DID NOT RAISE <class 'AudienceError'>\ntest_a.py:2: Failed", SeenKind,
		},
		"nothing is said":        {word, "", "", FailsUntold},
		"of one something":       {word, "", "test_a.py:3: AssertionError", SeenElsewhere},
		"it ends in a panic":     {word, "test_a.py:3: got parcel", "test_a.py:3: got parxel\npanic: index out of range", SeenKind},
		"compared otherwise":     {word, "  operator: equal\n  at test_a.py:3", "  operator: notEqual\n  at test_a.py:3", SeenKind},
		"compared the other way": {word, "should be not strictly equal at test_a.py:3", "should be strictly equal at test_a.py:3", SeenKind},
	} {
		if got := compareFailures(tt.was, tt.is, tt.edit, source); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}
