package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"assay/internal/testid"
)

// rowsVariant is the variant in which samples of the starter dataset are rows of SWE-bench,
// as its fifth version publishes them, and come in by the importer of that format: what
// judges them is the text of a log, their user is root, and they have no canary.
const rowsVariant = "swe-bench"

// rowSuite is how rows of a language are judged.
type rowSuite struct {
	command, parser string
	name            func(string) string // of a test in the log, from that of the starter dataset
}

var (
	goRow     = rowSuite{"go test -v -vet=off -count=1 -mod=mod -timeout=120s ./...", "parse_log_gotest", func(id string) string { return testid.Go(id).Below() }}
	pythonRow = rowSuite{"python3 -m pytest -p no:cacheprovider -rA tests", "parse_log_pytest_v2", nodeID}
	nodeRow   = rowSuite{"node --test --test-reporter=tap test/*.test.js", "parse_log_tap", func(id string) string { return strings.TrimPrefix(id, "test::") }}
	mochaRow  = rowSuite{"mocha -u tdd --timeout 20000 --reporter tap test/test.js", "parse_log_tap", func(id string) string { return strings.Replace(id, "::", " ", 1) }}
)

// rowSuites are the samples that can be rows. Two cannot: the log of go test does not tell
// apart the tests of golang-lru that are called alike in two packages, and that of tape
// names assertions and no tests.
var rowSuites = map[string]rowSuite{
	"Masterminds__semver-3.3.1":     goRow,
	"beevik__etree-1.5.1":           goRow,
	"bmatcuk__doublestar-4.10.4":    goRow,
	"dlclark__regexp2-1.11.4":       goRow,
	"golang-jwt__jwt-5.2.2":         goRow,
	"itchyny__timefmt-go-0.1.5":     goRow,
	"mattn__go-shellwords-1.0.15":   goRow,
	"mitchellh__mapstructure-1.4.3": goRow,
	"jpadilla__pyjwt-2.10.1":        pythonRow,
	"pallets__itsdangerous-2.1.1":   pythonRow,
	"fastify__safe-regex2-5.1.1":    nodeRow,
	"hughsk__flat-5.0.1":            mochaRow,
}

// starterRow is what is taken of a row of the starter dataset.
type starterRow struct {
	InstanceID       string   `json:"instance_id"`
	Repo             string   `json:"repo"`
	BaseCommit       string   `json:"base_commit"`
	SetupCommit      string   `json:"environment_setup_commit"`
	Version          string   `json:"version"`
	CreatedAt        string   `json:"created_at"`
	ProblemStatement string   `json:"problem_statement"`
	HintsText        string   `json:"hints_text"`
	Patch            string   `json:"patch"`
	TestPatch        string   `json:"test_patch"`
	FailToPass       []string `json:"FAIL_TO_PASS"`
	PassToPass       []string `json:"PASS_TO_PASS"`
	Assay            struct {
		Image string            `json:"image"`
		Env   map[string]string `json:"env"`
	} `json:"assay"`
}

// writeRows writes the starter's samples as rows of SWE-bench to a file.
func writeRows(starter, file string) error {
	rows, err := os.ReadFile(filepath.Join(starter, "dataset", "samples.jsonl"))
	if err != nil {
		return err
	}
	var out bytes.Buffer
	for line := range bytes.Lines(rows) {
		var row starterRow
		if err := json.Unmarshal(line, &row); err != nil {
			return fmt.Errorf("read the starter dataset: %w", err)
		}
		suite, ok := rowSuites[row.InstanceID]
		if !ok {
			continue
		}
		changed, err := json.Marshal(suite.row(row))
		if err != nil {
			return err
		}
		out.Write(append(changed, '\n'))
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, out.Bytes(), 0o600)
}

// row returns the columns of a row of SWE-bench.
func (s rowSuite) row(r starterRow) map[string]any {
	return map[string]any{
		"instance_id": r.InstanceID, "repo": r.Repo, "base_commit": r.BaseCommit, "environment_setup_commit": r.SetupCommit,
		"version": r.Version, "created_at": r.CreatedAt, "problem_statement": r.ProblemStatement, "hints_text": r.HintsText,
		"patch": r.Patch, "test_patch": r.TestPatch, "FAIL_TO_PASS": s.list(r.FailToPass), "PASS_TO_PASS": s.list(r.PassToPass),
		"image": r.Assay.Image, "eval_script": s.script(r), "log_parser": s.parser, "eval_type": "pass_and_fail",
	}
}

// list is a list of tests as SWE-bench has them: JSON in a text.
func (s rowSuite) list(ids []string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = s.name(id)
	}
	text, err := json.Marshal(names)
	if err != nil {
		panic(err) // strings always can be written
	}
	return string(text)
}

// script is what judges a row, with the steps that SWE-bench's harness writes into it.
func (s rowSuite) script(r starterRow) string {
	var b strings.Builder
	b.WriteString("#!/bin/bash\nset -uxo pipefail\ncd /testbed\ngit config --global --add safe.directory /testbed\ngit status\ngit show\n")
	for _, name := range sortedKeys(r.Assay.Env) {
		fmt.Fprintf(&b, "export %s=%s\n", name, quote(r.Assay.Env[name]))
	}
	reset := ""
	if old := changed(r.TestPatch); len(old) > 0 {
		reset = "git checkout " + r.BaseCommit + " " + strings.Join(old, " ") + "\n"
	}
	fmt.Fprintf(&b, "%sgit apply -v - <<'EOF_114329324912'\n%s\nEOF_114329324912\n", reset, strings.TrimSuffix(r.TestPatch, "\n"))
	fmt.Fprintf(&b, ": '>>>>> Start Test Output'\n%s\n: '>>>>> End Test Output'\n%s", s.command, reset)
	return b.String()
}

// changed returns the files that a patch changes, without those that it makes.
func changed(patch string) (names []string) {
	for line := range strings.Lines(patch) {
		if name, ok := strings.CutPrefix(line, "--- a/"); ok {
			names = append(names, strings.TrimRight(name, "\n"))
		}
	}
	return names
}

func sortedKeys[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
