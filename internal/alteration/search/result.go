package search

import (
	"slices"
	"time"

	"assay/internal/alteration"
)

// Rules names how alterations are found. It changes with every change that could find
// others.
const Rules = "8"

// Kind says what an alteration changes. What is expected accuses, see Accuses; where an input
// is another one, a right solution may differ from the reference.
type Kind string

// The kinds of alterations.
const (
	Expected Kind = "expected" // what the code under test is to give
	Input    Kind = "input"    // anything else that a test says
	Flip     Kind = "flip"     // a boolean, a comparison or an assertion that was turned round
)

// Alteration is an edit of a test that makes exactly some tests fail with the reference fix,
// and changes nothing else.
type Alteration struct {
	Edit      alteration.Edit `json:"edit"`
	Tests     []string        `json:"tests"` // sorted
	Kind      Kind            `json:"kind"`
	Blindness Blindness       `json:"blindness"`
	Draw      int             `json:"draw"` // alterations of one draw say something of one test or table: they are counted as one chance
	Unit      int             `json:"unit"` // a part of a draw whose alterations move together: at most one of them is shown at a time
	Seen      int             `json:"seen"` // runs with the reference fix in which it did just that
}

// constants are what a boolean, or a value that became none, is turned from or to.
var constants = []string{"true", "false", "True", "False", "nil", "None", "null", "undefined"}

// Accuses tells whether a work that passes the true test, and this one as well, contradicts
// itself: the two demand different values, different exceptions, or the opposite of each
// other. A boolean may as well be an input.
func (a *Alteration) Accuses() bool {
	switch {
	case a.Kind == Expected:
		return true
	case a.Edit.Kind == alteration.ExceptionEdit:
		return true
	}
	return a.Kind == Flip && !slices.Contains(constants, a.Edit.Old) && !slices.Contains(constants, a.Edit.New)
}

// Blind tells whether the unsolved code cannot tell it from the true test.
func (a *Alteration) Blind() bool { return a.Blindness == Blind || a.Blindness == BlindPlace }

// Alike tells whether the unsolved code cannot tell it from the true test, be it that who read
// the issue can.
func (a *Alteration) Alike() bool { return a.Blind() || a.Blindness == SeenTold }

// Solving tells whether it makes a test fail that is to be solved.
func (a *Alteration) Solving() bool { return a.Blindness != NotSolving }

// Test is what is known of a fail_to_pass test.
type Test struct {
	ID      string `json:"id"`
	Altered int    `json:"altered"` // alterations that make it fail
	Blind   int    `json:"blind"`   // of those, the blind ones
	Fresh   int    `json:"fresh"`   // true versions that nobody has seen
	Reason  string `json:"reason,omitempty"`
}

// Result is what a search found. It is a secret: who knows it can tell the altered tests
// from the true ones.
type Result struct {
	Rules       string        `json:"rules"`
	Alterations []Alteration  `json:"alterations"`
	Fresh       []Fresh       `json:"fresh,omitempty"`
	Tests       []Test        `json:"tests"`
	Candidates  int           `json:"candidates"`
	Draws       int           `json:"draws"`
	Runs        int           `json:"runs"`
	Spent       bool          `json:"spent,omitempty"` // it ended for its bounds, and not because all was tried
	Took        time.Duration `json:"took"`
}

// Hand is what a play is dealt of a sample: what was known when it began, which later searches
// may replace, and how often each alteration had been shown until then. It is a secret.
type Hand struct {
	Result Result `json:"result"`
	Shown  []int  `json:"shown,omitempty"` // by the number of an alteration
}

// Odds is the chance that who can tell nothing comes through r rounds with one independent
// draw: of all sequences of true and altered but the one without an altered showing, one is
// right.
func Odds(rounds int) float64 { return 1 / float64(int64(1)<<rounds-1) }
