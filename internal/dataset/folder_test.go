package dataset

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
)

const goodManifest = `schema: 1
name: small
description: One small task.
defaults:
  image: localhost/{dataset}/{language}:{instance_id}
  workdir: /src/app
  language: go
  env:
    GOFLAGS: -mod=mod
    CI: "1"
  resources: {cpus: 2, memory_mb: 1024}
  verifier:
    command: go test -json ./...
    timeout_seconds: 60
    reports:
      - {path: "-", format: go-test-json}
`

const goodPatch = "--- a/app.go\n+++ b/app.go\n@@ -1 +1 @@\n-package ap\n+package app\n"

// row returns a good row of samples.jsonl with some columns changed; nil removes one.
func row(t *testing.T, change map[string]any) string {
	t.Helper()
	r := map[string]any{
		"instance_id":       "acme__app-1.0.0",
		"repo":              "acme/app",
		"base_commit":       "0123456789",
		"problem_statement": "It does not compile.",
		"patch":             goodPatch,
		"FAIL_TO_PASS":      `["acme/app::TestApp"]`,
		"difficulty":        "ignored, as any unknown column is",
	}
	maps.Copy(r, change)
	maps.DeleteFunc(r, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// folder writes a dataset folder.
func folder(t *testing.T, manifest, samples string) string {
	t.Helper()
	dir := t.TempDir()
	writeFolder(t, dir, manifest, samples)
	return dir
}

func writeFolder(t *testing.T, dir, manifest, samples string) {
	t.Helper()
	for name, text := range map[string]string{manifestFile: manifest, samplesFile: samples} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func readOne(t *testing.T, manifest, line string) *assay.Sample {
	t.Helper()
	f, err := ReadFolder(folder(t, manifest, line+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Samples) != 1 {
		t.Fatalf("got %d samples", len(f.Samples))
	}
	return f.Samples[0]
}

func TestReadFolder(t *testing.T) {
	got := readOne(t, goodManifest, row(t, map[string]any{
		"created_at":   "2023-01-02 03:04:05",
		"PASS_TO_PASS": []string{"b", "a", "b"},
		"fail_to_fail": `["c"]`,
		"hints_text":   nil,
		"assay": map[string]any{
			"env":       map[string]any{"CI": "2", "EXTRA": "x"},
			"resources": map[string]any{"memory_mb": 2048},
			"verifier":  map[string]any{"reports": []any{map[string]any{"path": "{reports}/*.xml", "format": "junit-xml"}}},
		},
	}))
	want := &assay.Sample{
		Dataset:          "small",
		ID:               "acme__app-1.0.0",
		CreatedAt:        time.Date(2023, 1, 2, 3, 4, 5, 0, time.UTC),
		Repo:             "acme/app",
		BaseCommit:       "0123456789",
		ProblemStatement: "It does not compile.",
		Patch:            goodPatch,
		FailToPass:       []string{"acme/app::TestApp"},
		PassToPass:       []string{"b", "a"},
		FailToFail:       []string{"c"},
		Task: assay.Task{
			Image:     "localhost/{dataset}/{language}:{instance_id}",
			Workdir:   "/src/app",
			Language:  "go",
			Env:       map[string]string{"GOFLAGS": "-mod=mod", "CI": "2", "EXTRA": "x"},
			Network:   "none",
			Resources: assay.Resources{CPUs: 2, MemoryMB: 2048},
			Grading:   assay.GradingSWEBench,
			Verifier: assay.Verifier{
				Kind:           assay.VerifierTestSuite,
				Command:        "go test -json ./...",
				TimeoutSeconds: 60,
				Reports:        []assay.ReportSpec{{Path: "{reports}/*.xml", Format: "junit-xml"}},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sample differs (-want +got):\n%s", diff)
	}
}

func TestReadFolderTimes(t *testing.T) {
	at := time.Date(2023, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		value any
		want  time.Time
	}{
		"RFC 3339":              {"2023-01-02T03:04:05Z", at},
		"RFC 3339 with an area": {"2023-01-02T05:04:05+02:00", at},
		"with a space":          {"2023-01-02 03:04:05", at},
		"milliseconds":          {at.UnixMilli(), at},
		"a day":                 {"2023-01-02", at.Truncate(24 * time.Hour)},
		"none":                  {nil, time.Time{}},
		"empty":                 {"", time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := readOne(t, goodManifest, row(t, map[string]any{"created_at": c.value})).CreatedAt; !got.Equal(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestReadFolderTakesWhatEditorsDo(t *testing.T) {
	text := "\xef\xbb\xbf" + row(t, nil) + "\r\n\r\n   \n" + row(t, map[string]any{"instance_id": "two"})
	f, err := ReadFolder(folder(t, "\xef\xbb\xbf"+strings.ReplaceAll(goodManifest, "\n", "\r\n"), text))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Samples) != 2 || f.Dataset.SampleCount != 2 {
		t.Errorf("got %d samples", len(f.Samples))
	}
}

func TestLanguageOfTheRowIsLaidOverTheDefault(t *testing.T) {
	if got := readOne(t, goodManifest, row(t, map[string]any{"language": "python"})).Task.Language; got != "python" {
		t.Errorf("the column gave %q", got)
	}
	both := row(t, map[string]any{"language": "python", "assay": map[string]any{"language": "rust"}})
	if got := readOne(t, goodManifest, both).Task.Language; got != "rust" {
		t.Errorf("the assay object gave %q", got)
	}
}

// faultsOf reads a folder that is wrong.
func faultsOf(t *testing.T, manifest, samples string) []string {
	t.Helper()
	_, err := ReadFolder(folder(t, manifest, samples))
	var faults *FaultsError
	if !errors.As(err, &faults) {
		t.Fatalf("got %v, want faults", err)
	}
	var lines []string
	for _, f := range faults.Faults {
		lines = append(lines, f.String())
	}
	return lines
}

func TestManifestFaultsNameTheirLine(t *testing.T) {
	for name, c := range map[string]struct{ manifest, want string }{
		"not YAML":          {"schema: 1\nname: [\n", "dataset.yaml:"},
		"a key given twice": {"schema: 1\nname: a\nname: b\n", "dataset.yaml:3: "},
		"empty":             {"", "dataset.yaml: got null, want object"},
		"no name":           {"schema: 1\n", "dataset.yaml:1:1: missing property 'name'"},
		"another schema":    {"schema: 2\nname: a\n", "dataset.yaml:1:9: schema: value must be 1"},
		"a bad name":        {"schema: 1\nname: A b\n", "dataset.yaml:2:7: name: 'A b' does not match pattern"},
		"unknown key":       {"schema: 1\nname: a\ndefault: {}\n", "dataset.yaml:1:1: additional properties 'default' not allowed"},
		"deep":              {strings.Replace(goodManifest, "cpus: 2", "cpus: many", 1), "dataset.yaml:11:21: defaults.resources.cpus: got string, want number"},
		"in a list":         {strings.Replace(goodManifest, `path: "-"`, `file: "-"`, 1), "dataset.yaml:16:9: defaults.verifier.reports[0]: missing property 'path'"},
		"bad network":       {goodManifest + "  network: some\n", "dataset.yaml:17:12: defaults.network: value must be one of 'none', 'full'"},
		"bad env":           {strings.Replace(goodManifest, "CI:", "A-B:", 1), "dataset.yaml:9:5: defaults.env: additional properties 'A-B' not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			got := faultsOf(t, c.manifest, row(t, nil))
			if !strings.Contains(strings.Join(got, "\n"), c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSampleFaults(t *testing.T) {
	task := func(key string, v any) map[string]any { return map[string]any{"assay": map[string]any{key: v}} }
	verifier := func(key string, v any) map[string]any { return task("verifier", map[string]any{key: v}) }
	report := func(path, format string) map[string]any {
		return verifier("reports", []any{map[string]any{"path": path, "format": format}})
	}
	for name, c := range map[string]struct {
		change map[string]any
		want   string
	}{
		"no id":                  {map[string]any{"instance_id": nil}, "missing property 'instance_id'"},
		"id of two segments":     {map[string]any{"instance_id": "a/b"}, "instance_id: 'a/b' does not match pattern"},
		"id that climbs":         {map[string]any{"instance_id": ".."}, "instance_id: '..' does not match pattern"},
		"no tests":               {map[string]any{"FAIL_TO_PASS": nil}, "missing property 'FAIL_TO_PASS' or missing property 'fail_to_pass'"},
		"empty tests":            {map[string]any{"FAIL_TO_PASS": "[]"}, "fail_to_pass: is empty"},
		"tests in quarantine":    {map[string]any{"assay": map[string]any{"verifier": map[string]any{"quarantined": []string{"acme/app::TestApp"}}}}, "assay.verifier.quarantined: holds all of fail_to_pass"},
		"tests are no list":      {map[string]any{"FAIL_TO_PASS": "TestA"}, "FAIL_TO_PASS: the string does not hold a list"},
		"tests in both cases":    {map[string]any{"fail_to_pass": []string{"a"}}, "FAIL_TO_PASS: stands in this row in lower case as well"},
		"a test with no name":    {map[string]any{"PASS_TO_PASS": `[""]`}, "pass_to_pass: holds an empty name"},
		"overlapping lists":      {map[string]any{"PASS_TO_PASS": []string{"acme/app::TestApp"}}, `pass_to_pass: "acme/app::TestApp" stands in fail_to_pass as well`},
		"no fix":                 {map[string]any{"patch": ""}, "patch: is empty"},
		"patch is no diff":       {map[string]any{"patch": "please fix"}, "patch: "},
		"test patch is no diff":  {map[string]any{"test_patch": "--- a/x\n+++ b/x\n"}, "test_patch: "},
		"time":                   {map[string]any{"created_at": "yesterday"}, `created_at: "yesterday" is not a time`},
		"time of no era":         {map[string]any{"created_at": int64(1) << 60}, "created_at: "},
		"number for text":        {map[string]any{"repo": 7}, "repo: got number, want null or string"},
		"relative work tree":     {task("workdir", "src"), "assay.workdir: "},
		"work tree that climbs":  {task("workdir", "/src/../etc"), "assay.workdir: "},
		"all of it":              {task("workdir", "/"), "assay.workdir: "},
		"image placeholder":      {task("image", "x/{version}"), "assay.image: "},
		"image reference":        {task("image", "x/Y Z"), "assay.image: "},
		"reserved environment":   {task("env", map[string]any{"ASSAY_REPORTS": "/tmp"}), "assay.env.ASSAY_REPORTS: "},
		"unknown setting":        {task("memory", 3), "assay: additional properties 'memory' not allowed"},
		"unknown report format":  {report("-", "telepathy"), "assay.verifier.reports[0].format: "},
		"report elsewhere":       {report("/etc/../passwd", "junit-xml"), "assay.verifier.reports[0].path: "},
		"canary that climbs":     {verifier("canaries", []map[string]any{{"path": "../x", "text": "x", "id": "{nonce}"}}), "assay.verifier.canaries[0].path: "},
		"canary without a nonce": {verifier("canaries", []map[string]any{{"path": "x", "text": "x", "id": "x"}}), "assay.verifier.canaries[0].id: "},
		"report that climbs":     {report("{reports}/../x", "junit-xml"), "assay.verifier.reports[0].path: "},
		"report without a name":  {report("{reports}", "junit-xml"), "assay.verifier.reports[0].path: "},
		"report pattern":         {report("out/[", "junit-xml"), "assay.verifier.reports[0].path: "},
		"verifier of no seconds": {verifier("timeout_seconds", 0), "assay.verifier.timeout_seconds: "},
	} {
		t.Run(name, func(t *testing.T) {
			got := faultsOf(t, goodManifest, "\n"+row(t, c.change)+"\n")
			want := "samples.jsonl:2: " + c.want
			if !strings.Contains(strings.Join(got, "\n"), want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestASampleNeedsWhatItsDatasetDoesNotGive(t *testing.T) {
	got := strings.Join(faultsOf(t, "schema: 1\nname: bare\n", row(t, nil)), "\n")
	for _, field := range []string{"assay.image", "assay.workdir", "language", "assay.verifier.command", "assay.verifier.reports"} {
		if !strings.Contains(got, "samples.jsonl:1: "+field+": ") {
			t.Errorf("%s is not named in:\n%s", field, got)
		}
	}
}

func TestLineFaultsNameTheColumn(t *testing.T) {
	good := row(t, nil)
	for name, c := range map[string]struct{ line, want string }{
		"not JSON":       {`{"instance_id": x}`, "samples.jsonl:1:17: not JSON: "},
		"cut":            {good[:20], "samples.jsonl:1:20: not JSON: "},
		"two rows":       {good + good, "samples.jsonl:1:"},
		"a list":         {`[]`, "samples.jsonl:1: got array, want object"},
		"not UTF-8":      {strings.Replace(good, "acme/app", "acm\xe9/app", 1), "samples.jsonl:1:"},
		"not UTF-8 byte": {"{\"a\": \"\xff\"}", "samples.jsonl:1:8: byte 0xff is not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := faultsOf(t, goodManifest, c.line)[0]; !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAllFaultsAreTold(t *testing.T) {
	lines := []string{
		row(t, map[string]any{"repo": 1, "base_commit": 2}),
		row(t, nil),
		"{",
		row(t, nil),
	}
	got := faultsOf(t, goodManifest, strings.Join(lines, "\n"))
	want := []string{"samples.jsonl:1: base_commit", "samples.jsonl:1: repo", "samples.jsonl:3:1", "samples.jsonl:4: instance_id: acme__app-1.0.0 stands in line 2 already"}
	all := strings.Join(got, "\n")
	for _, w := range want {
		if !strings.Contains(all, w) {
			t.Errorf("%q is not told in:\n%s", w, all)
		}
	}
}

func TestFaultsAreBounded(t *testing.T) {
	_, err := ReadFolder(folder(t, goodManifest, strings.Repeat("{}\n", 1000)))
	var faults *FaultsError
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	if len(faults.Faults) != maxFaults || faults.More == 0 || !strings.Contains(err.Error(), "and ") {
		t.Errorf("%d faults are kept, %d counted", len(faults.Faults), faults.More)
	}
}

func TestAnEmptyDatasetIsAFault(t *testing.T) {
	if got := faultsOf(t, goodManifest, "\n\n"); got[0] != "samples.jsonl: holds no sample" {
		t.Errorf("got %q", got)
	}
}

func TestNoLinkLeadsOutOfTheFolder(t *testing.T) {
	outside := folder(t, goodManifest, row(t, nil))
	for _, name := range []string{manifestFile, samplesFile} {
		dir := folder(t, goodManifest, row(t, nil))
		path := filepath.Join(dir, name)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(outside, name), path); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFolder(dir); err == nil || !strings.Contains(err.Error(), "escapes") {
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
	}
}

func TestOnlyRegularFilesAreRead(t *testing.T) {
	dir := folder(t, goodManifest, "")
	path := filepath.Join(dir, samplesFile)
	for name, make := range map[string]func() error{
		"folder": func() error { return os.Mkdir(path, 0o700) },
		"FIFO":   func() error { return syscall.Mkfifo(path, 0o600) },
	} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := make(); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFolder(dir); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("a %s: got %v", name, err)
		}
	}
	if _, err := ReadFolder(filepath.Join(dir, "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: got %v", err)
	}
}

func TestLongLines(t *testing.T) {
	head, tail, _ := strings.Cut(row(t, map[string]any{"hints_text": "@"}), "@")
	fill := func(n int) string { return head + strings.Repeat("x", n-len(head)-len(tail)) + tail }
	if got := readOne(t, goodManifest, fill(maxLineBytes)); len(got.HintsText) < maxLineBytes-2000 {
		t.Errorf("a line of the largest size lost its hints: %d bytes", len(got.HintsText))
	}
	_, err := ReadFolder(folder(t, goodManifest, row(t, nil)+"\n"+fill(maxLineBytes+3)+"\n"))
	if err == nil || !strings.Contains(err.Error(), "samples.jsonl:2: the line is longer") {
		t.Errorf("got %v", err)
	}
}

// FuzzDecodeRow: whatever a line holds, a row or a fault comes out of it, and what the
// schema accepts can be taken apart.
func FuzzDecodeRow(f *testing.F) {
	f.Add([]byte(`{"instance_id":"a","problem_statement":"p","patch":"","FAIL_TO_PASS":"[\"t\"]"}`))
	f.Add([]byte(`{"instance_id":"a","problem_statement":"p","patch":"","fail_to_pass":["t"],"created_at":1e3,"assay":{"env":{"A":"b"}}}`))
	schemas, err := loadSchemas()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		faults := &FaultsError{}
		rd := &sampleReader{schema: schemas.sample, head: &manifest{name: "d"}, faults: faults, lines: map[string]int{}}
		rd.readLine(1, line)
		if len(rd.samples)+len(faults.Faults) == 0 {
			t.Error("neither a sample nor a fault")
		}
	})
}
