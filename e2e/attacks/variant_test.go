package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVariantsChangeTheVerifierAlone(t *testing.T) {
	starter, dir := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(starter, "dataset"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"dataset.yaml": "schema: 1\nname: starter\n",
		"samples.jsonl": `{"instance_id": "other"}
{"instance_id": "a", "patch": "p", "FAIL_TO_PASS": ["tests.test_a::test_x"], "PASS_TO_PASS": [], "FAIL_TO_FAIL": [], "assay": {"image": "i", "verifier": {"command": "c", "canaries": [{"path": "p", "text": "t", "id": "tests.test_{nonce}.Test{nonce}::test_x"}]}}}
`,
	} {
		if err := os.WriteFile(filepath.Join(starter, "dataset", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	v := variant{samples: []string{"a"}, env: map[string]string{"X": ""}, command: "d", report: "-", format: "pytest-text", testName: nodeID}
	if err := writeVariant(starter, dir, "x", v); err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile(filepath.Join(dir, "dataset.yaml"))
	if err != nil || string(manifest) != "schema: 1\nname: attacked-x\n" {
		t.Errorf("dataset.yaml is %q: %v", manifest, err)
	}
	line, err := os.ReadFile(filepath.Join(dir, "samples.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal(line, &got); err != nil {
		t.Fatalf("samples.jsonl holds more or less than a row: %v", err)
	}
	if err := json.Unmarshal([]byte(`{"instance_id": "a", "patch": "p", "FAIL_TO_PASS": ["tests/test_a.py::test_x"], "PASS_TO_PASS": [], "FAIL_TO_FAIL": [], "assay": {
		"image": "i", "env": {"X": ""}, "verifier": {"command": "d", "reports": [{"path": "-", "format": "pytest-text"}],
		"canaries": [{"path": "p", "text": "t", "id": "tests/test_{nonce}.py::Test{nonce}::test_x"}]}}}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
