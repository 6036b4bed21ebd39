package dataset

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"assay"
)

// judge is a Judge that knows what each sample deserves.
type judge struct {
	emptySolves  map[string]bool
	fixFails     map[string]bool
	broken       map[string]error
	running, top atomic.Int32
	gate         chan struct{} // if set, each judgement waits for one token
}

func (j *judge) EvaluatePatch(ctx context.Context, s *assay.Sample, patchText string) (*assay.Verdict, error) {
	n := j.running.Add(1)
	defer j.running.Add(-1)
	for top := j.top.Load(); n > top && !j.top.CompareAndSwap(top, n); top = j.top.Load() {
	}
	if j.gate != nil {
		select {
		case <-j.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err := j.broken[s.ID]; err != nil {
		return nil, err
	}
	if patchText == "" {
		return &assay.Verdict{Solved: j.emptySolves[s.ID]}, nil
	}
	if patchText != s.ReferencePatch() {
		return nil, errors.New("judged something else than the reference fix")
	}
	if j.fixFails[s.ID] {
		return &assay.Verdict{Reason: "1 of 1 fail_to_pass tests did not pass"}, nil
	}
	return &assay.Verdict{Solved: true}, nil
}

func importIDs(t *testing.T, s *Service, ids ...string) {
	t.Helper()
	var lines []string
	for _, id := range ids {
		lines = append(lines, row(t, map[string]any{"instance_id": id}))
	}
	importLines(t, s, lines...)
}

func TestValidate(t *testing.T) {
	s, _ := newService(t, Config{})
	importIDs(t, s, "good", "vacuous", "unfixed", "broken")
	j := &judge{
		emptySolves: map[string]bool{"vacuous": true},
		fixFails:    map[string]bool{"unfixed": true},
		broken:      map[string]error{"broken": assay.Errorf(assay.CodeImageUnavailable, "no image")},
	}
	var started, runs, ran, done int
	report, err := s.Validate(t.Context(), j, ValidateRequest{
		Dataset: "small",
		Workers: 3,
		Started: func(n, m int) { started, runs = n, m },
		Ran:     func(*Run) { ran++ },
		Done:    func(Validation) { done++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	if started != 4 || done != 4 || runs != 8 || ran != 8 {
		t.Errorf("progress told of %d samples and %d ends, %d runs and %d ends; want 4 and 8", started, done, runs, ran)
	}
	want := map[string]string{
		"good":    "",
		"vacuous": "the empty patch passes: the tests do not tell whether the task is solved",
		"unfixed": "the reference fix does not pass: 1 of 1 fail_to_pass tests did not pass",
		"broken":  "the empty patch could not be judged: no image|the reference fix could not be judged: no image",
	}
	for _, v := range report.Samples {
		if reasons := strings.Join(v.Reasons, "|"); reasons != want[v.SampleID] || v.Valid() != (v.SampleID == "good") {
			t.Errorf("%s: got %q, want %q", v.SampleID, reasons, want[v.SampleID])
		}
	}
}

func TestValidateSomeSamples(t *testing.T) {
	s, _ := newService(t, Config{})
	importIDs(t, s, "a", "b", "c")
	report, err := s.Validate(t.Context(), &judge{}, ValidateRequest{Dataset: "small", Samples: []string{"c", "a", "c"}})
	if err != nil {
		t.Fatal(err)
	}
	got := report.Samples
	if len(got) != 2 || got[0].SampleID != "c" || got[1].SampleID != "a" {
		t.Errorf("got %+v", got)
	}
	_, err = s.Validate(t.Context(), &judge{}, ValidateRequest{Dataset: "small", Samples: []string{"a", "x", "y"}})
	if err == nil || !strings.Contains(err.Error(), "sample x") || !strings.Contains(err.Error(), "sample y") {
		t.Errorf("got %v, want both unknown samples named", err)
	}
	_, err = s.Validate(t.Context(), &judge{}, ValidateRequest{Dataset: "none"})
	if assay.CodeOf(err) != assay.CodeDatasetNotFound {
		t.Errorf("got %v, want dataset_not_found", err)
	}
}

func TestValidateRunsAtMostSoManyAtOnce(t *testing.T) {
	s, _ := newService(t, Config{})
	importIDs(t, s, "a", "b", "c", "d", "e", "f")
	j := &judge{gate: make(chan struct{})}
	go func() {
		for range 24 {
			j.gate <- struct{}{}
		}
	}()
	if _, err := s.Validate(t.Context(), j, ValidateRequest{Dataset: "small", Workers: 2, Runs: 2}); err != nil {
		t.Fatal(err)
	}
	if top := j.top.Load(); top > 2 {
		t.Errorf("%d ran at once, want at most 2", top)
	}
}

func TestValidateEndsWithItsContext(t *testing.T) {
	s, _ := newService(t, Config{})
	importIDs(t, s, "a", "b")
	ctx, cancel := context.WithCancel(t.Context())
	j := &judge{gate: make(chan struct{})}
	_, err := s.Validate(ctx, j, ValidateRequest{
		Dataset: "small",
		Started: func(int, int) { cancel() },
		Done:    func(v Validation) { t.Errorf("%s was judged", v.SampleID) },
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestReferencePatchJoinsBothPatches(t *testing.T) {
	for _, c := range []struct{ patch, other, want string }{
		{"a\n", "", "a\n"},
		{"a", "", "a"},
		{"a\n", "b\n", "a\nb\n"},
		{"a", "b\n", "a\nb\n"},
		{"", "b\n", "b\n"},
	} {
		if got := (&assay.Sample{Patch: c.patch, NonCodePatch: c.other}).ReferencePatch(); got != c.want {
			t.Errorf("%q and %q: got %q, want %q", c.patch, c.other, got, c.want)
		}
	}
}
