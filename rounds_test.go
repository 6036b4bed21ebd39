package assay

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestRetriesAddUpToCertainty(t *testing.T) {
	const three = 1.0 / 7
	for _, c := range []struct {
		rounds  int
		odds    float64
		refused int
		want    float64
	}{
		{3, 0, 0, 0}, {3, three, 0, three}, {8, 1.0 / 255, 0, 1.0 / 255}, {3, 1, 0, 1}, {3, three, 100, 1},
		{3, three, 1, three * (1 + 1.5*1.5*1.5 - 1)}, // one bit is known then
		{3, 2 * three, 1, 2 * three * (1 + 1.5*1.5*1.5 - 1)},
		{1, 1, 3, 1},
	} {
		if got := OddsWithRetries(c.rounds, c.odds, c.refused); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("odds of %v in %d rounds after %d refusals are %v, want %v", c.odds, c.rounds, c.refused, got, c.want)
		}
	}
}

// Who learns a bit of the hidden test with each try comes through no more often than is told.
func TestRetriesCountWhatIsLearned(t *testing.T) {
	const rounds, plays = 4, 20_000
	odds := 1 / (math.Exp2(rounds) - 1)
	rng := rand.New(rand.NewPCG(1, 2))
	through := make([]int, 6) // by the number of the try, once more in each
	for range plays {
		for n := range through {
			sequence, passes := 1+rng.IntN(1<<rounds-1), true
			for round := range rounds {
				// An altered test is let pass if it has the bits that are known.
				altered := sequence>>round&1 == 1
				passes = passes && !(altered && rng.Float64() < math.Exp2(-float64(n)))
			}
			if passes {
				for ; n < len(through); n++ {
					through[n]++
				}
				break
			}
		}
	}
	for n, times := range through {
		if told := OddsWithRetries(rounds, odds, n); float64(times)/plays > told+0.01 {
			t.Errorf("after %d refusals: %v came through, %v is told", n, float64(times)/plays, told)
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
