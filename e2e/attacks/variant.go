package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"assay/e2e/attacks/grid"
	"assay/internal/testid"
)

// variant is another way to judge samples of the starter dataset: the one that other
// harnesses know. It is a dataset of its own, made from the starter's rows.
type variant struct {
	samples  []string
	env      map[string]string
	command  string
	report   string // a path
	format   string
	testName func(string) string // of a test as this verifier names it, from that of the starter dataset
}

// variants are the variants that a script may name.
var variants = map[string]variant{
	// go test alone, with its caches and the configuration that it finds.
	"go-plain": {
		samples: []string{"mattn__go-shellwords-1.0.15", "Masterminds__semver-3.3.1"},
		env:     map[string]string{"GOFLAGS": ""},
		command: "go test -json -vet=off -timeout=120s ./...",
		report:  "-", format: "go-test-json",
	},
	// The log of pytest, as most harnesses read it.
	"pytest-text": {
		samples: []string{"jpadilla__pyjwt-2.10.1"},
		command: "python3 -m pytest -p no:cacheprovider -rA tests",
		report:  "-", format: "pytest-text",
		testName: nodeID,
	},
	"node-tap": {
		samples: []string{"fastify__safe-regex2-5.1.1"},
		command: "node --test --test-reporter=tap test/*.test.js",
		report:  "-", format: "tap",
		testName: func(name string) string { return strings.TrimPrefix(name, "test::") },
	},
	"node-stdout": {
		samples: []string{"fastify__safe-regex2-5.1.1"},
		command: "node --test --test-reporter=junit test/*.test.js",
		report:  "-", format: "junit-xml",
	},
	"mocha-stdout": {
		samples: []string{"hughsk__flat-5.0.1"},
		command: "mocha -u tdd --timeout 20000 --reporter xunit test/test.js",
		report:  "-", format: "junit-xml",
	},
}

// dataset is the name of the dataset that a script's session is of.
func (s script) dataset() string {
	switch {
	case s.Searched:
		return searchedDatasets[s.form()]
	case s.Variant == "":
		return "starter"
	}
	return variantDataset(s.Variant)
}

// form is how the script's sample is given.
func (s script) form() grid.Form {
	if s.Variant == rowsVariant {
		return grid.SWEBench
	}
	return grid.Starter
}

func variantDataset(name string) string { return "attacked-" + name }

// isVariant tells whether there is a variant of that name with the sample in it.
func isVariant(name, sample string) bool {
	if name == rowsVariant {
		_, ok := rowSuites[sample]
		return ok
	}
	return slices.Contains(variants[name].samples, sample)
}

// writeVariant writes the dataset of a variant to dir: rows of the starter dataset with
// another verifier laid over their own.
func writeVariant(starter, dir, name string, v variant) error {
	manifest, err := os.ReadFile(filepath.Join(starter, "dataset", "dataset.yaml"))
	if err != nil {
		return err
	}
	rows, err := os.ReadFile(filepath.Join(starter, "dataset", "samples.jsonl"))
	if err != nil {
		return err
	}
	var kept bytes.Buffer
	for line := range bytes.Lines(rows) {
		row := map[string]any{}
		if err := json.Unmarshal(line, &row); err != nil {
			return fmt.Errorf("read the starter dataset: %w", err)
		}
		if id, _ := row["instance_id"].(string); !slices.Contains(v.samples, id) {
			continue
		}
		changed, err := json.Marshal(v.over(row))
		if err != nil {
			return err
		}
		kept.Write(append(changed, '\n'))
	}
	manifest = bytes.Replace(manifest, []byte("name: starter\n"), []byte("name: attacked-"+name+"\n"), 1)
	return writeFolder(dir, manifest, kept.Bytes())
}

// writeFolder writes the folder of a dataset.
func writeFolder(dir string, manifest, rows []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "dataset.yaml"), manifest, 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "samples.jsonl"), rows, 0o600)
}

// over returns a row with the variant's settings laid over its own. Canaries stay, under
// the names that this verifier gives them.
func (v variant) over(row map[string]any) map[string]any {
	settings, _ := row["assay"].(map[string]any)
	settings = maps.Clone(settings)
	verifier, _ := settings["verifier"].(map[string]any)
	verifier = maps.Clone(verifier)
	if verifier == nil {
		verifier = map[string]any{}
	}
	verifier["command"] = v.command
	verifier["reports"] = []any{map[string]any{"path": v.report, "format": v.format}}
	settings["verifier"] = verifier
	if v.env != nil {
		settings["env"] = v.env
	}
	row["assay"] = settings
	if v.testName != nil {
		for _, list := range []string{"FAIL_TO_PASS", "PASS_TO_PASS", "FAIL_TO_FAIL"} {
			row[list] = v.renamed(row[list])
		}
		canaries, _ := verifier["canaries"].([]any)
		for _, canary := range canaries {
			if c, ok := canary.(map[string]any); ok {
				id, _ := c["id"].(string)
				c["id"] = v.testName(id)
			}
		}
	}
	return row
}

func (v variant) renamed(list any) any {
	names, _ := list.([]any)
	out := make([]any, 0, len(names))
	for _, name := range names {
		text, _ := name.(string)
		out = append(out, v.testName(text))
	}
	return out
}

// nodeID returns pytest's name of a test from that in its XML: a component that begins
// with an upper-case letter is a class.
func nodeID(name string) string {
	parts := testid.Python(name)
	module, test := parts.Place, parts.Below()
	class := ""
	if i := strings.LastIndexByte(module, '.'); i >= 0 {
		if first, _ := utf8.DecodeRuneInString(module[i+1:]); unicode.IsUpper(first) {
			module, class = module[:i], module[i+1:]+"::"
		}
	}
	return strings.ReplaceAll(module, ".", "/") + ".py::" + class + test
}
