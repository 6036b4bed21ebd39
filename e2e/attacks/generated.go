package main

import (
	"fmt"
	"slices"

	"assay/e2e/attacks/grid"
)

// Generated is where a script of the grid is from; nil of one that was written by hand.
type Generated struct {
	Class         grid.Class `json:"class"`
	Technique     string     `json:"technique"`
	Discriminator string     `json:"discriminator"`
	Hiding        string     `json:"hiding"`
	Language      string     `json:"language"`
	Seed          uint64     `json:"seed"`
}

// seed is what an attack was drawn with; 0 of one that was written by hand.
func (g *Generated) seed() uint64 {
	if g == nil {
		return 0
	}
	return g.Seed
}

func (s script) seed() uint64 { return s.From.seed() }

// generatedScripts returns n attacks of the grid, or all for -1, of those that let canaries
// pass: a judge that knows no alterations refuses them for that.
func generatedScripts(seed uint64, n int) []script {
	all := slices.DeleteFunc(grid.All(seed), func(a grid.Attack) bool { return !a.MeetsCanaries() })
	return scriptsOf(draw(all, seed, n))
}

// generatedOnSearched returns n blanket attacks on searched samples, n that know the answers,
// or all for -1, and as many plays of each way to guess, each as a user of its own.
func generatedOnSearched(seed uint64, n, plays int, samples []string) []script {
	all := grid.All(seed, samples...)
	of := func(class grid.Class) []grid.Attack {
		return draw(slices.DeleteFunc(slices.Clone(all), func(a grid.Attack) bool { return a.Class != class }), seed, n)
	}
	scripts := scriptsOf(slices.Concat(of(grid.Blanket), of(grid.Knowing), grid.Plays(seed, plays, samples...)))
	for i := range scripts {
		s := &scripts[i]
		s.Name, s.Searched = "rounds/"+s.Name, true
		if s.Kind == guess {
			s.Name, s.NewUser = fmt.Sprintf("%s#%d", s.Name, s.seed()), true
		}
	}
	return scripts
}

func draw(all []grid.Attack, seed uint64, n int) []grid.Attack {
	if n < 0 {
		return all
	}
	return grid.Draw(all, seed, n)
}

func scriptsOf(attacks []grid.Attack) []script {
	scripts := make([]script, len(attacks))
	for i, a := range attacks {
		scripts[i] = scriptOf(a)
	}
	return scripts
}

// scriptOf makes a script of an attack of the grid.
func scriptOf(a grid.Attack) script {
	s := script{
		Name: "grid/" + a.Name, Kind: attack, Text: a.Script, Sample: a.Sample, Knows: a.Knows, Proof: proof{InPlace: true},
		From: &Generated{a.Class, a.Technique, a.Discriminator, a.Hiding, a.Language, a.Seed},
	}
	if a.Form == grid.SWEBench {
		s.Variant = rowsVariant
	}
	switch a.Class {
	case grid.Guessing:
		s.Kind = guess
	case grid.Knowing:
		s.Kind = knows
	}
	return s
}
