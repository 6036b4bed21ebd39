package search

import (
	"context"
	"fmt"
	"slices"
	"time"

	"assay/internal/alteration"
	"assay/internal/evaluate"
)

// baseline is what the suite says of the true tests.
type baseline struct {
	fixed    *evaluate.Trial // of the reference fix
	unsolved *evaluate.Trial // of the work tree as it is
	stable   map[string]bool // tests that passed each time with the reference fix
	solves   map[string]bool // fail_to_pass tests, as far as they are graded
}

// The bounds of a suite's time during a search, given the time that it takes.
const (
	leastTimeout = 20 * time.Second
	timesSlower  = 4
)

// measure runs the true tests: twice with the reference fix, since a test that does not
// pass each time tells nothing, and once without it.
func (t *trials) measure(ctx context.Context) (*baseline, error) {
	b := &baseline{stable: make(map[string]bool), solves: make(map[string]bool)}
	for _, id := range t.sample.FailToPass {
		if !slices.Contains(t.sample.Task.Verifier.Quarantined, id) {
			b.solves[id] = true
		}
	}
	var err error
	if b.fixed, err = t.run(ctx, reference, nil); err != nil {
		return nil, err
	}
	again, err := t.run(ctx, reference, nil)
	if err != nil {
		return nil, err
	}
	for id, passed := range b.fixed.Passed {
		if passed && again.Passed[id] {
			b.stable[id] = true
		}
	}
	if len(b.stable) == 0 {
		return nil, fmt.Errorf("no test of sample %s/%s passes with the reference fix: %s", t.sample.Dataset, t.sample.ID, firstOf(b.fixed.Problems))
	}
	if b.unsolved, err = t.run(ctx, unsolved, nil); err != nil {
		return nil, err
	}
	t.timeout = max(leastTimeout, timesSlower*max(b.fixed.Duration, again.Duration))
	return b, nil
}

func firstOf(problems []string) string {
	if len(problems) == 0 {
		return "the report names none"
	}
	return problems[0]
}

// source is a test file of the sample that can be edited.
type source struct {
	evaluate.TestFile
	candidates []alteration.Edit
}

// sources are the test files that a sample's test patch touches, by path.
type sources map[string]*source

// readSources reads them and finds candidates in them.
func readSources(tests *evaluate.TestTree, seed uint64) sources {
	old := alteration.LinesOf()
	for _, text := range tests.Others {
		old.Add(text)
	}
	for _, f := range tests.Changed {
		old.Add(f.Before)
	}
	all := make(sources)
	for _, f := range tests.Changed {
		edits := alteration.Candidates(alteration.File{Path: f.Path, Source: f.After}, alteration.Options{Seed: seed, Old: old})
		all[f.Path] = &source{TestFile: f, candidates: edits}
	}
	return all
}

// with returns the files that edits make of the sources.
func (s sources) with(edits ...alteration.Edit) (map[string][]byte, error) {
	byFile := make(map[string][]alteration.Edit)
	for _, e := range edits {
		byFile[e.File] = append(byFile[e.File], e)
	}
	files := make(map[string][]byte, len(byFile))
	for name, list := range byFile {
		text, err := alteration.Apply(s[name].After, list...)
		if err != nil {
			return nil, err
		}
		files[name] = text
	}
	return files, nil
}
