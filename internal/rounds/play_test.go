package rounds

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/alteration/search"
)

// A right work is solved, whatever is drawn, and it costs as many runs as there are rounds.
func TestARightWork(t *testing.T) {
	for seed := range byte(50) {
		w := newWorld("a", "b", "c").expect(3, "a", "b", "c")
		v, o := w.play(t, w.request(seed))
		want := Told{Assurance: assay.AssuranceBlind, Rounds: 3, Odds: search.Odds(3), OddsWithRetries: search.Odds(3), OddsOfAll: math.Pow(search.Odds(3), 3), Covered: 3, Of: 3}
		if !v.Solved || o.End != Solved || math.Abs(o.Told.OddsOfAll-want.OddsOfAll) > 1e-12 {
			t.Fatalf("%+v, %+v", v, o)
		}
		want.OddsOfAll = o.Told.OddsOfAll
		if diff := gocmp.Diff(want, o.Told); diff != "" {
			t.Error(diff)
		}
		if len(w.runs) != 3 || o.Runs != 3 || o.Voids != 0 || w.trees != 1 {
			t.Errorf("%d runs, %d told, %d voids", len(w.runs), o.Runs, o.Voids)
		}
		for _, d := range o.Draws {
			if d.End != Right || d.Sequences != 1 {
				t.Errorf("%+v", d)
			}
		}
	}
}

// A work that is not solved as it is costs one suite, and so does one on a sample of which
// nothing is known.
func TestWhatCostsOneSuite(t *testing.T) {
	for name, change := range map[string]func(*world){
		"unsolved":            func(w *world) { w.solved = false },
		"nothing known":       func(w *world) { w.known = nil },
		"nothing found":       func(w *world) { w.known = &search.Result{} },
		"of tests not graded": func(w *world) { w.sample.Task.Verifier.Quarantined = []string{"a"} },
		"of tests in no list": func(w *world) { w.sample.FailToPass = []string{"other"} },
	} {
		w := newWorld("a").expect(2, "a")
		change(w)
		req := w.request(1)
		req.Began = func(context.Context) error { return errors.New("there were rounds") }
		v, o := w.play(t, req)
		known := name == "unsolved"
		if len(w.runs)+w.trees > 0 || o.Began || o.Told.Rounds+int(o.Told.Odds) != 0 || v.Solved == known {
			t.Errorf("%s: %+v, %+v", name, v, o)
		}
		if len(w.plain) != 1 || w.plain[0].Alterable != known || (o.Told.Assurance == assay.AssuranceUncontrolled) == known {
			t.Errorf("%s: %+v, %+v", name, w.plain, o.Told)
		}
	}
}

// No canaries are laid where a forgery is accused by rounds alone: each test that is to be solved
// is shown in versions that accuse. Who passes altered inputs is doubted, and not refused.
func TestWhoIsDoubtedIsHeldToCanaries(t *testing.T) {
	for name, tt := range map[string]struct {
		alter             func(*world)
		alterable, solved bool
	}{
		"expected": {func(w *world) { w.expect(2, "a") }, true, false},
		"inputs":   {func(w *world) { w.alter("a", "i0", "i1", search.Input, search.Blind) }, false, true},
		"either":   {func(w *world) { w.alter("a", "i0", "i1", search.Input, search.Blind); w.expect(1, "a") }, true, false},
		"accused where no input is left": {func(w *world) {
			w.alter("a", "i0", "i1", search.Input, search.Blind)
			w.alter("a", "w0", "w1", search.Expected, search.SeenPassing)
		}, false, false},
	} {
		w := newWorld("a", "b").expect(2, "b")
		tt.alter(w)
		w.work = func(s seen) bool { return s.honest() || s.name == "a" }
		v, _ := w.play(t, w.request(1))
		if w.plain[0].Alterable != tt.alterable {
			t.Errorf("%s: canaries are laid: %t", name, !w.plain[0].Alterable)
		}
		if v.Solved != tt.solved {
			t.Errorf("%s: who passes every version of a test is solved: %t", name, v.Solved)
		}
	}
}

// In each run at most one alteration of each draw is shown, each test is shown in one
// version, and the same files are laid, whatever is true in them.
func TestOneVersionOfATestARound(t *testing.T) {
	for seed := range byte(40) {
		w := newWorld("a", "b", "T", "T/x", "T/y").expect(3, "a", "b", "T/x", "T/y")
		w.alter("a", "i0", "i1", search.Input, search.Blind)
		w.alter("b", "+", "-", search.Flip, search.SeenPassing)
		req := w.request(seed)
		req.Rounds = 4
		w.play(t, req)
		altered := make(map[string]int)
		for _, r := range w.runs {
			if got := slices.Collect(maps.Keys(r.files)); !slices.Equal(got, []string{testFile}) {
				t.Fatalf("laid: %q", got)
			}
			lines := strings.Split(string(r.files[testFile]), "\n")
			for n, was := range strings.Split(w.text, "\n") {
				if lines[n] == was {
					continue
				}
				altered[strings.Fields(was)[0]]++
				changed := 0
				for i, token := range strings.Fields(was) {
					if strings.Fields(lines[n])[i] != token {
						changed++
					}
				}
				if changed != 1 {
					t.Errorf("%q became %q", was, lines[n])
				}
			}
		}
		for _, name := range []string{"a", "b", "T/x", "T/y"} {
			if altered[name] == 0 {
				t.Errorf("seed %d: %s was never altered", seed, name)
			}
		}
	}
}

// Each test of a play is altered in a sequence that is uniform over those that alter it at
// all, and which says nothing of that of another test, whatever the kinds of its alterations.
func TestTestsAreAlteredUniformly(t *testing.T) {
	const plays = 2450
	counts := make(map[[2]sequence]int)
	for n := range plays {
		w := newWorld("a", "b").expect(2, "a")
		w.alter("a", "i0", "i1", search.Input, search.Blind)
		w.alter("b", "i0", "i1", search.Input, search.BlindPlace)
		w.alter("b", "+", "-", search.Flip, search.SeenPassing) // can be told: it is not shown beside a blind one
		req := w.request(0)
		req.Seed = seedOf(n)
		w.play(t, req)
		var pair [2]sequence
		for n, r := range w.runs {
			for _, name := range w.alteredIn(r) {
				pair[name[0]-'a'] |= 1 << n
			}
			if strings.Contains(string(r.files[testFile]), "-") {
				t.Fatal("what can be told was shown")
			}
		}
		counts[pair]++
	}
	for a := sequence(1); a < 8; a++ {
		for b := sequence(1); b < 8; b++ {
			if n := counts[[2]sequence{a, b}]; math.Abs(float64(n-plays/49)) > 5*math.Sqrt(plays/49) {
				t.Errorf("%03b and %03b: %d plays, want about %d", a, b, n, plays/49)
			}
		}
	}
}

// guesser forges a test: it knows the number of the round and nothing else.
func guesser(name string, says func(round int) (altered bool)) func(seen) bool {
	return func(s seen) bool {
		if s.name != name {
			return s.honest()
		}
		return !says(s.nth)
	}
}

// within tells whether successes of so many tries agree with a chance.
func within(successes, tries int, chance float64) bool {
	return math.Abs(float64(successes)-float64(tries)*chance) <= 4.5*math.Sqrt(float64(tries)*chance*(1-chance))
}

// Who guesses comes through as often as the odds say, and no strategy more often. The
// second sequence of one who takes a true test for an altered one doubles that, and is told.
func TestAGuesser(t *testing.T) {
	const plays = 1000
	for rounds := 2; rounds <= 4; rounds++ {
		p := search.Odds(rounds)
		for name, says := range map[string]func(round int) bool{
			"the last is altered": func(n int) bool { return n%rounds == rounds-1 },
			"the first is":        func(n int) bool { return n%rounds == 0 },
			"all are":             func(int) bool { return true },
		} {
			first, second := 0, 0
			for n := range plays {
				w := newWorld("a", "b").expect(2, "a", "b")
				w.work = guesser("a", says)
				req := w.request(0)
				req.Seed, req.Rounds = seedOf(n), rounds
				v, o := w.play(t, req)
				switch {
				case v.Solved && o.Told.Odds == p:
					first++
				case v.Solved && o.Told.Odds == 2*p:
					second++
				case v.Solved:
					t.Fatalf("odds of %v", o.Told.Odds)
				}
			}
			again := 0.0
			if name == "all are" {
				again = (1 - p) * p
			}
			t.Logf("%d rounds, %s: %d and %d of %d, want about %.0f and %.0f", rounds, name, first, second, plays, plays*p, plays*again)
			if !within(first, plays, p) || !within(second, plays, again) {
				t.Errorf("%d rounds, %s: %d and %d of %d, want about %.0f and %.0f", rounds, name, first, second, plays, plays*p, plays*again)
			}
		}
	}
}

// Who throws a coin in each round does no better.
func TestAGamblerDoesNoBetter(t *testing.T) {
	const plays = 1200
	solved := 0
	for n := range plays {
		w := newWorld("a").expect(2, "a")
		coin := seedOf(n).stream("coin")
		w.work = guesser("a", func(int) bool { return coin.IntN(2) == 0 })
		req := w.request(0)
		req.Seed = seedOf(n)
		if v, _ := w.play(t, req); v.Solved {
			solved++
		}
	}
	if most := 2 * search.Odds(3) * plays; float64(solved) > most {
		t.Errorf("%d of %d plays, want at most %.0f", solved, plays, most)
	}
}

// What lets everything pass, fails everything, or what is not there any more, is refused;
// and nothing tells users which of it was.
func TestRefusedWorks(t *testing.T) {
	var told []Told
	var verdicts []*assay.Verdict
	for name, tt := range map[string]struct {
		change func(*world)
		end    End
	}{
		"passes everything":       {func(w *world) { w.work = func(seen) bool { return true } }, Forged},
		"fails in every round":    {func(w *world) { w.work = func(s seen) bool { return s.name != "a" && s.honest() } }, Failed},
		"fails what has no draw":  {func(w *world) { w.work = func(s seen) bool { return s.honest() && s.name != "kept" } }, Failed},
		"its reports have no end": {func(w *world) { w.report = func(r run, t *trialResult) { t.Complete = r.fixed } }, Failed},
		"it never ends":           {func(w *world) { w.report = func(r run, t *trialResult) { t.TimedOut = !r.fixed } }, Failed},
		"an altered test is not seen": {func(w *world) {
			w.report = func(r run, t *trialResult) {
				if !r.fixed && !t.Passed["a"] {
					delete(t.Outcomes, "a")
				}
			}
		}, Failed},
	} {
		w := newWorld("a", "b").expect(2, "a", "b")
		tt.change(w)
		v, o := w.play(t, w.request(3))
		if v.Solved || o.End != Refused || !slices.ContainsFunc(o.Draws, func(d Draw) bool { return d.End == tt.end }) {
			t.Errorf("%s: %+v, %+v", name, v, o)
		}
		told, verdicts = append(told, o.Told), append(verdicts, v)
	}
	for i := range told {
		if diff := gocmp.Diff(told[0], told[i]) + gocmp.Diff(verdicts[0], verdicts[i]); diff != "" {
			t.Error(diff)
		}
	}
	if want := (&assay.Verdict{Reason: RefusedReason, Duration: verdicts[0].Duration}); gocmp.Diff(want, verdicts[0]) != "" {
		t.Errorf("%+v", verdicts[0])
	}
}

// Nothing that a round measured reaches the verdict.
func TestTheVerdictIsThatOfThePlainRun(t *testing.T) {
	w := newWorld("a").expect(2, "a")
	v, _ := w.play(t, w.request(1))
	if want := (&assay.Verdict{Solved: true, Reason: "as the plain run says", Duration: v.Duration}); gocmp.Diff(want, v) != "" {
		t.Errorf("%+v", v)
	}
}

// A play that was killed at any moment, and is begun again, shows the same as before.
func TestAPlayThatIsBegunAgain(t *testing.T) {
	flaky := func(s seen) bool { return s.honest() && (s.name != "a" || s.nth != 1) } // in a round in which it is true
	shows := func(w *world) (all []string) {
		for _, r := range w.runs {
			all = append(all, fmt.Sprint(r.fixed, "\n", string(r.files[testFile])))
		}
		return all
	}
	for seed := range byte(20) {
		w := newWorld("a", "b", "c").expect(3, "a", "b", "c")
		w.work = flaky
		whole, _, err := New(Config{Tester: w}).Play(t.Context(), w.request(seed))
		if err != nil || !whole.Solved {
			t.Fatalf("%+v, %v", whole, err)
		}
		for killed := range w.runs {
			again := newWorld("a", "b", "c").expect(3, "a", "b", "c")
			again.work = flaky
			ctx, cancel := context.WithCancel(t.Context())
			again.before = func(context.Context, run) error {
				if len(again.runs) > killed {
					cancel()
				}
				return nil
			}
			if _, o, err := New(Config{Tester: again}).Play(ctx, again.request(seed)); !errors.Is(err, context.Canceled) || !o.Began || o.End != Interrupted {
				t.Fatalf("%+v, %v", o, err)
			}
			if diff := gocmp.Diff(shows(w)[:killed+1], shows(again)); diff != "" {
				t.Fatalf("seed %d, killed in run %d:\n%s", seed, killed, diff)
			}
			again.before, again.runs = nil, nil
			again.play(t, again.request(seed))
			if diff := gocmp.Diff(shows(w), shows(again)); diff != "" {
				t.Fatalf("seed %d, killed in run %d, begun again:\n%s", seed, killed, diff)
			}
		}
	}
}

func TestRequestsThatCannotBePlayed(t *testing.T) {
	for name, change := range map[string]func(*Request){
		"no seed":        func(r *Request) { r.Seed = Seed{} },
		"9 rounds":       func(r *Request) { r.Rounds = 9 },
		"-1 rounds":      func(r *Request) { r.Rounds = -1 },
		"odds above 1":   func(r *Request) { r.MaxOdds = 2 },
		"odds of NaN":    func(r *Request) { r.MaxOdds = math.NaN() },
		"fresh as never": func(r *Request) { r.Fresh = "never" },
	} {
		w := newWorld("a").expect(2, "a")
		req := w.request(1)
		change(&req)
		if v, o, err := New(Config{Tester: w}).Play(t.Context(), req); err == nil || len(w.plain) > 0 {
			t.Errorf("%s: %+v, %+v", name, v, o)
		}
	}
}
