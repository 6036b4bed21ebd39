package search

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"assay/internal/alteration"
)

// found is an edit that made tests fail with the reference fix, and what is known of it.
type found struct {
	alteration.Edit
	tests []string          // that it makes fail, and no others; sorted
	said  map[string]string // what each of them said, in the first run
	seen  int               // runs that it behaved the same in
	shown int               // combinations that it was a part of
	ends  bool              // tests are gone with it
}

// How much is looked for.
const (
	wanted      = 4  // edits that make a fail_to_pass test fail, none of which the image's tests hold
	wantedRow   = 2  // and one that is a row of a table: its rows share a draw
	wantedKnown = 2  // edits of such a test that the image's tests hold, where there are no others: a control
	wantedKept  = 1  // edits of a group without such a test: a control, too
	mostTries   = 40 // of a group that has a fail_to_pass test
	mostWide    = 24 // of those in a group that are looked for where no others are blind
	mostGuesses = 10 // of a group that shares nothing with one, as far as the text tells
	mostControl = 2  // of a group of other tests
	mostGroups  = 8  // of other tests, in all
	mostTied    = 6  // tests that one edit may make fail, their subtests aside
)

// discovery tries candidates until there are enough of every group.
type discovery struct {
	*trials
	*baseline
	sources sources
	queues  map[string]*queue
	order   []string       // of the groups
	found   map[string]int // by test: found edits that decide, whatever they are worth
	altered map[string]int // by test: found edits that the image's old tests do not hold
	known   map[string]int // and those that they do, or that decide nothing
	own     map[string]int // found edits of any worth that make few others fail
}

// queue is the candidates of a group that were not tried yet.
type queue struct {
	sources  sources
	left     []alteration.Edit
	suspects [][]alteration.Edit // that did something when they were tried with others
	targets  []string            // the fail_to_pass tests that it has, by their names
	homes    []string            // the families of the tests that it can change
	row      bool                // it is a row that is a test of its own
	shared   bool                // it is none, and no test: any may be its
	looking  int                 // that were kept, and look altered
	wide     bool                // what is left is looked for since nothing else is blind
	tries    int
	kept     int
	ended    int // runs whose process it ended

	tried, did map[alteration.EditKind]int // candidates, and those of them that were kept
}

// set is candidates of one group that are tried in one run.
type set struct {
	queue *queue
	edits []alteration.Edit
}

func newDiscovery(t *trials, b *baseline, s sources) *discovery {
	d := &discovery{trials: t, baseline: b, sources: s, queues: make(map[string]*queue), found: make(map[string]int), altered: make(map[string]int), known: make(map[string]int), own: make(map[string]int)}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		for _, e := range s[name].candidates {
			d.add(e)
		}
	}
	return d
}

// cased is an edit that names the row that it stands in only if that is a test of its own.
func (d *discovery) cased(e alteration.Edit) alteration.Edit {
	if e.Case != "" && !d.isRow(e) {
		e.Case = ""
	}
	return e
}

func (d *discovery) add(e alteration.Edit) {
	e = d.cased(e)
	q := d.queueOf(e)
	q.left = append(q.left, e)
}

// queueOf is the queue of an edit's group, perhaps a new one.
func (d *discovery) queueOf(e alteration.Edit) *queue {
	key := group(e)
	q := d.queues[key]
	if q == nil {
		q = &queue{
			sources: d.sources, row: e.Case != "", shared: !e.Test && e.Case == "", homes: d.sources.homes(e),
			tried: make(map[alteration.EditKind]int), did: make(map[alteration.EditKind]int),
		}
		for _, id := range d.sample.FailToPass {
			if d.solves[id] && d.stable[id] && d.sources.belongs(e, id) {
				q.targets = append(q.targets, id)
			}
		}
		d.queues[key] = q
		d.order = append(d.order, key)
	}
	return q
}

// isRow tells whether the row that an edit stands in is a test of its own: its name may be
// there for other tests, or for people.
func (d *discovery) isRow(e alteration.Edit) bool {
	for id := range d.stable {
		if d.sources.belongs(e, id) {
			return true
		}
	}
	return false
}

// homes are the families of the tests that an edit can change, as far as the text tells.
func (s sources) homes(e alteration.Edit) []string {
	homes := []string{family(e)}
	if src := s[e.File]; src != nil && !e.Test {
		for _, user := range src.users[e.Region] {
			homes = append(homes, familyOf(e.File, user))
		}
	}
	return homes
}

// run tries candidates, some of each group at a time. When the search is spent, it returns
// what was found until then.
func (d *discovery) run(ctx context.Context) (all []*found, err error) {
	for {
		batch, alone := d.next()
		if len(batch)+len(alone) == 0 {
			return all, nil
		}
		for _, g := range append([][]set{batch}, alone...) {
			kept, err := d.try(ctx, g)
			kept = slices.DeleteFunc(kept, d.ties)
			all = append(all, kept...)
			for _, f := range kept {
				d.note(f)
			}
			if errors.Is(err, errSpent) {
				return all, nil
			}
			if err != nil {
				return nil, err
			}
		}
	}
}

// ties tells whether an edit makes so many tests fail that to keep it would be to show no two
// of them altered in different ways: it is of a helper that all use. Where a test that is to be
// solved has too little of its own, as where all walk one table, it is kept.
func (d *discovery) ties(f *found) bool {
	if slices.ContainsFunc(f.tests, func(id string) bool { return d.solves[id] && d.stable[id] && d.altered[id] < wantedRow }) {
		return false
	}
	homes := make(map[string]bool)
	for _, id := range leaves(f.tests) {
		for _, home := range d.sources.familiesOf(id) {
			homes[home] = true
		}
	}
	return len(homes) > mostTied
}

func (d *discovery) note(f *found) {
	q := d.queues[group(f.Edit)]
	q.kept++
	q.did[f.Kind]++
	if f.Conspicuous != "" {
		q.looking++
	}
	few := len(leaves(f.tests)) <= mostTied
	for _, id := range f.tests {
		if few {
			d.own[id]++
		}
		if f.Known || f.Conspicuous != "" || d.decidesNothing(f) {
			d.known[id]++
		} else {
			d.found[id]++
			d.altered[id]++
		}
	}
}

// forget lets an alteration count no more among those that are wanted.
func (d *discovery) forget(f *found) {
	for _, id := range f.tests {
		if !f.Known && f.Conspicuous == "" && !d.decidesNothing(f) {
			d.altered[id]--
		}
	}
}

// controls tells whether an edit can be a control and no more, so that others come first:
// who kept the image's tests sees it, it looks altered, or it decides nothing.
func (d *discovery) controls(e alteration.Edit) bool {
	return e.Known || e.Conspicuous != "" || d.sources.class(e) == idle
}

// lacks tells whether one of some tests has too few alterations, and an edit may help it.
func (d *discovery) lacks(ids []string, e alteration.Edit) bool {
	enough := wanted
	if e.Case != "" {
		enough = wantedRow
	}
	return slices.ContainsFunc(ids, func(id string) bool {
		enough := enough
		if _, ran := d.unsolved.Outcomes[id]; !ran { // none of them can be blind
			enough = min(enough, wantedKnown)
		}
		if !e.Known && e.Conspicuous == "" && d.controls(e) {
			return d.found[id] == 0 && d.known[id] < wantedKnown
		}
		if e.Known || e.Conspicuous != "" {
			return d.altered[id]+d.known[id] < min(enough, wantedKnown)
		}
		return d.altered[id] < enough
	})
}

// wants tells whether more of a group is to be tried.
func (d *discovery) wants(q *queue, targets []string) bool {
	if len(q.suspects) > 0 {
		if len(targets) == 0 || d.lacks(targets, q.suspects[0][0]) {
			return true
		}
		q.suspects = nil
	}
	if len(q.left) == 0 {
		return false
	}
	if len(targets) == 0 {
		return q.tries < mostControl && q.kept < wantedKept
	}
	if q.left[0].Conspicuous != "" { // which are there only where it lacks others
		bare := slices.ContainsFunc(targets, func(id string) bool { return d.own[id] == 0 })
		return q.tries < mostTries && (bare || q.looking < wantedKept)
	}
	return q.tries < mostTries && d.lacks(targets, q.left[0])
}

// next takes the candidates of the next round: those of tests are tried together, those of
// what tests share alone, and only when the tests themselves have none left. What stands
// outside of the rows of a table changes all of them, and waits until they are done.
func (d *discovery) next() (batch []set, alone [][]set) {
	solving, busy, controls, news := false, make(map[string]bool), make(map[string]int), d.news()
	fragile := false // one is taken that ended a process before
	for _, rows := range []bool{true, false} {
		for _, key := range d.order {
			q := d.queues[key]
			if q.shared || q.row != rows || len(q.targets) == 0 && !control(q, controls) || !d.wants(q, q.targets) {
				continue
			}
			if !rows && slices.ContainsFunc(q.homes, func(home string) bool { return busy[home] }) || news && len(q.targets) > 0 && q.old() {
				continue
			}
			if q.ended > 0 && fragile {
				continue // what ends the process hides what the others do
			}
			fragile = fragile || q.ended > 0
			solving = solving || len(q.targets) > 0
			for _, home := range q.homes {
				busy[home] = busy[home] || rows
			}
			batch = append(batch, q.take(q.size()))
		}
	}
	if solving {
		return batch, nil
	}
	for _, key := range d.order {
		q := d.queues[key]
		if !q.shared || len(q.targets) == 0 && (len(q.homes) > 1 || q.tries >= mostGuesses) {
			continue
		}
		targets := q.targets
		if len(targets) == 0 {
			targets = slices.Collect(maps.Keys(d.solvable()))
		}
		if d.wants(q, targets) && (!news || !q.old()) {
			alone = append(alone, []set{q.take(q.size())})
		}
	}
	return batch, alone
}

// news tells whether what tests share has candidates that the image's old tests do not hold:
// they come before those that can be a control and no more.
func (d *discovery) news() bool {
	for _, key := range d.order {
		if q := d.queues[key]; q.shared && len(q.targets) > 0 && !q.old() && d.wants(q, q.targets) {
			return true
		}
	}
	return false
}

// old tells whether the best of a group's candidates stands in the image's old tests.
func (q *queue) old() bool { return len(q.suspects) == 0 && len(q.left) > 0 && q.left[0].Known }

// control tells whether a group of tests that need not be solved is among the few that are
// tried, and counts it. Of the rows of one table there are few, too, and none of what tests
// share: it is of no use if others fail with it.
func control(q *queue, controls map[string]int) bool {
	const all, rows = "", 2
	home := q.homes[0]
	if controls[all] == mostGroups || len(q.homes) > 1 || q.row && controls[home] == rows {
		return false
	}
	controls[all]++
	controls[home]++
	return true
}

// solvable are the fail_to_pass tests that pass each time with the reference fix.
func (d *discovery) solvable() map[string]bool {
	stable := make(map[string]bool)
	for id := range d.solves {
		if d.stable[id] {
			stable[id] = true
		}
	}
	return stable
}

// size is how many candidates are worth one run: where few do anything, several that do
// nothing are told by one.
func (q *queue) size() int {
	const few, several = 4, 5
	switch {
	case q.tries >= few && q.kept*few < q.tries:
		return several
	case q.shared:
		return 2
	}
	return 1
}

// take takes suspects, or up to n candidates that do not overlap: the best of the kind that
// did most until now, so that no kind that does nothing holds up the others.
func (q *queue) take(n int) set {
	if last := len(q.suspects) - 1; last >= 0 {
		edits := q.suspects[last]
		q.suspects = q.suspects[:last]
		return set{q, edits}
	}
	s := set{queue: q}
	for len(s.edits) < n {
		i := q.best(s.edits)
		if i < 0 {
			break
		}
		e := q.left[i]
		q.left = slices.Delete(q.left, i, i+1)
		s.edits = append(s.edits, e)
		q.tries++
		q.tried[e.Kind]++
	}
	return s
}

// best finds the next candidate: of those as good as the first in what the image's old tests
// hold, one of the kind with the best record.
func (q *queue) best(taken []alteration.Edit) int {
	at, record := -1, -1.0
	seen := make(map[alteration.EditKind]bool)
	for i, e := range q.left {
		if i > 0 && (e.Known != q.left[0].Known || q.sources.class(e) != q.sources.class(q.left[0])) {
			break
		}
		if seen[e.Kind] || overlaps(taken, []alteration.Edit{e}) || slices.ContainsFunc(taken, func(o alteration.Edit) bool { return undo(o, e) }) {
			continue
		}
		seen[e.Kind] = true
		if r := float64(q.did[e.Kind]+1) / float64(q.tried[e.Kind]+2); r > record {
			at, record = i, r
		}
	}
	return at
}

// undo tells whether two edits may do nothing together, though each does alone: what one takes
// away the other puts in, as where two texts that differ are to be told apart.
func undo(a, b alteration.Edit) bool { return a.New == b.Old || b.New == a.Old || a.New == b.New }

// same tells whether two edits are of one token.
func same(a, b alteration.Edit) bool {
	return a.File == b.File && a.Start == b.Start && a.End == b.End
}

// literal is an edit's new text without quotes, as messages show it.
func literal(text string) string { return strings.Trim(text, "\"'`") }
