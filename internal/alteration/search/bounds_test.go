package search

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"assay/internal/evaluate"
)

// A search makes no more runs than it may, and says that it ended for that. What it found
// until then holds.
func TestRunsAreBounded(t *testing.T) {
	all := newLab(t, words()).search(t, Request{Seed: 1, Fresh: true})
	if all.Spent {
		t.Fatalf("a search that was not bounded: %+v", all)
	}
	for most := 1; most < all.Runs; most += 1 + most/6 {
		l := newLab(t, words())
		told := 0
		r := l.search(t, Request{Seed: 1, Fresh: true, Runs: most, Ran: func() { told++ }})
		if r.Runs > most || len(l.asked) != r.Runs || told != r.Runs || !r.Spent || r.Rules != Rules {
			t.Errorf("of %d: %d runs, %d made, %d told, spent: %v", most, r.Runs, len(l.asked), told, r.Spent)
		}
		if most%2 == 0 {
			l.hold(t, r)
		}
		if most < 3 {
			continue
		}
		for _, test := range r.Tests {
			if test.Blind == 0 && test.Reason != reasonOf(all, test.ID) && test.Reason != spentReason {
				t.Errorf("of %d: %+v", most, test)
			}
		}
	}
}

func reasonOf(r *Result, id string) string {
	for _, test := range r.Tests {
		if test.ID == id {
			return test.Reason
		}
	}
	return ""
}

// So it is with time.
func TestTimeIsBounded(t *testing.T) {
	all := newLab(t, words()).search(t, Request{Seed: 1})
	synctest.Test(t, func(t *testing.T) {
		for minutes := range all.Runs + 2 {
			l := newLab(t, words())
			l.before = func(evaluate.TrialRequest) error {
				<-time.After(time.Minute)
				return nil
			}
			limit := time.Duration(minutes)*time.Minute + time.Second
			began := time.Now()
			r := l.search(t, Request{Seed: 1, Limit: limit})
			if r.Runs > minutes+1 || len(l.asked) != r.Runs || time.Since(began) > limit+time.Minute {
				t.Errorf("%d runs in %s of %s", r.Runs, time.Since(began), limit)
			}
			if full := minutes >= all.Runs-1; r.Spent == full {
				t.Errorf("%d runs, spent after %d minutes: %v", r.Runs, minutes, r.Spent)
			}
			if r.Runs >= 3 && r.Took != time.Since(began) {
				t.Errorf("took %s, told %s", time.Since(began), r.Took)
			}
		}
	})
}

// The same seed finds the same, and another one something else.
func TestTheSeedDecides(t *testing.T) {
	one := newLab(t, words()).search(t, Request{Seed: 7, Fresh: true})
	for range 4 { // maps have another order each time
		if diff := sameResult(one, newLab(t, words()).search(t, Request{Seed: 7, Fresh: true})); diff != "" {
			t.Fatal(diff)
		}
	}
	if other := newLab(t, words()).search(t, Request{Seed: 8, Fresh: true}); sameResult(one, other) == "" {
		t.Error("another seed finds the same")
	}
}

// A search that was ended anywhere goes on there, makes no trial twice, and finds the same.
func TestASearchGoesOnWhereItWas(t *testing.T) {
	for name, y := range map[string]*toy{"python": words(), "table": rows()} {
		t.Run(name, func(t *testing.T) {
			whole := newLab(t, y).search(t, Request{Seed: 5, Fresh: true})
			for end := 0; end < whole.Runs; end += 4 {
				goesOn(t, y, whole, end)
			}
		})
	}
}

func goesOn(t *testing.T, y *toy, whole *Result, end int) {
	t.Helper()
	l := newLab(t, y)
	var m memoryOf
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	ended := func() {
		if runs++; runs == end {
			cancel()
		}
	}
	if end == 0 {
		cancel()
	}
	r, err := Search(ctx, l, Request{Sample: y.sample(), Seed: 5, Fresh: true, Memory: &m, Ran: ended})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("ended after %d: %+v, %v", end, r, err)
	}
	cancel()
	made := len(m.trials)
	l.asked = nil
	got, err := Search(t.Context(), l, Request{Sample: y.sample(), Seed: 5, Fresh: true, Memory: &m})
	if err != nil {
		t.Fatal(err)
	}
	if diff := sameResult(whole, got); diff != "" {
		t.Errorf("ended after %d: %s", end, diff)
	}
	if made != end || len(l.asked) != whole.Runs-end || len(m.twice) > 0 || len(m.trials) != whole.Runs {
		t.Errorf("ended after %d: %d kept, then %d made, %d kept again, %d in all of %d", end, made, len(l.asked), len(m.twice), len(m.trials), whole.Runs)
	}
}

// A search with wider bounds makes no run again that one with narrower bounds made, but for
// two that were of sets of edits which it tries otherwise; and one for fresh truths none of
// those that found the alterations.
func TestAWiderSearchRemembersTheNarrower(t *testing.T) {
	for name, y := range map[string]*toy{"python": words(), "table": rows()} {
		t.Run(name, func(t *testing.T) {
			plain := newLab(t, y).search(t, Request{Seed: 5})
			whole := newLab(t, y).search(t, Request{Seed: 5, Fresh: true})
			for most := 4; most < plain.Runs; most += 3 {
				var m memoryOf
				narrow := newLab(t, y).search(t, Request{Seed: 5, Runs: most, Memory: &m})
				l := newLab(t, y)
				if diff := sameResult(plain, l.search(t, Request{Seed: 5, Memory: &m})); diff != "" {
					t.Errorf("after %d runs: %s", most, diff)
				}
				if again := len(l.asked) + narrow.Runs - plain.Runs; again > 2 || len(m.twice) > 0 {
					t.Errorf("after %d runs: %d of them were made again", most, again)
				}
			}
			var m memoryOf
			newLab(t, y).search(t, Request{Seed: 5, Memory: &m})
			l := newLab(t, y)
			if diff := sameResult(whole, l.search(t, Request{Seed: 5, Fresh: true, Memory: &m})); diff != "" {
				t.Error(diff)
			}
			if len(l.asked) != whole.Runs-plain.Runs {
				t.Errorf("%d runs were made for fresh truths, want %d", len(l.asked), whole.Runs-plain.Runs)
			}
		})
	}
}

// A memory that fails ends a search, and what it keeps is of one sample, seed and fix.
func TestMemory(t *testing.T) {
	broken := &memoryOf{fails: errors.New("the disk is full")}
	if _, err := Search(t.Context(), newLab(t, words()), Request{Sample: words().sample(), Memory: broken}); !errors.Is(err, broken.fails) {
		t.Errorf("a memory that fails: %v", err)
	}
	var m memoryOf
	r := newLab(t, words()).search(t, Request{Seed: 1, Memory: &m})
	for name, change := range map[string]func(*toy){
		"another fix":   func(y *toy) { y.fix += "more = same\n" },
		"another tests": func(y *toy) { y.tests["tests/test_words.py"] += "\n" },
	} {
		y := words()
		change(y)
		l := newLab(t, y)
		if l.search(t, Request{Seed: 1, Memory: &m}); len(l.asked) < r.Runs/2 {
			t.Errorf("%s: %d runs of %d were made", name, len(l.asked), r.Runs)
		}
	}
	seen := make(map[string]bool)
	for n := range 40 {
		for _, s := range []string{"a", "b"} {
			y := words().sample()
			y.ID = s
			seen[keyOf(y, reference, n, nil)] = true
			seen[keyOf(y, unsolved, n, nil)] = true
			seen[keyOf(y, unsolved, n, map[string][]byte{"x": []byte("y")})] = true
			seen[keyOf(y, unsolved, n, map[string][]byte{"xy": nil})] = true
		}
	}
	if len(seen) != 40*2*4 {
		t.Errorf("%d keys of %d trials", len(seen), 40*2*4)
	}
}

func TestOdds(t *testing.T) {
	for rounds, want := range map[int]float64{1: 1, 2: 1. / 3, 3: 1. / 7, 4: 1. / 15, 7: 1. / 127, 8: 1. / 255} {
		if got := Odds(rounds); got != want {
			t.Errorf("%d rounds: %v, want %v", rounds, got, want)
		}
	}
	if got := fmt.Sprint(Odds(62)); got == "0" {
		t.Error(got)
	}
}
