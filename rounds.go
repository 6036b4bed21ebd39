package assay

import "math"

// Covered tells how many fail_to_pass tests have a blind draw of their own or share one: an
// altered test that only who knows the right answer tells from the true one.
type Covered struct {
	Covered int `json:"covered"`
	Of      int `json:"of"` // that are graded
}

// Exposure counts the plays of a user on a version of a sample: the works that were judged,
// each once.
type Exposure struct {
	Plays   int `json:"plays"`
	Reached int `json:"reached"` // of these, those that looked solved and came to rounds
	Refused int `json:"refused"` // of these, those that rounds refused
}

// FreshTruths counts the true tests, with inputs that nobody has seen, that a work was shown.
type FreshTruths struct {
	Checked int `json:"checked"`
	Differs int `json:"differs"` // of these, those with which it does something else than the reference
}

// OddsWithRetries is the chance to come through at least once in all tries so far, at most 1,
// when a try of so many rounds has odds and some earlier ones were refused. Each of those may
// have told one bit of what the true test says, by whether it came to rounds: who knows k bits,
// and lets pass what has them, is told apart from an altered test with a chance of 2^-k only.
func OddsWithRetries(rounds int, odds float64, refused int) float64 {
	all := math.Exp2(float64(rounds)) - 1
	sum := odds
	for k := 1; k <= refused && sum < 1; k++ {
		learned := (math.Pow(2-math.Exp2(float64(-k)), float64(rounds)) - 1) / all
		sum += odds * max(1, learned*all) // odds are that of a guess once, or twice where there was another sequence
	}
	return min(1, sum)
}
