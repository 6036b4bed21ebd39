package search

import (
	"context"
	"errors"
	"strings"
	"testing"

	"assay"
	"assay/internal/evaluate"
)

// Samples of which nothing can be altered have a result that says why.
func TestSamplesWithoutAlterations(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*assay.Sample)
		reason string
		tests  int
	}{
		"nothing to solve": {func(s *assay.Sample) { s.FailToPass = nil }, "", 0},
		"all is quarantined": {func(s *assay.Sample) {
			s.Task.Verifier.Quarantined = s.FailToPass
		}, "", 0},
		"no tests of its own": {func(s *assay.Sample) {
			s.TestPatch = ""
			s.FailToPass = []string{"tests.test_old::test_kept_in_the_image"}
		}, "", 1},
		"a test that is not there": {func(s *assay.Sample) { s.FailToPass = []string{ids("gone")} }, "it does not pass each time with the reference fix", 1},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, words())
			s := l.toy.sample()
			tt.change(s)
			r := l.search(t, Request{Sample: s, Seed: 1, Fresh: true})
			if len(r.Tests) != tt.tests || tt.tests > 0 && (r.Tests[0].Reason == "" || !strings.Contains(r.Tests[0].Reason, tt.reason)) || len(r.Fresh) > 0 || r.Spent {
				t.Errorf("%s", told(r))
			}
			for _, a := range r.Alterations {
				if a.Blind() {
					t.Errorf("%+v", a)
				}
			}
		})
	}
}

// So have samples in a language that is not known.
func TestAnUnknownLanguage(t *testing.T) {
	y := words()
	y.tests = map[string]string{"tests/words.zig": words().tests["tests/test_words.py"]}
	y.language, y.solves = "zig", []string{"tests.words.zig::test_shout"}
	r := search(t, y, Request{Seed: 1, Fresh: true})
	if len(r.Alterations) > 0 || r.Candidates != 0 || r.Runs > 4 || len(r.Tests) != 1 || r.Tests[0].Reason != "there is no candidate in it" {
		t.Error(told(r))
	}
}

// What is wrong with a sample is an error that names it, and no result.
func TestSamplesThatCannotBeSearched(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*assay.Sample)
		says   string
		code   assay.Code
	}{
		"the reference fix passes nothing": {func(s *assay.Sample) { s.Patch = replacing(codeFile, words().base, "# nothing\n") }, "no test of sample toys/toy passes with the reference fix", ""},
		"the reference fix does not apply": {func(s *assay.Sample) { s.Patch = replacing(codeFile, "other = same\n", "x = same\n") }, "toys/toy", assay.CodePatchFailed},
		"the tests do not apply":           {func(s *assay.Sample) { s.TestPatch = replacing("tests/test_old.py", "other\n", "x\n") }, "toys/toy", ""},
		"there is no image":                {func(s *assay.Sample) { s.Task.Image = "gone" }, "toys/toy", ""},
	} {
		t.Run(name, func(t *testing.T) {
			y := words()
			y.old = nil
			l := newLab(t, y)
			s := y.sample()
			tt.change(s)
			r, err := Search(t.Context(), l, Request{Sample: s})
			if err == nil || r != nil || !strings.Contains(err.Error(), tt.says) || tt.code != "" && assay.CodeOf(err) != tt.code {
				t.Errorf("%+v, %v", r, err)
			}
			if len(l.asked) > 2 {
				t.Errorf("%d runs", len(l.asked))
			}
		})
	}
}

// An error that does not pass ends a search, wherever it is.
func TestAnErrorEndsASearch(t *testing.T) {
	whole := newLab(t, words()).search(t, Request{Seed: 1, Fresh: true})
	lost := errors.New("the host is gone")
	for after := 0; after < whole.Runs; after += 3 {
		l := newLab(t, words())
		l.before = func(evaluate.TrialRequest) error {
			if len(l.asked) > after {
				return lost
			}
			return nil
		}
		r, err := Search(t.Context(), l, Request{Sample: words().sample(), Seed: 1, Fresh: true})
		if !errors.Is(err, lost) || r != nil || len(l.asked) != after+2 || !strings.Contains(err.Error(), "toys/toy") {
			t.Errorf("after %d: %d tries, %+v, %v", after, len(l.asked), r, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Search(ctx, newLab(t, words()), Request{Sample: words().sample()}); !errors.Is(err, context.Canceled) {
		t.Errorf("a search that was ended before: %v", err)
	}
}
