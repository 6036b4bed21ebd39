package search

import (
	"errors"
	"slices"
	"strings"

	"assay/internal/alteration"
)

// but are the pieces that are not among some.
func but(pieces, some []piece) []piece {
	return slices.DeleteFunc(slices.Clone(pieces), func(p piece) bool {
		return slices.ContainsFunc(some, func(o piece) bool { return o.Old == p.Old && o.New == p.New && same(o.Edits[0], p.Edits[0]) })
	})
}

func touches(edits []alteration.Edit, e alteration.Edit) bool {
	return slices.ContainsFunc(edits, func(p alteration.Edit) bool { return same(p, e) })
}

func solving(f *found, targets []string) bool {
	return slices.ContainsFunc(f.tests, func(id string) bool { return slices.Contains(targets, id) })
}

// probes are the probes of pieces that can be made together.
func probes(pieces []piece) []alteration.Edit {
	var edits []alteration.Edit
	for _, p := range pieces {
		if !overlaps(edits, p.Probe) {
			edits = append(edits, p.Probe...)
		}
	}
	return edits
}

// unprobed are the pieces whose probes no failure names.
func (s *seeker) unprobed(pieces []piece, told answer) []piece {
	return slices.DeleteFunc(slices.Clone(pieces), func(p piece) bool {
		return slices.ContainsFunc(p.Probe, func(e alteration.Edit) bool { return s.says(told, "", e) })
	})
}

// decides tells whether something depends on what a piece changes.
func (s *seeker) decides(p piece) (bool, error) {
	if len(p.Probe) == 0 {
		return false, nil
	}
	told, err := s.ask(reference, p.Probe)
	if err != nil || told.clear && len(told.failing) > 0 {
		return err == nil, err
	}
	if told, err = s.ask(unsolved, p.Probe); err != nil || !told.clear {
		return false, err
	}
	for _, id := range s.targets {
		said, fails := told.failing[id]
		if !fails || plain(said, p.Probe) != plain(text(s.unsolved.Outcomes[id]), p.Probe) {
			return true, nil
		}
	}
	return false, nil
}

// plain is what a failure says without what it repeats of the test, and without what
// differs between two runs of the same.
func plain(said string, edits []alteration.Edit) string {
	said = noise.ReplaceAllString(gist(edits[0].File, said), "~")
	for _, e := range edits {
		for _, text := range []string{literal(e.Old), literal(e.New)} {
			if len(text) > 1 {
				said = strings.ReplaceAll(said, text, "~")
			}
		}
	}
	return said
}

// combine makes one version of all pieces on top of another version, and keeps it as the
// best until now if it holds and the unsolved code fails it.
func (s *seeker) combine(base []alteration.Edit, pieces []piece) ([]alteration.Edit, error) {
	s.left = mostTrue
	for len(pieces) > 0 {
		edits := onto(base, version(pieces))
		told, err := s.ask(reference, edits)
		if err != nil {
			return base, partly(err)
		}
		if told.holds() {
			if told, err = s.ask(unsolved, edits); err != nil {
				return base, partly(err)
			}
			if failing := s.failing(told); told.clear && len(failing) > 0 {
				s.keep(edits, pieces, failing)
				return edits, nil
			}
		}
		pieces = pieces[:len(pieces)*2/3]
	}
	return base, nil
}

// partly forgets that a part has used up its runs: the next may begin.
func partly(err error) error {
	if errors.Is(err, errPart) {
		return nil
	}
	return err
}

// failing are the targets that fail.
func (c *cluster) failing(told answer) []string {
	return slices.DeleteFunc(slices.Clone(c.targets), func(id string) bool {
		_, fails := told.failing[id]
		return !fails
	})
}

// keep keeps a version, with what was kept before it.
func (s *seeker) keep(edits []alteration.Edit, pieces []piece, failing []string) {
	f := &Fresh{Edits: edits, Tests: failing}
	kinds := make(map[string]bool)
	if s.best != nil {
		f.Answered = s.best.Answered
		for _, k := range s.best.Kinds {
			kinds[k] = true
		}
	}
	for _, p := range pieces {
		if p.answered {
			f.Answered++
			kinds[alteration.Answered.String()] = true
		} else {
			kinds[alteration.Consistent.String()] = true
		}
	}
	for _, k := range []alteration.FreshKind{alteration.Consistent, alteration.Answered} {
		if kinds[k.String()] {
			f.Kinds = append(f.Kinds, k.String())
		}
	}
	s.best = f
}
