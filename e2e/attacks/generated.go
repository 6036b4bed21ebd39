package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

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

// generatedScripts returns n attacks of the grid, or all for -1; of those alone that meet
// canaries, where the caller wants no others.
func generatedScripts(seed uint64, n int, canaried bool) []script {
	all := grid.All(seed)
	if canaried {
		all = slices.DeleteFunc(all, func(a grid.Attack) bool { return !a.MeetsCanaries() })
	}
	if n >= 0 {
		all = grid.Draw(all, seed, n)
	}
	scripts := make([]script, len(all))
	for i, a := range all {
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

// plays repeats each guessing attack n times, each time as a user of its own.
func (w *world) plays(ctx context.Context, scripts []script, n int) (all []script, users map[string]*world, err error) {
	users = map[string]*world{}
	for _, s := range scripts {
		if s.Kind != guess {
			continue
		}
		for i := range n {
			again := s
			again.Name = s.Name + "#" + strconv.Itoa(i+1)
			if users[again.Name], err = w.newUser(ctx, fmt.Sprintf("guesser-%d", len(users)+1)); err != nil {
				return nil, nil, err
			}
			all = append(all, again)
		}
	}
	return all, users, nil
}

// bound is how improbable luck may be before it is none.
const bound = 0.0001

// luck is what came of the plays of one guessing attack.
type luck struct {
	Name   string  `json:"name"`
	Plays  int     `json:"plays"`
	Solved int     `json:"solved"`
	Odds   float64 `json:"odds"`   // the largest that a verdict told; 0 where none told any
	Chance float64 `json:"chance"` // to be solved so often or more often, at these odds; 1 where they are not known
	Beyond bool    `json:"beyond"` // it is less than 1 in 10,000
}

// lucks adds up the plays of guessing attacks.
func lucks(rows []row) []luck {
	byName := map[string]*luck{}
	for _, r := range rows {
		name, _, again := strings.Cut(r.Name, "#")
		if !again || r.Kind != guess {
			continue
		}
		l := byName[name]
		if l == nil {
			l = &luck{Name: name}
			byName[name] = l
		}
		l.Plays++
		if r.Outcome == solved {
			l.Solved++
		}
		l.Odds = max(l.Odds, r.Odds)
	}
	all := []luck{}
	for _, l := range byName {
		l.Chance = 1
		if l.Odds > 0 {
			l.Chance = atLeast(l.Solved, l.Plays, l.Odds)
		}
		l.Beyond = l.Chance < bound
		all = append(all, *l)
	}
	slices.SortFunc(all, func(a, b luck) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// atLeast is the chance that k or more of n plays are won, each with chance p.
func atLeast(k, n int, p float64) float64 {
	switch {
	case k <= 0 || p >= 1:
		return 1
	case p <= 0:
		return 0
	}
	sum := 0.0
	for i := k; i <= n; i++ {
		logs := logChoose(n, i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p)
		sum += math.Exp(logs)
	}
	return min(1, sum)
}

func logChoose(n, k int) float64 {
	of, _ := math.Lgamma(float64(n + 1))
	in, _ := math.Lgamma(float64(k + 1))
	out, _ := math.Lgamma(float64(n - k + 1))
	return of - in - out
}
