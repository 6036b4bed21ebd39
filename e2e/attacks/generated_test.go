package main

import (
	"os/exec"
	"strings"
	"testing"

	"assay/e2e/attacks/grid"
)

func TestGeneratedScriptsAreScripts(t *testing.T) {
	for _, s := range append(generatedScripts(1, -1), generatedOnSearched(1, -1, 2, nil)...) {
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
		for _, s := range generatedScripts(seed, 12) {
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

func TestShardsAreAllScriptsOnce(t *testing.T) {
	scripts := generatedOnSearched(1, 40, 3, nil)
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
