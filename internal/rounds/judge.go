package rounds

import (
	"slices"

	"assay/internal/evaluate"
)

// mark is what a unit did in a round. The zero mark is right.
type mark struct {
	failed bool // a true test was not seen to pass, an altered one was not seen, or the run says something against itself
	passed bool // a test passed whose input is altered: that accuses nobody
	forged bool // a test passed that demands what the true one forbids
}

func (m mark) right() bool { return m == mark{} }

func (m mark) and(o mark) mark {
	return mark{failed: m.failed || o.failed, passed: m.passed || o.passed, forged: m.forged || o.forged}
}

// judge holds what a run says of units against what a showing demands of them. A run that
// says something against itself is wrong in all of them, unless that is excused.
func (p *plan) judge(s showing, trial *evaluate.Trial, units []*unit, e excuses) map[*unit]mark {
	marks := make(map[*unit]mark, len(units))
	broken := !trial.Complete || trial.TimedOut || e.against(trial)
	demanded := make(map[string]bool) // to fail
	for _, i := range s.altered {
		for _, id := range p.touched[i] {
			demanded[id] = true
		}
	}
	for _, u := range units {
		m := mark{failed: broken}
		for _, id := range u.tests {
			if _, passed := p.did(trial, id); !passed && !demanded[id] {
				m.failed = true
			}
		}
		if i, altered := s.altered[u]; altered {
			m = m.and(p.judgeAltered(i, trial))
		}
		marks[u] = m
	}
	return marks
}

// judgeAltered tells whether an alteration made its tests fail.
func (p *plan) judgeAltered(i int, trial *evaluate.Trial) (m mark) {
	accuses := p.known.Alterations[i].Accuses()
	for _, id := range p.touched[i] {
		switch seen, passed := p.did(trial, id); {
		case !seen:
			m.failed = true
		case passed && accuses:
			m.forged = true
		case passed:
			m.passed = true
		}
	}
	return m
}

// wrong returns the units whose marks are not right, in the order of units.
func wrong(marks map[*unit]mark, units []*unit) []*unit {
	return slices.DeleteFunc(slices.Clone(units), func(u *unit) bool { return marks[u].right() })
}
