package rounds

import (
	"context"
	"maps"

	"assay/internal/alteration/search"
)

// wave plays a sequence of rounds for some units; all others are shown true meanwhile, and
// not judged. It returns the units that are to get another one. All rounds are played to
// their end, whatever comes of one of them.
func (p *play) wave(ctx context.Context, nth int, units []*unit, rounds int, beside ...task) (again []*unit, err error) {
	var tasks []task
	played := make([]map[*unit]cell, rounds)
	for n, s := range p.showings(nth, units, rounds) {
		tasks = append(tasks, func(ctx context.Context) (err error) {
			played[n], err = p.round(ctx, s, units)
			return err
		})
	}
	if err := sideBySide(ctx, p.Limiter, append(tasks, beside...)); err != nil {
		return nil, err
	}
	for _, u := range units {
		if p.settle(u, nth, rounds, played) {
			again = append(again, u)
		}
	}
	return again, nil
}

// showings draws what is shown in each round of a wave.
func (p *play) showings(nth int, units []*unit, rounds int) []showing {
	altered := make([]map[*unit]int, rounds)
	for n := range altered {
		altered[n] = make(map[*unit]int)
	}
	for _, u := range units {
		s := p.stand[u]
		if len(s.face.alterations) == 0 {
			continue
		}
		often := p.often(u)
		drawn := p.req.Seed.sequence(u.name, nth, rounds)
		for n := range altered {
			if drawn.altered(n) {
				i := p.pick(s.face, nth, often, s.rank)
				often[i]++
				altered[n][u] = i
			}
		}
	}
	showings := make([]showing, rounds)
	for n := range showings {
		showings[n] = p.show(altered[n])
	}
	return showings
}

// often tells how often the alterations of a unit were shown.
func (p *play) often(u *unit) map[int]int {
	p.mu.Lock()
	often := maps.Clone(p.shown)
	p.mu.Unlock()
	for _, i := range u.alterations {
		if i < len(p.req.Shown) {
			often[i] += p.req.Shown[i]
		}
	}
	return often
}

// settle draws the conclusion from a sequence of a unit, and tells whether it is to get
// another one: a play has at most two of each.
func (p *play) settle(u *unit, nth, rounds int, played []map[*unit]cell) (again bool) {
	s := p.stand[u]
	s.sequences++
	if s.face.blind {
		s.odds += search.Odds(rounds)
	}
	var all mark
	for _, cells := range played {
		c := cells[u]
		all = all.and(c.mark)
		if c.altered && c.right() {
			s.bitten = true
			s.blindly = s.blindly || p.known.Alterations[c.alteration].Alike()
		}
		if c.passed {
			s.out[c.alteration] = true
		}
	}
	last := nth > 0
	switch {
	case all.forged:
		s.end = Forged
	case all.failed && last:
		s.end = Failed
	case all.right() && len(u.alterations) > 0 && len(s.face.alterations) == 0:
		s.end = Doubted // nothing was left to show
	case all.right():
		s.end = Right
	case !all.failed && (last || !u.solves):
		s.end = Doubted
	default:
		s.face = p.faceOf(u, p.exhausted(u), s.tests)
		if !all.failed && len(s.face.alterations) == 0 {
			s.end = Doubted
			return false
		}
		return true
	}
	return false
}

// exhausted are the alterations of a unit that are shown no more: those that the work passed
// and, where others are left, those that proved flaky.
func (p *play) exhausted(u *unit) map[int]bool {
	out := maps.Clone(p.stand[u].out)
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.Copy(out, p.flaky)
	for _, i := range u.alterations {
		if !out[i] {
			return out
		}
	}
	return p.stand[u].out
}
