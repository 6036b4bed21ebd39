package rounds

import (
	"slices"

	"assay/internal/evaluate"
)

// excuses are what the reference fix, or the suite by itself, is known to do as well, so
// that nobody is accused of it.
type excuses struct {
	kinds     []evaluate.ContradictionKind
	rewritten []evaluate.Rewritten
}

// excusesOf returns what is excused by a run with the reference fix.
func excusesOf(reference *evaluate.Trial) (e excuses) {
	for _, c := range reference.Contradictions {
		e.kinds = append(e.kinds, c.Kind)
	}
	e.rewritten = reference.Rewritten
	return e
}

// against tells whether a run says something against itself that is not excused: its
// pieces of evidence do not agree, or a test or its runner was written to while it ran.
func (e excuses) against(trial *evaluate.Trial) bool {
	return slices.ContainsFunc(trial.Contradictions, func(c evaluate.Contradiction) bool { return !slices.Contains(e.kinds, c.Kind) }) ||
		len(evaluate.Inexcusable(trial.Rewritten, e.rewritten)) > 0
}

// excused is what was seen of the reference fix until now: it need not be run again to
// excuse what suites do by themselves.
func (p *play) excused() excuses {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.does
}

// excuse notes what a run with the reference fix excuses in all others. What is left of a file
// that was laid is another in each showing.
func (p *play) excuse(e excuses) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := excuses{kinds: slices.Concat(p.does.kinds, e.kinds), rewritten: slices.Clone(p.does.rewritten)}
	for _, w := range e.rewritten {
		if w.Digest == "" {
			all.rewritten = append(all.rewritten, w)
		}
	}
	p.does = all
}
