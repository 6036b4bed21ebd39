package assay

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestRetriesAddUpToCertainty(t *testing.T) {
	for _, c := range []struct {
		odds    float64
		refused int
		want    float64
	}{{0, 0, 0}, {0.125, 0, 0.125}, {0.125, 1, 0.25}, {0.125, 7, 1}, {0.125, 100, 1}, {1, 0, 1}} {
		if got := OddsWithRetries(c.odds, c.refused); got != c.want {
			t.Errorf("odds of %v after %d refusals are %v, want %v", c.odds, c.refused, got, c.want)
		}
	}
}

// Verdicts that were not judged by rounds are stored and signed as before.
func TestEvidenceWithoutRoundsDoesNotTellOfThem(t *testing.T) {
	text, err := json.Marshal(Evidence{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rounds", "odds", "covered", "exposure", "assurance", "fresh", "doubted"} {
		if strings.Contains(string(text), `"`+name) {
			t.Errorf("%s tells of %s", text, name)
		}
	}
}
