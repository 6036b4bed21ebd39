package rounds

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/semaphore"

	"assay"
	"assay/internal/alteration"
	"assay/internal/alteration/search"
	"assay/internal/evaluate"
)

// drawOf returns what became of the unit of a test.
func drawOf(t *testing.T, o *Outcome, test string) Draw {
	t.Helper()
	i := slices.IndexFunc(o.Draws, func(d Draw) bool { return slices.Contains(d.Tests, test) })
	if i < 0 {
		t.Fatalf("%s has no draw: %+v", test, o.Draws)
	}
	return o.Draws[i]
}

// failing makes a test of a work fail where it is true, so many times.
func failing(name string, times int) func(seen) bool {
	return func(s seen) bool {
		if s.name == name && s.honest() && times > 0 {
			times--
			return false
		}
		return s.honest()
	}
}

// A true test that fails once voids its draw, which gets another sequence in which all else
// is true; the odds double. It fails again, and the work is refused.
func TestATrueTestThatFails(t *testing.T) {
	for seed := range byte(30) {
		w := newWorld("a", "b").expect(2, "a", "b")
		w.work = failing("a", 1)
		v, o := w.play(t, w.request(seed))
		d := drawOf(t, o, "a")
		if w.req(seed).sequence("a", 0, 3) == 7 { // it was never true
			if !v.Solved || d.Sequences != 1 {
				t.Errorf("%+v", d)
			}
			continue
		}
		if !v.Solved || o.Told.Odds != 2*search.Odds(3) || d.Sequences != 2 || d.End != Right || drawOf(t, o, "b").Sequences != 1 {
			t.Errorf("seed %d: %+v", seed, o)
		}
		work := w.ofWork()
		if len(work) != 6 || len(w.runs) != 7 {
			t.Fatalf("%d runs of the work, %d in all", len(work), len(w.runs))
		}
		var again sequence
		for n, r := range work[3:] {
			switch names := w.alteredIn(r); {
			case slices.Contains(names, "b"):
				t.Errorf("b was altered again: %q", names)
			case slices.Contains(names, "a"):
				again |= 1 << n
			}
		}
		if want := w.req(seed).sequence("a", 1, 3); again != want {
			t.Errorf("the second sequence is %03b, want %03b", again, want)
		}
		w.work, w.runs = failing("a", 100), nil
		lucky := w.req(seed).sequence("a", 1, 3) == 7 // it is never true then
		if v, o := w.play(t, w.request(seed)); v.Solved != lucky || drawOf(t, o, "a").End != map[bool]End{true: Right, false: Failed}[lucky] {
			t.Errorf("seed %d: %+v", seed, o)
		}
	}
}

func (w *world) req(seed byte) Seed { return w.request(seed).Seed }

// Also a test without a draw may fail once.
func TestATestWithoutADrawMayFailOnce(t *testing.T) {
	for times, solved := range map[int]bool{1: true, 2: true, 3: true, 4: false, 9: false} { // three rounds, and one of another sequence
		w := newWorld("a").expect(2, "a")
		w.work = failing("kept", times)
		v, o := w.play(t, w.request(1))
		if d := drawOf(t, o, "kept"); v.Solved != solved || d.Sequences != 2 || o.Told.Odds != search.Odds(3) {
			t.Errorf("%d times: %+v", times, o)
		}
	}
}

// differs makes a work right in another way than the reference on some inputs.
func differs(inputs ...string) func(seen) bool {
	return func(s seen) bool {
		return s.honest() || s.want == "w0" && slices.Contains(inputs, s.input) && s.turned == "+"
	}
}

// An altered input that passes accuses nobody: other alterations of the test are shown.
func TestDoubtedInputs(t *testing.T) {
	inputs := func(w *world, n int, names ...string) *world {
		for _, name := range names {
			for i := range n {
				w.alter(name, "i0", fmt.Sprint("i", i+1), search.Input, search.Blind)
			}
		}
		return w
	}
	for seed := range byte(40) {
		// The first that is shown passes; others do not.
		w := inputs(newWorld("a", "b"), 4, "a").expect(2, "b")
		first := ""
		w.work = func(s seen) bool {
			if s.name == "a" && s.altered() && (first == "" || s.input == first) {
				first = s.input
				return true
			}
			return s.honest()
		}
		v, o := w.play(t, w.request(seed))
		if d := drawOf(t, o, "a"); !v.Solved || d.End != Right || d.Sequences != 2 || o.Told.Doubted != 0 || o.Told.Covered != 2 || o.Told.Odds != 2*search.Odds(3) {
			t.Errorf("seed %d: %+v", seed, o)
		}
		for _, r := range w.ofWork()[3:] {
			if strings.Contains(string(r.files[testFile]), "a w0 "+first) {
				t.Errorf("seed %d: %s was shown again", seed, first)
			}
		}
		// All pass: the test is doubted, and covered no more.
		w = inputs(newWorld("a", "b"), 8, "a").expect(2, "b")
		w.work = differs("i1", "i2", "i3", "i4", "i5", "i6", "i7", "i8")
		v, o = w.play(t, w.request(seed))
		if d := drawOf(t, o, "a"); !v.Solved || d.End != Doubted || d.Sequences != 2 || o.Told.Doubted != 1 || o.Told.Covered != 1 || o.Told.Of != 2 || o.Told.Assurance != assay.AssuranceBlindPartial || o.Told.Odds != search.Odds(3) {
			t.Errorf("seed %d: %+v", seed, o)
		}
		// There is no other: the same, at once.
		w = inputs(newWorld("a", "b"), 1, "a").expect(2, "b")
		w.work = differs("i1")
		v, o = w.play(t, w.request(seed))
		if d := drawOf(t, o, "a"); !v.Solved || d.End != Doubted || d.Sequences != 1 || len(w.ofWork()) != 3 {
			t.Errorf("seed %d: %+v", seed, o)
		}
		// Nothing altered ever failed of what is to be solved: that cannot be solved, whatever
		// failed of what passes anyway.
		for _, control := range []bool{false, true} {
			w = inputs(newWorld("a"), 8, "a")
			if control {
				w.alter("kept", "w0", "w1", search.Expected, search.NotSolving)
			}
			w.work = differs("i1", "i2", "i3", "i4", "i5", "i6", "i7", "i8")
			if v, o := w.play(t, w.request(seed)); v.Solved || o.End != Refused {
				t.Errorf("seed %d, control %t: %+v", seed, control, o)
			}
		}
	}
}

// Who passes blind altered versions of a test and fails none is not solved for failing what
// the unsolved code tells from the true one.
func TestWhoPassesOneKindOfFailure(t *testing.T) {
	for seed := range byte(20) {
		w := newWorld("a")
		for i := range 2 {
			w.alter("a", "i0", fmt.Sprint("i", i+1), search.Input, search.Blind)
		}
		for i := range 4 {
			w.alter("a", "w0", fmt.Sprint("w", i+1), search.Input, search.SeenKind)
		}
		w.alter("kept", "w0", "w1", search.Expected, search.NotSolving)
		w.work = differs("i1", "i2")
		if v, o := w.play(t, w.request(seed)); v.Solved || o.End != Refused {
			t.Errorf("seed %d: %+v", seed, o)
		}
		w.work = differs("i1") // one may be free
		if v, o := w.play(t, w.request(seed)); !v.Solved {
			t.Errorf("seed %d: %+v", seed, o)
		}
	}
}

// Who passes a test and its opposite, or one exception as well as another, contradicts
// itself. A boolean may be an input.
func TestWhatAccuses(t *testing.T) {
	for _, tt := range []struct {
		kind     search.Kind
		edit     alteration.EditKind
		old, new string
		want     bool
	}{
		{search.Expected, alteration.StringEdit, "a", "b", true},
		{search.Flip, alteration.FlipEdit, "==", "!=", true},
		{search.Flip, alteration.FlipEdit, "notStrictEqual", "strictEqual", true},
		{search.Input, alteration.ExceptionEdit, "ValueError", "TypeError", true},
		{search.Flip, alteration.FlipEdit, "true", "false", false},
		{search.Flip, alteration.FlipEdit, "value", "None", false},
		{search.Input, alteration.StringEdit, "a", "b", false},
	} {
		a := search.Alteration{Kind: tt.kind, Edit: alteration.Edit{Kind: tt.edit, Old: tt.old, New: tt.new}}
		if got := a.Accuses(); got != tt.want {
			t.Errorf("%+v: %t", tt, got)
		}
	}
	// Among inputs that pass, one that accuses is shown next.
	for seed := range byte(20) {
		w := newWorld("a", "b").expect(2, "b")
		for i := range 6 {
			w.alter("a", "i0", fmt.Sprint("i", i+1), search.Input, search.Blind)
		}
		w.alter("a", "+", "-", search.Flip, search.Blind)
		w.work = func(s seen) bool { return s.honest() || s.name == "a" }
		if v, o := w.play(t, w.request(seed)); v.Solved || drawOf(t, o, "a").End != Forged {
			t.Errorf("seed %d: %+v", seed, o)
		}
	}
}

// A work that is wrong where the reference fix is, too, is not wrong: the round is run again,
// with the same pattern and, where its alteration was to blame, another.
func TestVoidRounds(t *testing.T) {
	for seed := range byte(30) {
		w := newWorld("a", "b").expect(3, "a", "b")
		stale := ""
		flaky := func(s seen) bool { // one alteration of a does nothing, for anybody
			if s.name == "a" && s.altered() && (stale == "" || s.want == stale) {
				stale = s.want
				return true
			}
			return s.honest()
		}
		w.work, w.reference = flaky, flaky
		req := w.request(seed)
		req.Rounds = 1
		v, o := w.play(t, req)
		if !v.Solved || o.Voids != 1 || len(o.Flaky) != 1 || w.known.Alterations[o.Flaky[0]].Edit.New != stale || o.Told.Odds != 1 {
			t.Fatalf("%+v, %+v", v, o)
		}
		work := w.ofWork()
		if got := [][]string{w.alteredIn(work[0]), w.alteredIn(work[1])}; !slices.Equal(got[0], got[1]) || len(got[0]) == 0 {
			t.Errorf("the pattern became another: %q", got)
		}
		if strings.Contains(string(work[1].files[testFile]), "a "+stale) {
			t.Error("the same alteration was shown again")
		}
	}
}

// A second void round in a play is our error, and tells nothing.
func TestAPlayThatIsVoidTwice(t *testing.T) {
	for seed := range byte(30) {
		w := newWorld("a", "b").expect(2, "a", "b")
		w.work = func(s seen) bool { return s.honest() && s.name != "kept" }
		w.reference = w.work
		v, o, err := New(Config{Tester: w}).Play(t.Context(), w.request(seed))
		if v != nil || assay.CodeOf(err) != assay.CodeInternal || o.Voids != 2 || o.End != Interrupted || o.Told != (Told{}) {
			t.Fatalf("%+v, %+v, %v", v, o, err)
		}
		if message := evaluate.FailureOf(err).Message; strings.Contains(message, "kept") || strings.Contains(message, "void") {
			t.Error(message)
		}
	}
}

// What the reference fix gets wrong elsewhere in the same version excuses nothing.
func TestTheReferenceExcusesNothingElse(t *testing.T) {
	w := newWorld("a", "b").expect(2, "a", "b")
	w.work = func(s seen) bool { return s.honest() || s.name == "a" }
	w.reference = func(s seen) bool { return s.honest() && s.name != "kept" }
	if v, o := w.play(t, w.request(1)); v.Solved || o.Voids > 0 || drawOf(t, o, "a").End != Forged {
		t.Errorf("%+v", o)
	}
}

// A round that timed out while others took the host shows nothing, and is run again.
func TestAStarvedRound(t *testing.T) {
	for times := range 3 {
		w := newWorld("a").expect(2, "a")
		left := times
		w.report = func(_ run, trial *trialResult) {
			if left > 0 {
				left--
				*trial = evaluate.Trial{TimedOut: true, Starved: true}
			}
		}
		v, o, err := New(Config{Tester: w}).Play(t.Context(), w.request(1))
		if times < 2 && (err != nil || !v.Solved || o.Voids != times || len(w.runs) != 3+times) || times == 2 && assay.CodeOf(err) != assay.CodeInternal {
			t.Errorf("%d times: %+v, %+v, %v", times, v, o, err)
		}
	}
}

// A run that fails for a reason of the host's is made once more, and no work is refused for
// it.
func TestARunThatFails(t *testing.T) {
	for times, fails := range map[int]bool{1: false, 2: true} {
		w := newWorld("a").expect(2, "a")
		lost := errors.New("the sandbox is lost")
		w.before = func(context.Context, run) error {
			if times > 0 {
				times--
				return lost
			}
			return nil
		}
		v, o, err := New(Config{Tester: w}).Play(t.Context(), w.request(1))
		if fails && (!errors.Is(err, lost) || v != nil || o.End != Interrupted) || !fails && (err != nil || !v.Solved || o.Voids > 0) {
			t.Errorf("%+v, %+v, %v", v, o, err)
		}
	}
}

// Rounds go side by side as far as the limiter lets them, and one goes always.
func TestTheLimiter(t *testing.T) {
	for room, want := range map[int64]int64{0: 1, 1: 2, 3: 4, 20: 8} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld("a", "b").expect(2, "a", "b")
			var now, most atomic.Int64
			step := make(chan struct{})
			w.before = func(context.Context, run) error {
				for n := now.Add(1); most.Load() < n; {
					most.Store(n)
				}
				<-step
				now.Add(-1)
				return nil
			}
			limiter := semaphore.NewWeighted(room)
			req := w.request(1)
			req.Rounds = 8
			var done sync.WaitGroup
			var v *assay.Verdict
			var err error
			done.Go(func() { v, _, err = New(Config{Tester: w, Limiter: limiter}).Play(t.Context(), req) })
			for range 8 {
				synctest.Wait()
				step <- struct{}{}
			}
			done.Wait()
			if err != nil || !v.Solved || most.Load() != want || len(w.runs) != 8 {
				t.Errorf("room for %d: %d at once, %d runs, %v", room, most.Load(), len(w.runs), err)
			}
			if room > 0 && !limiter.TryAcquire(room) {
				t.Errorf("room for %d: some is not given back", room)
			}
		})
	}
}

// Side by side, the same is shown, and comes to the same end, as one after the other.
func TestRoundsSideBySideAreTheSame(t *testing.T) {
	for seed := range byte(20) {
		var shows [2][]string
		var outcomes [2]*Outcome
		for n, limiter := range []Limiter{nil, semaphore.NewWeighted(8)} {
			w := newWorld("a", "b", "c").expect(3, "a", "b")
			w.alter("c", "i0", "i1", search.Input, search.Blind)
			w.alter("c", "i0", "i2", search.Input, search.Blind)
			w.freshen("c")
			w.work = func(s seen) bool { return s.honest() && s.name != "a" || s.input == "i1" } // a fails, c is doubted
			_, o, err := New(Config{Tester: w, Limiter: limiter}).Play(t.Context(), w.request(seed))
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range w.runs {
				shows[n] = append(shows[n], fmt.Sprint(r.fixed, string(r.files[testFile])))
			}
			slices.Sort(shows[n])
			outcomes[n] = o
		}
		if diff := cmp.Diff(shows[0], shows[1]) + cmp.Diff(outcomes[0], outcomes[1]); diff != "" {
			t.Errorf("seed %d:\n%s", seed, diff)
		}
	}
}

// A play that is cancelled ends with all of its runs, and gives back its room.
func TestAPlayThatIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a", "b").expect(2, "a", "b")
		ctx, cancel := context.WithCancel(t.Context())
		w.before = func(ctx context.Context, _ run) error {
			<-ctx.Done()
			return ctx.Err()
		}
		limiter := semaphore.NewWeighted(2)
		var done sync.WaitGroup
		var o *Outcome
		var err error
		began := false
		req := w.request(1)
		req.Began = func(context.Context) error { began = true; return nil }
		done.Go(func() { _, o, err = New(Config{Tester: w, Limiter: limiter}).Play(ctx, req) })
		synctest.Wait()
		cancel()
		done.Wait()
		if !errors.Is(err, context.Canceled) || !began || !o.Began || len(w.runs) != 3 || !limiter.TryAcquire(2) {
			t.Errorf("%v, %+v, %d runs", err, o, len(w.runs))
		}
	})
}

// That rounds begin is stored before there is one.
func TestRoundsDoNotBeginUnstored(t *testing.T) {
	w := newWorld("a").expect(2, "a")
	req, full := w.request(1), errors.New("the disk is full")
	req.Began = func(context.Context) error { return full }
	if v, o, err := New(Config{Tester: w}).Play(t.Context(), req); !errors.Is(err, full) || v != nil || o != nil || len(w.runs)+w.trees > 0 {
		t.Errorf("%+v, %+v, %v", v, o, err)
	}
}

// Alterations that do not fit the tests are our error, which tells nothing of them.
func TestAlterationsOfOtherTests(t *testing.T) {
	for name, change := range map[string]func(*search.Alteration){
		"no such text": func(a *search.Alteration) { a.Edit.Old = "secret" },
		"no such file": func(a *search.Alteration) { a.Edit.File = "tests/none.txt" },
	} {
		w := newWorld("a").expect(2, "a")
		for i := range w.known.Alterations {
			change(&w.known.Alterations[i])
		}
		v, _, err := New(Config{Tester: w}).Play(t.Context(), w.request(1))
		if err == nil || v != nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "w1") {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
}

// Blind alterations are shown before others, of these what is expected before inputs before
// flips, and of those what was shown least.
func TestWhatIsShown(t *testing.T) {
	w := newWorld("a")
	w.alter("a", "w0", "w1", search.Expected, search.SeenPassing)
	w.alter("a", "+", "-", search.Flip, search.Blind)
	w.alter("a", "i0", "i1", search.Input, search.Blind)
	w.alter("a", "w0", "w2", search.Expected, search.BlindPlace)
	w.alter("a", "w0", "w3", search.Expected, search.Blind)
	w.alter("a", "w0", "w4", search.Expected, search.Blind)
	req := w.request(1)
	req.Shown = []int{0, 0, 0, 5, 4} // and the last never
	req.Rounds = 8
	_, o := w.play(t, req)
	altered := 0
	for n := range 8 {
		if req.Seed.sequence("a", 0, 8).altered(n) {
			altered++
		}
	}
	want := make([]int, 6)
	counts := []int{0, 0, 0, 5, 4, 0}
	for range altered {
		least := 3
		for _, i := range []int{3, 4, 5} {
			if counts[i] < counts[least] {
				least = i
			}
		}
		counts[least]++
		want[least]++
	}
	if altered < 2 || o.Shown[0]+o.Shown[1]+o.Shown[2] > 0 || o.Shown[3] != want[3] || o.Shown[4]+o.Shown[5] != want[4]+want[5] {
		t.Errorf("shown %v of %d, want %v", o.Shown, altered, want)
	}
}

// Who lets pass what fails as the issue says tells an altered exception by its name, and
// nothing else: that it fails speaks for nobody.
func TestAnAlteredExceptionIsNotBlind(t *testing.T) {
	raising := func() *world {
		w := newWorld("a")
		w.alter("a", "i0", "i1", search.Input, search.Blind)
		w.alter("a", "i0", "i2", search.Input, search.Blind)
		exception := w.alter("a", "w0", "w1", search.Input, search.SeenKind)
		exception.Edit.Kind = alteration.ExceptionEdit
		return w
	}
	for seed := range byte(40) {
		w := raising()
		w.work = func(s seen) bool { return s.want == "w0" } // what fails is what the issue is about
		if v, o := w.play(t, w.request(seed)); v.Solved || o.End != Refused {
			t.Errorf("seed %d: %+v", seed, o)
		}
		w = raising()
		if v, o := w.play(t, w.request(seed)); !v.Solved || o.Told.Covered != 1 || o.Told.Odds != search.Odds(3) {
			t.Errorf("seed %d: the reference: %+v", seed, o)
		}
		w = raising()
		w.known.Alterations = w.known.Alterations[2:] // nothing else is known
		v, o := w.play(t, w.request(seed))
		if !v.Solved || o.Told.Covered != 0 || o.Told.Odds != 0 || o.Told.Assurance != assay.AssuranceControlled {
			t.Errorf("seed %d: exceptions alone: %+v", seed, o)
		}
	}
}
