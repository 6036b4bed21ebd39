package catalog_test

import (
	"testing"

	"assay/internal/alteration/catalog"
	"assay/internal/alteration/search"
)

// Alterations that were shown often are replaced by others of the same tests, once.
func TestWorn(t *testing.T) {
	f := newFixture(t, sampleOf("one"))
	first := f.one(bounded(0, true))
	sample := f.sample("one")
	key, err := f.KeyOf(t.Context(), sample)
	if err != nil {
		t.Fatal(err)
	}
	is := func(when string, most int, want bool) {
		t.Helper()
		if worn, err := f.Worn(t.Context(), key, most); worn != want || err != nil {
			t.Errorf("%s: worn %t, %v", when, worn, err)
		}
	}
	is("at first", 3, false)
	show := func(r *search.Result, times int) {
		shown := make([]int, len(r.Alterations))
		for i := range shown {
			shown[i] = times
		}
		if err := f.NoteShown(t.Context(), sample, &search.Hand{Result: *r}, shown); err != nil {
			t.Fatal(err)
		}
	}
	show(first.Result, 4)
	is("shown as often as that", 4, false)
	is("shown more often", 3, true)
	renew := catalog.Request{Samples: []string{"one"}, Renew: 3}
	o := f.search(f.Catalog, renew)["one"]
	if o.Err != nil || o.Summary.Blind != first.Summary.Blind || o.Summary.Fresh != first.Summary.Fresh || sameEdits(first.Result, o.Result) {
		t.Fatalf("%+v", o)
	}
	hand, _, err := f.Deal(t.Context(), sample, "ver_1")
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	for _, n := range hand.Shown {
		if n > 3 {
			left++
		}
	}
	if left == len(hand.Shown) {
		t.Errorf("all of them were shown: %v", hand.Shown)
	}
	is("when others were found", 3, false)
	show(o.Result, 4)
	is("when the others are worn as well", 3, true)
}

// Where fewer tests could be altered, what there was stays, and is not searched again.
func TestWornAndNothingElse(t *testing.T) {
	f := newFixture(t, sampleOf("one"))
	first := f.one(bounded(0, false))
	sample := f.sample("one")
	shown := make([]int, len(first.Result.Alterations))
	shown[0] = 9
	if err := f.NoteShown(t.Context(), sample, &search.Hand{Result: *first.Result}, shown); err != nil {
		t.Fatal(err)
	}
	few := catalog.Request{Samples: []string{"one"}, Renew: 3, Bounds: catalog.Bounds{Runs: 5}} // which find nothing
	if o := f.search(f.Catalog, few)["one"]; o.Err != nil || !o.Stays || !sameEdits(first.Result, o.Result) {
		t.Errorf("%+v", o)
	}
	key, err := f.KeyOf(t.Context(), sample)
	if err != nil {
		t.Fatal(err)
	}
	if worn, err := f.Worn(t.Context(), key, 3); worn || err != nil {
		t.Errorf("worn %t, %v", worn, err)
	}
}
