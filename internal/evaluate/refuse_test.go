package evaluate

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
)

func TestRefuse(t *testing.T) {
	for _, tt := range []struct {
		kind    assay.VerifierKind
		grading assay.Grading
		missing []string
	}{
		{assay.VerifierTestSuite, assay.GradingSWEBench, []string{"f1", "p1"}},
		{assay.VerifierTestSuite, assay.GradingExact, []string{"f1", "p1", "x1"}},
		{assay.VerifierCustom, assay.GradingSWEBench, []string{"f1", "p1"}},
		{assay.VerifierLinter, assay.GradingSWEBench, []string{}},
	} {
		sample := &assay.Sample{Version: 3, FailToPass: []string{"f1", "f2"}, PassToPass: []string{"p1"}, FailToFail: []string{"x1"}}
		sample.Task.Grading = tt.grading
		sample.Task.Verifier = assay.Verifier{Kind: tt.kind, Quarantined: []string{"f2"}}
		v := Refuse(sample, "more than 20,000 files were changed")
		if v.Solved || !v.Evidence.NotRun || v.ExitCode != assay.ExitUnknown || !strings.Contains(v.Reason, "more than 20,000 files were changed") {
			t.Errorf("%s: %+v", tt.kind, v)
		}
		if v.Tool != tt.kind || v.Grading != tt.grading || !slices.Equal(v.Missing, tt.missing) || v.Passes == nil || v.Failures == nil || v.Skips == nil || v.Tampering != nil {
			t.Errorf("%s, %s: missing %q of %+v", tt.kind, tt.grading, v.Missing, v)
		}
		if e := v.Evidence; e.SampleVersion != 3 || !slices.Equal(e.Expected.FailToPass, sample.FailToPass) || !slices.Equal(e.Quarantined, []string{"f2"}) {
			t.Errorf("%s: %+v", tt.kind, e)
		}
	}
}

// A work that leaves more reports than are read where its suite will leave them is not
// solved, because nobody can tell them apart.
func TestTooManyStaleReportsAreTheWorks(t *testing.T) {
	sample := &assay.Sample{Dataset: "d", ID: "s", FailToPass: []string{"t"}, Task: assay.Task{
		Image: "img", Workdir: "/work", Language: "python", Grading: assay.GradingSWEBench,
		Verifier: assay.Verifier{Kind: assay.VerifierTestSuite, Command: "run", TimeoutSeconds: 1, Protected: []string{"none"}, Reports: []assay.ReportSpec{{Path: "/reports/*.xml", Format: "junit-xml"}}},
	}}
	base := map[string]memory.File{"/work/a.txt": {Content: []byte("a")}, "/reports/old.xml": {}}
	runtime := memory.New(memory.Options{Images: map[string]memory.Image{"img": {Files: base}}})
	e := New(Config{Runtime: runtime})
	defer e.Close()
	verdict, err := e.Evaluate(t.Context(), Request{ID: "ver_x", Sample: sample, Work: func(_ context.Context, box sandbox.Sandbox) (io.ReadCloser, error) {
		files := box.(*memory.Sandbox).Files()
		for i := range maxReportFiles { // beside the old one
			files.Put(fmt.Sprintf("/reports/%d.xml", i), memory.File{})
		}
		return io.NopCloser(bytes.NewReader(layerOf(nil, 0).Bytes())), nil
	}})
	if err != nil || verdict.Solved || !verdict.Evidence.NotRun || !strings.Contains(verdict.Reason, "/reports/*.xml") {
		t.Errorf("%+v, %v", verdict, err)
	}
	for i := range maxReportFiles {
		base[fmt.Sprintf("/reports/%d.xml", i)] = memory.File{}
	}
	if verdict, err = e.EvaluatePatch(t.Context(), sample, ""); err == nil {
		t.Errorf("an image that has too many: %+v", verdict)
	}
}
