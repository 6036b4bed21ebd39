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
