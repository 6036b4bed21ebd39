package search

import (
	"cmp"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"

	"assay/internal/alteration"
)

// How much is looked for in a cluster.
const (
	mostCandidates = 4000 // of a file
	mostPieces     = 96   // of one rank, that are tried together
	mostTrue       = 12   // runs that find which of them hold
	mostProbes     = 14   // runs that tell whether something depends on them
	mostAnswers    = 16   // runs that look for answers
	enough         = 4    // answers
)

// piece is a part of a fresh truth: edits that leave a test true.
type piece struct {
	alteration.Fresh
	answered bool
}

// seeker looks for a fresh truth of a cluster.
type seeker struct {
	*discovery
	*cluster
	seed  uint64
	known []*found // alterations
	best  *Fresh

	ask  func(on tree, edits []alteration.Edit) (answer, error)
	left int // runs of the part that is under way
}

// errPart ends a part of a search that has used up its runs.
var errPart = errors.New("this part of the search has used up its runs")

// asks are the runs that the seeker needs, each of which has its answer when the next is
// asked for. Who stops asking has what was found until then.
func (s *seeker) asks() iter.Seq[*ask] {
	return func(yield func(*ask) bool) {
		s.ask = func(on tree, edits []alteration.Edit) (answer, error) {
			if s.left == 0 {
				return answer{}, errPart
			}
			s.left--
			a := &ask{of: s.cluster, on: on, edits: edits}
			if !yield(a) {
				return answer{}, errSpent
			}
			return a.told, nil
		}
		_ = s.seek() // it ends for nothing but its bounds
	}
}

// seek finds pieces in which input and answer move together, makes one version of them, and
// looks in that for inputs whose answers can be read.
func (s *seeker) seek() error {
	pieces, err := s.consistent()
	if err != nil {
		return err
	}
	if pieces, err = s.live(pieces); err != nil {
		return err
	}
	edits, err := s.combine(nil, pieces)
	if err != nil {
		return err
	}
	more, err := s.answers(edits, len(pieces) == 0)
	if err != nil || len(more) == 0 {
		return err
	}
	_, err = s.combine(edits, more)
	return err
}

// candidates are the fresh truths that might be, of the cluster, in a version of its files.
func (s *seeker) candidates(version []alteration.Edit) []alteration.Fresh {
	var list []alteration.Fresh
	for _, name := range slices.Sorted(maps.Keys(s.sources)) {
		src := s.sources[name]
		var own []alteration.Edit
		for _, e := range version {
			if e.File == name {
				own = append(own, e)
			}
		}
		text, err := alteration.Apply(src.After, own...)
		if err != nil {
			continue
		}
		list = append(list, alteration.FreshCandidates(alteration.File{Path: name, Source: text}, alteration.Options{
			Seed: s.seed, PerFile: mostCandidates, PerRegion: mostCandidates, In: func(region string) bool { return s.families[familyOf(name, region)] },
		})...)
	}
	slices.SortStableFunc(list, func(a, b alteration.Fresh) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(s.idles(a.Edits), s.idles(b.Edits)), cmp.Compare(s.unsaid(a.Edits), s.unsaid(b.Edits)))
	})
	return list
}

// idles is 0 unless the unsolved code gets right all that edits touch, by their lines: 1 then.
func (s *seeker) idles(edits []alteration.Edit) int {
	for _, e := range edits {
		if !slices.ContainsFunc(s.sources[e.File].parts, func(p *part) bool { return p.class == idle && p.First <= e.Line && e.Line <= p.Last }) {
			return 0
		}
	}
	return 1
}

// unsaid is 0 if what the unsolved code says of the true tests names one of the literals that
// are edited, and 1 otherwise: in a table, most rows are not why it fails.
func (s *seeker) unsaid(edits []alteration.Edit) int {
	for _, id := range s.targets {
		said := gist(edits[0].File, text(s.unsolved.Outcomes[id]))
		for _, e := range edits {
			if old := literal(e.Old); len(old) > 2 && strings.Contains(said, old) {
				return 0
			}
		}
	}
	return 1
}

// consistent finds which pieces leave every test passing with the reference fix, those of
// one rank after the other.
func (s *seeker) consistent() (pieces []piece, err error) {
	byRank := make(map[int][]piece)
	for _, c := range s.candidates(nil) {
		if c.Kind == alteration.Consistent && len(byRank[c.Rank]) < 2*mostPieces {
			byRank[c.Rank] = append(byRank[c.Rank], piece{Fresh: c})
		}
	}
	for _, rank := range slices.Sorted(maps.Keys(byRank)) {
		s.left = mostTrue
		first, second := s.firsts(byRank[rank], pieces)
		kept, err := s.allTrue(first)
		if err == nil {
			var again []piece
			again, _ = s.firsts(second, append(slices.Clone(pieces), kept...))
			var more []piece
			more, err = s.allTrue(again)
			kept = append(kept, more...)
		}
		pieces = append(pieces, kept...)
		if err != nil && !errors.Is(err, errPart) {
			return pieces, err
		}
	}
	return pieces, nil
}

// firsts takes of pieces the first of each word of a scope, if it is in none of some others.
func (s *seeker) firsts(pieces, but []piece) (first, rest []piece) {
	type word struct {
		file  string
		scope int
		old   string
	}
	has := make(map[word]bool)
	of := func(p piece) word { return word{p.Edits[0].File, p.Scope, p.Old} }
	for _, p := range but {
		has[of(p)] = true
	}
	for _, p := range pieces {
		switch {
		case has[of(p)]:
			rest = append(rest, p)
		case len(first) < mostPieces:
			has[of(p)] = true
			first = append(first, p)
		}
	}
	return first, rest
}

// allTrue finds which pieces hold together: without those that a failure names and, where
// it names none, in halves.
func (s *seeker) allTrue(pieces []piece) ([]piece, error) {
	if len(pieces) == 0 {
		return nil, nil
	}
	told, err := s.ask(reference, version(pieces))
	if err != nil || told.holds() {
		if err != nil {
			pieces = nil
		}
		return pieces, err
	}
	if len(pieces) == 1 {
		return nil, nil
	}
	if rest := s.unnamed(pieces, told); len(rest) > 0 && len(rest) < len(pieces) && (s.left > mostTrue/2 || len(rest) < len(pieces)*3/4) {
		return s.allTrue(rest) // where a test ends at its first failure, it names one at a time
	}
	half := len(pieces) / 2
	first, err := s.allTrue(pieces[:half])
	if err != nil {
		return first, err
	}
	second, err := s.allTrue(pieces[half:])
	return append(first, second...), err
}

// unnamed are the pieces whose new words no failure says.
func (s *seeker) unnamed(pieces []piece, told answer) []piece {
	return slices.DeleteFunc(slices.Clone(pieces), func(p piece) bool {
		return slices.ContainsFunc(p.Edits, func(e alteration.Edit) bool { return s.says(told, p.New, e) })
	})
}

// says tells whether failures say what an edit says: its word, or its whole text.
func (s *seeker) says(told answer, fresh string, e alteration.Edit) bool {
	for _, said := range told.failing {
		said = gist(e.File, said)
		if text := literal(e.New); len(text) > 2 && strings.Contains(said, text) || len(fresh) > 2 && alteration.HasWord(said, fresh) {
			return true
		}
	}
	return false
}

// version makes one version of pieces: words are replaced one after the other where they
// stand in the same literal, and what else overlaps is left out.
func version(pieces []piece) []alteration.Edit {
	var edits []alteration.Edit
	for _, p := range pieces {
		if p.answered || p.Kind == alteration.Answered {
			if !overlaps(edits, p.Edits) {
				edits = append(edits, p.Edits...)
			}
			continue
		}
		for _, e := range p.Edits {
			if i := slices.IndexFunc(edits, func(o alteration.Edit) bool { return same(o, e) }); i >= 0 {
				edits[i].New = alteration.ReplaceWord(edits[i].New, p.Old, p.New)
			} else if !overlaps(edits, []alteration.Edit{e}) {
				edits = append(edits, e)
			}
		}
	}
	return edits
}

func overlaps(edits, more []alteration.Edit) bool {
	return slices.ContainsFunc(edits, func(a alteration.Edit) bool {
		return slices.ContainsFunc(more, func(b alteration.Edit) bool { return overlap(a, b) })
	})
}

// live leaves the pieces with which the unsolved code fails all targets and which touch what
// decides: another edit of the same literal fails the reference fix, or what the unsolved
// code says changes with it.
func (s *seeker) live(pieces []piece) (live []piece, err error) {
	s.left = mostProbes
	pieces, told, err := s.visible(pieces)
	if err != nil {
		return nil, partly(err)
	}
	var left []piece
	for _, p := range pieces {
		if slices.ContainsFunc(s.known, func(f *found) bool { return touches(p.Edits, f.Edit) && solving(f, s.targets) }) {
			live = append(live, p)
		} else {
			left = append(left, p)
		}
	}
	rest := s.unnamed(left, told)
	live = append(live, but(left, rest)...)
	const many = 3
	if len(rest) > many {
		if told, err = s.ask(reference, probes(rest)); err != nil {
			return live, partly(err)
		}
		left, rest = rest, s.unprobed(rest, told)
		live = append(live, but(left, rest)...)
	}
	for n, p := range rest {
		if slices.ContainsFunc(live, func(o piece) bool {
			return p.Column != "" && o.Column == p.Column && o.Edits[0].File == p.Edits[0].File
		}) {
			live = append(live, p)
			continue
		}
		decides, err := s.decides(p)
		if err != nil {
			return append(live, alike(rest[n:], live)...), partly(err)
		}
		if decides {
			live = append(live, p)
			live = append(live, alike(rest[:n], live[len(live)-1:])...)
		}
	}
	return live, nil
}

// alike are the pieces in a column in which another decides.
func alike(pieces, live []piece) []piece {
	return slices.DeleteFunc(slices.Clone(pieces), func(p piece) bool {
		return p.Column == "" || !slices.ContainsFunc(live, func(o piece) bool {
			return o.Column == p.Column && o.Edits[0].File == p.Edits[0].File && o.Scope != p.Scope
		})
	})
}

// visible finds pieces with which the unsolved code fails all targets: one that takes away
// what the issue is about hides the others. What it says of all of them comes with them.
func (s *seeker) visible(pieces []piece) ([]piece, answer, error) {
	if len(pieces) == 0 {
		return nil, answer{}, nil
	}
	told, err := s.ask(unsolved, version(pieces))
	if err != nil || told.clear && len(s.failing(told)) == len(s.targets) {
		return pieces, told, err
	}
	if len(pieces) == 1 {
		return nil, answer{}, nil
	}
	half := len(pieces) / 2
	first, told, err := s.visible(pieces[:half])
	if err != nil {
		return first, told, err
	}
	second, more, err := s.visible(pieces[half:])
	if told.failing == nil {
		told = more
	}
	return append(slices.Clone(first), second...), told, err
}
