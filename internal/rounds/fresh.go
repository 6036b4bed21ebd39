package rounds

import (
	"context"
	"slices"

	"assay/internal/alteration"
	"assay/internal/evaluate"
)

// freshTogether returns fresh versions that can be laid together.
func (p *plan) freshTogether() (together []int) {
	var edits []alteration.Edit
	for i, f := range p.known.Fresh {
		if len(p.among(f.Tests)) > 0 && !overlaps(edits, f.Edits) {
			together, edits = append(together, i), append(edits, f.Edits...)
		}
	}
	return together
}

// preferFresh drops alterations that cannot be shown in a fresh version, where others cover
// as much: an altered test that is not fresh tells who knows the true one that it is altered.
func (p *plan) preferFresh() {
	for _, u := range p.units {
		over := make(map[int]bool)
		for _, i := range u.alterations {
			over[i] = !p.layable(p.fresh, []int{i})
		}
		if free := p.faceOf(u, over, nil); len(free.alterations) > 0 && len(free.covered) >= len(p.faceOf(u, nil, nil).covered) {
			u.alterations = slices.DeleteFunc(u.alterations, func(i int) bool { return over[i] })
		}
	}
}

// layable tells whether fresh versions can be laid with alterations.
func (p *plan) layable(fresh, alterations []int) bool {
	return !slices.ContainsFunc(fresh, func(f int) bool {
		return slices.ContainsFunc(alterations, func(i int) bool {
			return overlaps(p.known.Fresh[f].Edits, []alteration.Edit{p.edit(i)})
		})
	})
}

// alwaysFresh tells whether a test is shown in a fresh version in each round, whatever is
// altered in it.
func (p *plan) alwaysFresh(id string) bool {
	return slices.ContainsFunc(p.fresh, func(f int) bool {
		return slices.Contains(p.among(p.known.Fresh[f].Tests), id) && !slices.ContainsFunc(p.units, func(u *unit) bool {
			return !p.layable([]int{f}, u.alterations)
		})
	})
}

func overlaps(edits, more []alteration.Edit) bool {
	return slices.ContainsFunc(edits, func(a alteration.Edit) bool {
		return slices.ContainsFunc(more, func(b alteration.Edit) bool { return overlap(a, b) })
	})
}

// differences counts fresh versions of tests, and those of them with which a work does
// something else than the reference fix.
type differences struct {
	checked, differs int
	err              error // why nothing was checked
}

// compare runs the work on all fresh versions together. Where it fails one, it must pass the
// true test that it is a version of, and the reference fix must pass both: else that says
// nothing. It costs no verdict, nor does its failure.
func (p *play) compare(ctx context.Context) error {
	together := p.freshTogether()
	if len(together) == 0 {
		return nil
	}
	var command string
	if p.narrowly() != nil {
		ids := make(map[string]bool)
		for _, f := range together {
			for _, id := range p.among(p.known.Fresh[f].Tests) {
				ids[id] = true
			}
		}
		command = p.fill(ids, nil)
	}
	var d differences
	defer func() {
		p.mu.Lock()
		p.differs = d
		p.mu.Unlock()
	}()
	failing := func(work evaluate.Work, laid []int, among []int) (some []int) {
		if d.err != nil || len(among) == 0 {
			return nil
		}
		trial, err := p.try(ctx, work, p.edits(showing{fresh: laid}), command)
		if d.err = err; err != nil {
			return nil
		}
		for _, f := range among {
			if p.failsFresh(f, trial) {
				some = append(some, f)
			}
		}
		return some
	}
	differs := failing(p.req.Plain.Work, together, together)
	flaky := append(failing(p.reference(), together, differs), failing(p.req.Plain.Work, nil, differs)...)
	if d.err != nil {
		return nil
	}
	d.checked = len(together)
	for _, f := range differs {
		if slices.Contains(flaky, f) {
			d.checked--
		} else {
			d.differs++
		}
	}
	return nil
}

// failsFresh tells whether a run was not seen to pass each test that a fresh version is of.
func (p *play) failsFresh(f int, trial *evaluate.Trial) bool {
	return !trial.Complete || trial.TimedOut || slices.ContainsFunc(p.among(p.known.Fresh[f].Tests), func(id string) bool {
		_, passed := p.did(trial, id)
		return !passed
	})
}
