package search

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"assay"
	"assay/internal/alteration/search/searchtest"
	"assay/internal/evaluate"
)

// toy is a sample whose suite is run by the interpreters of these tests.
type toy struct {
	base, fix string            // the code file
	old       map[string]string // tests that the image has
	tests     map[string]string // tests of the test patch
	solves    []string          // fail_to_pass
	passes    []string          // pass_to_pass
	language  string            // Defaults to python
}

const codeFile = searchtest.CodeFile

var replacing = searchtest.Replacing

// shared is the toy as other packages have it.
func (y *toy) shared() *searchtest.Toy {
	return &searchtest.Toy{Base: y.base, Fix: y.fix, Old: y.old, Tests: y.tests, Solves: y.solves, Passes: y.passes, Language: y.language}
}

func (y *toy) sample() *assay.Sample { return y.shared().Sample() }

// lab runs the suite of a toy and notes what is asked of it.
type lab struct {
	*evaluate.Evaluator
	toy *toy

	mu     sync.Mutex
	runs   int // of the program
	asked  []evaluate.TrialRequest
	before func(evaluate.TrialRequest) error // if set, may refuse
}

func newLab(t *testing.T, y *toy) *lab {
	t.Helper()
	l := &lab{toy: y}
	runtime := y.shared().Runtime(func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.runs++
		return l.runs
	})
	l.Evaluator = evaluate.New(evaluate.Config{Runtime: runtime})
	t.Cleanup(func() {
		if l.Close(); len(runtime.Names()) > 0 {
			t.Errorf("sandboxes are left: %q", runtime.Names())
		}
	})
	return l
}

// Try implements Tester.
func (l *lab) Try(ctx context.Context, req evaluate.TrialRequest) (*evaluate.Trial, error) {
	l.mu.Lock()
	before := l.before
	l.asked = append(l.asked, req)
	l.mu.Unlock()
	if before != nil {
		if err := before(req); err != nil {
			return nil, err
		}
	}
	return l.Evaluator.Try(ctx, req)
}

// search searches a toy, and holds what is found to what has to be true of everything that
// is found.
func search(t *testing.T, y *toy, req Request) *Result {
	t.Helper()
	l := newLab(t, y)
	r := l.search(t, req)
	l.hold(t, r)
	return r
}

func (l *lab) search(t *testing.T, req Request) *Result {
	t.Helper()
	if req.Sample == nil {
		req.Sample = l.toy.sample()
	}
	r, err := Search(t.Context(), l, req)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// run runs the suite with test files in other versions, with the fix or without.
func (l *lab) run(t *testing.T, edits map[string]string, fixed bool) *evaluate.Trial {
	t.Helper()
	s := l.toy.sample()
	patch := ""
	if fixed {
		patch = s.Patch
	}
	files := make(map[string][]byte)
	for name, text := range edits {
		files[name] = []byte(text)
	}
	trial, err := l.Evaluator.Try(t.Context(), evaluate.TrialRequest{ID: assay.NewID(assay.PrefixVerification), Sample: s, Work: evaluate.PatchWork(s, patch), Files: files})
	if err != nil {
		t.Fatal(err)
	}
	return trial
}

// hold runs every alteration once more, alone: it must make exactly its tests fail with the
// reference fix, and be as blind as it is said to be.
func (l *lab) hold(t *testing.T, r *Result) {
	t.Helper()
	fixed, base := l.run(t, nil, true), l.run(t, nil, false)
	draws := make(map[string]int)
	for _, a := range r.Alterations {
		what := fmt.Sprintf("%s:%d %s -> %s", a.Edit.File, a.Edit.Line, a.Edit.Old, a.Edit.New)
		text := l.toy.old[a.Edit.File]
		if changed, ok := l.toy.tests[a.Edit.File]; ok {
			text = changed
		}
		files := map[string]string{a.Edit.File: text[:a.Edit.Start] + a.Edit.New + text[a.Edit.End:]}
		trial := l.run(t, files, true)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(fixed.Outcomes)), slices.Sorted(maps.Keys(trial.Outcomes))); diff != "" {
			t.Errorf("%s changes ids:\n%s", what, diff)
		}
		var failing []string
		for id, passed := range fixed.Passed {
			if passed && !trial.Passed[id] {
				failing = append(failing, id)
			}
		}
		slices.Sort(failing)
		if diff := cmp.Diff(failing, a.Tests); diff != "" {
			t.Errorf("%s: what fails, and what is said to:\n%s", what, diff)
		}
		if a.Seen < 2 {
			t.Errorf("%s was seen %d times", what, a.Seen)
		}
		if a.Blind() {
			unsolved := l.run(t, files, false)
			for _, id := range a.Tests {
				if slices.Contains(l.toy.solves, id) && (unsolved.Passed[id] || base.Passed[id] || base.Outcomes[id].Name == "") {
					t.Errorf("%s is no blind one of %s", what, id)
				}
			}
		}
		for _, id := range leaves(a.Tests) {
			if other, known := draws[id]; known && other != a.Draw {
				t.Errorf("%s: %s is in draws %d and %d", what, id, other, a.Draw)
			}
			draws[id] = a.Draw
		}
	}
	for _, f := range r.Fresh {
		l.holdFresh(t, f)
	}
}

func (l *lab) holdFresh(t *testing.T, f Fresh) {
	t.Helper()
	all := make(sources)
	for name, text := range l.toy.tests {
		all[name] = &source{TestFile: evaluate.TestFile{Path: name, After: []byte(text)}}
	}
	made, err := all.with(f.Edits...)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for name, text := range made {
		files[name] = string(text)
	}
	fixed, unsolved := l.run(t, files, true), l.run(t, files, false)
	for id, passed := range fixed.Passed {
		if !passed {
			t.Errorf("the reference fails %s of %+v", id, f)
		}
	}
	if len(f.Tests) == 0 {
		t.Errorf("it is a version of nothing: %+v", f)
	}
	for _, id := range f.Tests {
		if unsolved.Passed[id] {
			t.Errorf("the unsolved code passes %s of %+v", id, f)
		}
	}
}

// of returns what was found of a text of the tests.
func (r *Result) of(old string) []Alteration {
	return slices.DeleteFunc(slices.Clone(r.Alterations), func(a Alteration) bool { return a.Edit.Old != old })
}

// one returns the first of what was found of a text, which there must be.
func one(t *testing.T, r *Result, old string) Alteration {
	t.Helper()
	list := r.of(old)
	if len(list) == 0 {
		t.Fatalf("nothing was found of %s; found: %s", old, told(r))
	}
	return list[0]
}

// told lists what was found, for people.
func told(r *Result) string {
	var b strings.Builder
	for _, a := range r.Alterations {
		fmt.Fprintf(&b, "\n%s:%d %s -> %s %s %s draw %d seen %d %q", a.Edit.File, a.Edit.Line, a.Edit.Old, a.Edit.New, a.Kind, a.Blindness, a.Draw, a.Seen, a.Tests)
	}
	for _, test := range r.Tests {
		fmt.Fprintf(&b, "\n%+v", test)
	}
	fmt.Fprintf(&b, "\n%d runs, %d candidates", r.Runs, r.Candidates)
	return b.String()
}

// sameResult compares results but for the time that they took.
func sameResult(a, b *Result) string {
	return cmp.Diff(a, b, cmpopts.IgnoreFields(Result{}, "Took"))
}

// memoryOf is a Memory that counts.
type memoryOf struct {
	mu     sync.Mutex
	trials map[string]*evaluate.Trial
	twice  []string // keys that were kept again
	fails  error
}

func (m *memoryOf) Recall(_ context.Context, key string) (*evaluate.Trial, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.trials[key], m.fails
}

func (m *memoryOf) Keep(_ context.Context, key string, trial *evaluate.Trial) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.trials == nil {
		m.trials = make(map[string]*evaluate.Trial)
	}
	if m.trials[key] != nil {
		m.twice = append(m.twice, key)
	}
	m.trials[key] = trial
	return nil
}

var functionLine = regexp.MustCompile(`(?m)^(?:def|func|test)[ (].*$`)

// leftOut is what a line becomes that is left out.
var leftOut = regexp.MustCompile(`^\s*$|if false |false && |if 0: `)

// changedFunctions counts, by function, the lines in which two versions of a file differ, and
// which are not left out.
func changedFunctions(was, is string) map[string]int {
	lines := make(map[string]int)
	function := ""
	fresh := strings.Split(is, "\n")
	for n, line := range strings.Split(was, "\n") {
		if functionLine.MatchString(line) {
			function = line
		}
		if n < len(fresh) && fresh[n] != line && !leftOut.MatchString(fresh[n]) {
			lines[function]++
		}
	}
	return lines
}
