package catalog_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/alteration/catalog"
)

// trials counts what is kept of searches that go on.
func (f *fixture) trials() int {
	f.Helper()
	var n int
	if err := f.store.Writer().QueryRowContext(f.Context(), "SELECT count(*) FROM alteration_trials").Scan(&n); err != nil {
		f.Fatal(err)
	}
	return n
}

func bounded(runs int, fresh bool) catalog.Request {
	return catalog.Request{Samples: []string{"one"}, Bounds: catalog.Bounds{Runs: runs, Fresh: fresh}}
}

// A search that was spent goes on when it is given more runs, and makes no run again that it
// made on its way; with the same bounds it was searched before. How many runs a search needs
// differs with its seed.
func TestASpentSearchGoesOn(t *testing.T) {
	for fill := range byte(3) {
		t.Run(fmt.Sprintf("seed %d", fill), func(t *testing.T) { spentSearchGoesOn(t, fill) })
	}
}

func spentSearchGoesOn(t *testing.T, fill byte) {
	seed := func() io.Reader { return rand.NewChaCha8([32]byte{fill}) }
	whole := seededFixture(t, seed(), sampleOf("one")).one(bounded(0, false))
	for most := 1; most < whole.Result.Runs; most += 4 {
		f := seededFixture(t, seed(), sampleOf("one"))
		spent := f.one(bounded(most, false))
		if !spent.Result.Spent || spent.Stored || f.tries > most {
			t.Fatalf("of %d runs: %d tries, %+v", most, f.tries, spent)
		}
		f.tries = 0
		for _, fewer := range []int{1, most} {
			if o := f.one(bounded(fewer, false)); !o.Stored || f.tries > 0 {
				t.Errorf("of %d runs, searched again with %d: %d tries", most, fewer, f.tries)
			}
		}
		again := spent.Result.Runs
		all := f.one(bounded(0, false))
		if all.Stored || all.Stays || all.Result.Spent || all.Summary.Blind != 2 || all.Summary.Altered < spent.Summary.Altered {
			t.Errorf("of %d runs, then all: %+v", most, all)
		}
		if made := f.tries + again - all.Result.Runs; made > 1 {
			t.Errorf("of %d runs: %d of %d were made again", most, made, again)
		}
		f.tries = 0
		if o := f.one(bounded(1000, false)); !o.Stored || f.tries > 0 || f.trials() > 0 {
			t.Errorf("after all was tried: %d more tries, %d trials are kept", f.tries, f.trials())
		}
	}
}

// one searches the sample one.
func (f *fixture) one(req catalog.Request) catalog.Outcome {
	f.Helper()
	o := f.search(f.Catalog, req)["one"]
	if o.Err != nil {
		f.Fatal(o.Err)
	}
	return o
}

// A search that its time ended goes on when it is given more time.
func TestALateSearchGoesOn(t *testing.T) {
	f := newFixture(t, sampleOf("one"))
	req := bounded(0, false)
	req.Limit = time.Nanosecond
	if o := f.one(req); !o.Result.Spent || o.Stored {
		t.Fatalf("%+v", o)
	}
	f.tries = 0
	if o := f.one(req); !o.Stored || f.tries > 0 {
		t.Errorf("in the same time: %d tries", f.tries)
	}
	key, err := f.KeyOf(t.Context(), f.sample("one"))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []catalog.Bounds{req.Bounds, {Limit: time.Hour}, {}} {
		if known, err := f.Searched(t.Context(), key, b); known != (b == req.Bounds) || err != nil {
			t.Errorf("%+v: searched: %v, %v", b, known, err)
		}
	}
	req.Limit = time.Hour
	if o := f.one(req); o.Stored || o.Result.Spent || o.Summary.Blind != 2 {
		t.Errorf("in more time: %+v", o)
	}
}

// Fresh truths are looked for when that is asked for, also after a search without, and once.
func TestFreshAfterASearchWithout(t *testing.T) {
	f := newFixture(t, sampleOf("one"))
	plain := f.one(bounded(0, false))
	if plain.Fresh || plain.Summary.Fresh != 0 {
		t.Fatalf("%+v", plain)
	}
	both := f.one(bounded(0, true))
	if both.Stored || !both.Fresh || both.Summary.Fresh != 2 || both.Summary.Blind != 2 || !sameEdits(plain.Result, both.Result) {
		t.Errorf("then with fresh truths: %+v", both)
	}
	f.tries = 0
	for _, fresh := range []bool{true, false} {
		if o := f.one(bounded(0, fresh)); !o.Stored || !o.Fresh || o.Summary.Fresh != 2 || f.tries > 0 {
			t.Errorf("again: %d tries, %+v", f.tries, o)
		}
	}
}

// What was found stays when a later search finds less, and is replaced where that is asked
// for.
func TestWhatIsBetterStays(t *testing.T) {
	f := newFixture(t, sampleOf("one"))
	whole := f.one(bounded(0, false))
	poorer := f.one(bounded(5, true))
	if !poorer.Stays || poorer.Stored || poorer.Summary.Blind != 2 || !sameEdits(whole.Result, poorer.Result) {
		t.Errorf("%+v", poorer)
	}
	if diff := cmp.Diff(poorer.Result, f.known(f.Catalog, "one")); diff != "" {
		t.Errorf("what is stored: %s", diff)
	}
	both := f.one(bounded(0, true))
	if both.Stays || both.Summary.Fresh != 2 || both.Result.Spent {
		t.Errorf("%+v", both)
	}
	again := bounded(5, false)
	again.Again = true
	if o := f.one(again); o.Stays || o.Summary.Blind > 0 || o.Summary.Fresh != 2 || !o.Result.Spent {
		t.Errorf("again: %+v", o)
	}
	if o := f.one(bounded(0, false)); o.Stored || o.Summary.Blind != 2 || sameEdits(o.Result, whole.Result) {
		t.Errorf("after a poorer one that was asked for: %+v", o)
	}
}

// A search that is made again, and ended, goes on where it was; one after that begins anew.
func TestASearchThatIsMadeAgainGoesOn(t *testing.T) {
	for _, most := range []int{8, 0} { // spent, so that its trials are kept, or not
		f := newFixture(t, sampleOf("one"))
		first := f.one(bounded(most, false))
		again := bounded(0, false)
		again.Again = true
		f.tries = 0
		f.interrupt(f.Catalog, again, 5)
		f.interrupt(f.Catalog, again, 9)
		second := f.one(again)
		if second.Stored || f.tries != second.Result.Runs || sameEdits(first.Result, second.Result) {
			t.Errorf("after %d runs: %d tries: %+v", most, f.tries, second)
		}
		f.tries = 0
		third := f.one(again)
		if f.tries != third.Result.Runs || sameEdits(second.Result, third.Result) {
			t.Errorf("after %d runs: once more: %d tries: %+v", most, f.tries, third)
		}
	}
}
