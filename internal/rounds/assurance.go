package rounds

import (
	"maps"
	"slices"

	"assay"
)

// Answers says who may know the answers of a sample otherwise than by solving it. With any
// of it, and unless all that is covered is shown in fresh versions, an assurance is at most
// "controlled".
type Answers struct {
	Open   bool // this server hands them out to the caller
	Public bool // they were published
	Shown  bool // the feedback of plain runs is full: their output may print the hidden tests
}

func (a Answers) known() bool { return a.Open || a.Public || a.Shown }

// Exposure is what became of earlier plays of the same user on the same version of the
// sample.
type Exposure struct {
	Refused  int // plays that rounds refused
	Unsolved int // works that the plain run refused: tries, too, but they cap nothing, so that training goes on
	Most     int // so many refused plays cap an assurance at "controlled". Defaults to 10
}

const defaultMostRefused = 10

func (e Exposure) spent() bool {
	if e.Most == 0 {
		e.Most = defaultMostRefused
	}
	return e.Refused >= e.Most
}

// coverage is what altered tests hold of the fail_to_pass tests.
type coverage struct {
	asked      int             // that are graded
	controlled map[string]bool // of which an alteration is known that the unsolved code fails, too
	covered    map[string]bool // which the odds hold for
	sharing    map[string]bool // of the others, those with a blind alteration in a unit that covers some
	odds       float64         // the largest of a draw that covers some
	oddsOfAll  float64         // the product
}

// coverageBy adds up units, which count with the odds that they are given.
func (p *plan) coverageBy(units []*unit, of func(*unit) (face, float64)) coverage {
	c := coverage{asked: len(p.solving), controlled: make(map[string]bool), covered: make(map[string]bool), sharing: make(map[string]bool)}
	for _, u := range units {
		for _, i := range u.alterations {
			for _, id := range p.solvingOf(p.touched[i]) {
				if p.holds(i) {
					c.controlled[id] = true
				}
			}
		}
		f, odds := of(u)
		if !f.blind {
			continue
		}
		for _, id := range f.covered {
			c.covered[id] = true
		}
		for _, i := range u.alterations {
			for _, id := range p.solvingOf(p.touched[i]) {
				c.sharing[id] = c.sharing[id] || p.known.Alterations[i].Blind()
			}
		}
		c.odds = max(c.odds, odds)
		if c.oddsOfAll == 0 {
			c.oddsOfAll = 1
		}
		c.oddsOfAll *= odds
	}
	maps.DeleteFunc(c.sharing, func(id string, blind bool) bool { return !blind || c.covered[id] })
	return c
}

func (c coverage) assurance(capped bool) assay.Assurance {
	switch {
	case !capped && c.asked > 0 && len(c.covered) == c.asked:
		return assay.AssuranceBlind
	case !capped && len(c.covered) > 0:
		return assay.AssuranceBlindPartial
	case c.asked > 0 && len(c.controlled) == c.asked:
		return assay.AssuranceControlled
	}
	return assay.AssuranceControlledPartial
}

// capped tells whether an assurance is at most "controlled".
func (p *play) capped(c coverage) bool {
	if p.req.Exposure.spent() {
		return true
	}
	fresh := p.req.Fresh == assay.FreshRequire
	for id := range c.covered {
		fresh = fresh && p.alwaysFresh(id)
	}
	return p.req.Answers.known() && !fresh
}

// doubted are the fail_to_pass tests of units that count as not covered, since the work
// passes altered inputs of them.
func (p *play) doubted() []string {
	var ids []string
	for _, u := range p.units {
		if p.stand[u].end == Doubted {
			ids = append(ids, p.solvingOf(u.tests)...)
		}
	}
	slices.Sort(ids)
	return ids
}
