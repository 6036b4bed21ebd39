package assay

import (
	"math"
	"strings"
	"testing"
)

func TestAssurancesAreInOrder(t *testing.T) {
	all := append([]Assurance{"", "sure"}, Assurances()...)
	for i, a := range all {
		for j, least := range all {
			want := i >= j
			switch {
			case least == "":
				want = true
			case least == "sure":
				want = false // nothing is as good as what is not known
			case i < 2:
				want = false
			}
			if got := a.AtLeast(least); got != want {
				t.Errorf("%q is at least %q: %v, want %v", a, least, got, want)
			}
		}
	}
	if !AssuranceBlind.AtLeast(AssuranceControlled) || AssuranceControlledPartial.AtLeast(AssuranceControlled) {
		t.Error("the order is another one")
	}
}

func TestJudgingIsLaidOverFieldByField(t *testing.T) {
	below := Judging{Rounds: 3, MaxOdds: 0.5, RequireAssurance: AssuranceControlled, Fresh: FreshInform, Feedback: FeedbackFull, Known: KnownPrivate}
	if got := (Judging{}).Over(below); got != below {
		t.Errorf("nothing changed something: %+v", got)
	}
	top := Judging{Rounds: 7, MaxOdds: 0.01, RequireAssurance: AssuranceBlind, Fresh: FreshOff, Feedback: FeedbackVerdict, Known: KnownPublic}
	if got := top.Over(below); got != top {
		t.Errorf("something stayed: %+v", got)
	}
	want := below
	want.Rounds = 7
	if got := (Judging{Rounds: 7}).Over(below); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestJudgingTellsAllThatIsWrong(t *testing.T) {
	for _, good := range []Judging{{}, DefaultJudging(), {Rounds: 1, MaxOdds: 1}, {Rounds: MaxRounds, MaxOdds: 1e-9, RequireAssurance: AssuranceBlindPartial}} {
		if err := good.Validate(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	bad := Judging{Rounds: 9, MaxOdds: 1.5, RequireAssurance: "sure", Fresh: "yes", Feedback: "none", Known: "secret"}
	err := bad.Validate()
	if err == nil {
		t.Fatal("everything is right")
	}
	for _, want := range []string{
		"rounds: 9 is not within 1 and 8", "max_odds: 1.5", `require_assurance: "sure" is none of uncontrolled, controlled_partial, controlled, blind_partial, blind`,
		`fresh: "yes"`, `feedback: "none"`, `known: "secret" is none of public, private`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told: %v", want, err)
		}
	}
	for _, odds := range []float64{-0.1, math.NaN(), math.Inf(1)} {
		if err := (Judging{MaxOdds: odds}).Validate(); err == nil {
			t.Errorf("odds of %v are right", odds)
		}
	}
	if err := (Judging{Rounds: -1}).Validate(); err == nil {
		t.Error("-1 rounds are right")
	}
}

func TestTheLesserFeedbackHolds(t *testing.T) {
	for _, f := range []Feedback{"", FeedbackFull} {
		if got := f.Least(FeedbackFull); got != FeedbackFull {
			t.Errorf("%q and full are %q", f, got)
		}
		if f.Least(FeedbackVerdict) != FeedbackVerdict || FeedbackVerdict.Least(f) != FeedbackVerdict {
			t.Errorf("%q and verdict are more than verdict", f)
		}
	}
}
