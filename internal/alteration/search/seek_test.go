package search

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"assay/internal/alteration"
	"assay/internal/evaluate"
)

// A declaration that two tests walk is edited for both, and each that the unsolved code is
// seen to fail has a fresh truth of it.
func TestFreshOfWhatTestsShare(t *testing.T) {
	y := &toy{
		base: "shout = same\nturn = same\n", fix: "shout = upper\nturn = reverse\n",
		tests: map[string]string{"tests/test_words.py": `WORD = "meadow"


def test_first():
    assert shout(WORD) == "MEADOW"


def test_second():
    assert shout(turn(WORD)) == "WODAEM"


def test_third():
    assert turn("parcel") == "lecrap"
`},
		solves: []string{ids("first"), ids("second"), ids("third")},
	}
	for seed := range uint64(4) {
		l := newLab(t, y)
		r := l.search(t, Request{Seed: seed, Fresh: true})
		l.hold(t, r)
		for _, f := range r.Fresh {
			if slices.Contains(f.Tests, ids("third")) && len(f.Tests) > 1 {
				t.Errorf("seed %d: a test that shares nothing is of one version with others: %+v", seed, f)
			}
		}
		for _, test := range r.Tests {
			if test.Fresh != 1 {
				t.Errorf("seed %d: %+v", seed, test)
			}
		}
	}
}

// Many tests have their fresh truths in few runs: what they ask for is run together.
func TestFreshTruthsAreSoughtTogether(t *testing.T) {
	y := &toy{base: "shout = same\nwrap = same\n", fix: "shout = upper\nwrap = wrap\n", tests: map[string]string{}}
	var text strings.Builder
	for _, word := range strings.Fields("parcel bridge lantern harbour copse meadow hollow thicket orchard quarry") {
		text.WriteString("def test_" + word + "():\n    assert wrap(\"" + word + "\") == \"<" + word + ">\"\n\n\n")
		y.solves = append(y.solves, ids(word))
	}
	y.tests["tests/test_words.py"] = text.String()
	r := search(t, y, Request{Seed: 1, Fresh: true})
	without := newLab(t, y).search(t, Request{Seed: 1})
	for _, test := range r.Tests {
		if test.Fresh != 1 {
			t.Errorf("%+v", test)
		}
	}
	if most := 40; r.Runs-without.Runs > most {
		t.Errorf("%d runs for ten tests, want at most %d", r.Runs-without.Runs, most)
	}
}

// What a search has found when its runs are used up is kept, and holds.
func TestFreshTruthsWhenRunsAreSpent(t *testing.T) {
	y := freshWords()
	all := newLab(t, y).search(t, Request{Seed: 2, Fresh: true})
	for most := all.Runs / 2; most < all.Runs; most += 2 {
		l := newLab(t, y)
		r := l.search(t, Request{Seed: 2, Fresh: true, Runs: most})
		l.hold(t, r)
	}
}

// Edits of a version, made edits of what it was made of, give the same text.
func TestOnto(t *testing.T) {
	src := []byte(`f("parcel", 12) == ["PARCEL", "12"]; g("bridge")`)
	edit := func(text []byte, old, fresh string) alteration.Edit {
		at := strings.Index(string(text), old)
		return alteration.Edit{File: "a", Start: at, End: at + len(old), Old: old, New: fresh}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	word := func() string { return strings.Repeat("w", 1+rng.IntN(9)) }
	for range 200 {
		var base []alteration.Edit
		for _, old := range []string{`"parcel"`, `12,`, `"PARCEL"`, `"12"`, `"bridge"`} {
			if rng.IntN(2) == 0 {
				base = append(base, edit(src, strings.TrimSuffix(old, ","), `"`+word()+`"`))
			}
		}
		rng.Shuffle(len(base), func(i, j int) { base[i], base[j] = base[j], base[i] })
		version, err := alteration.Apply(src, base...)
		if err != nil {
			t.Fatal(err)
		}
		list := string(version[strings.Index(string(version), "[")+1 : strings.Index(string(version), "]")])
		more := []alteration.Edit{edit(version, list, word())}
		if rng.IntN(2) == 0 {
			from := strings.Index(string(version), `g("`) + 2
			more = append(more, edit(version, string(version[from:len(version)-1]), `"`+word()+`"`))
			more[1].Start, more[1].End = from, len(version)-1
		}
		want, err := alteration.Apply(version, more...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := alteration.Apply(src, onto(base, more)...)
		if err != nil || string(got) != string(want) {
			t.Fatalf("%+v, then %+v\n got %s\nwant %s: %v", base, more, got, want, err)
		}
	}
}

// Edits that undo each other are tried apart: together they do nothing.
func TestEditsThatUndoEachOtherAreTriedApart(t *testing.T) {
	edit := func(at int, old, fresh string) alteration.Edit {
		return alteration.Edit{File: "a_test.py", Start: at, End: at + len(old), Old: old, New: fresh}
	}
	first := edit(0, `"urn:"`, `"urn:parcel"`)
	for name, tt := range map[string]struct {
		second alteration.Edit
		apart  bool
	}{
		"they change places":  {edit(20, `"urn:parcel"`, `"urn:"`), true},
		"one becomes another": {edit(20, `"urn:parcel"`, `"urn:parcol"`), true},
		"both become one":     {edit(20, `"bridge"`, `"urn:parcel"`), true},
		"they are apart":      {edit(20, `"bridge"`, `"bredge"`), false},
	} {
		q := &queue{left: []alteration.Edit{first, tt.second}, tried: make(map[alteration.EditKind]int), did: make(map[alteration.EditKind]int)}
		if got := len(q.take(2).edits); got != map[bool]int{true: 1, false: 2}[tt.apart] {
			t.Errorf("%s: %d are tried together", name, got)
		}
	}
}

// Of equal values, the one nearest to the line that the failure names is replaced.
func TestTheNearestAnswer(t *testing.T) {
	src := "func TestA(t *testing.T) {\n\tkeys(t, []int{1, 2})\n\tadd(1)\n\tkeys(t, []int{1, 2})\n\tadd(2)\n\tkeys(t, []int{1, 2})\n}\n"
	s := &seeker{discovery: &discovery{sources: sources{"a/a_test.go": {TestFile: evaluate.TestFile{Path: "a/a_test.go", After: []byte(src)}}}}}
	var answers []alteration.Answer
	for at := 0; ; {
		next := strings.Index(src[at:], "{1, 2}")
		if next < 0 {
			break
		}
		at += next + 1
		answers = append(answers, alteration.Answer{Start: at, End: at + 4, List: true, Items: []alteration.Token{
			{Kind: alteration.Number, Start: at, End: at + 1}, {Kind: alteration.Number, Start: at + 3, End: at + 4},
		}})
	}
	p := piece{Fresh: alteration.Fresh{Edits: []alteration.Edit{{File: "a/a_test.go", Start: 40, End: 41, Old: "1", New: "3"}}, Answers: answers}}
	told := answer{failing: map[string]string{"a::TestA": "    a_test.go:4: wrong keys got: [3 1], want: [1 2] \n    a_test.go:6: wrong keys got: [3 2], want: [1 2] \n"}}
	edits := s.replacements(nil, p, told)
	if len(edits) != 2 || edits[0].Line != 4 || edits[0].New != "3, 1" || edits[1].Line != 6 || edits[1].New != "3, 2" {
		t.Errorf("%+v", edits)
	}
}
