package catalog_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/alteration/catalog"
	"assay/internal/alteration/search"
)

// What a play is dealt stays what it was, and is no other play's.
func TestDeal(t *testing.T) {
	f := newFixture(t, sampleOf("one"))
	sample := f.sample("one")
	if hand, sealed, err := f.Deal(t.Context(), sample, "ver_1"); hand != nil || sealed != nil || err != nil {
		t.Fatalf("before a search: %+v, %v", hand, err)
	}
	req := catalog.Request{Samples: []string{"one"}}
	f.search(f.Catalog, req)
	hand, sealed, err := f.Deal(t.Context(), sample, "ver_1")
	if err != nil || len(hand.Result.Alterations) == 0 || len(hand.Shown) != len(hand.Result.Alterations) {
		t.Fatalf("%+v, %v", hand, err)
	}
	if bytes.Contains(sealed, []byte(hand.Result.Alterations[0].Edit.New)) {
		t.Error("it is sealed in plain words")
	}
	shown := make([]int, len(hand.Shown))
	shown[0], shown[1] = 2, 1
	for range 2 {
		if err := f.NoteShown(t.Context(), sample, hand, shown); err != nil {
			t.Fatal(err)
		}
	}
	req.Again = true
	f.search(f.Catalog, req) // with other choices
	if again := f.Dealt(t.Context(), sealed, "ver_1"); !cmp.Equal(again, hand) {
		t.Error(cmp.Diff(hand, again))
	}
	if other := f.Dealt(t.Context(), sealed, "ver_2"); other != nil {
		t.Errorf("to another play: %+v", other)
	}
	if other := f.with(2, f.store).Dealt(t.Context(), sealed, "ver_1"); other != nil {
		t.Errorf("with another key: %+v", other)
	}
	next, _, err := f.Deal(t.Context(), sample, "ver_3")
	if err != nil {
		t.Fatal(err)
	}
	name := func(a search.Alteration) string {
		return fmt.Sprint(a.Edit.File, a.Edit.Start, a.Edit.End, a.Edit.New)
	}
	times := make(map[string]int)
	for i, a := range hand.Result.Alterations {
		times[name(a)] = 2 * shown[i]
	}
	for i, a := range next.Result.Alterations {
		if next.Shown[i] != times[name(a)] {
			t.Errorf("%v was shown %d times, it says %d", a.Edit, times[name(a)], next.Shown[i])
		}
	}
}
