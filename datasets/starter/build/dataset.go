package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"assay/datasets/starter"
)

// manifest is dataset.yaml. docs/dataset-format.md defines it.
const manifest = `schema: 1
name: starter
description: Real bugs in small open-source packages, built from package registries. Ships with Assay.
answers: operators
known: public
defaults:
  image: "assay-starter/{instance_id}:latest"
  workdir: /testbed
  language: go
  env: {}
  network: none
  resources: {cpus: 2, memory_mb: 2048, pids: 512, disk_mb: 4096}
  grading: swe-bench
  verifier:
    kind: test_suite
    command: %COMMAND%
    command_for: %COMMAND_FOR%
    timeout_seconds: 600
    reports:
      - {path: "{reports}/go-test.json", format: go-test-json}
`

// row is a line of samples.jsonl: SWE-bench's columns, and Assay's own in assay.
type row struct {
	InstanceID       string   `json:"instance_id"`
	Repo             string   `json:"repo"`
	BaseCommit       string   `json:"base_commit"`
	SetupCommit      string   `json:"environment_setup_commit"`
	Version          string   `json:"version"`
	CreatedAt        string   `json:"created_at"`
	Language         string   `json:"language"`
	Description      string   `json:"description"`
	ProblemStatement string   `json:"problem_statement"`
	HintsText        string   `json:"hints_text"`
	Patch            string   `json:"patch"`
	NonCodePatch     string   `json:"non_code_patch"`
	TestPatch        string   `json:"test_patch"`
	FailToPass       []string `json:"FAIL_TO_PASS"`
	PassToPass       []string `json:"PASS_TO_PASS"`
	FailToFail       []string `json:"FAIL_TO_FAIL"`
	Assay            override `json:"assay"`
}

// override is what a sample has otherwise than the defaults of dataset.yaml.
type override struct {
	Image    string            `json:"image,omitempty"`
	Language starter.Language  `json:"language,omitempty"`
	Env      map[string]string `json:"env,omitempty"`
	Verifier *starter.Verifier `json:"verifier,omitempty"`
}

func newRow(r starter.Recipe, p patches, commit string, canaries []starter.Canary) row {
	created := r.CreatedAt
	if created.IsZero() {
		created = epoch
	}
	own := override{Image: r.Image(), Env: r.Env}
	own.Verifier = &starter.Verifier{Canaries: canaries}
	if r.Language != starter.Go {
		own.Language = r.Language
		own.Verifier.Command, own.Verifier.CommandFor, own.Verifier.Reports = r.Verifier.Command, r.Verifier.CommandFor, r.Verifier.Reports
	}
	return row{
		InstanceID:       r.InstanceID,
		Repo:             r.Repo,
		BaseCommit:       commit,
		SetupCommit:      commit,
		Version:          strings.TrimPrefix(r.Base.Version, "v"),
		CreatedAt:        created.UTC().Format(time.RFC3339),
		Language:         string(r.Language),
		Description:      r.Description,
		ProblemStatement: r.ProblemStatement,
		HintsText:        r.HintsText,
		Patch:            p.code,
		TestPatch:        p.test,
		FailToPass:       r.Recorded.FailToPass,
		PassToPass:       r.Recorded.PassToPass,
		FailToFail:       r.Recorded.FailToFail,
		Assay:            own,
	}
}

// writeDataset writes the dataset's folder.
func writeDataset(dir string, rows []row) error {
	command, err := jsonText(starter.DefaultVerifier(starter.Go).Command)
	if err != nil {
		return err
	}
	commandFor, err := jsonText(starter.DefaultVerifier(starter.Go).CommandFor)
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	for _, r := range rows {
		line, err := jsonText(r)
		if err != nil {
			return err
		}
		lines.WriteString(line + "\n")
	}
	if err := writeFile(filepath.Join(dir, "samples.jsonl"), lines.Bytes()); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, "dataset.yaml"), []byte(strings.NewReplacer("%COMMAND%", command, "%COMMAND_FOR%", commandFor).Replace(manifest)))
}

// jsonText is v as one line of JSON, which is YAML too, with < and > left readable.
func jsonText(v any) (string, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(text.String(), "\n"), err
}

func sortedSet(ids []string) []string {
	ids = append([]string{}, ids...)
	slices.Sort(ids)
	return slices.Compact(ids)
}
