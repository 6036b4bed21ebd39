package rounds

import (
	"math"
	"testing"

	"assay"
	"assay/internal/alteration/search"
)

// What is promised of works that are right, by what is known.
func TestAssurance(t *testing.T) {
	p := search.Odds(3)
	for name, tt := range map[string]struct {
		know func(*world)
		ask  func(*Request)
		want Told
	}{
		"all are blind": {func(w *world) { w.expect(1, "a", "b") }, nil, Told{Assurance: assay.AssuranceBlind, Odds: p, OddsWithRetries: p, OddsOfAll: p * p, Covered: 2, Of: 2}},
		"one is blind":  {func(w *world) { w.expect(1, "a") }, nil, Told{Assurance: assay.AssuranceBlindPartial, Odds: p, OddsWithRetries: p, OddsOfAll: p, Covered: 1, Of: 2}},
		"one can be told": {func(w *world) {
			w.expect(1, "a").alter("b", "w0", "w1", search.Expected, search.SeenPassing)
		}, nil, Told{Assurance: assay.AssuranceBlindPartial, Odds: p, OddsWithRetries: p, OddsOfAll: p, Covered: 1, Of: 2}},
		"all can be told": {func(w *world) {
			w.alter("a", "w0", "w1", search.Expected, search.SeenKnown)
			w.alter("b", "w0", "w1", search.Expected, search.NotRun)
		}, nil, Told{Assurance: assay.AssuranceControlled, Of: 2}},
		"one passes unsolved, and can be turned round": {func(w *world) {
			w.alter("a", "w0", "w1", search.Flip, search.SeenPassing)
			w.alter("b", "w0", "w1", search.Expected, search.NotRun)
		}, nil, Told{Assurance: assay.AssuranceControlledPartial, Of: 2}},
		"the issue says one": {func(w *world) {
			w.expect(1, "a").alter("b", "w0", "w1", search.Expected, search.SeenTold)
		}, nil, Told{Assurance: assay.AssuranceBlindPartial, Odds: p, OddsWithRetries: p, OddsOfAll: p, Covered: 1, Of: 2}},
		"one shares a draw": {func(w *world) {
			w.expect(1, "a", "b")
			w.known.Alterations[1].Unit = w.known.Alterations[0].Unit
		}, nil, Told{Assurance: assay.AssuranceBlindPartial, Odds: p, OddsWithRetries: p, OddsOfAll: p, Covered: 1, Sharing: 1, Of: 2}},
		"a control alone":     {func(w *world) { w.alter("kept", "w0", "w1", search.Expected, search.NotSolving) }, nil, Told{Assurance: assay.AssuranceControlledPartial, Of: 2}},
		"answers are open":    {func(w *world) { w.expect(1, "a", "b") }, func(r *Request) { r.Answers.Open = true }, Told{Assurance: assay.AssuranceControlled, Covered: 2, Of: 2}},
		"answers are public":  {func(w *world) { w.expect(1, "a") }, func(r *Request) { r.Answers.Public = true }, Told{Assurance: assay.AssuranceControlledPartial, Covered: 1, Of: 2}},
		"the output is shown": {func(w *world) { w.expect(1, "a", "b") }, func(r *Request) { r.Answers.Shown = true }, Told{Assurance: assay.AssuranceControlled, Covered: 2, Of: 2}},
		"refused before":      {func(w *world) { w.expect(1, "a", "b") }, func(r *Request) { r.Exposure.Refused = 1 }, Told{Assurance: assay.AssuranceBlind, Odds: p, OddsWithRetries: assay.OddsWithRetries(3, p, 1), OddsOfAll: p * p, Covered: 2, Of: 2}},
		"refused often":       {func(w *world) { w.expect(1, "a", "b") }, func(r *Request) { r.Exposure.Refused = 9 }, Told{Assurance: assay.AssuranceBlind, Odds: p, OddsWithRetries: 1, OddsOfAll: p * p, Covered: 2, Of: 2}},
		"refused too often":   {func(w *world) { w.expect(1, "a", "b") }, func(r *Request) { r.Exposure.Refused = 10 }, Told{Assurance: assay.AssuranceControlled, Covered: 2, Of: 2}},
		"not solved often":    {func(w *world) { w.expect(1, "a", "b") }, func(r *Request) { r.Exposure = Exposure{Refused: 1, Unsolved: 11} }, Told{Assurance: assay.AssuranceBlind, Odds: p, OddsWithRetries: 1, OddsOfAll: p * p, Covered: 2, Of: 2}},
		"a bound of its own":  {func(w *world) { w.expect(1, "a", "b") }, func(r *Request) { r.Exposure = Exposure{Refused: 1, Most: 1} }, Told{Assurance: assay.AssuranceControlled, Covered: 2, Of: 2}},
		"fresh and public": {func(w *world) { w.freshen("a"); w.freshen("b"); w.turn("a", "b") }, func(r *Request) { r.Fresh, r.Answers.Public = assay.FreshRequire, true },
			Told{Assurance: assay.AssuranceBlind, Odds: p, OddsWithRetries: p, OddsOfAll: p * p, Covered: 2, Of: 2}},
		"half of it fresh, and public": {func(w *world) { w.freshen("a"); w.turn("a", "b") }, func(r *Request) { r.Fresh, r.Answers.Public = assay.FreshRequire, true },
			Told{Assurance: assay.AssuranceControlled, Covered: 2, Of: 2}},
		"fresh, and altered where it is not": {func(w *world) { w.freshen("a"); w.expect(1, "a").turn("b") }, func(r *Request) { r.Fresh, r.Answers.Public = assay.FreshRequire, true },
			Told{Assurance: assay.AssuranceControlled, Covered: 2, Of: 2}},
		"fresh, and refused too often": {func(w *world) { w.freshen("a"); w.freshen("b"); w.turn("a", "b") }, func(r *Request) { r.Fresh, r.Exposure.Refused = assay.FreshRequire, 10 },
			Told{Assurance: assay.AssuranceControlled, Covered: 2, Of: 2}},
	} {
		w := newWorld("a", "b")
		tt.know(w)
		req := w.request(4)
		if tt.ask != nil {
			tt.ask(&req)
		}
		v, o := w.play(t, req)
		o.Told.Fresh, tt.want.Rounds = 0, 3
		if math.Abs(o.Told.OddsOfAll-tt.want.OddsOfAll) < 1e-12 {
			o.Told.OddsOfAll = tt.want.OddsOfAll
		}
		if !v.Solved || o.Told != tt.want {
			t.Errorf("%s:\n%+v, want\n%+v", name, o.Told, tt.want)
		}
	}
}

// turn makes blind flips known, which overlap no fresh version.
func (w *world) turn(names ...string) {
	for _, name := range names {
		w.alter(name, "+", "-", search.Flip, search.Blind)
	}
}

// More rounds are played until the odds are as they are wanted, or there are no more.
func TestMaxOdds(t *testing.T) {
	for _, tt := range []struct {
		most          float64
		rounds, again int // of the sequences of a draw that failed once
	}{
		{0, 3, 3}, {1, 3, 3}, {0.5, 3, 3}, {0.1, 4, 5}, {0.01, 7, 8}, {0.001, 8, 8}, {search.Odds(5), 5, 8},
	} {
		for seed := range byte(10) {
			w := newWorld("a").expect(2, "a")
			req := w.request(seed)
			req.MaxOdds = tt.most
			if req.Seed.sequence("a", 0, tt.rounds) == 1<<tt.rounds-1 {
				continue // it is never true
			}
			if _, o := w.play(t, req); o.Told.Rounds != tt.rounds || len(w.runs) != tt.rounds || o.Told.Odds != search.Odds(tt.rounds) {
				t.Errorf("at most %v: %+v, %d runs", tt.most, o.Told, len(w.runs))
			}
			w.runs, w.work = nil, failing("a", 1)
			if _, o := w.play(t, req); len(w.ofWork()) != tt.rounds+tt.again || o.Told.Rounds != tt.rounds || o.Told.Odds != search.Odds(tt.rounds)+search.Odds(tt.again) {
				t.Errorf("at most %v, once more: %+v, %d runs", tt.most, o.Told, len(w.ofWork()))
			}
		}
	}
	w := newWorld("a") // nothing is blind: more rounds would say no more
	w.alter("a", "w0", "w1", search.Expected, search.SeenPassing)
	req := w.request(1)
	req.MaxOdds = 0.001
	if _, o := w.play(t, req); o.Told.Rounds != 3 {
		t.Errorf("%+v", o.Told)
	}
}

// Where a work differs on fresh inputs it is told, and costs nothing.
func TestFreshInputsInform(t *testing.T) {
	for name, tt := range map[string]struct {
		work, reference  func(seen) bool
		checked, differs int
	}{
		"no difference":              {nil, nil, 2, 0},
		"it differs on one":          {func(s seen) bool { return s.honest() && (s.name != "a" || s.want != "w9") }, nil, 2, 1},
		"it differs on both":         {func(s seen) bool { return s.honest() && s.want != "w9" }, nil, 2, 2},
		"the reference differs, too": {func(s seen) bool { return s.honest() && s.want != "w9" }, func(s seen) bool { return s.honest() && (s.name != "a" || s.want != "w9") }, 1, 1},
	} {
		w := newWorld("a", "b").expect(2, "a", "b")
		w.freshen("a")
		w.freshen("b")
		w.work, w.reference = tt.work, tt.reference
		v, o := w.play(t, w.request(2))
		if !v.Solved || o.Told.Fresh != tt.checked || o.Told.FreshDiffers != tt.differs || o.FreshErr != nil {
			t.Errorf("%s: %+v", name, o)
		}
		req := w.request(2)
		req.Fresh = assay.FreshOff
		if v, o := w.play(t, req); !v.Solved || o.Told.Fresh != 0 {
			t.Errorf("%s, off: %+v", name, o)
		}
	}
	// A test that is flaky on fresh inputs and on true ones alike says nothing.
	w := newWorld("a", "b").expect(2, "b")
	w.freshen("a")
	w.work = func(s seen) bool { return s.honest() && (s.name != "a" || s.nth < 3) } // after the rounds
	if v, o := w.play(t, w.request(2)); !v.Solved || o.Told.Fresh != 0 || o.Told.FreshDiffers != 0 {
		t.Errorf("flaky: %+v, %+v", v, o)
	}
}

// What is required to be fresh is, in each round, whatever is altered; and a work that knows
// the true tests only is refused.
func TestFreshInputsAreRequired(t *testing.T) {
	for seed := range byte(20) {
		w := newWorld("a", "b").expect(2, "a")
		w.turn("a", "b")
		w.freshen("a")
		req := w.request(seed)
		req.Fresh = assay.FreshRequire
		if v, o := w.play(t, req); !v.Solved || o.Told.Covered != 2 {
			t.Fatalf("%+v", o)
		}
		for _, r := range w.runs {
			for _, s := range w.read(r) {
				if fresh := s.input == "i9" && s.want == "w9"; fresh != (s.name == "a") {
					t.Errorf("seed %d: %+v", seed, s)
				}
			}
		}
		w.runs = nil
		w.work = func(s seen) bool { return s.want == "w0" && s.honest() }
		lucky := req.Seed.sequence("a", 0, 3) == 7 || req.Seed.sequence("a", 1, 3) == 7 // it is never true then
		if v, o := w.play(t, req); v.Solved != lucky || (drawOf(t, o, "a").End == Failed) == lucky || drawOf(t, o, "b").End != Right {
			t.Errorf("seed %d: %+v", seed, o)
		}
	}
}
