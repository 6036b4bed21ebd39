package rounds

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"assay"
	"assay/internal/alteration"
	"assay/internal/evaluate"
	"assay/internal/narrow"
)

// narrowed is how rounds run some tests alone; nil where they run the whole suite. It is the
// same in each round, whatever is altered: which tests run tells nothing.
type narrowed struct {
	command string
	tests   map[string]bool // graded ones, of which something is said
}

// of keeps the units that are judged by what is run. One of which no alteration is known is
// judged by the plain run.
func (n *narrowed) of(units []*unit) []*unit {
	if n == nil {
		return units
	}
	return slices.DeleteFunc(slices.Clone(units), func(u *unit) bool { return len(u.alterations) == 0 })
}

// line is the command; "" for the whole suite.
func (n *narrowed) line() string {
	if n == nil {
		return ""
	}
	return n.command
}

// narrow returns how to run what can be altered alone; nil where the sample has no command for
// that, where it cannot be filled, or where the reference fix does not pass by it.
func (pl *Player) narrow(ctx context.Context, p *play) (*narrowed, error) {
	n := p.narrowest()
	if n == nil {
		return nil, nil
	}
	key := fmt.Sprintf("%s\x00%s\x00%d\x00%s", p.sample.Dataset, p.sample.ID, p.sample.Version, n.command)
	good, known := pl.tried.recall(key)
	if !known {
		trial, err := p.try(ctx, p.reference(), nil, n.command)
		switch {
		case assay.CodeOf(err) == assay.CodePatchFailed: // there is no reference to hold it against
			return nil, nil
		case err != nil:
			return nil, err
		}
		if good = p.passes(n, trial); good || !trial.Starved {
			pl.tried.keep(key, good)
		}
	}
	if !good {
		return nil, nil
	}
	return n, nil
}

// passes tells whether a run says of all tests that are run alone that they pass.
func (p *play) passes(n *narrowed, trial *evaluate.Trial) bool {
	if !trial.Complete || trial.TimedOut || len(trial.Contradictions) > 0 {
		return false
	}
	for id := range n.tests {
		if _, passed := p.did(trial, id); !passed {
			return false
		}
	}
	return true
}

// narrowest fills the sample's command for some tests with those that can be altered and, where
// rounds are made of fresh truths, those that have one.
func (p *play) narrowest() *narrowed {
	verifier := p.sample.Task.Verifier
	if verifier.CommandFor == "" {
		return nil
	}
	n := &narrowed{tests: make(map[string]bool)}
	files := make(map[string]string)
	take := func(ids []string, edits ...alteration.Edit) {
		for _, id := range ids {
			n.tests[id] = true
			for _, e := range edits {
				if e.Test && e.Kind != alteration.DataEdit {
					files[id] = e.File
				}
			}
		}
	}
	for _, u := range p.units {
		if len(u.alterations) > 0 {
			take(u.tests)
		}
		for _, i := range u.alterations {
			take(p.touched[i], p.edit(i))
		}
	}
	for _, f := range p.fresh {
		take(p.among(p.known.Fresh[f].Tests), p.known.Fresh[f].Edits...)
	}
	n.command = p.fill(n.tests, files)
	if n.command == "" {
		return nil
	}
	return n
}

// fill returns the command that runs tests alone; "" where none can be made. That of a test in
// its name goes before the file that an edit of it is in.
func (p *play) fill(ids map[string]bool, files map[string]string) string {
	var bare, placed []narrow.Test
	for _, id := range p.ids { // sorted
		if ids[id] {
			bare, placed = append(bare, narrow.Test{ID: id}), append(placed, narrow.Test{ID: id, File: files[id]})
		}
	}
	for _, tests := range [][]narrow.Test{bare, placed} {
		if command, err := narrow.Fill(p.sample.Task.Verifier.CommandFor, p.sample.Task.Language, tests); err == nil {
			return command
		}
	}
	return ""
}

// widen lets a play run the whole suite from here on, where it ran some tests alone.
func (p *play) widen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.narrow = nil
}

// narrowly is how the tests are run now.
func (p *play) narrowly() *narrowed {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.narrow
}

// tried remembers which narrow commands the reference fix passes by.
type tried struct {
	mu   sync.Mutex
	good map[string]bool
}

const maxTried = 1000

func (t *tried) recall(key string) (good, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	good, known = t.good[key]
	return good, known
}

func (t *tried) keep(key string, good bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.good == nil || len(t.good) >= maxTried {
		t.good = make(map[string]bool)
	}
	t.good[key] = good
}
