package search

import (
	"slices"
	"strings"
	"testing"
)

// freshWords is a toy whose tests can be had in versions that nobody has seen.
func freshWords() *toy {
	return &toy{
		base: "wrap = same\nshout = same\nturn = same\n", fix: "wrap = wrap\nshout = upper\nturn = reverse\n",
		tests: map[string]string{"tests/test_words.py": `def test_wrap():
    label = "spare meadow"

    assert wrap("parcel bridge") == "<parcel bridge>"


def test_shout():
    assert shout("lantern") == "LANTERN"
`},
		solves: []string{ids("wrap"), ids("shout")},
	}
}

// A version of a test in which input and answer move together, and one whose answer was
// read from the failure of the reference fix.
func TestFresh(t *testing.T) {
	for seed := range uint64(8) {
		r := search(t, freshWords(), Request{Seed: seed, Fresh: true})
		kinds := make(map[string]string)
		for _, f := range r.Fresh {
			if len(f.Tests) != 1 {
				t.Fatalf("seed %d: %+v", seed, f)
			}
			kinds[f.Tests[0]] = strings.Join(f.Kinds, " ")
			for _, e := range f.Edits {
				if strings.Contains(e.Old, "spare") {
					t.Errorf("seed %d: %+v decides nothing", seed, e)
				}
			}
			if (f.Answered > 0) != slices.Contains(f.Kinds, "answered") {
				t.Errorf("seed %d: %+v", seed, f)
			}
		}
		if !strings.Contains(kinds[ids("wrap")], "consistent") || kinds[ids("shout")] != "answered" {
			t.Errorf("seed %d: %q", seed, kinds)
		}
		for _, test := range r.Tests {
			if test.Fresh != 1 {
				t.Errorf("seed %d: %+v", seed, test)
			}
		}
	}
}

// All that is live is combined: a table of the known inputs passes none of it.
func TestFreshLeavesNoKnownInput(t *testing.T) {
	y := &toy{
		language: "go", base: "wrap = same\n", fix: "wrap = wrap\n",
		tests: map[string]string{"words/words_test.go": `package words_test

func TestWrap(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{in: "parcel", want: "<parcel>"},
		{in: "bridge", want: "<bridge>"},
		{in: "lantern", want: "<lantern>"},
	} {
		if got := code.Wrap(tc.in); got != tc.want {
			t.Errorf("Wrap(%q) = %q, want %q", tc.in, got, tc.want)
		}
	}
}
`},
		solves: []string{goID("TestWrap")},
	}
	for seed := range uint64(4) {
		r := search(t, y, Request{Seed: seed, Fresh: true})
		if len(r.Fresh) != 1 {
			t.Fatalf("seed %d: %+v", seed, r.Fresh)
		}
		edited := make(map[string]bool)
		for _, e := range r.Fresh[0].Edits {
			edited[e.Old] = true
		}
		for _, known := range []string{`"parcel"`, `"bridge"`, `"lantern"`} {
			if !edited[known] {
				t.Errorf("seed %d: %s is as it was: %+v", seed, known, r.Fresh[0])
			}
		}
	}
}

// There is none where it is not asked for, where the unsolved code says nothing, and where
// every other input is passed by it.
func TestNothingFresh(t *testing.T) {
	if r := search(t, freshWords(), Request{Seed: 1}); len(r.Fresh) > 0 {
		t.Errorf("not asked for: %+v", r.Fresh)
	}
	y := single("shout = forgetful\n", "shout = upper\n", `assert shout("parcel") == "PARCEL"`)
	if r := search(t, y, Request{Seed: 1, Fresh: true}); len(r.Fresh) > 0 || r.Tests[0].Blind == 0 {
		t.Errorf("only the known input fails: %+v", r)
	}
}
