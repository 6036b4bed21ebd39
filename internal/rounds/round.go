package rounds

import (
	"context"
	"maps"

	"assay"
	"assay/internal/alteration"
	"assay/internal/evaluate"
)

// cell is what a unit did in a round.
type cell struct {
	mark
	altered    bool
	alteration int // if it was altered
}

// round runs the suite on the work in one version, and judges units by it. What is wrong
// counts only if the reference fix is right in the same version. If it is not, the round is
// void for the unit and is run again: all units are as true or altered as they were.
func (p *play) round(ctx context.Context, s showing, units []*unit) (map[*unit]cell, error) {
	cells := make(map[*unit]cell, len(units))
	for {
		marks, void, reference, err := p.once(ctx, s, units)
		if err != nil {
			return nil, err
		}
		for _, u := range units {
			if i, altered := s.altered[u]; !void[u] {
				cells[u] = cell{mark: marks[u], altered: altered, alteration: i}
			}
		}
		if len(void) == 0 {
			return cells, nil
		}
		if err := p.countVoid(); err != nil {
			return nil, err
		}
		units = keep(units, void)
		s = p.otherwise(s, units, reference)
	}
}

// once makes a run of a round and, if the work is wrong in it, holds it against the
// reference fix.
func (p *play) once(ctx context.Context, s showing, units []*unit) (marks map[*unit]mark, void map[*unit]bool, reference map[*unit]mark, err error) {
	void = make(map[*unit]bool)
	some := p.narrowly()
	trial, err := p.try(ctx, p.req.Plain.Work, p.edits(s), some.line())
	if err != nil {
		return nil, nil, nil, err
	}
	p.note(s)
	if trial.TimedOut && trial.Starved { // others took the host: nothing was seen
		for _, u := range units {
			void[u] = true
		}
		return nil, void, nil, nil
	}
	judged := some.of(units)
	marks = p.judge(s, trial, judged, p.excused())
	bad := wrong(marks, judged)
	if len(bad) == 0 {
		return marks, void, nil, nil
	}
	fixed, err := p.try(ctx, p.reference(), p.edits(s), some.line())
	if err != nil {
		return nil, nil, nil, err
	}
	excused := excusesOf(fixed)
	p.excuse(excused)
	marks = p.judge(s, trial, judged, excused)
	bad = wrong(marks, judged)
	reference = p.judge(s, fixed, bad, excused)
	for _, u := range wrong(reference, bad) {
		void[u] = true
	}
	if len(void) > 0 && some != nil { // it may be the command
		p.widen()
		return p.once(ctx, s, units)
	}
	return marks, void, reference, nil
}

func keep(units []*unit, some map[*unit]bool) []*unit {
	var kept []*unit
	for _, u := range units {
		if some[u] {
			kept = append(kept, u)
		}
	}
	return kept
}

// otherwise is a showing with another alteration, where there is one, of each unit whose
// alteration the reference fix passed.
func (p *play) otherwise(s showing, void []*unit, reference map[*unit]mark) showing {
	altered := maps.Clone(s.altered)
	for _, u := range void {
		i, shown := altered[u]
		if m := reference[u]; !shown || !m.passed && !m.forged {
			continue
		}
		p.mu.Lock()
		p.flaky[i] = true
		p.mu.Unlock()
		others := p.stand[u].face
		others.alterations = without(others.alterations, i)
		if len(others.alterations) > 0 {
			altered[u] = p.pick(others, p.stand[u].sequences, p.often(u), p.stand[u].rank)
		}
	}
	return p.show(altered)
}

// countVoid counts a void round. A second one in a play is our error.
func (p *play) countVoid() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.voids++; p.voids > 1 {
		return assay.Errorf(assay.CodeInternal, "the sample's tests did not twice do the same with its own answer, or others used the server's host; start another verification, and tell the operator if it goes on")
	}
	return nil
}

// note counts what was shown to the work.
func (p *play) note(s showing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, i := range s.altered {
		p.shown[i]++
	}
}

func (p *play) reference() evaluate.Work {
	return evaluate.PatchWork(p.sample, p.sample.ReferencePatch())
}

// try runs the suite on a work with edited tests, by a command or, if that is "", by its own;
// once more where the first failure may pass by itself.
func (p *play) try(ctx context.Context, work evaluate.Work, edits []alteration.Edit, command string) (*evaluate.Trial, error) {
	files, err := p.texts.with(edits...)
	if err != nil {
		return nil, err
	}
	run := func() (*evaluate.Trial, error) {
		p.mu.Lock()
		p.runs++
		p.mu.Unlock()
		return p.Tester.Try(ctx, evaluate.TrialRequest{
			ID: assay.NewID(assay.PrefixVerification), Sample: p.sample, Work: work, Files: files, Command: command, Timeout: p.timeout, OwnCPU: p.req.Plain.OwnCPU,
		})
	}
	trial, err := run()
	if err != nil && ctx.Err() == nil && assay.CodeOf(err) != assay.CodePatchFailed {
		trial, err = run()
	}
	return trial, err
}
