package dataset

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay"
)

func latest(t *testing.T, s *Service, id string) *assay.Sample {
	t.Helper()
	sample, err := s.Sample(t.Context(), "small", id, 0)
	if err != nil {
		t.Fatal(err)
	}
	return sample
}

func TestFlakesAreQuarantinedOnlyOnTheOperatorsWord(t *testing.T) {
	s, _ := newService(t, Config{})
	importTwoTests(t, s, "a", "b")
	flaking := func() *script {
		return &script{answers: map[string][]answer{"a reference": {{tests: "pp"}, {tests: "pf"}, {tests: "pp"}}}}
	}
	if v := validateAll(t, s, flaking(), 2).Samples[0]; v.Valid() || latest(t, s, "a").Version != 1 {
		t.Errorf("before a word was said: valid %v, version %d", v.Valid(), latest(t, s, "a").Version)
	}
	changed, err := s.QuarantineFlaky(t.Context(), "small", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(changed) != 1 || changed[0].ID != "a" || changed[0].Version != 2 || changed[0].VersionDescription != " [quarantined: keep]" {
		t.Fatalf("quarantined %+v", changed)
	}

	// The runs of the old version do not count for the new one, and the test that flakes
	// is listed and does not matter.
	report := validateAll(t, s, flaking(), 2)
	v := report.Samples[0]
	if report.Made != 4 || !v.Valid() || v.Flaky() || len(v.Flakes) != 1 || !v.Flakes[0].Quarantined {
		t.Errorf("made %d, %+v", report.Made, v)
	}
	if again, err := s.QuarantineFlaky(t.Context(), "small", nil); err != nil || len(again) != 0 {
		t.Errorf("quarantined once more: %v, %v", again, err)
	}
}

func TestAnImportKeepsTheQuarantineUntilItIsRemoved(t *testing.T) {
	s, _ := newService(t, Config{})
	importTwoTests(t, s, "a")
	got, err := s.Quarantine(t.Context(), "small", "a", []string{"keep"})
	if err != nil || got.Version != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	importTwoTests(t, s, "a")
	if got := latest(t, s, "a"); got.Version != 2 {
		t.Errorf("the same folder made version %d", got.Version)
	}
	change := map[string]any{"instance_id": "a", "FAIL_TO_PASS": []string{"fix"}, "PASS_TO_PASS": []string{"keep", "more"}, "version_description": "more tests"}
	importLines(t, s, row(t, change))
	got = latest(t, s, "a")
	if diff := cmp.Diff([]string{"keep"}, got.Task.Verifier.Quarantined); diff != "" || got.VersionDescription != "more tests [quarantined: keep]" {
		t.Errorf("a changed row has the description %q and the quarantine %s", got.VersionDescription, diff)
	}
	if got, err = s.Release(t.Context(), "small", "a", nil); err != nil {
		t.Fatal(err)
	}
	if got.Version != 4 || len(got.Task.Verifier.Quarantined) != 0 || got.VersionDescription != "more tests" {
		t.Errorf("after the release: %+v", got)
	}
	importLines(t, s, row(t, change))
	if got := latest(t, s, "a"); got.Version != 4 {
		t.Errorf("after the release the same folder made version %d", got.Version)
	}
}

func TestQuarantineLeavesATestThatShowsTheFix(t *testing.T) {
	s, _ := newService(t, Config{})
	importLines(t, s, row(t, map[string]any{"instance_id": "a", "FAIL_TO_PASS": []string{"one", "two"}}))
	for _, c := range []struct {
		tests []string
		code  assay.Code
	}{
		{[]string{"one", "two"}, assay.CodeInvalid},
		{[]string{"three"}, assay.CodeInvalid},
		{[]string{"one"}, ""},
		{[]string{"two"}, assay.CodeInvalid},
	} {
		if _, err := s.Quarantine(t.Context(), "small", "a", c.tests); assay.CodeOf(err) != c.code {
			t.Errorf("%v: got %v, want code %q", c.tests, err, c.code)
		}
	}
	if _, err := s.Release(t.Context(), "small", "a", []string{"two"}); assay.CodeOf(err) != assay.CodeInvalid {
		t.Errorf("a test was released that was free: %v", err)
	}
	if _, err := s.Quarantine(t.Context(), "small", "none", []string{"one"}); assay.CodeOf(err) != assay.CodeSampleNotFound {
		t.Errorf("got %v", err)
	}
	// An import under which nothing would be left is refused, whole.
	if _, err := s.Import(t.Context(), folder(t, goodManifest, row(t, map[string]any{"instance_id": "a", "FAIL_TO_PASS": []string{"one"}}))); assay.CodeOf(err) != assay.CodeInvalid {
		t.Errorf("got %v", err)
	}
}

func TestLiftingUndoesLaying(t *testing.T) {
	for name, s := range map[string]*assay.Sample{
		"plain":           {FailToPass: []string{"a", "b"}, PassToPass: []string{"c", "d"}},
		"described":       {FailToPass: []string{"a", "b"}, PassToPass: []string{"c", "d"}, VersionDescription: "first"},
		"has some itself": {FailToPass: []string{"a", "b"}, PassToPass: []string{"c", "d"}, Task: assay.Task{Verifier: assay.Verifier{Quarantined: []string{"d"}}}},
	} {
		for _, tests := range [][]string{nil, {"c"}, {"c", "a"}, {"unknown"}} {
			before := *s
			laid, err := LayQuarantine(s, tests)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&before, LiftQuarantine(laid, tests)); diff != "" {
				t.Errorf("%s, %v:\n%s", name, tests, diff)
			}
			if diff := cmp.Diff(&before, s); diff != "" {
				t.Errorf("%s, %v: the sample itself was changed:\n%s", name, tests, diff)
			}
		}
	}
}
