package dataset

import (
	"errors"
	"strings"
	"testing"

	"assay"
)

// judgedFolder is a folder whose dataset.yaml has some lines more.
func judgedFolder(t *testing.T, lines string) string {
	t.Helper()
	return folder(t, goodManifest+"\n"+lines, row(t, nil))
}

func TestHowADatasetIsJudged(t *testing.T) {
	s, _ := newService(t, Config{Judging: assay.Judging{Rounds: 4, Feedback: assay.FeedbackVerdict}})
	said := func(lines string) []string {
		t.Helper()
		got, err := s.Import(t.Context(), judgedFolder(t, lines))
		if err != nil {
			t.Fatal(err)
		}
		return got.Unheard
	}
	holds := func(want assay.Judging) {
		t.Helper()
		want = want.Over(assay.Judging{
			Rounds: 4, MaxOdds: 1, RequireAssurance: assay.AssuranceUncontrolled,
			Fresh: assay.FreshInform, Feedback: assay.FeedbackVerdict, Known: assay.KnownPrivate,
		})
		got, err := s.Judging(t.Context(), "small")
		if err != nil || got != want {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
		d, err := s.Dataset(t.Context(), "small")
		if err != nil || d.Judging != want {
			t.Errorf("the dataset has %+v, %v; want %+v", d.Judging, err, want)
		}
		all, err := s.Datasets(t.Context())
		if err != nil || len(all) != 1 || all[0].Judging != want {
			t.Errorf("the list has %+v, %v", all, err)
		}
		sample, err := s.Sample(t.Context(), "small", "acme__app-1.0.0", 0)
		if err != nil || sample.Judging != want {
			t.Errorf("the sample has %+v, %v; want %+v", sample.Judging, err, want)
		}
		err = s.SamplesFor(t.Context(), Anybody, Query{}, func(sample *assay.Sample) error {
			if sample.Judging != want {
				t.Errorf("a listed sample has %+v; want %+v", sample.Judging, want)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	said("")
	holds(assay.Judging{})
	said("rounds: 6\nmax_odds: 0.01\nrequire_assurance: blind\nfresh: off\nfeedback: full\nknown: public\n")
	folder := assay.Judging{Rounds: 6, MaxOdds: 0.01, RequireAssurance: assay.AssuranceBlind, Fresh: assay.FreshOff, Feedback: assay.FeedbackFull, Known: assay.KnownPublic}
	holds(folder)
	if _, err := s.SetJudging(t.Context(), "small", JudgingChange{Rounds: new(8), Known: new(assay.KnownPrivate)}); err != nil {
		t.Fatal(err)
	}
	set := assay.Judging{Rounds: 8, Known: assay.KnownPrivate}
	holds(set.Over(folder))
	if got := said("rounds: 5\n"); len(got) != 1 || !strings.Contains(got[0], "its rounds stays 8, as an operator set it, and not 5") {
		t.Errorf("of what an operator set otherwise an import says %q", got)
	}
	holds(set)
	if _, err := s.SetJudging(t.Context(), "small", JudgingChange{Rounds: new(0)}); err != nil {
		t.Fatal(err)
	}
	holds(assay.Judging{Rounds: 5, Known: assay.KnownPrivate})
}

func TestWhatNoJudgingIs(t *testing.T) {
	for lines, want := range map[string]string{
		"rounds: 0\n":                "rounds: ",
		"rounds: 9\n":                "rounds: ",
		"rounds: 2.5\n":              "rounds: ",
		"max_odds: 0\n":              "max_odds: ",
		"max_odds: 1.5\n":            "max_odds: ",
		"require_assurance: total\n": "require_assurance: ",
		"fresh: always\n":            "fresh: ",
		"feedback: some\n":           "feedback: ",
		"known: partly\n":            "known: ",
	} {
		_, err := ReadFolder(judgedFolder(t, lines))
		var faults *FaultsError
		if !errors.As(err, &faults) || len(faults.Faults) != 1 || !strings.Contains(faults.Error(), want) {
			t.Errorf("%q: %v", lines, err)
		}
	}
	s, _ := newService(t, Config{})
	importLines(t, s, row(t, nil))
	for _, c := range []JudgingChange{{Rounds: new(9)}, {MaxOdds: new(1.5)}, {RequireAssurance: new(assay.Assurance("x"))}, {Fresh: new(assay.Fresh("x"))}, {Feedback: new(assay.Feedback("x"))}, {Known: new(assay.Known("x"))}} {
		if _, err := s.SetJudging(t.Context(), "small", c); assay.CodeOf(err) != assay.CodeInvalid {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := s.SetJudging(t.Context(), "none", JudgingChange{Rounds: new(2)}); assay.CodeOf(err) != assay.CodeDatasetNotFound {
		t.Errorf("of no dataset: %v", err)
	}
	if j, err := s.Judging(t.Context(), "small"); err != nil || j != assay.DefaultJudging() {
		t.Errorf("it holds %+v, %v", j, err)
	}
}
