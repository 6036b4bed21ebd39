package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"assay"
)

// knownReports replace the reports of a dataset whose logs nothing here reads.
const knownReports = `verifier.reports=[{path: "-", format: junit-xml}]`

func importForeign(t *testing.T, s *Service, req ForeignRequest) (*Import, *ForeignReport) {
	t.Helper()
	got, report, err := s.ImportForeign(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return got, report
}

func rows(dir string) string { return filepath.Join("foreign", "testdata", dir) }

// foreignFaults imports a dataset that is wrong.
func foreignFaults(t *testing.T, req ForeignRequest) string {
	t.Helper()
	s, store := newService(t, Config{})
	_, _, err := s.ImportForeign(t.Context(), req)
	var faults *FaultsError
	if !errors.As(err, &faults) {
		t.Fatalf("got %v, want faults", err)
	}
	if len(store.datasets)+len(store.samples) != 0 {
		t.Error("half a dataset was stored")
	}
	return err.Error()
}

func TestImportOfAForeignDatasetIsLikeAnyOther(t *testing.T) {
	s, _ := newService(t, Config{})
	req := ForeignRequest{Path: rows("swe-bench-verified"), Name: "verified", Set: []string{knownReports}}
	got, report := importForeign(t, s, req)
	if got.Dataset != "verified" || got.Samples != 5 || got.Added != 5 || report.Format != "swe-bench" || report.Read != 5 {
		t.Errorf("got %+v and %+v", got, report)
	}
	if notes := strings.Join(report.Notes, "\n"); !strings.Contains(notes, `1 expected tests have names without a letter, such as "#15789" of django__django-15863`) {
		t.Errorf("the notes are %q", notes)
	}
	got, _ = importForeign(t, s, req)
	if diff := cmp.Diff(ImportResult{Unchanged: 5}, got.ImportResult); diff != "" {
		t.Errorf("doing it again (-want +got):\n%s", diff)
	}
	req.Set = append(req.Set, "verifier.timeout_seconds=60")
	got, _ = importForeign(t, s, req)
	if diff := cmp.Diff(ImportResult{Changed: 5}, got.ImportResult); diff != "" {
		t.Errorf("with another setting (-want +got):\n%s", diff)
	}
}

// TestStepsThatWereTakenOutAreTold: of the commands of the rows, not of the user's own.
func TestStepsThatWereTakenOutAreTold(t *testing.T) {
	said := func(set ...string) string {
		s, _ := newService(t, Config{})
		_, report := importForeign(t, s, ForeignRequest{Path: rows("swe-bench-verified"), Name: "verified", Set: append(set, knownReports)})
		return strings.Join(report.Notes, "\n")
	}
	want := "of the commands of 5 tasks, steps were taken out that a verification does by itself, or that only print the tree: " +
		"git apply of the test patch (5); git checkout, rm of the tests (10)"
	if got := said(); !strings.Contains(got, want) {
		t.Errorf("the notes are %q, want %q", got, want)
	}
	if got := said("verifier.command=pytest -rA"); strings.Contains(got, "taken out") {
		t.Errorf("the notes are %q", got)
	}
}

// TestForeignSamplesFitAssaysOwnFormat: what is imported can be exported, and imported
// again, without a difference.
func TestForeignSamplesFitAssaysOwnFormat(t *testing.T) {
	for _, req := range []ForeignRequest{
		{Path: rows("swe-bench-verified"), Set: []string{knownReports}},
		{Path: rows("swe-bench-multilingual"), Set: []string{knownReports}, SkipUnsupported: true},
		{Path: rows("swe-bench-classic"), Set: []string{knownReports, "verifier.command=pytest -rA"}},
		{Path: rows("swe-gym"), Format: "swe-gym", Set: []string{knownReports, "verifier.command=pytest -rA"}},
		{Path: rows("swe-bench-pro"), Set: []string{"verifier.command=true"}},
		{Path: rows("swe-bench-live"), Set: []string{knownReports}, SkipUnsupported: true},
		{Path: rows("swe-rebench"), Set: []string{knownReports}},
		{Path: rows("multi-swe-bench"), Set: []string{knownReports}},
		{Path: rows("r2e-gym"), Set: []string{knownReports}},
		{Path: rows("codeset-gym")},
		{Path: rows("gitbug-java")},
		{Path: rows("harbor"), Set: []string{knownReports}, SkipUnsupported: true},
		{Path: rows("terminal-bench"), Set: []string{knownReports}},
	} {
		t.Run(filepath.Base(req.Path), func(t *testing.T) {
			req.Name = "small"
			folder, _, err := ReadForeign(req)
			if err != nil {
				t.Fatal(err)
			}
			for _, sample := range folder.Samples {
				line, err := json.Marshal(documentOf(sample))
				if err != nil {
					t.Fatal(err)
				}
				again := readOne(t, "schema: 1\nname: small\n", string(line))
				if diff := cmp.Diff(sample, again, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s is another sample (-want +got):\n%s", sample.ID, diff)
				}
			}
		})
	}
}

func TestOneRowThatCannotBeJudgedRefusesTheDataset(t *testing.T) {
	for name, c := range map[string]struct {
		req  ForeignRequest
		want string
		rest int
	}{
		"no test": {
			ForeignRequest{Path: rows("swe-bench-multilingual"), Set: []string{knownReports}},
			"rows.parquet:6: tokio-rs__axum-1730 cannot be judged: it has no fail_to_pass test", 6,
		},
		"absence counts as success": {
			ForeignRequest{Path: rows("swe-bench-multimodal"), Set: []string{knownReports}},
			"rows.jsonl:2: markedjs__marked-1535 cannot be judged: its eval_type is fail_only", 1,
		},
		"a secret of the host": {
			ForeignRequest{Path: rows("harbor"), Set: []string{knownReports}},
			"needs-key: needs-key cannot be judged: its verifier needs ${MODEL_KEY} of the host", 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := foreignFaults(t, c.req); !strings.Contains(got, c.want) || !strings.Contains(got, "--skip-unsupported") {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
			c.req.SkipUnsupported = true
			s, _ := newService(t, Config{})
			got, report := importForeign(t, s, c.req)
			if got.Samples != c.rest || len(report.Skipped) != report.Read-c.rest {
				t.Errorf("%d samples, %d of %d left out; want %d samples", got.Samples, len(report.Skipped), report.Read, c.rest)
			}
			said := false
			for _, f := range report.Skipped {
				said = said || strings.HasPrefix(f.String(), c.want)
			}
			if !said {
				t.Errorf("%q is not among %q", c.want, report.Skipped)
			}
		})
	}
}

// TestLogsThatNothingReads: a dataset is not imported as an empty one because none of
// its rows can be judged.
func TestLogsThatNothingReads(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(rows("swe-rebench"), "rows.json"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rows.json")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "parse_log_", "parse_log_of_mine_")), 0o600); err != nil {
		t.Fatal(err)
	}
	want := "rows.json:1: unidata__netcdf-c-1925 cannot be judged: no format of reports stands for parse_log_of_mine_jq"
	if got := foreignFaults(t, ForeignRequest{Path: file}); !strings.Contains(got, want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
	got := foreignFaults(t, ForeignRequest{Path: file, SkipUnsupported: true})
	if !strings.Contains(got, "none of the 2 rows can be judged") {
		t.Errorf("got %s", got)
	}
}

func TestForeignFaultsNameFileRowAndColumn(t *testing.T) {
	row := func(change ...string) string {
		text := `{"instance_id": "a", "problem_statement": "p", "FAIL_TO_PASS": ["t"], "PASS_TO_PASS": [], "patch": "` +
			strings.ReplaceAll(goodPatch, "\n", `\n`) + `", "test_patch": "", "version": "1", "environment_setup_commit": "", "eval_script": "true", "log_parser": "parse_log_pytest"}`
		return strings.NewReplacer(change...).Replace(text)
	}
	for name, c := range map[string]struct {
		row, want string
		set       []string
	}{
		"a patch":      {row(goodPatch[:10], "please fix"), "rows.jsonl:2: patch: ", nil},
		"tests twice":  {row(`"PASS_TO_PASS": []`, `"PASS_TO_PASS": ["t"]`), `rows.jsonl:2: pass_to_pass: "t" stands in fail_to_pass as well`, nil},
		"a type":       {row(`"version": "1"`, `"hints_text": 1, "version": "1"`), "rows.jsonl:2: hints_text: is a number, not a string", nil},
		"an id":        {row(`"a"`, `"a/b"`), "rows.jsonl:2: instance_id: 'a/b' does not match pattern", nil},
		"an id twice":  {row() + "\n" + row(), "rows.jsonl:3: instance_id: a stands in rows.jsonl:2 already", nil},
		"an image":     {row(), "rows.jsonl:2: assay.image: ", []string{"image=Not An Image"}},
		"placeholders": {row(), "rows.jsonl:2: assay.image: ", []string{"image=x/{task}"}},
		"no command": {
			row(`"true"`, `""`),
			"rows.jsonl:2: assay.verifier.command: is not known: rows of SWE-bench bring it as eval_script since version 5, and this one does not; give it with --set verifier.command=...", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "rows.jsonl")
			if err := os.WriteFile(file, []byte("\n"+c.row+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			req := ForeignRequest{Path: file, Set: append(c.set, knownReports)}
			if got := foreignFaults(t, req); !strings.Contains(got, c.want) {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestSettingsAreLaidOverEverySample(t *testing.T) {
	folder, _, err := ReadForeign(ForeignRequest{Path: rows("codeset-gym"), Name: "python", Set: []string{
		"image=registry.example/codeset/{image}", "resources.memory_mb=4096", "resources.cpus=1.5", "env.CI=1",
		"verifier.command=1", "verifier.user=nobody", "grading=swe-bench", "verifier.quarantined=[a, b]",
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := folder.Samples[0]
	if got, want := s.Task.ImageFor(s.Dataset, s.ID), "registry.example/codeset/codeset-platform.python.matiasb__python-unidiff-19:latest"; got != want {
		t.Errorf("the image is %s, want %s", got, want)
	}
	want := s.Task
	want.Resources = assay.Resources{MemoryMB: 4096, CPUs: 1.5}
	want.Env = map[string]string{"CI": "1"}
	want.Grading = assay.GradingSWEBench
	want.Verifier.Command, want.Verifier.User, want.Verifier.Quarantined = "1", assay.UserNobody, []string{"a", "b"}
	want.Verifier.ExitCode = assay.ExitIgnored // of the format: settings are laid over, and replace nothing else
	if diff := cmp.Diff(want, s.Task); diff != "" {
		t.Errorf("the task differs (-want +got):\n%s", diff)
	}
}

func TestTheLanguageTellsWhereCodesetsReportsAre(t *testing.T) {
	folder, _, err := ReadForeign(ForeignRequest{Path: rows("codeset-gym"), Set: []string{"language=rust"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range folder.Samples {
		if got := s.Task.Verifier.Reports[0].Path; s.Task.Language != "rust" || got != "target/junit.xml" {
			t.Errorf("%s: %s in %s", s.ID, got, s.Task.Language)
		}
		if diff := cmp.Diff([]string{"tests/test_parser.py"}, s.Task.Verifier.Protected); diff != "" {
			t.Errorf("protected files differ (-want +got):\n%s", diff)
		}
	}
}

func TestBadSettingsAreRefused(t *testing.T) {
	for setting, want := range map[string]string{
		"image":                           "not of the form KEY=VALUE",
		"=x":                              "not of the form KEY=VALUE",
		"memory=3":                        "additional properties 'memory' not allowed",
		"resources.memory_mb=much":        "got string, want integer",
		"network=some":                    "value must be one of 'none', 'full'",
		"verifier.reports=-":              "got null, want object",
		"verifier.reports=[{path: x}]":    "missing property 'format'",
		"verifier.timeout_seconds=[":      "got string, want integer",
		"verifier.exit_code.deeper=check": "value must be one of",
	} {
		_, _, err := ReadForeign(ForeignRequest{Path: rows("codeset-gym"), Set: []string{setting}})
		if assay.CodeOf(err) != assay.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", setting, err, want)
		}
	}
}

func TestNamesOfForeignDatasets(t *testing.T) {
	for path, want := range map[string]string{
		"/x/SWE-bench_Verified-test.parquet": "swe-bench_verified-test",
		"/x/Terminal Bench (2)/":             "terminal-bench-2",
		"/x/rows.jsonl":                      "rows",
		"/x/.hidden.json":                    "hidden",
		"/":                                  "",
	} {
		if got := nameOf(path); got != want {
			t.Errorf("%s gives %q, want %q", path, got, want)
		}
	}
	_, _, err := ReadForeign(ForeignRequest{Path: rows("codeset-gym"), Name: "A b"})
	if assay.CodeOf(err) != assay.CodeInvalid {
		t.Errorf("got %v", err)
	}
}

// TestAVerifierThatDecidesItselfNeedsNoPatch: a task whose reference fix is a script,
// and whose tests give a reward, can be imported; another without either cannot.
func TestAVerifierThatDecidesItselfNeedsNoPatch(t *testing.T) {
	custom := map[string]any{"patch": "", "FAIL_TO_PASS": "[]", "assay": map[string]any{"verifier": map[string]any{"kind": "custom"}}}
	got := readOne(t, goodManifest, row(t, custom))
	if got.Patch != "" || len(got.FailToPass) != 0 {
		t.Errorf("got %+v", got)
	}
	delete(custom, "assay")
	faults := strings.Join(faultsOf(t, goodManifest, row(t, custom)), "\n")
	for _, want := range []string{"patch: is empty", "fail_to_pass: is empty"} {
		if !strings.Contains(faults, want) {
			t.Errorf("%q is not in %q", want, faults)
		}
	}
}

// TestAMissingImageOfAForeignSample: images are named as their projects name them, and
// one that is not on the server is told as such.
func TestAMissingImageOfAForeignSample(t *testing.T) {
	var asked string
	s, _ := newService(t, Config{
		BundleDir: t.TempDir(),
		Worktree:  testImages().Worktree,
		ImageDigest: func(_ context.Context, ref string) (string, error) {
			asked = ref
			return "", assay.Errorf(assay.CodeImageUnavailable, "the image %s is not on this server", ref)
		},
	})
	importForeign(t, s, ForeignRequest{Path: rows("swe-bench-verified"), Name: "verified", Set: []string{knownReports}})
	sample, err := s.Sample(t.Context(), "verified", "pallets__flask-5014", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Bundle(t.Context(), sample); assay.CodeOf(err) != assay.CodeImageUnavailable {
		t.Errorf("got %v", err)
	}
	if want := "swebench/sweb.eval.x86_64.pallets_1776_flask-5014:latest"; asked != want {
		t.Errorf("asked for %s, want %s", asked, want)
	}
}
