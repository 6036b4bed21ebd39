package search

import (
	"context"
	"path"
	"regexp"
	"slices"
	"strconv"

	"assay/internal/alteration"
	"assay/internal/evaluate"
)

// try runs the reference fix with candidates together, and takes them apart until it is
// known what each set of them does. Where a set of several did something, its halves are
// its queue's suspects.
func (d *discovery) try(ctx context.Context, batch []set) ([]*found, error) {
	batch = slices.DeleteFunc(slices.Clone(batch), func(s set) bool { return len(s.edits) == 0 })
	if len(batch) == 0 {
		return nil, nil
	}
	var edits []alteration.Edit
	for _, s := range batch {
		edits = append(edits, s.edits...)
	}
	files, err := d.sources.with(edits...)
	if err != nil {
		return nil, err
	}
	trial, err := d.trials.run(ctx, reference, files)
	if err != nil {
		return nil, err
	}
	effect := d.effectOf(batch, trial)
	if effect.clear {
		return effect.settle(batch), nil
	}
	if rest, some := d.spared(batch, trial); some {
		return d.try(ctx, rest)
	}
	first, second := halves(batch)
	if len(second) == 0 {
		return nil, nil // it hangs, does not compile, or changes more than tests
	}
	kept, err := d.try(ctx, first)
	if err != nil {
		return kept, err
	}
	more, err := d.try(ctx, second)
	return append(kept, more...), err
}

// halves divides sets or, where there is one, its edits.
func halves(batch []set) (first, second []set) {
	if len(batch) > 1 {
		half := len(batch) / 2
		return batch[:half], batch[half:]
	}
	if len(batch[0].edits) < 2 {
		return batch, nil
	}
	half := len(batch[0].edits) / 2
	return []set{{batch[0].queue, batch[0].edits[:half]}}, []set{{batch[0].queue, batch[0].edits[half:]}}
}

// effect is what a trial says of the sets that were made in it.
type effect struct {
	by    []*found // by set: the tests that it makes fail; nil for none
	clear bool     // all that the trial says is owed to one of the sets
}

// settle keeps the sets of one edit that made tests fail.
func (e effect) settle(batch []set) (kept []*found) {
	for i, f := range e.by {
		s := batch[i]
		switch {
		case f == nil:
		case len(s.edits) > 1:
			half := len(s.edits) / 2
			s.queue.suspects = append(s.queue.suspects, s.edits[:half], s.edits[half:])
		default:
			f.Edit = s.edits[0]
			kept = append(kept, f)
		}
	}
	return kept
}

// effectOf tells which tests each set makes fail. It is clear only if nothing else changed:
// no test appeared, vanished, or passes that did not.
func (d *discovery) effectOf(batch []set, trial *evaluate.Trial) effect {
	if trial.TimedOut || !trial.Complete {
		return effect{}
	}
	dropped := make([]bool, len(batch))
	var failing []string
	for id := range d.stable {
		switch _, there := trial.Outcomes[id]; {
		case there && !trial.Passed[id]:
			failing = append(failing, id)
		case !there && (len(batch) > 1 || len(batch[0].edits) > 1):
			return effect{} // whose doing it is shows when they are tried alone
		case !there: // its name changed, or what came before it ended everything
			dropped[0] = true
		}
	}
	by, ok := d.owned(batch, failing, trial)
	if !ok {
		return effect{}
	}
	for id, passed := range trial.Passed {
		_, known := d.fixed.Outcomes[id]
		if known && (!passed || d.fixed.Passed[id]) {
			continue
		}
		i := d.owner(batch, id)
		if known && (i < 0 || !d.sources.belongs(batch[i].edits[0], id)) {
			continue // it is not stable, and not of these tests
		}
		if i < 0 {
			return effect{}
		}
		dropped[i] = true
	}
	for i := range by {
		if dropped[i] {
			by[i] = nil
		}
	}
	return effect{by: by, clear: true}
}

// owned gives failing tests to the sets that they are owed to. A test fails with its
// subtests, whoever's they are.
func (d *discovery) owned(batch []set, failing []string, trial *evaluate.Trial) (by []*found, ok bool) {
	by = make([]*found, len(batch))
	give := func(i int, id string) {
		if by[i] == nil {
			by[i] = &found{said: make(map[string]string), seen: 1}
		}
		by[i].tests = append(by[i].tests, id)
		by[i].said[id] = text(trial.Outcomes[id])
	}
	own := leaves(failing)
	for _, id := range own {
		i := d.owner(batch, id)
		if i < 0 {
			return nil, false
		}
		give(i, id)
	}
	for _, id := range failing {
		if slices.Contains(own, id) {
			continue
		}
		for i := range by {
			if by[i] != nil && slices.ContainsFunc(by[i].tests, func(leaf string) bool { return isBelow(leaf, id) }) {
				give(i, id)
			}
		}
	}
	for _, f := range by {
		if f != nil {
			slices.Sort(f.tests)
		}
	}
	return by, true
}

// owner returns the only set that a test may belong to, or -1.
func (d *discovery) owner(batch []set, id string) int {
	if len(batch) == 1 {
		return 0
	}
	at := -1
	for i, s := range batch {
		if d.sources.belongs(s.edits[0], id) {
			if at >= 0 {
				return -1
			}
			at = i
		}
	}
	return at
}

// crash is what is said of a test that ended its process.
var crash = regexp.MustCompile(`(?m)^\s*(?:panic: |fatal error: |SIG[A-Z]+: )|^did not finish`)

// spared returns what is left of a batch without those whose doing it is, by what the trial
// says, that not all tests were run. It is false if it says that of none.
func (d *discovery) spared(batch []set, trial *evaluate.Trial) (rest []set, some bool) {
	bad := named(batch, trial)
	ended := make([]bool, len(batch))
	for id, outcome := range trial.Outcomes {
		if d.stable[id] && !trial.Passed[id] && len(batch) > 1 && crash.MatchString(text(outcome)) {
			if i := d.owner(batch, id); i >= 0 {
				ended[i] = true
			}
		}
	}
	for i, s := range batch {
		if ended[i] {
			s.queue.ended++
		}
		switch left := without(s.edits, bad); {
		case len(left) < len(s.edits):
			some = true
			rest = append(rest, set{s.queue, left})
		case ended[i]:
			some = true
			for len(s.edits) > 1 { // each is tried alone
				last := len(s.edits) - 1
				s.queue.suspects = append(s.queue.suspects, s.edits[last:])
				s.edits = s.edits[:last]
				if last == 1 {
					s.queue.suspects = append(s.queue.suspects, s.edits)
				}
			}
		default:
			rest = append(rest, s)
		}
	}
	return rest, some
}

var place = regexp.MustCompile(`([\w.-]+\.\w+):(\d+)`)

// named returns the edits in lines that a trial's output names where something could not be
// run: compilers tell the line of an error.
func named(batch []set, trial *evaluate.Trial) []alteration.Edit {
	if len(trial.Problems) == 0 && len(trial.Outcomes) > 0 {
		return nil
	}
	said := make(map[string]bool)
	for _, text := range append([]string{trial.Output}, trial.Problems...) {
		for _, m := range place.FindAllStringSubmatch(text, 1000) {
			said[m[1]+":"+m[2]] = true
		}
	}
	var edits []alteration.Edit
	for _, s := range batch {
		for _, e := range s.edits {
			if said[path.Base(e.File)+":"+strconv.Itoa(e.Line)] {
				edits = append(edits, e)
			}
		}
	}
	return edits
}

// without returns the edits that are not among some.
func without(edits, some []alteration.Edit) []alteration.Edit {
	return slices.DeleteFunc(slices.Clone(edits), func(e alteration.Edit) bool { return slices.Contains(some, e) })
}
