package verification_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/internal/alteration"
	"assay/internal/alteration/search"
	"assay/internal/rounds"
	"assay/internal/verification"
)

// alterations is what is known of the sample: its test can be made to want something else.
type alterations struct {
	result   *search.Result
	err      error
	shown    []int
	noted    []int // what was shown
	otherKey bool  // what was dealt cannot be opened any more
}

func (a *alterations) Of(context.Context, *assay.Sample) (*search.Result, error) {
	return a.result, a.err
}

// Deal deals what is known, and says of which play it is.
func (a *alterations) Deal(_ context.Context, _ *assay.Sample, play string) (*search.Hand, []byte, error) {
	if a.result == nil || a.err != nil {
		return nil, nil, a.err
	}
	hand := &search.Hand{Result: *a.result, Shown: a.shown}
	text, err := json.Marshal(hand)
	return hand, append([]byte(play+"\n"), text...), err
}

func (a *alterations) Dealt(_ context.Context, sealed []byte, play string) *search.Hand {
	text, ours := bytes.CutPrefix(sealed, []byte(play+"\n"))
	hand := new(search.Hand)
	if err := json.Unmarshal(text, hand); !ours || err != nil || a.otherKey {
		return nil
	}
	return hand
}

func (a *alterations) NoteShown(_ context.Context, _ *assay.Sample, hand *search.Hand, shown []int) error {
	a.noted = append(a.noted, shown...)
	return a.err
}

func known() *alterations {
	const text = "reference test_fix"
	return &alterations{result: &search.Result{Alterations: []search.Alteration{{
		Edit:  alteration.Edit{File: "a_test.txt", Start: len(text), End: len(text), New: " wants other"},
		Tests: []string{"t::test_fix"}, Kind: search.Expected, Blindness: search.Blind, Seen: 2,
	}}}}
}

// playing is a fixture whose works are played by rounds. Nobody else knows the answers.
func playing(t *testing.T, a *alterations, j assay.Judging, secret ...string) *fixture {
	var f *fixture
	f = newFixture(t, func(cfg *verification.Config) {
		cfg.Rounds = verification.Rounds{Alterations: a, Secret: []byte("of the server" + strings.Join(secret, ""))}
		cfg.Judging = func(context.Context, string) (assay.Judging, error) {
			return j.Over(assay.Judging{Feedback: f.feedback}).Over(assay.DefaultJudging()), nil
		}
	})
	f.feedback = assay.FeedbackVerdict
	if err := f.store.SetAnswers(t.Context(), "d", assay.AnswersOperators); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAFixComesThroughRounds(t *testing.T) {
	f := playing(t, known(), assay.Judging{Rounds: 2, RequireAssurance: assay.AssuranceBlind})
	v := f.judged(map[string]string{"a.txt": "fixed\n"})
	if v.Verdict == nil || !v.Verdict.Solved || !strings.Contains(v.Verdict.Reason, "2 rounds in which some were altered") {
		t.Fatalf("%+v, %+v", v.Verdict, v.Failure)
	}
	e := v.Verdict.Evidence
	odds := search.Odds(2)
	if e.Rounds != 2 || e.Odds != odds || e.OddsWithRetries != odds || e.OddsOfAll != odds || e.Assurance != assay.AssuranceBlind ||
		e.Covered != (assay.Covered{Covered: 1, Of: 1}) || e.Exposure != (assay.Exposure{Plays: 1, Reached: 1}) {
		t.Errorf("%+v", e)
	}
	f.onlySessionsLeft()
}

// Who lets the tests pass that it knows lets altered ones pass, too; and each try counts.
func TestRoundsRefuseAForgery(t *testing.T) {
	f := playing(t, known(), assay.Judging{})
	for n := 1; n <= 3; n++ {
		v := f.judged(map[string]string{"judge.py": strings.Repeat("import _pytest.python\n", n)})
		if v.Verdict == nil || v.Verdict.Solved || v.Verdict.Reason != rounds.RefusedReason {
			t.Fatalf("%+v, %+v", v.Verdict, v.Failure)
		}
		e := v.Verdict.Evidence
		if e.Exposure != (assay.Exposure{Plays: n, Reached: n, Refused: n}) || e.Rounds != 3 || e.SecondRun != "" {
			t.Errorf("play %d: %+v", n, e)
		}
		stored, err := f.store.Exposure(t.Context(), user, "d", "s", 1)
		if err != nil || stored != e.Exposure {
			t.Errorf("play %d: stored %+v, %v; told %+v", n, stored, err, e.Exposure)
		}
	}
	v := f.judged(map[string]string{"a.txt": "fixed\n"})
	if e := v.Verdict.Evidence; !v.Verdict.Solved || e.OddsWithRetries != assay.OddsWithRetries(3, search.Odds(3), 3) || e.Odds != search.Odds(3) {
		t.Errorf("after all: %+v", v.Verdict)
	}
	f.onlySessionsLeft()
}

// A work that the plain run refuses is a try as well: who draws anew until it comes through has
// a rule that fits the true tests.
func TestWhatIsNotSolvedIsATry(t *testing.T) {
	f := playing(t, known(), assay.Judging{})
	fix := func(n int) *assay.Evidence {
		v := f.judged(map[string]string{"a.txt": "fixed\n", "b.txt": strings.Repeat("b\n", n)})
		if v.Verdict == nil || !v.Verdict.Solved {
			t.Fatalf("%+v, %+v", v.Verdict, v.Failure)
		}
		return &v.Verdict.Evidence
	}
	for n := range 12 {
		e := fix(n + 1)
		wrong := e.OddsWithRetries != assay.OddsWithRetries(3, search.Odds(3), n) || e.Odds != search.Odds(3) || e.Assurance != assay.AssuranceBlind
		if wrong || e.Exposure != (assay.Exposure{Plays: 2*n + 1, Reached: n + 1}) {
			t.Errorf("after %d works that were not solved: %+v", n, e)
		}
		f.judged(map[string]string{"b.txt": strings.Repeat("c\n", n+1)})
	}
}

// What is not solved costs one run, and nothing is told of rounds.
func TestNoRoundsOfWhatIsNotSolved(t *testing.T) {
	f := playing(t, known(), assay.Judging{RequireAssurance: assay.AssuranceBlind})
	v := f.judged(nil)
	if e := v.Verdict.Evidence; v.Verdict.Solved || e.Rounds != 0 || e.Assurance != "" || e.Exposure != (assay.Exposure{}) {
		t.Errorf("%+v", v.Verdict)
	}
	stored, err := f.store.Exposure(t.Context(), user, "d", "s", 1)
	if err != nil || stored != (assay.Exposure{Plays: 1}) {
		t.Errorf("stored %+v, %v", stored, err)
	}
}

func TestAssuranceThatIsDemanded(t *testing.T) {
	for name, tt := range map[string]struct {
		known *alterations
		least assay.Assurance
		code  assay.Code
	}{
		"nothing is known":          {&alterations{}, assay.AssuranceControlled, assay.CodeAssuranceTooLow},
		"nothing is known or asked": {&alterations{}, assay.AssuranceUncontrolled, ""},
		"enough is known":           {known(), assay.AssuranceBlind, ""},
		"it cannot be read":         {&alterations{err: errors.New("sealed with another key")}, "", assay.CodeInternal},
	} {
		f := playing(t, tt.known, assay.Judging{RequireAssurance: tt.least})
		v := f.judged(map[string]string{"a.txt": "fixed\n"})
		switch {
		case tt.code == "" && (v.Verdict == nil || !v.Verdict.Solved):
			t.Errorf("%s: %+v, %+v", name, v.Verdict, v.Failure)
		case tt.code != "" && (v.Failure == nil || v.Failure.Code != tt.code || strings.Contains(v.Failure.Message, "sealed")):
			t.Errorf("%s: %+v, %+v", name, v.Verdict, v.Failure)
		}
		f.onlySessionsLeft()
	}
}

// The same work of the same user is shown the same rounds, however often it is begun; other
// works, and those of other servers, are not.
func TestWhatIsShown(t *testing.T) {
	shown := func(secret, work string, begunBefore bool) string {
		f := playing(t, known(), assay.Judging{Rounds: 8}, secret)
		v := f.started(f.session(map[string]string{"a.txt": "fixed\n", "other.txt": work}))
		if begunBefore { // by a server that was killed
			if _, err := f.store.NotePlay(t.Context(), v.ID, assay.PlayReached, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		f.work()
		got := f.outcome(v)
		if got.Verdict == nil || !got.Verdict.Solved || got.Verdict.Evidence.Exposure != (assay.Exposure{Plays: 1, Reached: 1}) {
			t.Fatalf("%+v, %+v", got.Verdict, got.Failure)
		}
		return strings.Join(f.shown, "\n")
	}
	first := shown("one", "a", false)
	if n := strings.Count(first, "\n"); n != 8 || !strings.Contains(first, "wants other") {
		t.Errorf("%d rounds were shown:\n%s", n, first)
	}
	if again := shown("one", "a", true); again != first {
		t.Errorf("the second time:\n%s\nand not\n%s", again, first)
	}
	if other := shown("one", "b", false); other == first {
		t.Error("another work is shown the same")
	}
	if other := shown("two", "a", false); other == first {
		t.Error("another server shows the same")
	}
}

// A play that is begun again goes on with the alterations that it began with, whatever a search
// has found meanwhile; one whose hand cannot be opened any more is dealt anew.
func TestAPlayKeepsItsAlterations(t *testing.T) {
	for name, tt := range map[string]struct {
		otherKey bool
		want     string
	}{
		"as it was dealt": {false, "wants other"}, "with another key": {true, "wants more"},
	} {
		t.Run(name, func(t *testing.T) {
			a := known()
			f := playing(t, a, assay.Judging{Rounds: 8})
			v := f.started(f.session(map[string]string{"a.txt": "fixed\n"}))
			ctx, kill := context.WithCancel(t.Context())
			defer kill()
			f.reached = kill // the server ends when rounds begin
			if err := f.Run(ctx, f.claim()); !errors.Is(err, context.Canceled) {
				t.Fatalf("the first attempt: %v", err)
			}
			f.reached = nil
			f.died()
			other := known()
			other.result.Alterations[0].Edit.New = " wants more"
			a.result, a.otherKey, f.shown = other.result, tt.otherKey, nil
			if err := f.Recover(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			f.work()
			if got := f.outcome(v); got.Verdict == nil || !got.Verdict.Solved {
				t.Fatalf("%+v, %+v", got.Verdict, got.Failure)
			}
			shown := strings.Join(f.shown, "\n")
			if strings.Count(shown, "wants") != strings.Count(shown, tt.want) || !strings.Contains(shown, tt.want) {
				t.Errorf("it was shown\n%s", shown)
			}
			f.nothingWaits()
		})
	}
}

// What was shown is counted; that it cannot be costs no verdict.
func TestWhatWasShownIsCounted(t *testing.T) {
	for _, fault := range []error{nil, errors.New("the disk is full")} {
		a := known()
		f := playing(t, a, assay.Judging{})
		v := f.started(f.session(map[string]string{"a.txt": "fixed\n"}))
		f.reached = func() { a.err = fault }
		f.work()
		if got := f.outcome(v); got.Verdict == nil || !got.Verdict.Solved {
			t.Fatalf("%+v, %+v", got.Verdict, got.Failure)
		}
		if want := strings.Count(strings.Join(f.shown, "\n"), "wants"); len(a.noted) != 1 || a.noted[0] != want || want == 0 {
			t.Errorf("noted %v, shown %d times", a.noted, want)
		}
	}
}
