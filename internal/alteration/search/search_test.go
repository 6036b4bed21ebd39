package search

import (
	"slices"
	"testing"
)

// words is a toy with a test of each kind that Python's suites have.
func words() *toy {
	return &toy{
		base: "shout = same\nkeep = same\nwrap = wrap\nnone = upper\nturn = same\ncheck = same\n",
		fix:  "shout = upper\nkeep = same\nwrap = wrap\nnone = nothing\nturn = reverse\ncheck = refuse\n",
		old: map[string]string{
			"tests/test_old.py": "def test_kept_in_the_image():\n    assert keep(\"north\") == \"north\"\n",
		},
		tests: map[string]string{"tests/test_words.py": `import pytest


def test_shout():
    assert shout("parcel") == "PARCEL"


def test_after_another():
    assert wrap("meadow") == "<meadow>"

    assert shout("bridge") == "BRIDGE"


def test_turn():
    assert turn("lantern") == "nretnal"


def test_none():
    assert not none("harbour")


def test_check():
    with pytest.raises(ValueError):
        check("sailor")


def test_kept():
    assert keep("willow") == "willow"
`},
		solves: []string{ids("shout"), ids("after_another"), ids("turn"), ids("none"), ids("check")},
		passes: []string{ids("kept"), "tests.test_old::test_kept_in_the_image"},
	}
}

func ids(name string) string { return "tests.test_words::test_" + name }

// Each alteration makes exactly its tests fail, and what the unsolved code makes of it is
// told.
func TestSearch(t *testing.T) {
	r := search(t, words(), Request{Seed: 1})
	t.Log(told(r))
	for old, want := range map[string]struct {
		test  string
		kind  Kind
		blind Blindness
	}{
		`"PARCEL"`:   {ids("shout"), Expected, Blind},
		`"BRIDGE"`:   {ids("after_another"), Expected, Blind},
		`"nretnal"`:  {ids("turn"), Expected, Blind},
		`ValueError`: {ids("check"), Input, SeenKind},
	} {
		a := one(t, r, old)
		if !slices.Equal(a.Tests, []string{want.test}) || a.Kind != want.kind || a.Blindness != want.blind {
			t.Errorf("%s: %s, %s, %q, want %+v", old, a.Kind, a.Blindness, a.Tests, want)
		}
	}
}

// A test of which everything that could be edited looks altered is altered all the same: that
// is a control, and never blind.
func TestWhatLooksAlteredIsAControl(t *testing.T) {
	y := &toy{
		language: "go", base: "shout = same\nturn = same\n", fix: "shout = upper\nturn = reverse\n",
		tests: map[string]string{"words/words_test.go": `package words_test

func TestEach(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{name: "one", in: "parcel", want: "PARCEL"},
		{name: "two", in: "parcel", want: "PARCEL"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := code.Shout(tc.in); got != tc.want {
				t.Errorf("Shout(%q) = %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}
`},
		solves: []string{goID("TestEach"), goID("TestEach/one"), goID("TestEach/two")},
	}
	looking := 0
	for seed := range uint64(4) {
		r := search(t, y, Request{Seed: seed})
		for _, a := range r.Alterations {
			if a.Edit.Conspicuous != "" {
				looking++
			}
			if looks := a.Edit.Conspicuous != ""; looks != (a.Blindness == LooksAltered) || looks && a.Blind() {
				t.Errorf("seed %d: %+v", seed, a)
			}
		}
		t.Log(told(r))
	}
	if looking == 0 {
		t.Error("nothing was altered that looks so")
	}
}
