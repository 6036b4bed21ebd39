package search

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"

	"assay/internal/alteration"
)

// class says of a part of a test whether the unsolved code gets it wrong. Only such parts
// decide whether a work solves anything: what the unsolved code gets right, a forgery gets
// right, too, by leaving it as it is, and fails each alteration of it as it is to.
type class int

// The classes, in the order in which candidates are tried.
const (
	deciding class = iota // the unsolved code fails the test with it
	unclassed
	idle // the unsolved code passes it
)

// part is a part of a test that is to be solved.
type part struct {
	alteration.Part
	file  string
	class class
}

// mostAsked bounds the runs that tell what the unsolved code gets wrong, of all clusters side
// by side.
const mostAsked = 16

// findDeciding tells of tests that are made of parts in which of them the unsolved code fails,
// by leaving out the parts in which it is seen to.
func (d *discovery) findDeciding(ctx context.Context) error {
	var askers []asker
	for _, c := range d.clusters() {
		s := &sorter{discovery: d, cluster: c, left: mostAsked}
		for _, name := range slices.Sorted(maps.Keys(d.sources)) {
			for _, p := range d.sources[name].parts {
				if c.families[familyOf(name, p.Region)] {
					s.parts = append(s.parts, p)
				}
			}
		}
		if len(s.parts) > 1 {
			askers = append(askers, asker{c, s.asks()})
		}
	}
	if err := d.serve(ctx, askers); err != nil && !errors.Is(err, errSpent) {
		return err
	}
	for _, q := range d.queues {
		slices.SortStableFunc(q.left, func(a, b alteration.Edit) int {
			return cmp.Or(boolOrder(a.Known)-boolOrder(b.Known), cmp.Compare(d.sources.class(a), d.sources.class(b)))
		})
	}
	return nil
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}

// class is that of the part that an edit stands in.
func (s sources) class(e alteration.Edit) class {
	if src := s[e.File]; src != nil {
		for _, p := range src.parts {
			if p.Start <= e.Start && e.End <= p.End {
				return p.class
			}
		}
	}
	return unclassed
}

// sorter tells which parts of a cluster decide.
type sorter struct {
	*discovery
	*cluster
	parts []*part
	ask   func(off []*part) (answer, error)
	left  int
}

// asks are the runs that the sorter needs.
func (s *sorter) asks() iter.Seq[*ask] {
	return func(yield func(*ask) bool) {
		s.ask = func(off []*part) (answer, error) {
			if s.left == 0 {
				return answer{}, errPart
			}
			s.left--
			a := &ask{of: s.cluster, on: unsolved, edits: offsOf(off), whole: true}
			if !yield(a) {
				return answer{}, errSpent
			}
			return a.told, nil
		}
		_ = s.sort() // it ends for nothing but its bounds
	}
}

func offsOf(parts []*part) []alteration.Edit {
	edits := make([]alteration.Edit, len(parts))
	for i, p := range parts {
		edits[i] = p.Off
	}
	return edits
}

// sort tells first, where there are tables, which of what stands beside them decides, and
// then which of their rows do.
func (s *sorter) sort() error {
	var rows, statements []*part
	for _, p := range s.parts {
		if p.Row {
			rows = append(rows, p)
		} else {
			statements = append(statements, p)
		}
	}
	wrong, err := s.divide(rows, statements)
	if err != nil || len(rows) == 0 {
		return err
	}
	_, err = s.divide(wrong, rows)
	return err
}

// errUntold ends it where a run says nothing of the tests, or parts are not what it fails by.
var errUntold = errors.New("the run does not tell what the unsolved code fails by")

// divide finds which of some parts are wrong, without those that are left out: what a failure
// names is left out, too, until there is no failure.
func (s *sorter) divide(out, in []*part) (wrong []*part, err error) {
	out, in = slices.Clone(out), slices.Clone(in)
	for {
		told, err := s.told(out)
		if err != nil {
			return wrong, err
		}
		if len(s.failing(told)) == 0 {
			for _, p := range in {
				if !p.Looped || !slices.ContainsFunc(out, func(o *part) bool { return o.Row }) { // else it was perhaps not run
					p.class = idle
				}
			}
			return wrong, nil
		}
		found := s.named(in, told)
		if len(found) == 0 {
			first, err := s.first(out, in)
			if err != nil {
				return wrong, err
			}
			for _, p := range in[:first] {
				p.class = idle
			}
			found, in = in[first:first+1], in[first:]
		}
		for _, p := range found {
			p.class = deciding
		}
		wrong, out = append(wrong, found...), append(out, found...)
		in = slices.DeleteFunc(slices.Clone(in), func(p *part) bool { return slices.Contains(found, p) })
	}
}

// told is what the unsolved code says without some parts.
func (s *sorter) told(out []*part) (answer, error) {
	if len(out) == 0 {
		told := answer{clear: true, failing: make(map[string]string)}
		for _, id := range s.targets {
			told.failing[id] = text(s.unsolved.Outcomes[id])
		}
		return told, nil
	}
	told, err := s.ask(out)
	if err == nil && (!told.clear || told.gone) {
		err = errUntold
	}
	return told, err
}

// first finds the first part with which the unsolved code fails, in halves.
func (s *sorter) first(out, in []*part) (int, error) {
	fails := func(n int) (bool, error) { // with the first n of them
		told, err := s.told(slices.Concat(out, in[n:]))
		return len(s.failing(told)) > 0, err
	}
	if fails, err := fails(0); err != nil || fails {
		return 0, cmp.Or(err, errUntold)
	}
	low, high := 0, len(in)
	for high-low > 1 {
		middle := (low + high) / 2
		if fails, err := fails(middle); err != nil {
			return 0, err
		} else if fails {
			high = middle
		} else {
			low = middle
		}
	}
	return low, nil
}

// named are the parts that failures name: statements by their lines, and of a table the row
// of which a line says the longest word that no other row has.
func (s *sorter) named(in []*part, told answer) []*part {
	words := make(map[string]int)
	for _, p := range in {
		slices.Sort(p.Words)
		p.Words = slices.Compact(p.Words)
		for _, w := range p.Words {
			words[w]++
		}
	}
	var found []*part
	for _, id := range s.failing(told) {
		for _, p := range in {
			if !p.Row && slices.ContainsFunc(linesNamed(told.failing[id], p.file), func(n int) bool { return p.First <= n && n <= p.Last }) {
				found = append(found, p)
			}
		}
		for line := range strings.Lines(gist(s.parts[0].file, told.failing[id])) {
			if p := rowNamed(in, words, line); p != nil {
				found = append(found, p)
			}
		}
	}
	slices.SortFunc(found, func(a, b *part) int { return cmp.Or(cmp.Compare(a.file, b.file), a.Start-b.Start) })
	return slices.Compact(found)
}

// rowNamed is the row of which a line says the longest word that no other row has, or nil.
func rowNamed(in []*part, words map[string]int, line string) (named *part) {
	longest := 1
	for _, p := range in {
		for _, w := range p.Words {
			if len(w) > longest && words[w] == 1 && strings.Contains(line, w) {
				named, longest = p, len(w)
			}
		}
	}
	return named
}
