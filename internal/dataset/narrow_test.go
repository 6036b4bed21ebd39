package dataset

import (
	"context"
	"slices"
	"strings"
	"testing"

	"assay"
)

// narrowJudge judges samples whose command is not the dataset's own as it is told.
type narrowJudge struct {
	judge
	asked  []*assay.Sample
	solved bool
	err    error
}

func (j *narrowJudge) EvaluatePatch(ctx context.Context, s *assay.Sample, patchText string) (*assay.Verdict, error) {
	if !strings.HasPrefix(s.Task.Verifier.Command, "narrow ") {
		return j.judge.EvaluatePatch(ctx, s, patchText)
	}
	j.asked = append(j.asked, s)
	if patchText != s.ReferencePatch() {
		return nil, assay.Errorf(assay.CodeInternal, "judged something else than the reference fix")
	}
	return &assay.Verdict{Solved: j.solved, Reason: "1 of 1 did not pass"}, j.err
}

func TestTheCommandForSomeTestsIsTriedWithTheReference(t *testing.T) {
	commanded := func(commandFor string) string {
		return row(t, map[string]any{
			"FAIL_TO_PASS": []string{"example.com/a::TestA/x y", "example.com/a::TestFlaky"}, "PASS_TO_PASS": []string{"example.com/a::TestKept"},
			"assay": map[string]any{"verifier": map[string]any{
				"command_for": commandFor, "quarantined": []string{"example.com/a::TestFlaky"},
				"canaries": []any{map[string]any{"path": "c_test.go", "text": "x", "id": "{nonce}"}},
			}},
		})
	}
	for name, tt := range map[string]*struct {
		commandFor string
		judge      narrowJudge
		asked      bool
		note       string
	}{
		"none":      {"", narrowJudge{}, false, ""},
		"it runs":   {"narrow {tests} {files}", narrowJudge{solved: true}, true, ""},
		"it fails":  {"narrow {tests} {files}", narrowJudge{}, true, "command_for is not used: with the reference fix it does not report the fail_to_pass tests as passed: 1 of 1 did not pass"},
		"no report": {"narrow {tests}", narrowJudge{err: assay.Errorf(assay.CodeSuiteNotRun, "no report")}, true, "command_for is not used: it could not be run: no report"},
		"not valid": {"narrow {tests}", narrowJudge{solved: true, judge: judge{fixFails: map[string]bool{"acme__app-1.0.0": true}}}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newService(t, Config{})
			line := commanded(tt.commandFor)
			if tt.commandFor == "" {
				line = row(t, nil)
			}
			importLines(t, s, line)
			report, err := s.Validate(t.Context(), &tt.judge, ValidateRequest{Dataset: "small"})
			if err != nil {
				t.Fatal(err)
			}
			v, good := report.Samples[0], tt.asked && tt.note == ""
			if v.Note != tt.note || v.Narrow != good || len(tt.judge.asked) > 0 != tt.asked {
				t.Errorf("note %q, narrow %v, asked %d", v.Note, v.Narrow, len(tt.judge.asked))
			}
			if stored, err := s.Narrow(t.Context(), "small", "acme__app-1.0.0", 1); err != nil || stored != good {
				t.Errorf("it may be used: %v, %v; want %v", stored, err, good)
			}
			if !tt.asked {
				return
			}
			got := tt.judge.asked[0]
			if want := "narrow '^(TestA)$'"; !strings.HasPrefix(got.Task.Verifier.Command, want) {
				t.Errorf("ran %q, want %q", got.Task.Verifier.Command, want)
			}
			if !slices.Equal(got.FailToPass, []string{"example.com/a::TestA/x y"}) || len(got.PassToPass) > 0 || got.Task.Verifier.Canaries != nil {
				t.Errorf("it was graded by %q, %q and %v", got.FailToPass, got.PassToPass, got.Task.Verifier.Canaries)
			}
		})
	}
}

func TestACommandForSomeTestsNamesThem(t *testing.T) {
	for command, want := range map[string]string{
		"go test":           "assay.verifier.command_for: ",
		"go test '{files}'": "assay.verifier.command_for: {files} stands beside a quotation mark",
	} {
		_, err := ReadFolder(folder(t, goodManifest, row(t, map[string]any{"assay": map[string]any{"verifier": map[string]any{"command_for": command}}})))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", command, err)
		}
	}
}
