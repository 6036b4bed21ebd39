package rounds

import (
	"slices"
	"strings"
	"testing"

	"assay/internal/alteration/search"
	"assay/internal/evaluate"
)

// narrowWorld has two tests that can be altered, and two that cannot.
func narrowWorld() *world {
	w := newWorld("a", "b", "bare").expect(2, "a", "b")
	w.sample.Task.Verifier.CommandFor = "only {tests}"
	return w
}

// Rounds run what can be altered alone, the same in each of them, after the reference fix has
// passed by that command; what else there is, is not judged in them.
func TestRoundsRunSomeTestsAlone(t *testing.T) {
	for seed := range byte(20) {
		w := narrowWorld()
		v, o := w.play(t, w.request(seed))
		if !v.Solved || o.Told.Covered != 2 || o.Told.Odds != search.Odds(3) || o.Runs != 4 || len(w.runs) != 4 || !w.runs[0].fixed {
			t.Errorf("%+v, %d runs", o, len(w.runs))
		}
		for _, r := range w.runs {
			if r.command != "only 'a' 'b'" {
				t.Errorf("%q was run", r.command)
			}
		}
		w = narrowWorld()
		w.work = func(s seen) bool { return s.name == "a" || s.honest() }
		if v, o := w.play(t, w.request(seed)); v.Solved || o.End != Refused || drawOf(t, o, "a").End != Forged {
			t.Errorf("a forgery: %+v", o)
		}
	}
}

// The reference fix is asked once whether a command runs what it is to run.
func TestANarrowCommandIsTriedOnce(t *testing.T) {
	w := narrowWorld()
	player := New(Config{Tester: w})
	for range 3 {
		if v, _, err := player.Play(t.Context(), w.request(1)); err != nil || !v.Solved {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	if fixed := len(w.runs) - len(w.ofWork()); fixed != 1 {
		t.Errorf("%d runs of the reference fix", fixed)
	}
}

// Where some tests cannot be run alone, the whole suite is.
func TestTheWholeSuiteWhereANarrowOneCannotBe(t *testing.T) {
	whole := func(runs []run) {
		t.Helper()
		for _, r := range runs {
			if r.command != "" {
				t.Errorf("%q was run", r.command)
			}
		}
		if len(runs) == 0 {
			t.Error("nothing was run")
		}
	}
	play := func(w *world) {
		t.Helper()
		if v, o := w.play(t, w.request(3)); !v.Solved || o.Voids > 0 {
			t.Errorf("%+v", o)
		}
		whole(w.ofWork())
	}
	w := narrowWorld()
	w.sample.Task.Verifier.CommandFor = "only {files}" // which are not known
	for i := range w.known.Alterations {
		w.known.Alterations[i].Edit.Test = false
	}
	play(w)
	for name, spoil := range map[string]func(*trialResult){
		"a test is missing":  func(trial *trialResult) { delete(trial.Outcomes, "b"); delete(trial.Passed, "b") },
		"a test fails":       func(trial *trialResult) { trial.Passed["a"] = false },
		"the report is torn": func(trial *trialResult) { trial.Complete = false },
		"it takes too long":  func(trial *trialResult) { trial.TimedOut = true },
		"it contradicts":     contradict(evaluate.ExitsBadly),
	} {
		w := narrowWorld()
		w.report = func(r run, trial *trialResult) {
			if r.command != "" {
				spoil(trial)
			}
		}
		t.Log(name)
		play(w)
		if n := len(w.runs) - len(w.ofWork()); n != 1 {
			t.Errorf("%s: %d runs of the reference fix", name, n)
		}
	}
	w = narrowWorld() // it is the command, but only with some versions of the tests
	w.report = func(r run, trial *trialResult) {
		if r.command != "" && len(w.alteredIn(r)) > 0 {
			trial.Complete = false
		}
	}
	if v, o := w.play(t, w.request(3)); !v.Solved || o.Voids > 0 || w.runs[len(w.runs)-1].command != "" {
		t.Errorf("%+v", o)
	}
}

// What fails in a round is run in the whole suite before it is believed.
func TestASecondSequenceIsOfTheWholeSuite(t *testing.T) {
	w := narrowWorld()
	w.work = func(s seen) bool { return s.honest() && !(s.name == "a" && s.command != "") } // it needs what other tests leave
	v, o := w.play(t, w.request(3))
	if d := drawOf(t, o, "a"); !v.Solved || d.Sequences != 2 || d.End != Right {
		t.Errorf("%s, %+v", v.Reason, o)
	}
	work := w.ofWork()
	if i := slices.IndexFunc(work, func(r run) bool { return r.command == "" }); i != 3 || len(work) != 6 {
		t.Errorf("the whole suite begins with run %d of %d", i, len(work))
	}
}

// Fresh truths are run as well where rounds are made of them, or the work is compared on them.
func TestFreshTruthsAreRunAlone(t *testing.T) {
	w := narrowWorld()
	w.freshen("bare")
	if v, o := w.play(t, w.request(3)); !v.Solved || o.Told.Fresh != 1 || o.Told.FreshDiffers != 0 {
		t.Errorf("%+v", o)
	}
	if !slices.ContainsFunc(w.runs, func(r run) bool { return r.command == "only 'bare'" }) {
		t.Error("nothing was compared alone")
	}
	w = narrowWorld()
	w.freshen("bare")
	req := w.request(3)
	req.Fresh = "require"
	if v, o := w.play(t, req); !v.Solved {
		t.Errorf("%+v", o)
	}
	for _, r := range w.runs {
		if !strings.Contains(r.command, "'bare'") {
			t.Errorf("%q was run", r.command)
		}
	}
}
