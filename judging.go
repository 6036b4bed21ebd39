package assay

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Judging is what is settled of how a work that looks solved is judged further, by rounds
// of altered tests, and of what is told of it. A zero field says nothing: see Over.
type Judging struct {
	// Rounds is how many rounds a work that looks solved is judged by, 1 to MaxRounds.
	Rounds int `json:"rounds,omitempty"`
	// MaxOdds asks for more rounds until the chance of who guesses is at most this, as far
	// as that can be: above 0, and at most 1, which asks for nothing.
	MaxOdds float64 `json:"max_odds,omitempty"`
	// RequireAssurance is the least assurance of a verdict that the work is solved; with less
	// there is an error in its place.
	RequireAssurance Assurance `json:"require_assurance,omitempty"`
	Fresh            Fresh     `json:"fresh,omitempty"`
	Feedback         Feedback  `json:"feedback,omitempty"`
	Known            Known     `json:"known,omitempty"`
}

// MaxRounds bounds Judging.Rounds.
const MaxRounds = 8

// DefaultJudging is what holds where nobody says otherwise.
func DefaultJudging() Judging {
	return Judging{
		Rounds: AlterationRounds, MaxOdds: 1, RequireAssurance: AssuranceUncontrolled,
		Fresh: FreshInform, Feedback: FeedbackFull, Known: KnownPrivate,
	}
}

// Over returns j laid over below: what j does not say is what below says.
func (j Judging) Over(below Judging) Judging {
	return Judging{
		Rounds:           cmp.Or(j.Rounds, below.Rounds),
		MaxOdds:          cmp.Or(j.MaxOdds, below.MaxOdds),
		RequireAssurance: cmp.Or(j.RequireAssurance, below.RequireAssurance),
		Fresh:            cmp.Or(j.Fresh, below.Fresh),
		Feedback:         cmp.Or(j.Feedback, below.Feedback),
		Known:            cmp.Or(j.Known, below.Known),
	}
}

// Validate tells everything that is wrong with j, each fault with the name of its setting.
func (j Judging) Validate() error {
	var errs []error
	if j.Rounds < 0 || j.Rounds > MaxRounds {
		errs = append(errs, fmt.Errorf("rounds: %d is not within 1 and %d", j.Rounds, MaxRounds))
	}
	if !(j.MaxOdds >= 0 && j.MaxOdds <= 1) { // NaN is neither
		errs = append(errs, fmt.Errorf("max_odds: %v is not a chance above 0 and at most 1", j.MaxOdds))
	}
	return errors.Join(append(errs,
		oneOf("require_assurance", j.RequireAssurance, assurances...),
		oneOf("fresh", j.Fresh, FreshInform, FreshRequire, FreshOff),
		oneOf("feedback", j.Feedback, FeedbackFull, FeedbackVerdict),
		oneOf("known", j.Known, KnownPublic, KnownPrivate),
	)...)
}

// oneOf accepts one of some words, and "".
func oneOf[T ~string](setting string, got T, want ...T) error {
	if got == "" || slices.Contains(want, got) {
		return nil
	}
	words := make([]string, len(want))
	for i, w := range want {
		words[i] = string(w)
	}
	return fmt.Errorf("%s: %q is none of %s", setting, got, strings.Join(words, ", "))
}

// Assurance says what a verdict that a work is solved holds against.
type Assurance string

// The assurances, each of which is more than those before it. "" is that of a verdict that
// says nothing of it.
const (
	AssuranceUncontrolled Assurance = "uncontrolled" // no altered test is known: see the first judge's promises
	// AssuranceControlledPartial is AssuranceControlled of some of the fail_to_pass tests.
	AssuranceControlledPartial Assurance = "controlled_partial"
	// AssuranceControlled holds against all that bends runners, reports or tests, whatever it
	// looks at but the answers.
	AssuranceControlled Assurance = "controlled"
	// AssuranceBlindPartial is AssuranceBlind of some of the fail_to_pass tests.
	AssuranceBlindPartial Assurance = "blind_partial"
	// AssuranceBlind holds also against who attacks this very sample, at the odds told.
	AssuranceBlind Assurance = "blind"
)

// assurances are all of them, the least first.
var assurances = []Assurance{AssuranceUncontrolled, AssuranceControlledPartial, AssuranceControlled, AssuranceBlindPartial, AssuranceBlind}

// Assurances returns all of them, the least first.
func Assurances() []Assurance { return slices.Clone(assurances) }

// Valid tells whether a is one of the assurances.
func (a Assurance) Valid() bool { return slices.Contains(assurances, a) }

// AtLeast tells whether a is no less than least. What is no assurance is less than each;
// everything is at least "".
func (a Assurance) AtLeast(least Assurance) bool {
	return least == "" || least.Valid() && slices.Index(assurances, a) >= slices.Index(assurances, least)
}

// Fresh says what fresh truths are for: true tests that nobody has seen, with other inputs.
type Fresh string

// The settings of fresh truths.
const (
	FreshInform  Fresh = "inform"  // a work that fails one is told to differ from the reference, and loses nothing
	FreshRequire Fresh = "require" // a work must pass them
	FreshOff     Fresh = "off"
)

// Feedback says how much is told of a verdict over the API.
type Feedback string

// The feedbacks.
const (
	FeedbackFull    Feedback = "full"
	FeedbackVerdict Feedback = "verdict" // solved or not, its assurance, and a reason that names no test
)

// Least returns the feedback that tells less.
func (f Feedback) Least(other Feedback) Feedback {
	if f == FeedbackVerdict || other == FeedbackVerdict {
		return FeedbackVerdict
	}
	return FeedbackFull
}

// Known says who may know the answers of a dataset from elsewhere.
type Known string

// The settings of what is known.
const (
	KnownPublic  Known = "public"  // anybody: they were published
	KnownPrivate Known = "private" // nobody who is to be judged
)
