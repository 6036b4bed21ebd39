package assay

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

// OddsWithRetries is the chance of who guesses to come through at least once in all tries so
// far, some of which were refused, when a try has odds: at most 1.
func OddsWithRetries(odds float64, refused int) float64 {
	return min(1, float64(1+refused)*odds)
}
