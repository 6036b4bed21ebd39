package search

import (
	"context"
	"errors"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"assay/internal/alteration"
	"assay/internal/evaluate"
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
	wantedKnown = 2  // edits of such a test that the image's tests hold, where there are no others: a control
	wantedKept  = 1  // edits of a group without such a test: a control, too
	mostTries   = 40 // of a group that has a fail_to_pass test
	mostControl = 2  // of a group of other tests
	mostGroups  = 8  // of other tests, in all
)

// discovery tries candidates until there are enough of every group.
type discovery struct {
	*trials
	*baseline
	sources sources
	queues  map[string]*queue
	order   []string       // of the groups
	altered map[string]int // by test: found edits that the image's old tests do not hold
	known   map[string]int // and those that they do
}

// queue is the candidates of a group that were not tried yet.
type queue struct {
	left    []alteration.Edit
	targets []string // the fail_to_pass tests that it has, by their names
	shared  bool     // it is no test: any may be its
	tries   int
	kept    int

	tried, did map[alteration.EditKind]int // candidates, and those of them that were kept
}

func newDiscovery(t *trials, b *baseline, s sources) *discovery {
	d := &discovery{trials: t, baseline: b, sources: s, queues: make(map[string]*queue), altered: make(map[string]int), known: make(map[string]int)}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		for _, e := range s[name].candidates {
			d.add(e)
		}
	}
	return d
}

func (d *discovery) add(e alteration.Edit) {
	key := group(e)
	q := d.queues[key]
	if q == nil {
		q = &queue{shared: !e.Test, tried: make(map[alteration.EditKind]int), did: make(map[alteration.EditKind]int)}
		for id := range d.solves {
			if d.stable[id] && belongs(e, id) {
				q.targets = append(q.targets, id)
			}
		}
		d.queues[key] = q
		d.order = append(d.order, key)
	}
	q.left = append(q.left, e)
}

// run tries candidates, one of each group at a time. When the search is spent, it returns
// what was found until then.
func (d *discovery) run(ctx context.Context) (all []*found, err error) {
	for {
		batch, alone := d.next()
		if len(batch)+len(alone) == 0 {
			return all, nil
		}
		for _, g := range append([][]alteration.Edit{batch}, alone...) {
			kept, err := d.try(ctx, g)
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

func (d *discovery) note(f *found) {
	q := d.queues[group(f.Edit)]
	q.kept++
	q.did[f.Kind]++
	for _, id := range f.tests {
		if f.Known {
			d.known[id]++
		} else {
			d.altered[id]++
		}
	}
}

// forget lets an alteration count no more among those that are wanted.
func (d *discovery) forget(f *found) {
	for _, id := range f.tests {
		if !f.Known {
			d.altered[id]--
		}
	}
}

// lacks tells whether one of some tests has too few alterations, and an edit may help it.
func (d *discovery) lacks(ids []string, e alteration.Edit) bool {
	return slices.ContainsFunc(ids, func(id string) bool {
		if e.Known {
			return d.altered[id]+d.known[id] < wantedKnown
		}
		return d.altered[id] < wanted
	})
}

// next takes the candidates of the next round: those of tests are tried together, those of
// what tests share alone, and only when the tests themselves have none left.
func (d *discovery) next() (batch []alteration.Edit, alone [][]alteration.Edit) {
	others, solving := 0, false
	for _, key := range d.order {
		q := d.queues[key]
		switch {
		case q.shared || len(q.left) == 0:
			continue
		case len(q.targets) == 0:
			if others++; others <= mostGroups && q.tries < mostControl && q.kept < wantedKept {
				batch = append(batch, q.take(1)...)
			}
			continue
		case q.tries >= mostTries || !d.lacks(q.targets, q.left[0]):
			continue
		}
		solving = true
		if n := q.together(); n > 1 {
			alone = append(alone, q.take(n))
		} else {
			batch = append(batch, q.take(1)...)
		}
	}
	if solving {
		return batch, alone
	}
	targets := slices.Collect(maps.Keys(d.targets()))
	for _, key := range d.order {
		if q := d.queues[key]; q.shared && len(q.left) > 0 && q.tries < mostTries && d.lacks(targets, q.left[0]) {
			alone = append(alone, q.take(q.together()))
		}
	}
	return batch, alone
}

// targets are the fail_to_pass tests that pass each time with the reference fix.
func (d *discovery) targets() map[string]bool {
	stable := make(map[string]bool)
	for id := range d.solves {
		if d.stable[id] {
			stable[id] = true
		}
	}
	return stable
}

// together is how many candidates are worth one run: where few do anything, several that do
// nothing are told by one.
func (q *queue) together() int {
	const few, several = 4, 5
	switch {
	case q.tries >= few && q.kept*few < q.tries:
		return several
	case q.shared:
		return 2
	}
	return 1
}

// take takes up to n candidates that do not overlap: the best of the kind that did most
// until now, so that no kind that does nothing holds up the others.
func (q *queue) take(n int) (taken []alteration.Edit) {
	for len(taken) < n {
		i := q.best(taken)
		if i < 0 {
			break
		}
		e := q.left[i]
		q.left = slices.Delete(q.left, i, i+1)
		taken = append(taken, e)
		q.tries++
		q.tried[e.Kind]++
	}
	return taken
}

// best finds the next candidate: of those as good as the first in what the image's old tests
// hold, one of the kind with the best record.
func (q *queue) best(taken []alteration.Edit) int {
	at, record := -1, -1.0
	seen := make(map[alteration.EditKind]bool)
	for i, e := range q.left {
		if e.Known != q.left[0].Known {
			break
		}
		if seen[e.Kind] || overlaps(taken, []alteration.Edit{e}) {
			continue
		}
		seen[e.Kind] = true
		if r := float64(q.did[e.Kind]+1) / float64(q.tried[e.Kind]+2); r > record {
			at, record = i, r
		}
	}
	return at
}

// try runs the reference fix with edits together, and takes them apart until it is known
// what each of them does.
func (d *discovery) try(ctx context.Context, batch []alteration.Edit) ([]*found, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	files, err := d.sources.with(batch...)
	if err != nil {
		return nil, err
	}
	trial, err := d.trials.run(ctx, reference, files)
	if err != nil {
		return nil, err
	}
	effect := d.effectOf(batch, trial)
	if effect.clear {
		return effect.kept, nil
	}
	if len(batch) == 1 {
		return nil, nil // it hangs, does not compile, or changes more than tests
	}
	if rest := without(batch, named(batch, trial)); len(rest) < len(batch) {
		return d.try(ctx, rest)
	}
	half := len(batch) / 2
	first, err := d.try(ctx, batch[:half])
	if err != nil {
		return first, err
	}
	second, err := d.try(ctx, batch[half:])
	return append(first, second...), err
}

// effect is what a trial says of the edits that were made in it.
type effect struct {
	kept  []*found
	clear bool // all that the trial says is owed to one of the edits
}

// effectOf tells which tests each edit makes fail. It is clear only if nothing else changed:
// no test appeared, vanished, or passes that did not.
func (d *discovery) effectOf(batch []alteration.Edit, trial *evaluate.Trial) effect {
	if trial.TimedOut || !trial.Complete {
		return effect{}
	}
	by := make([]*found, len(batch))
	dropped := make([]bool, len(batch))
	owner := func(id string) int {
		if len(batch) == 1 {
			return 0
		}
		at := -1
		for i, e := range batch {
			if belongs(e, id) {
				if at >= 0 {
					return -1
				}
				at = i
			}
		}
		return at
	}
	for id := range d.stable {
		outcome, there := trial.Outcomes[id]
		if there && trial.Passed[id] {
			continue
		}
		i := owner(id)
		if i < 0 {
			return effect{}
		}
		if !there { // its name changed, or what came before it ended everything
			if len(batch) > 1 {
				return effect{} // whose doing it is shows when they are tried alone
			}
			dropped[i] = true
			continue
		}
		if by[i] == nil {
			by[i] = &found{Edit: batch[i], said: make(map[string]string), seen: 1}
		}
		by[i].tests = append(by[i].tests, id)
		by[i].said[id] = text(outcome)
	}
	for id, passed := range trial.Passed {
		_, known := d.fixed.Outcomes[id]
		if known && (!passed || d.fixed.Passed[id]) {
			continue
		}
		i := owner(id)
		if i < 0 && known {
			continue // it is not stable, and not of these tests
		}
		if i < 0 {
			return effect{}
		}
		dropped[i] = true
	}
	result := effect{clear: true}
	for i, f := range by {
		if f != nil && !dropped[i] {
			slices.Sort(f.tests)
			result.kept = append(result.kept, f)
		}
	}
	return result
}

var place = regexp.MustCompile(`([\w.-]+\.\w+):(\d+)`)

// named returns the edits in lines that a trial's output names where nothing could be run:
// compilers tell the line of an error.
func named(batch []alteration.Edit, trial *evaluate.Trial) []alteration.Edit {
	said := make(map[string]bool)
	for _, text := range append([]string{trial.Output}, trial.Problems...) {
		for _, m := range place.FindAllStringSubmatch(text, 1000) {
			said[m[1]+":"+m[2]] = true
		}
	}
	var edits []alteration.Edit
	for _, e := range batch {
		if said[path.Base(e.File)+":"+strconv.Itoa(e.Line)] {
			edits = append(edits, e)
		}
	}
	return edits
}

// without returns the edits that are not among some.
func without(edits, some []alteration.Edit) []alteration.Edit {
	return slices.DeleteFunc(slices.Clone(edits), func(e alteration.Edit) bool { return slices.Contains(some, e) })
}

// same tells whether two edits are of one token.
func same(a, b alteration.Edit) bool {
	return a.File == b.File && a.Start == b.Start && a.End == b.End
}

// literal is an edit's new text without quotes, as messages show it.
func literal(text string) string { return strings.Trim(text, "\"'`") }
