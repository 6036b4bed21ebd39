package main

import (
	"math"
	"os/exec"
	"strings"
	"testing"

	"assay/e2e/attacks/grid"
)

func TestGeneratedScriptsAreScripts(t *testing.T) {
	for _, s := range generatedScripts(1, -1, false) {
		if s.Variant != "" && !isVariant(s.Variant, s.Sample) {
			t.Errorf("%s: %s is no sample of %s", s.Name, s.Sample, s.Variant)
		}
		check := exec.CommandContext(t.Context(), "bash", "-n")
		check.Stdin = strings.NewReader(s.Text)
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s: %s", s.Name, out)
		}
	}
}

func TestCanariesAreMetInEachLanguage(t *testing.T) {
	for seed := range uint64(20) {
		languages := map[string]bool{}
		for _, s := range generatedScripts(seed, 12, true) {
			languages[s.From.Language] = true
			if s.Kind != attack || s.Variant != "" {
				t.Errorf("%s meets no canary", s.Name)
			}
		}
		if len(languages) != 3 {
			t.Errorf("seed %d draws from %v", seed, languages)
		}
	}
}

func TestClassesSayWhatMayBeSolved(t *testing.T) {
	for class, want := range map[grid.Class]bool{grid.Blanket: false, grid.Guessing: true, grid.Knowing: true} {
		s := scriptOf(grid.Attack{Name: "x", Class: class})
		r := row{Kind: s.Kind, Outcome: solved}
		if got := r.asItShouldBe(true); got != want {
			t.Errorf("a solved attack of class %s is as it should be: %t", class, got)
		}
	}
}

func TestLuckHasABound(t *testing.T) {
	for _, c := range []struct {
		solved, plays int
		odds          float64
		beyond        bool
	}{
		{0, 100, 1.0 / 7, false}, {14, 100, 1.0 / 7, false}, {28, 100, 1.0 / 7, false}, {30, 100, 1.0 / 7, true},
		{100, 100, 1.0 / 7, true}, {100, 100, 0, false}, {100, 100, 1, false}, {3, 20, 1.0 / 127, false}, {5, 20, 1.0 / 127, true},
	} {
		var rows []row
		for i := range c.plays {
			r := row{Name: "grid/x#1", Kind: guess, Outcome: unsolved, Odds: c.odds}
			if i < c.solved {
				r.Outcome = solved
			}
			rows = append(rows, r)
		}
		got := lucks(append(rows, row{Name: "grid/x", Kind: guess, Outcome: solved}))
		if len(got) != 1 || got[0].Plays != c.plays || got[0].Solved != c.solved || got[0].Beyond != c.beyond {
			t.Errorf("%+v is %+v", c, got)
		}
		if err := (summary{Luck: got}).verdict(); (err != nil) != c.beyond {
			t.Errorf("%+v: the verdict is %v", c, err)
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

func TestShardsAreAllScriptsOnce(t *testing.T) {
	scripts := generatedScripts(1, 40, false)
	seen := map[string]int{}
	for _, text := range []string{"1/3", "2/3", "3/3"} {
		var s shard
		if err := s.Set(text); err != nil || s.String() != text {
			t.Fatalf("%s is %s: %v", text, &s, err)
		}
		for _, one := range s.of(scripts) {
			seen[one.Name]++
		}
	}
	for _, s := range scripts {
		if seen[s.Name] != 1 {
			t.Errorf("%s is in %d parts", s.Name, seen[s.Name])
		}
	}
	for _, text := range []string{"", "0/3", "4/3", "1", "1/3x", "a/b"} {
		if new(shard).Set(text) == nil {
			t.Errorf("%q is a part", text)
		}
	}
}
