package search

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// rows is a table that one test walks, a table with a subtest for each row, and a constant
// that two tests share.
func rows() *toy {
	return &toy{
		language: "go", base: "shout = same\nturn = same\n", fix: "shout = upper\nturn = reverse\n",
		tests: map[string]string{"words/words_test.go": `package words_test

func TestAll(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{in: "parcel", want: "PARCEL"},
		{in: "bridge", want: "BRIDGE"},
	} {
		if got := code.Shout(tc.in); got != tc.want {
			t.Errorf("Shout(%q) = %q, want %q", tc.in, got, tc.want)
		}
	}
}

func TestEach(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{name: "long", in: "lantern", want: "nretnal"},
		{name: "short", in: "copse", want: "espoc"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := code.Turn(tc.in); got != tc.want {
				t.Errorf("Turn(%q) = %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}
`},
		solves: []string{goID("TestAll"), goID("TestEach"), goID("TestEach/long"), goID("TestEach/short")},
	}
}

func goID(name string) string { return "example.org/words::" + name }

// params is a parametrised test, with ids of its own.
func params() *toy {
	return &toy{
		base: "shout = same\nturn = same\n", fix: "shout = upper\nturn = reverse\n",
		tests: map[string]string{"tests/test_words.py": `import pytest

SUFFIX = "meadow"


@pytest.mark.parametrize("text, expected", [
    ("parcel", "PARCEL"),
    ("bridge", "BRIDGE"),
], ids=["one", "two"])
def test_shout(text, expected):
    assert shout(text) == expected


def test_first():
    assert turn(SUFFIX) == "wodaem"


def test_second():
    assert shout(SUFFIX) == "MEADOW"
`},
		solves: []string{ids("shout[one]"), ids("shout[two]"), ids("first"), ids("second")},
	}
}

// byTest returns the draws of the alterations that make a test fail, and of no more tests
// than that and its parents.
func byTest(r *Result, id string) map[int]bool {
	draws := make(map[int]bool)
	for _, a := range r.Alterations {
		if own := leaves(a.Tests); len(own) == 1 && own[0] == id {
			draws[a.Draw] = true
		}
	}
	return draws
}

// Rows of one table share a draw, whether or not they are tests of their own: with draws of
// their own, the test that the subtests are in would be altered nearly always.
func TestRowsOfOneTestShareADraw(t *testing.T) {
	for seed := range uint64(8) {
		r := search(t, rows(), Request{Seed: seed})
		draws := make(map[string]int)
		for _, id := range []string{"TestAll", "TestEach/long", "TestEach/short"} {
			of := byTest(r, goID(id))
			if len(of) != 1 {
				t.Fatalf("seed %d: %s is in draws %v: %s", seed, id, of, told(r))
			}
			for draw := range of {
				draws[id] = draw
			}
		}
		if draws["TestAll"] == draws["TestEach/long"] || draws["TestEach/long"] != draws["TestEach/short"] {
			t.Errorf("seed %d: %v\n%s", seed, draws, told(r))
		}
		for _, a := range r.Alterations {
			if strings.Contains(a.Tests[len(a.Tests)-1], "TestEach/") && a.Tests[0] != goID("TestEach") {
				t.Errorf("seed %d: the parent of a subtest does not fail with it: %q", seed, a.Tests)
			}
		}
	}
}

// manyRows is a table of a declaration whose rows are subtests of two tests.
func manyRows() *toy {
	y := &toy{
		language: "go", base: "shout = same\nturn = same\n", fix: "shout = upper\nturn = reverse\n",
		solves: []string{goID("TestEach")},
	}
	var table strings.Builder
	for _, word := range strings.Fields("parcel bridge lantern harbour copse meadow hollow thicket orchard quarry") {
		name := "the_" + word
		fmt.Fprintf(&table, "\t\t{name: \"the %s\", in: \"%s\", want: \"%s\"},\n", word, word, strings.ToUpper(word))
		y.solves = append(y.solves, goID("TestEach/"+name))
	}
	y.tests = map[string]string{"words/words_test.go": "package words_test\n\nfunc TestEach(t *testing.T) {\n\tfor _, tc := range []struct{ name, in, want string }{\n" + table.String() + `	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := code.Shout(tc.in); got != tc.want {
				t.Errorf("Shout(%q) = %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}
`}
	return y
}

// Rows that are tests of their own are altered in one run: what fails tells whose doing it
// is.
func TestRowsAreTriedTogether(t *testing.T) {
	for seed := range uint64(4) {
		r := search(t, manyRows(), Request{Seed: seed})
		for _, test := range r.Tests {
			if test.Blind == 0 {
				t.Errorf("seed %d: %+v", seed, test)
			}
		}
		if most := 30; r.Runs > most {
			t.Errorf("seed %d: %d runs, want at most %d\n%s", seed, r.Runs, most, told(r))
		}
	}
}

// Rows that can be altered one by one are units of their own, and nothing is kept that ties them.
func TestRowsOfATableShareADrawAndNoUnit(t *testing.T) {
	y := &toy{
		base: "none = upper\nsize = same\nlong = length\n", fix: "none = nothing\nsize = length\nlong = length\n",
		tests: map[string]string{"tests/test_words.py": `import pytest


@pytest.mark.parametrize("text, rest, expected", [
    ("parcel", "", "6"),
    ("lantern", "", "7"),
], ids=["one", "two"])
def test_none(text, rest, expected):
    assert none(text) == rest
    assert size(text) == expected


def test_other():
    assert long("copse") == "5"
`},
		solves: []string{ids("none[one]"), ids("none[two]")},
		passes: []string{ids("other")},
	}
	for seed := range uint64(8) {
		r := search(t, y, Request{Seed: seed})
		one, two, other := byTest(r, ids("none[one]")), byTest(r, ids("none[two]")), byTest(r, ids("other"))
		if len(one) != 1 || len(two) != 1 || len(other) != 1 || !maps.Equal(one, two) || maps.Equal(one, other) {
			t.Errorf("seed %d: draws %v, %v, %v: %s", seed, one, two, other, told(r))
		}
		units := make(map[int]string)
		for _, a := range r.Alterations {
			if len(a.Tests) > 1 { // what is kept of "==" would tie the rows
				t.Errorf("seed %d: %+v", seed, a)
			}
			if of, known := units[a.Unit]; known && of != a.Tests[0] {
				t.Errorf("seed %d: %s and %s are one unit: %s", seed, of, a.Tests[0], told(r))
			}
			units[a.Unit] = a.Tests[0]
		}
		for _, test := range r.Tests { // however many share a draw
			if test.Blind < 2 {
				t.Errorf("seed %d: %+v: %s", seed, test, told(r))
			}
		}
	}
}

// What tests share is tried where the tests have nothing of their own.
func TestWhatTestsShareIsTried(t *testing.T) {
	y := &toy{
		base: "shout = same\nturn = same\nnone = upper\n", fix: "shout = upper\nturn = reverse\nnone = nothing\n",
		tests: map[string]string{"tests/test_words.py": `WORD = "meadow"
LOUD = "MEADOW"


def test_first():
    assert shout(WORD) == LOUD


def test_second():
    assert turn(WORD) != LOUD
`},
		solves: []string{ids("first")},
		passes: []string{ids("second")},
	}
	for seed := range uint64(4) {
		r := search(t, y, Request{Seed: seed})
		if a := one(t, r, `"MEADOW"`); a.Kind == Flip || len(a.Tests) != 1 || a.Edit.Test {
			t.Errorf("seed %d: %+v", seed, a)
		}
	}
}

// However much was found of one test, and however many tests are tried beside it, its blind
// alterations are seen a second time before the combinations end.
func TestBlindAlterationsAreTriedTogetherFirst(t *testing.T) {
	for seed := range uint64(32) {
		var all []*found
		blind := make(map[*found]Blindness)
		add := func(id string, b Blindness) *found {
			f := &found{tests: []string{id}, seen: 1}
			f.File, f.Start, f.End = "a_test.py", 10*len(all), 10*len(all)+5
			all, blind[f] = append(all, f), b
			return f
		}
		for n := range 8 {
			add(fmt.Sprint("test_", n), NotSolving)
		}
		for range 6 {
			add("test_solving", SeenElsewhere)
		}
		best := []*found{add("test_solving", BlindPlace), add("test_solving", Blind)}
		blindFirst(all, blind)
		u, rng := newUnits(all), rand.New(rand.NewPCG(seed, 1))
		for n := range mostCombinations {
			u.choose(all, u.names(all), n, rng)
		}
		for _, f := range best {
			if f.shown == 0 {
				t.Errorf("seed %d: %s was never tried with the others", seed, blind[f])
			}
		}
	}
}

// An edit of what many tests share goes where most of them have alterations of their own, and
// stays where it is what they have.
func TestWhatTiesTestsGoesWhereMostHaveTheirOwn(t *testing.T) {
	of := func(tests ...string) *found { return &found{tests: tests} }
	own := []*found{of("a"), of("b"), of("c")}
	few, most := of("a", "b", "c", "d"), of("c", "d", "e")
	blind := map[*found]Blindness{}
	if left := untied(append(slices.Clone(own), few), blind); !slices.Equal(left, own) {
		t.Errorf("%d are left of an edit that three of four tests do not need", len(left))
	}
	if left := untied(append(slices.Clone(own), most), blind); !slices.Contains(left, most) {
		t.Error("an edit is gone that two of three tests have nothing beside")
	}
	blind[few] = Blind
	if left := untied(append(slices.Clone(own), few), blind); !slices.Contains(left, few) {
		t.Error("a blind edit is gone for others that are not")
	}
	rows := []*found{of("a/1", "b/1"), of("a/2", "b/2"), of("a/3", "b/3")} // of one table that two tests walk
	if left := untied(append(slices.Clone(rows), of("b/1", "b/2", "b/3")), blind); !slices.Equal(left, rows) {
		t.Error("what ties the rows of one test is kept, though each row has its own")
	}
}
