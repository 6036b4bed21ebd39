// Package search finds alterations of a sample's tests by trying: edits that make exactly a
// known set of tests fail with the reference fix, and of which the unsolved code cannot tell
// that they are there; and true versions of tests that nobody has seen.
//
// What it finds are keys: with them, a work that passes its tests by anything else than the
// right answers is told from one that solves the task. It knows no store and no user.
package search

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"assay"
	"assay/internal/alteration"
)

// Request says what to search.
type Request struct {
	Sample *assay.Sample
	Seed   uint64 // of the choices; a secret like what is found
	Runs   int    // at most. Defaults to DefaultRuns
	Fresh  bool   // look for fresh truths, too
	Limit  time.Duration
	Memory Memory // Defaults to none
	Ran    func() // if set, is called after each run
}

// DefaultRuns bounds the runs of a search that says nothing else.
const DefaultRuns = 150

// Search finds alterations of a sample. The error is about us or about the sample: a sample
// of which nothing can be altered has a result that says so.
func Search(ctx context.Context, tester Tester, req Request) (*Result, error) {
	began := time.Now()
	if req.Runs == 0 {
		req.Runs = DefaultRuns
	}
	t := &trials{
		tester: tester, memory: req.Memory, sample: req.Sample, most: req.Runs, now: time.Now, ran: req.Ran,
	}
	if req.Limit > 0 {
		t.until = began.Add(req.Limit)
	}
	tests, err := tester.Tests(ctx, assay.NewID(assay.PrefixVerification), req.Sample)
	if err != nil {
		return nil, err
	}
	base, err := t.measure(ctx)
	if errors.Is(err, errSpent) {
		return &Result{Rules: Rules, Runs: t.runs, Spent: true, Took: time.Since(began)}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("search sample %s/%s: %w", req.Sample.Dataset, req.Sample.ID, err)
	}
	s := newDiscovery(t, base, readSources(tests, req.Seed, base.solves, req.Sample.ProblemStatement))
	result, err := s.search(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("search sample %s/%s: %w", req.Sample.Dataset, req.Sample.ID, err)
	}
	result.Took = time.Since(began)
	return result, nil
}

// The parts of a search, by the share of its runs at which each of them ends at the latest.
var parts = []float64{discovering: 0.6, classifying: 0.68, combining: 0.76, freshening: 1}

const (
	discovering = iota // and telling what is blind
	classifying
	combining
	freshening
)

// begin bounds the next part of the search. Without fresh truths, the others have their
// share.
func (d *discovery) begin(part int, req Request) {
	share := parts[part]
	if !req.Fresh {
		share = min(1, share/parts[combining])
	}
	d.most = int(share * float64(req.Runs))
}

func (d *discovery) search(ctx context.Context, req Request) (*Result, error) {
	d.begin(discovering, req)
	if err := d.findDeciding(ctx); err != nil {
		return nil, err
	}
	all, blind, err := d.discover(ctx)
	if err != nil {
		return nil, err
	}
	d.begin(classifying, req)
	expected := make(map[*found]bool)
	more, err := d.tellExpected(ctx, all, expected)
	if err != nil {
		return nil, err
	}
	if err := d.tellBlind(ctx, more, blind); err != nil {
		return nil, err
	}
	all = append(all, more...)
	d.begin(combining, req)
	all = d.best(untied(all, blind), blind, expected)
	blindFirst(all, blind)
	apart := newUnits(all)
	if all, err = d.together(ctx, all, apart, random(req)); err != nil {
		return nil, err
	}
	moving := apart.draws(all)
	result := &Result{Rules: Rules, Candidates: d.candidates()}
	d.begin(freshening, req)
	if req.Fresh {
		if result.Fresh, err = d.findFresh(ctx, req.Seed, all); err != nil {
			return nil, err
		}
	}
	numbers, parts := make(numbers), make(numbers)
	for _, f := range all {
		result.Alterations = append(result.Alterations, Alteration{
			Edit: f.Edit, Tests: f.tests, Kind: kindOf(f, expected[f]), Blindness: blind[f],
			Draw: numbers.of(moving.of(f)), Unit: parts.of(apart.of(f)), Seen: f.seen,
		})
	}
	result.Draws = len(numbers)
	result.Tests = d.tell(result)
	result.Runs, result.Spent = d.runs, d.spent
	return result, nil
}

// best leaves out what the unsolved code fails with other words, where it fails enough of
// each of its tests with the same: who knows the words of the issue tells that.
func (d *discovery) best(all []*found, blind map[*found]Blindness, expected map[*found]bool) []*found {
	const enough = 2
	better := func(f *found, id string) bool {
		n := 0
		for _, o := range all {
			if blind[o] == Blind && (expected[o] || !expected[f]) && slices.Contains(o.tests, id) {
				n++
			}
		}
		return n >= enough || !d.solves[id]
	}
	return slices.DeleteFunc(slices.Clone(all), func(f *found) bool {
		return blind[f] == BlindPlace && !slices.ContainsFunc(f.tests, func(id string) bool { return !better(f, id) })
	})
}

// blindFirst sorts what was found such that what the unsolved code cannot tell is tried together
// first: that may end before all of a unit was.
func blindFirst(all []*found, blind map[*found]Blindness) {
	told := func(f *found) int {
		if blind[f] == Untried {
			return len(order)
		}
		return order[blind[f]]
	}
	slices.SortStableFunc(all, func(a, b *found) int { return told(a) - told(b) })
}

// numbers numbers names in the order in which they come.
type numbers map[string]int

func (n numbers) of(name string) int {
	if _, known := n[name]; !known {
		n[name] = len(n)
	}
	return n[name]
}

func random(req Request) *rand.Rand {
	sum := fnv.New64a()
	fmt.Fprint(sum, req.Sample.Dataset, "/", req.Sample.ID)
	return rand.New(rand.NewPCG(req.Seed, sum.Sum64())) //nolint:gosec // its seed is the secret, drawn by crypto/rand
}

func (d *discovery) candidates() int {
	n := 0
	for _, s := range d.sources {
		n += len(s.candidates)
	}
	return n
}

func kindOf(f *found, expected bool) Kind {
	switch {
	case expected:
		return Expected
	case f.Kind == alteration.FlipEdit:
		return Flip
	}
	return Input
}

func sharesTest(a, b *found) bool {
	return slices.ContainsFunc(a.tests, func(id string) bool { return slices.Contains(b.tests, id) })
}

// discover tries candidates until each test has enough blind alterations, or there are no
// more.
func (d *discovery) discover(ctx context.Context) ([]*found, map[*found]Blindness, error) {
	blind := make(map[*found]Blindness)
	var all []*found
	places, widened := 0, false
	for {
		more, err := d.run(ctx)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, more...)
		if err := d.tellBlind(ctx, more, blind); err != nil {
			return nil, nil, err
		}
		if d.spent = d.spent || len(more) > 0 && d.runs >= d.most; d.spent {
			return all, blind, nil
		}
		if len(more) == 0 {
			if widened || !d.widen(all, blind) {
				return all, blind, nil
			}
			widened = true
		}
		for _, f := range more { // what can be told counts no more: another may be blind
			switch blind[f] {
			case SeenPassing, SeenElsewhere, SeenKind, FailsUntold, SeenTold:
				d.forget(f)
			case BlindPlace: // some; another may be failed with the same words
				if places++; places <= wanted && !slices.ContainsFunc(all, func(o *found) bool { return blind[o] == Blind && sharesTest(o, f) }) {
					d.forget(f)
				}
			}
		}
	}
}

// tellBlind runs the unsolved code with what was found, of each test one edit at a time.
// What the image holds is known without a run.
func (d *discovery) tellBlind(ctx context.Context, all []*found, blind map[*found]Blindness) error {
	var left []*found
	for _, f := range all {
		blind[f] = NotSolving
		if slices.ContainsFunc(f.tests, func(id string) bool { return d.solves[id] }) {
			if blind[f] = d.untried(f); blind[f] == Untried {
				left = append(left, f)
			}
		}
	}
	for len(left) > 0 {
		var batch []*found
		batch, left = apart(left)
		files, err := d.sources.with(editsOf(batch)...)
		if err != nil {
			return err
		}
		trial, err := d.trials.run(ctx, unsolved, files)
		if errors.Is(err, errSpent) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, f := range batch {
			blind[f] = d.blindness(f, trial)
		}
	}
	return nil
}

// tell says of each fail_to_pass test what is known, and why there is nothing where there
// is nothing.
func (d *discovery) tell(r *Result) []Test {
	var tests []Test
	for _, id := range d.sample.FailToPass {
		if !d.solves[id] {
			continue
		}
		t := Test{ID: id}
		for i := range r.Alterations {
			a := &r.Alterations[i]
			if _, has := slices.BinarySearch(a.Tests, id); has {
				t.Altered++
				if a.Blind() {
					t.Blind++
				}
			}
		}
		for _, f := range r.Fresh {
			if slices.Contains(f.Tests, id) {
				t.Fresh++
			}
		}
		t.Reason = d.reason(id, t)
		tests = append(tests, t)
	}
	return tests
}

const spentReason = "the search ended at its bounds before it was known"

func (d *discovery) reason(id string, t Test) string {
	_, ran := d.unsolved.Outcomes[id]
	switch {
	case !d.stable[id]:
		return "it does not pass each time with the reference fix"
	case t.Blind > 0:
		return ""
	case d.unsolved.Passed[id]:
		return "the unsolved code passes it already: there is nothing to forge"
	case t.Altered > 0 && !ran:
		return "the unsolved code does not build with the tests, or ends before it"
	case d.spent:
		return spentReason
	case t.Altered > 0:
		return "the unsolved code tells each of its alterations from the true test, or gets right what it touches"
	}
	for _, q := range d.queues {
		if slices.Contains(q.targets, id) {
			return "none of the candidates in it makes exactly it fail"
		}
	}
	return "there is no candidate in it"
}
