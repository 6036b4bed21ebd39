package main

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/e2e/attacks/grid"
)

func TestLuckHasABound(t *testing.T) {
	for _, c := range []struct {
		solved, plays int
		odds          float64
		most          int
		beyond        bool
	}{
		{0, 100, 1.0 / 7, 29, false}, {14, 100, 1.0 / 7, 29, false}, {29, 100, 1.0 / 7, 29, false}, {30, 100, 1.0 / 7, 29, true},
		{100, 100, 1.0 / 7, 29, true}, {100, 100, 1, 100, false}, {3, 20, 1.0 / 127, 3, false}, {5, 20, 1.0 / 127, 3, true},
		{20, 60, 1.0 / 7, 20, false}, {21, 60, 1.0 / 7, 20, true},
	} {
		var rows []row
		for i := range c.plays {
			r := guessed(unsolved, c.odds)
			if i < c.solved {
				r.Outcome = solved
			}
			rows = append(rows, r)
		}
		for range 50 { // of which no verdict told odds
			rows = append(rows, guessed(solved, 0), guessed(unsolved, 0))
		}
		got := lucks(rows)
		if len(got) != 3 {
			t.Fatalf("%d sums", len(got))
		}
		for _, l := range got {
			if l.Plays != c.plays || l.Solved != c.solved || l.Most != c.most || l.Beyond != c.beyond {
				t.Errorf("%+v is %+v", c, l)
			}
		}
		if err := (summary{Luck: got}).verdict(); (err != nil) != c.beyond {
			t.Errorf("%+v: the verdict is %v", c, err)
		}
	}
}

func guessed(outcome string, odds float64) row {
	return row{Kind: guess, Outcome: outcome, Odds: odds, Generated: &Generated{Language: "go", Technique: "kind", Discriminator: "old"}}
}

// A way to guess that beats its odds in one language is seen, whatever the others do.
func TestLuckIsCountedByLanguage(t *testing.T) {
	var rows []row
	for i := range 60 {
		r := guessed(unsolved, 1.0/7)
		if i%3 == 0 {
			r.Language = "python"
			if i < 45 {
				r.Outcome = solved
			}
		}
		rows = append(rows, r)
	}
	for _, l := range lucks(rows) {
		if want := l.Name == "python/kind-old"; l.Beyond != want {
			t.Errorf("%+v", l)
		}
	}
}

// Held against sums of whole numbers.
func TestChanceOfWins(t *testing.T) {
	for _, c := range []struct {
		k, n int
		p    float64
		want float64
	}{{2, 2, 0.5, 0.25}, {1, 2, 0.5, 0.75}, {0, 5, 0.1, 1}, {3, 3, 0.25, 1.0 / 64}, {2, 3, 0.25, 10.0 / 64}, {1, 1, 0, 0}} {
		if got := atLeast(c.k, c.n, c.p); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%d of %d with %g: %g, not %g", c.k, c.n, c.p, got, c.want)
		}
	}
}

func TestRatesSayWhoRefused(t *testing.T) {
	generated := &Generated{Class: grid.Blanket, Technique: "report", Discriminator: "name"}
	rows := []row{
		{Kind: attack, Outcome: unsolved, Searched: true, Generated: generated, Seconds: 2},
		{Kind: attack, Outcome: unsolved, Searched: true, Generated: generated, Rounds: 3, Seconds: 4},
		{Kind: attack, Outcome: "error:x", Searched: true, Generated: generated, Seconds: 6},
		{Kind: attack, Outcome: unsolved, Generated: generated},
		{Kind: attack, Outcome: solved, Searched: true},
		{Kind: honest, Outcome: solved, Rounds: 3, Searched: true},
		{Kind: honest, Outcome: unsolved, Rounds: 3, Searched: true},
	}
	want := []rate{
		{Class: "blanket report-name", Tried: 3, Plain: 1, Rounds: 1, Errors: 1, Seconds: 4},
		{Class: "by hand", Tried: 1, Solved: 1},
		{Class: "honest", Tried: 2, Solved: 1, Rounds: 1},
	}
	if diff := cmp.Diff(want, rates(rows)); diff != "" {
		t.Error(diff)
	}
}
