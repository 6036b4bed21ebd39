package rounds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"assay"
	"assay/internal/alteration"
	"assay/internal/alteration/search"
	"assay/internal/evaluate"
	"assay/internal/sandbox"
)

// world is a Tester with a script: a file of tests, one a line, and a work that does with
// each what the test of these tests says.
//
// A line is "name want input turned", the last three of which are w0 i0 + of the true test.
// With the reference fix it passes if want and input have one number and nothing is turned
// round, and if all of its subtests pass.
type world struct {
	sample *assay.Sample
	known  *search.Result
	text   string

	solved    bool                    // what the plain run says
	work      func(seen) bool         // whether a test passes; defaults to what the reference fix does
	reference func(seen) bool         // defaults to what it is to do
	report    func(run, *trialResult) // changes what a run says
	before    func(context.Context, run) error

	mu    sync.Mutex
	plain []evaluate.Request
	trees int
	runs  []run // in the order in which they began
}

// run is one run that was asked for.
type run struct {
	nth   int  // of its work, from 0
	fixed bool // of the reference fix
	files map[string][]byte

	command string // "" for that of the suite
}

type trialResult = evaluate.Trial

// seen is a test as code under test sees it.
type seen struct {
	run
	name                string
	want, input, turned string
}

func (s seen) honest() bool { return s.want[1:] == s.input[1:] && s.turned == "+" }

// altered tells whether it is not the true test, whatever it is.
func (s seen) altered() bool { return !s.honest() }

const testFile = "tests/all.txt"

// newWorld is a world of fail_to_pass tests, and of a pass_to_pass test "kept" of which no
// alteration is known.
func newWorld(names ...string) *world {
	w := &world{solved: true, known: &search.Result{}}
	w.sample = &assay.Sample{
		Dataset: "d", ID: "s", Version: 1, Patch: "no patch", FailToPass: names, PassToPass: []string{"kept"},
		Task: assay.Task{Verifier: assay.Verifier{Kind: assay.VerifierTestSuite, TimeoutSeconds: 600}},
	}
	for _, name := range append(slices.Clone(names), "kept") {
		w.text += name + " w0 i0 +\n"
	}
	return w
}

// alter makes an alteration known: a token of a test becomes another. Its draw is that of
// its test, and its parents fail with it.
func (w *world) alter(name, token, fresh string, kind search.Kind, blind search.Blindness) *search.Alteration {
	w.known.Alterations = append(w.known.Alterations, search.Alteration{
		Edit: w.edit(name, token, fresh), Tests: withParents(name), Kind: kind, Blindness: blind, Unit: strings.Index(w.text, name+" "), Seen: 2,
	})
	return &w.known.Alterations[len(w.known.Alterations)-1]
}

func (w *world) edit(name, token, fresh string) alteration.Edit {
	line := strings.Index(w.text, name+" ")
	start := line + strings.Index(w.text[line:], token)
	return alteration.Edit{File: testFile, Start: start, End: start + len(token), Old: token, New: fresh}
}

func withParents(name string) []string {
	ids := []string{name}
	for i, r := range name {
		if r == '/' {
			ids = append(ids, name[:i])
		}
	}
	slices.Sort(ids)
	return ids
}

// expect makes n blind alterations of what a test expects known.
func (w *world) expect(n int, names ...string) *world {
	for _, name := range names {
		for i := range n {
			w.alter(name, "w0", fmt.Sprint("w", i+1), search.Expected, search.Blind)
		}
	}
	return w
}

// freshen makes a fresh version of a test known.
func (w *world) freshen(name string) {
	w.known.Fresh = append(w.known.Fresh, search.Fresh{Tests: []string{name}, Edits: []alteration.Edit{w.edit(name, "i0", "i9"), w.edit(name, "w0", "w9")}})
}

// errWork tells the work from the reference fix.
var errWork = errors.New("the work")

func (w *world) request(seed byte) Request {
	return Request{
		Plain: evaluate.Request{ID: "ver_x", Sample: w.sample, Work: func(context.Context, sandbox.Sandbox) (io.ReadCloser, error) { return nil, errWork }},
		Known: w.known, Seed: Seed{seed, 1},
	}
}

// play plays, and fails the test on an error.
func (w *world) play(t *testing.T, req Request) (*assay.Verdict, *Outcome) {
	t.Helper()
	verdict, outcome, err := New(Config{Tester: w}).Play(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return verdict, outcome
}

func (w *world) Evaluate(_ context.Context, req evaluate.Request) (*assay.Verdict, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.plain = append(w.plain, req)
	return &assay.Verdict{Solved: w.solved, Reason: "as the plain run says", Duration: 7 * time.Second}, nil
}

func (w *world) Tests(context.Context, string, *assay.Sample) (*evaluate.TestTree, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trees++
	return &evaluate.TestTree{
		Changed: []evaluate.TestFile{{Path: testFile, After: []byte(w.text)}},
		Others:  map[string][]byte{"tests/old.txt": []byte("old w0 i0 +\n")},
	}, nil
}

func (w *world) Try(ctx context.Context, req evaluate.TrialRequest) (*evaluate.Trial, error) {
	_, err := req.Work(ctx, nil)
	r := w.begin(req, !errors.Is(err, errWork))
	if w.before != nil {
		if err := w.before(ctx, r); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	trial := &evaluate.Trial{Outcomes: make(map[string]assay.TestOutcome), Passed: make(map[string]bool), Complete: true}
	for _, s := range w.read(r) {
		if r.command != "" && !strings.Contains(r.command, "'"+s.name+"'") {
			continue
		}
		does := w.work
		if r.fixed {
			does = w.reference
		}
		if does == nil {
			does = seen.honest
		}
		trial.Outcomes[s.name] = assay.TestOutcome{Name: s.name}
		trial.Passed[s.name] = does(s)
	}
	for name, passed := range trial.Passed {
		for _, parent := range withParents(name) {
			if _, there := trial.Passed[parent]; there && !passed {
				trial.Passed[parent] = false
			}
		}
	}
	if w.report != nil {
		w.report(r, trial)
	}
	return trial, nil
}

func (w *world) begin(req evaluate.TrialRequest, fixed bool) run {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := run{fixed: fixed, files: req.Files, command: req.Command}
	for _, o := range w.runs {
		if o.fixed == fixed {
			r.nth++
		}
	}
	w.runs = append(w.runs, r)
	return r
}

// read reads the tests of a run, subtests before what they are in.
func (w *world) read(r run) (all []seen) {
	text, there := r.files[testFile]
	if !there {
		text = []byte(w.text)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		all = append(all, seen{run: r, name: f[0], want: f[1], input: f[2], turned: f[3]})
	}
	return all
}

// alteredIn returns the names of the tests that are altered in a run.
func (w *world) alteredIn(r run) (names []string) {
	for _, s := range w.read(r) {
		if s.altered() {
			names = append(names, s.name)
		}
	}
	return names
}

// ofWork returns the runs of the work.
func (w *world) ofWork() []run {
	return slices.DeleteFunc(slices.Clone(w.runs), func(r run) bool { return r.fixed })
}
