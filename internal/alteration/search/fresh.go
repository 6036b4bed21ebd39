package search

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"assay/internal/alteration"
)

// Fresh is a true version of a test that nobody has seen: the reference fix passes it, and
// the unsolved code fails it. Its edits are made together: a single one leaves a table of
// known inputs nearly whole.
type Fresh struct {
	Edits    []alteration.Edit `json:"edits"`
	Tests    []string          `json:"tests"` // fail_to_pass tests that it is a version of; sorted
	Kinds    []string          `json:"kinds"` // "consistent", "answered"
	Answered int               `json:"answered"`
}

// How much is looked for of each group of tests.
const (
	mostFresh    = 24 // candidates that are tried
	mostTogether = 6  // of those, in one run
	mostLive     = 6  // runs of the unsolved code, to tell whether an edit matters
)

// piece is a part of a fresh truth: edits that leave a test true.
type piece struct {
	edits    []alteration.Edit
	answered bool
	live     bool // it touches what decides
}

// findFresh looks for fresh truths of the groups that have fail_to_pass tests which the
// unsolved code can be seen to fail.
func (d *discovery) findFresh(ctx context.Context, seed uint64, all []*found) (fresh []Fresh, err error) {
	for _, key := range d.order {
		q := d.queues[key]
		targets := slices.DeleteFunc(slices.Clone(q.targets), func(id string) bool {
			_, ran := d.unsolved.Outcomes[id]
			return !ran || d.unsolved.Passed[id]
		})
		if len(targets) == 0 {
			continue
		}
		f, err := d.freshOf(ctx, key, targets, seed, all)
		if errors.Is(err, errSpent) {
			return fresh, nil
		}
		if err != nil {
			return nil, err
		}
		if f != nil {
			fresh = append(fresh, *f)
		}
	}
	return fresh, nil
}

// freshOf makes one fresh truth of the tests of a group; nil when none was found.
func (d *discovery) freshOf(ctx context.Context, key string, targets []string, seed uint64, all []*found) (*Fresh, error) {
	consistent, answered := d.freshCandidates(key, seed)
	pieces, err := d.keepTrue(ctx, consistent)
	if err != nil {
		return nil, err
	}
	for _, c := range answered {
		p, err := d.answer(ctx, c)
		if err != nil {
			return nil, err
		}
		if p != nil {
			pieces = append(pieces, *p)
		}
		if answers(pieces) >= 4 {
			break
		}
	}
	live, err := d.live(ctx, pieces, targets, all)
	if err != nil {
		return nil, err
	}
	return d.combine(ctx, live, targets)
}

func answers(pieces []piece) int {
	n := 0
	for _, p := range pieces {
		if p.answered {
			n++
		}
	}
	return n
}

// freshCandidates are those of a group, by their kinds.
func (d *discovery) freshCandidates(key string, seed uint64) (consistent, answered []alteration.Fresh) {
	name, _, _ := strings.Cut(key, "\x00")
	s := d.sources[name]
	for _, c := range alteration.FreshCandidates(alteration.File{Path: s.Path, Source: s.After}, alteration.Options{Seed: seed}) {
		switch {
		case len(c.Edits) == 0 || group(c.Edits[0]) != key:
		case c.Kind == alteration.Consistent && len(consistent) < mostFresh:
			consistent = append(consistent, c)
		case c.Kind == alteration.Answered && len(answered) < mostFresh:
			answered = append(answered, c)
		}
	}
	return consistent, answered
}

// keepTrue finds which candidates leave every test passing with the reference fix.
func (d *discovery) keepTrue(ctx context.Context, candidates []alteration.Fresh) (pieces []piece, err error) {
	for len(candidates) > 0 {
		var together []alteration.Fresh
		var edits []alteration.Edit
		var rest []alteration.Fresh
		for _, c := range candidates {
			free := !overlaps(edits, c.Edits)
			switch {
			case free && len(together) < mostTogether:
				together, edits = append(together, c), append(edits, c.Edits...)
			case free || !slices.ContainsFunc(together, func(t alteration.Fresh) bool { return t.Old == c.Old }):
				rest = append(rest, c)
			}
		}
		kept, err := d.allTrue(ctx, together)
		if err != nil {
			return pieces, err
		}
		for _, c := range kept {
			pieces = append(pieces, piece{edits: c.Edits})
		}
		candidates = rest
	}
	return pieces, nil
}

// allTrue runs candidates together, and in halves where that fails.
func (d *discovery) allTrue(ctx context.Context, candidates []alteration.Fresh) ([]alteration.Fresh, error) {
	if len(candidates) == 0 {
		return nil, nil
	}
	var edits []alteration.Edit
	for _, c := range candidates {
		edits = append(edits, c.Edits...)
	}
	holds, _, err := d.holds(ctx, edits)
	if err != nil || holds {
		return candidates, err
	}
	if len(candidates) == 1 {
		return nil, nil
	}
	half := len(candidates) / 2
	first, err := d.allTrue(ctx, candidates[:half])
	if err != nil {
		return nil, err
	}
	second, err := d.allTrue(ctx, candidates[half:])
	return append(first, second...), err
}

// holds tells whether everything is with the reference fix as it was, and what the tests
// said that failed.
func (d *discovery) holds(ctx context.Context, edits []alteration.Edit) (bool, map[string]string, error) {
	files, err := d.sources.with(edits...)
	if err != nil {
		return false, nil, nil //nolint:nilerr // they cannot be made together, so that nothing holds
	}
	trial, err := d.trials.run(ctx, reference, files)
	if err != nil {
		return false, nil, err
	}
	said := make(map[string]string)
	holds := trial.Complete && !trial.TimedOut
	for id := range d.stable {
		outcome, there := trial.Outcomes[id]
		if !there || !trial.Passed[id] {
			holds = false
			said[id] = text(outcome)
		}
	}
	return holds, said, nil
}

func overlaps(edits, more []alteration.Edit) bool {
	return slices.ContainsFunc(edits, func(a alteration.Edit) bool {
		return slices.ContainsFunc(more, func(b alteration.Edit) bool { return overlap(a, b) })
	})
}

// answer changes an input and puts what the reference fix makes of it in the place of what
// was expected; nil when that cannot be read, or does not hold.
func (d *discovery) answer(ctx context.Context, c alteration.Fresh) (*piece, error) {
	holds, said, err := d.holds(ctx, c.Edits)
	if err != nil || holds || len(c.Expected) == 0 {
		return nil, err
	}
	source := d.sources[c.Edits[0].File]
	language := alteration.LanguageOf(source.Path)
	tried := 0
	for _, id := range slices.Sorted(maps.Keys(said)) {
		for _, failure := range alteration.ParseGot(language, said[id]) {
			for _, e := range replacements(language, source.After, c, failure) {
				if tried++; tried > 3 {
					return nil, nil
				}
				edits := append(slices.Clone(c.Edits), e)
				if holds, _, err := d.holds(ctx, edits); err != nil || holds {
					return &piece{edits: edits, answered: true, live: true}, err
				}
			}
		}
	}
	return nil, nil
}

// replacements are the edits that put what was got in the place of a literal that was
// wanted.
func replacements(l *alteration.Language, src []byte, c alteration.Fresh, f alteration.Failure) []alteration.Edit {
	var edits []alteration.Edit
	for _, token := range c.Expected {
		old := token.Text(src)
		for _, pair := range [][2]string{{f.Want, f.Got}, {f.Got, f.Want}} {
			want, ok := alteration.Literal(l, alteration.Printed{Text: pair[0], Raw: f.Raw}, old)
			if !ok || want != old {
				continue
			}
			if got, ok := alteration.Literal(l, alteration.Printed{Text: pair[1], Raw: f.Raw}, old); ok && got != old {
				edits = append(edits, alteration.Edit{
					File: c.Edits[0].File, Start: token.Start, End: token.End, Old: old, New: got, Region: c.Region, Test: c.Test, Row: c.Row,
				})
			}
		}
	}
	return slices.DeleteFunc(edits, func(e alteration.Edit) bool { return overlaps(c.Edits, []alteration.Edit{e}) })
}

// live leaves the pieces that touch what decides: another edit of the same literal fails the
// reference fix, or what the unsolved code says changes with it.
func (d *discovery) live(ctx context.Context, pieces []piece, targets []string, all []*found) ([]piece, error) {
	runs := 0
	var live []piece
	for _, p := range pieces {
		p.live = p.live || slices.ContainsFunc(all, func(f *found) bool { return touches(p.edits, f.Edit) && solving(f, targets) })
		if !p.live && runs < mostLive {
			runs++
			changed, err := d.changes(ctx, p, targets)
			if err != nil {
				return live, err
			}
			p.live = changed
		}
		if p.live {
			live = append(live, p)
		}
	}
	return live, nil
}

func touches(edits []alteration.Edit, e alteration.Edit) bool {
	return slices.ContainsFunc(edits, func(p alteration.Edit) bool { return same(p, e) })
}

func solving(f *found, targets []string) bool {
	return slices.ContainsFunc(f.tests, func(id string) bool { return slices.Contains(targets, id) })
}

// changes tells whether the unsolved code says something else of a piece, and still fails.
func (d *discovery) changes(ctx context.Context, p piece, targets []string) (bool, error) {
	files, err := d.sources.with(p.edits...)
	if err != nil {
		return false, err
	}
	trial, err := d.trials.run(ctx, unsolved, files)
	if err != nil {
		return false, err
	}
	for _, id := range targets {
		now, there := trial.Outcomes[id]
		if there && !trial.Passed[id] && noise.ReplaceAllString(text(now), "~") != noise.ReplaceAllString(text(d.unsolved.Outcomes[id]), "~") {
			return true, nil
		}
	}
	return false, nil
}

// combine makes one version of all pieces, leaving out those with which it does not hold.
func (d *discovery) combine(ctx context.Context, pieces []piece, targets []string) (*Fresh, error) {
	for len(pieces) > 0 {
		var used []piece
		var edits []alteration.Edit
		for _, p := range pieces {
			if !overlaps(edits, p.edits) {
				used, edits = append(used, p), append(edits, p.edits...)
			}
		}
		holds, _, err := d.holds(ctx, edits)
		if err != nil {
			return nil, err
		}
		if holds {
			failing, err := d.fails(ctx, edits, targets)
			if err != nil {
				return nil, err
			}
			if len(failing) > 0 {
				return freshFrom(used, edits, failing), nil
			}
		}
		pieces = used[:len(used)-1]
	}
	return nil, nil
}

// fails returns the tests that the unsolved code fails in a version.
func (d *discovery) fails(ctx context.Context, edits []alteration.Edit, targets []string) ([]string, error) {
	files, err := d.sources.with(edits...)
	if err != nil {
		return nil, err
	}
	trial, err := d.trials.run(ctx, unsolved, files)
	if err != nil {
		return nil, err
	}
	var failing []string
	for _, id := range targets {
		if _, there := trial.Outcomes[id]; there && !trial.Passed[id] {
			failing = append(failing, id)
		}
	}
	slices.Sort(failing)
	return failing, nil
}

func freshFrom(used []piece, edits []alteration.Edit, tests []string) *Fresh {
	f := &Fresh{Edits: edits, Tests: tests, Answered: answers(used)}
	if f.Answered < len(used) {
		f.Kinds = append(f.Kinds, alteration.Consistent.String())
	}
	if f.Answered > 0 {
		f.Kinds = append(f.Kinds, alteration.Answered.String())
	}
	return f
}
