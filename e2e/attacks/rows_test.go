package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/dataset"
)

// The importer must take the rows for what they are: judged as root, by a log, without a
// canary, and with nothing left of the steps that lay tests.
func TestRowsAreReadAsSWEBench(t *testing.T) {
	starter, file := t.TempDir(), filepath.Join(t.TempDir(), "rows.jsonl")
	if err := os.Mkdir(filepath.Join(starter, "dataset"), 0o700); err != nil {
		t.Fatal(err)
	}
	const rows = `{"instance_id": "unknown"}
{"instance_id": "pallets__itsdangerous-2.1.1", "repo": "a/b", "base_commit": "0123456789012345678901234567890123456789", "version": "1", "created_at": "2024-05-01T12:00:00Z", "problem_statement": "p",
 "patch": "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "test_patch": "--- a/tests/test_a.py\n+++ b/tests/test_a.py\n@@ -1 +1 @@\n-a\n+b\n",
 "FAIL_TO_PASS": ["tests.test_a.TestA::test_x"], "PASS_TO_PASS": [], "assay": {"image": "i:latest", "env": {"PYTHONPATH": "/testbed/src"}, "verifier": {"canaries": [{"path": "p"}]}}}
`
	if err := os.WriteFile(filepath.Join(starter, "dataset", "samples.jsonl"), []byte(strings.ReplaceAll(rows, ",\n ", ", ")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeRows(starter, file); err != nil {
		t.Fatal(err)
	}
	folder, _, err := dataset.ReadForeign(dataset.ForeignRequest{Path: file, Format: "swe-bench", Name: "rows"})
	if err != nil {
		t.Fatal(err)
	}
	if len(folder.Samples) != 1 {
		t.Fatalf("%d samples", len(folder.Samples))
	}
	s := folder.Samples[0]
	v := s.Task.Verifier
	if diff := cmp.Diff([]string{"tests/test_a.py::TestA::test_x"}, s.FailToPass); diff != "" {
		t.Error(diff)
	}
	if v.User != assay.UserRoot || len(v.Canaries) != 0 || s.Task.Image != "i:latest" || s.Task.Language != "python" {
		t.Errorf("user %s, %d canaries, image %s, language %s", v.User, len(v.Canaries), s.Task.Image, s.Task.Language)
	}
	if len(v.Reports) != 1 || v.Reports[0].Path != "-" || v.Reports[0].Format != "pytest-text" || v.Reports[0].Begin == "" {
		t.Errorf("reports are %+v", v.Reports)
	}
	if strings.Contains(v.Command, "git ") || !strings.Contains(v.Command, "export PYTHONPATH='/testbed/src'\n") || !strings.Contains(v.Command, "-rA tests\n") {
		t.Errorf("the command is\n%s", v.Command)
	}
}

func TestRowsNameTestsAsTheirLogsDo(t *testing.T) {
	for id, name := range map[string]string{
		"example.org/a/b::TestA/x::y":          goRow.name("example.org/a/b::TestA/x::y"),
		"test::unsafe regex":                   nodeRow.name("test::unsafe regex"),
		"Unflatten::should not pollute":        mochaRow.name("Unflatten::should not pollute"),
		"tests.test_a.TestB::test_c[x::y]":     pythonRow.name("tests.test_a.TestB::test_c[x::y]"),
		"tests.deep.test_a::test_c[a.B b-1.2]": pythonRow.name("tests.deep.test_a::test_c[a.B b-1.2]"),
	} {
		want := map[string]string{
			"example.org/a/b::TestA/x::y": "TestA/x::y", "test::unsafe regex": "unsafe regex", "Unflatten::should not pollute": "Unflatten should not pollute",
			"tests.test_a.TestB::test_c[x::y]": "tests/test_a.py::TestB::test_c[x::y]", "tests.deep.test_a::test_c[a.B b-1.2]": "tests/deep/test_a.py::test_c[a.B b-1.2]",
		}[id]
		if name != want {
			t.Errorf("%s is called %q, not %q", id, name, want)
		}
	}
}
