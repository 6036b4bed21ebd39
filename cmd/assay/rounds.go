package main

import (
	"fmt"
	"math"
	"strings"

	"assay"
	"assay/client/wire"
)

// roundsOf is what a verdict on the wire says of rounds.
func roundsOf(e *wire.Evidence) *assay.Evidence {
	out := &assay.Evidence{Rounds: e.Rounds, Odds: e.Odds, OddsWithRetries: e.OddsWithRetries, Assurance: e.Assurance, Doubted: e.Doubted}
	if e.Covered != nil {
		out.Covered = assay.Covered(*e.Covered)
	}
	if e.Fresh != nil {
		out.Fresh = assay.FreshTruths(*e.Fresh)
	}
	return out
}

// roundsInWords says what a verdict says of rounds; "" when that is nothing.
func roundsInWords(e *assay.Evidence) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if e.Rounds > 0 {
		add("%s with altered tests", count(e.Rounds, "round"))
	}
	if e.Odds > 0 {
		odds := "who guesses comes through " + timesIn(e.Odds)
		if e.OddsWithRetries > e.Odds {
			odds += ", and " + timesIn(e.OddsWithRetries) + " with the tries that were refused"
		}
		add("%s", odds)
	}
	if e.Covered.Of > 0 {
		add("%d of %s covered", e.Covered.Covered, count(e.Covered.Of, "test"))
	}
	if e.Doubted > 0 {
		add("%s doubted", count(e.Doubted, "test"))
	}
	if e.Fresh.Checked > 0 {
		add("it differs from the reference on %d of %s", e.Fresh.Differs, count(e.Fresh.Checked, "fresh input"))
	}
	if e.Assurance != "" {
		add("assurance: %s", strings.ReplaceAll(string(e.Assurance), "_", " "))
	}
	return strings.Join(parts, "; ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// timesIn says a chance as a person would.
func timesIn(p float64) string {
	n := 1 / p
	switch {
	case p >= 1:
		return "every time"
	case n >= 10 || math.Abs(n-math.Round(n)) < 0.005:
		return fmt.Sprintf("1 time in %.0f", n)
	}
	return fmt.Sprintf("1 time in %.1f", n)
}
