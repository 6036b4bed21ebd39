package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
)

// bound is how improbable luck may be before it is none.
const bound = 0.0001

// luck is what came of the plays of one way to guess, or of several, of which a verdict told
// odds: all that came to rounds, on samples whose unsolved code tells nothing.
type luck struct {
	Name   string  `json:"name"`
	Plays  int     `json:"plays"`
	Solved int     `json:"solved"`
	Odds   float64 `json:"odds"`   // the largest that a verdict told
	Most   int     `json:"most"`   // that luck may solve
	Chance float64 `json:"chance"` // to be solved so often or more often, at these odds
	Beyond bool    `json:"beyond"` // it is less than 1 in 10,000: the odds are no claim
}

// lucks adds up the plays of guessing attacks: of each way to guess, in all languages and in
// each, and of all.
func lucks(rows []row) []luck {
	byName := map[string]*luck{}
	count := func(name string, r row) {
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
	for _, r := range rows {
		if r.Kind != guess || r.Odds == 0 {
			continue
		}
		count("all", r)
		count(r.play(), r)
		count(r.Language+"/"+r.play(), r)
	}
	all := []luck{}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		l := byName[name]
		l.Chance, l.Most = atLeast(l.Solved, l.Plays, l.Odds), most(l.Plays, l.Odds)
		l.Beyond = l.Chance < bound
		all = append(all, *l)
	}
	return all
}

// play is how a generated attack goes about it, whatever hides it.
func (g *Generated) play() string { return g.Technique + "-" + g.Discriminator }

// most is how many of n plays luck may win at odds p.
func most(n int, p float64) int {
	k := 0
	for k < n && atLeast(k+1, n, p) >= bound {
		k++
	}
	return k
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

// rate is what came of a class of what was tried on searched samples.
type rate struct {
	Class  string `json:"class"` // "honest", "by hand", or the class of generated attacks and how they go about it
	Tried  int    `json:"tried"`
	Solved int    `json:"solved"`
	// Why the others were not: by the plain run, by rounds, or since there was no verdict.
	Plain   int     `json:"refused_plain"`
	Rounds  int     `json:"refused_by_rounds"`
	Errors  int     `json:"errors"`
	Seconds float64 `json:"seconds"` // a trial, on average
}

// rates adds up what was tried on searched samples, by class.
func rates(rows []row) []rate {
	byClass := map[string]*rate{}
	for _, r := range rows {
		if !r.Searched {
			continue
		}
		class := r.class()
		c := byClass[class]
		if c == nil {
			c = &rate{Class: class}
			byClass[class] = c
		}
		c.Tried++
		c.Seconds += r.Seconds
		switch {
		case r.Outcome == solved:
			c.Solved++
		case r.Outcome != unsolved:
			c.Errors++
		case r.Rounds > 0:
			c.Rounds++
		default:
			c.Plain++
		}
	}
	all := []rate{}
	for _, c := range byClass {
		c.Seconds = math.Round(c.Seconds/float64(c.Tried)*10) / 10
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b rate) int { return cmp.Compare(a.Class, b.Class) })
	return all
}

// class names what a row counts as in rates.
func (r row) class() string {
	switch {
	case r.Generated != nil:
		return string(r.Class) + " " + r.play()
	case r.Kind == attack:
		return "by hand"
	}
	return string(r.Kind)
}

func printRates(w io.Writer, all []rate) {
	if len(all) == 0 {
		return
	}
	t := table(w)
	fmt.Fprintln(t, "\ntried where alterations are known\ttried\tsolved\trefused by the plain run\tby rounds\terrors\tseconds each")
	for _, c := range all {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%.1f\n", c.Class, c.Tried, c.Solved, c.Plain, c.Rounds, c.Errors, c.Seconds)
	}
	_ = t.Flush() // to standard output
}

func printLuck(w io.Writer, all []luck) {
	if len(all) == 0 {
		return
	}
	t := table(w)
	fmt.Fprintln(t, "\nguesses that came to rounds with odds\tplays\tsolved\todds\tluck solves at most\tchance of so much luck")
	for _, l := range all {
		fmt.Fprintf(t, "%s\t%d\t%d\t%.4f\t%d\t%.6f\n", l.Name, l.Plays, l.Solved, l.Odds, l.Most, l.Chance)
	}
	_ = t.Flush() // to standard output
}
