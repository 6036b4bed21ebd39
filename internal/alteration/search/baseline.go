package search

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	options    alteration.Options
	candidates []alteration.Edit
	parts      []*part             // of its tests, in order
	tests      []string            // the paths of its tests
	users      map[string][]string // of what tests share, by its path: the tests that use it
}

// sources are the test files that a sample's test patch touches, by path.
type sources map[string]*source

// maxOthers bounds the image's own test files in which candidates are looked for, in bytes:
// an edit of theirs is a control and no more.
const maxOthers = 1 << 20

// readSources finds candidates in the files that the test patch touches, and in those of the
// image that hold a test of solves which is in none of them.
func readSources(tests *evaluate.TestTree, seed uint64, solves map[string]bool, issue string) sources {
	old := alteration.LinesOf()
	for _, text := range tests.Others {
		old.Add(text)
	}
	for _, f := range tests.Changed {
		old.Add(f.Before)
	}
	all := make(sources)
	add := func(f evaluate.TestFile) {
		all[f.Path] = readSource(f, alteration.Options{Seed: seed, Old: old, Issue: issue, PerFile: mostOfFile, PerRegion: mostOfRegion})
	}
	for _, f := range tests.Changed {
		add(f)
	}
	missing := all.without(solves)
	left := maxOthers
	for _, name := range slices.Sorted(maps.Keys(tests.Others)) {
		text := tests.Others[name]
		if alteration.LanguageOf(name) == nil || !names(text, missing) || len(text) > left {
			continue
		}
		left -= len(text)
		add(evaluate.TestFile{Path: name, Before: text, After: text})
	}
	all.trim(solves)
	return all
}

// How many edits there may be: of a file, of a test or a table, and of all in a file that is
// part of no test that is to be solved, of which few are tried.
const (
	mostOfFile   = 6000
	mostOfRegion = 200
	mostOfOthers = 300
)

// trim leaves out edits of other tests where there are many: those that are to be solved may
// be the last in a long file.
func (s sources) trim(solves map[string]bool) {
	for _, name := range slices.Sorted(maps.Keys(s)) {
		others, solving := 0, make(map[string]bool)
		s[name].candidates = slices.DeleteFunc(s[name].candidates, func(e alteration.Edit) bool {
			is, known := solving[family(e)]
			if !known {
				e.Case = "" // of any row
				is = slices.ContainsFunc(slices.Collect(maps.Keys(solves)), func(id string) bool { return s.belongs(e, id) })
				solving[family(e)] = is
			}
			if is {
				return false
			}
			others++
			return others > mostOfOthers
		})
	}
}

// readSource finds candidates in a test file, or in a file of data that tests read.
func readSource(f evaluate.TestFile, o alteration.Options) *source {
	src := &source{TestFile: f, options: o, users: make(map[string][]string)}
	language := alteration.LanguageOf(f.Path)
	if language == nil {
		if alteration.IsData(f.Path) {
			src.candidates = alteration.DataCandidates(f.Path, f.After, o)
		}
		return src
	}
	src.candidates = alteration.Candidates(alteration.File{Path: f.Path, Source: f.After}, o)
	for _, p := range alteration.Parts(alteration.File{Path: f.Path, Source: f.After}) {
		src.parts = append(src.parts, &part{Part: p, file: f.Path, class: unclassed})
	}
	tokens := alteration.Lex(language, f.After)
	regions := alteration.Regions(language, f.After, tokens)
	for i, uses := range alteration.Uses(f.After, tokens, regions) {
		if regions[i].Kind != alteration.Test {
			continue
		}
		src.tests = append(src.tests, regions[i].Path)
		for _, used := range uses {
			if path := regions[used].Path; !slices.Contains(src.users[path], regions[i].Path) {
				src.users[path] = append(src.users[path], regions[i].Path)
			}
		}
	}
	return src
}

// without returns the tests that no candidate stands in.
func (s sources) without(tests map[string]bool) []string {
	var missing []string
	for id := range tests {
		has := false
		for _, src := range s {
			has = has || slices.ContainsFunc(src.candidates, func(e alteration.Edit) bool { return s.belongs(e, id) })
		}
		if !has {
			missing = append(missing, id)
		}
	}
	return missing
}

// names tells whether a file may hold one of some tests.
func names(text []byte, ids []string) bool {
	return slices.ContainsFunc(ids, func(id string) bool {
		name := id[strings.LastIndex(id, "::")+len("::"):]
		if !strings.Contains(id, "::") {
			name = id
		}
		name, _, _ = strings.Cut(name, "/")
		name, _, _ = strings.Cut(name, "[")
		name = name[strings.LastIndex(name, regionSeparator)+1:]
		return bytes.Contains(text, []byte(strings.TrimPrefix(name, "> ")))
	})
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
