package rounds

import (
	"assay"
	"assay/internal/alteration/search"
)

// Outcome is what came of a play. Told may be told to users; all else is for the server and
// its operators. No edit is in it.
type Outcome struct {
	End  End
	Told Told

	Began bool  // there were rounds
	Runs  int   // suites that were run for them
	Voids int   // rounds that were run again, because the reference fix was wrong in them, too
	Shown []int // by the number of an alteration: how often this play showed it
	Flaky []int // alterations that the reference fix passed: they are none
	Draws []Draw
	// FreshErr says why the work could not be compared on fresh inputs; nil if it was.
	FreshErr error
}

// Told is what users may learn. Nothing in it depends on what a round measured, nor, of a
// work that rounds refuse, on which of them did.
type Told struct {
	Assurance assay.Assurance
	Rounds    int // of a sequence; 0 without any

	// The chances, above 0 and at most 1, of who guesses best; 0 where nothing is blind, or the
	// answers are known. Odds is that of coming through with the test that is guessed most
	// easily, OddsWithRetries the same with earlier works counted in, and OddsOfAll that
	// of coming through with all.
	Odds, OddsWithRetries, OddsOfAll float64

	Covered int // fail_to_pass tests that the odds hold for, whatever else is solved
	Sharing int // others that share a blind draw: who forges all tests of the draw meets the odds, who forges one of these alone may not
	Of      int // fail_to_pass tests that are graded
	Doubted int // of these, those that count as not covered since the work passes altered inputs of them

	// The work differs from the reference on FreshDiffers of Fresh fresh inputs.
	Fresh, FreshDiffers int
}

// Draw is what became of a unit: a draw, or a test of which no alteration is known.
type Draw struct {
	Tests       []string // that are graded
	Alterations int
	Blind       bool
	Sequences   int     // that were played: 2 if there was another one
	Odds        float64 // of all of them; 0 where nothing is blind
	End         End
}

// End is how a play, or a unit of it, ended.
type End string

// The ends.
const (
	Unsolved    End = "unsolved"    // by the plain run
	Solved      End = "solved"      //
	Refused     End = "refused"     // by rounds
	Interrupted End = "interrupted" // by an error
	Unplayed    End = "unplayed"    // of a unit, as all that follow
	Right       End = "right"       // it did what was demanded, but for what another sequence made good
	Doubted     End = "doubted"     // the work passes altered inputs of it, or what was turned round
	Failed      End = "failed"      // a true test failed, and in another sequence again
	Forged      End = "forged"      // a test passed that expects a wrong value
)

// outcome tells what came of the play.
func (p *play) outcome(end End) *Outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := &Outcome{End: end, Began: p.began, Runs: p.runs, Voids: p.voids, Shown: make([]int, len(p.known.Alterations)), FreshErr: p.differs.err}
	for i := range o.Shown {
		o.Shown[i] = p.shown[i]
		if p.flaky[i] {
			o.Flaky = append(o.Flaky, i)
		}
	}
	for _, u := range p.units {
		s := p.stand[u]
		o.Draws = append(o.Draws, Draw{Tests: u.tests, Alterations: len(u.alterations), Blind: s.face.blind, Sequences: s.sequences, Odds: s.odds, End: s.end})
	}
	o.Told = p.told(end)
	return o
}

// told is what users may learn: of a work that is solved what was played, of any other what
// can be.
func (p *play) told(end End) Told {
	if end == Interrupted {
		return Told{}
	}
	if !p.draws() {
		return Told{Assurance: assay.AssuranceUncontrolled, Of: len(p.solving)}
	}
	t := Told{Rounds: p.rounds}
	var c coverage
	switch end {
	case Solved:
		c = p.coverageBy(keepEnd(p.units, p.stand, Right), func(u *unit) (face, float64) { return p.stand[u].face, p.stand[u].odds })
		t.Doubted = len(p.doubted())
		t.Fresh, t.FreshDiffers = p.differs.checked, p.differs.differs
	default:
		c = p.coverageBy(p.units, func(u *unit) (face, float64) { return p.faceOf(u, nil, p.stand[u].tests), search.Odds(p.rounds) })
	}
	capped := p.capped(c)
	t.Assurance = c.assurance(capped)
	t.Covered, t.Of = len(c.covered), c.asked
	t.Sharing = len(c.sharing)
	if end == Unsolved {
		t.Rounds = 0
		return t
	}
	if !capped {
		t.Odds, t.OddsOfAll = c.odds, c.oddsOfAll
		t.OddsWithRetries = assay.OddsWithRetries(p.rounds, c.odds, p.req.Exposure.Refused+p.req.Exposure.Unsolved)
	}
	return t
}

func keepEnd(units []*unit, stand map[*unit]*standing, end End) []*unit {
	some := make(map[*unit]bool)
	for _, u := range units {
		some[u] = stand[u].end == end
	}
	return keep(units, some)
}
