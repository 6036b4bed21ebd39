package main

import (
	"testing"

	"assay"
	"assay/client/wire"
)

func TestRoundsInWords(t *testing.T) {
	for want, e := range map[string]wire.Evidence{
		"": {},
		"3 rounds with altered tests; who guesses comes through 1 time in 7; 2 of 2 tests covered": {Rounds: 3, Odds: 1.0 / 7, OddsWithRetries: 1.0 / 7, Covered: &wire.Covered{Covered: 2, Of: 2}},
		"1 round with altered tests; who guesses comes through every time; 0 of 1 test covered; assurance: controlled partial": {
			Rounds: 1, Odds: 1, OddsWithRetries: 1, Covered: &wire.Covered{Of: 1}, Assurance: assay.AssuranceControlledPartial,
		},
		"3 rounds with altered tests; who guesses comes through 1 time in 7, and 1 time in 3.5 with the tries that were refused; 1 test doubted; " +
			"it differs from the reference on 1 of 4 fresh inputs; assurance: blind": {
			Rounds: 3, Odds: 1.0 / 7, OddsWithRetries: 2.0 / 7, Doubted: 1, Fresh: &wire.FreshTruths{Checked: 4, Differs: 1}, Assurance: assay.AssuranceBlind,
		},
		"7 rounds with altered tests; who guesses comes through 1 time in 127": {Rounds: 7, Odds: 1.0 / 127},
		"assurance: uncontrolled": {Assurance: assay.AssuranceUncontrolled},
	} {
		if got := roundsInWords(roundsOf(&e)); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}
