package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"assay/datasets/starter"
)

// A canary for each way in which tests fail: a runner need not be bent as a whole.
var (
	pytestCanaries = []struct{ name, body string }{
		{"assert", "assert not 1"},
		{"compare", "assert 1 == 2"},
		{"error", "raise ValueError('as it must')"},
		{"raises", "with pytest.raises(ValueError):\n        pass"},
		{"warns", "with pytest.warns(UserWarning):\n        pass"},
	}
	goCanaries = []string{"Error", "Errorf", "Fatal", "Fatalf", "Fail", "FailNow"}
)

// canariesOfPython are collected wherever pytest collects tests/.
func canariesOfPython() []starter.Canary {
	var canaries []starter.Canary
	for i, c := range pytestCanaries {
		text := "\n\ndef test_{nonce}_" + c.name + "():\n    " + c.body + "\n"
		if i == 0 {
			text = "import pytest\n" + text
		}
		canaries = append(canaries, starter.Canary{
			Path: "tests/test_{nonce}.py", Text: text, ID: "tests.test_{nonce}::test_{nonce}_" + c.name,
		})
	}
	return canaries
}

// canariesOfGo are those of one package, in its directory dir.
func canariesOfGo(name, dir, clause string) []starter.Canary {
	file := path.Join(dir, "assay_{nonce}_test.go")
	var canaries []starter.Canary
	for i, method := range goCanaries {
		call := method + `("as it must")`
		if method == "Fail" || method == "FailNow" {
			call = method + "()"
		}
		text := "\nfunc Test_{nonce}_" + method + "(t *testing.T) { t." + call + " }\n"
		if i == 0 {
			text = "package " + clause + "\n\nimport (\n\t\"fmt\"\n\t\"testing\"\n)\n" + text
		}
		canaries = append(canaries, starter.Canary{Path: file, Text: text, ID: name + "::Test_{nonce}_" + method})
	}
	return append(canaries, starter.Canary{
		Path: file,
		Text: "\nfunc Example_{nonce}() {\n\tfmt.Println(\"as it must\")\n\t// Output: not\n}\n",
		ID:   name + "::Example_{nonce}",
	})
}

// canariesOf returns the tests that must be seen to fail: the recipe's own, or those
// of its language. A process that no canary sings in could report what it likes, so
// each Go package has one.
func canariesOf(r starter.Recipe, fixed string) ([]starter.Canary, error) {
	switch {
	case len(r.Verifier.Canaries) > 0:
		return r.Verifier.Canaries, nil
	case r.Language == starter.Python:
		return canariesOfPython(), nil
	case r.Language != starter.Go:
		return nil, fmt.Errorf("recipe %s names no canary", r.InstanceID)
	}
	var packages []string
	for _, id := range slices.Concat(r.Recorded.FailToPass, r.Recorded.PassToPass) {
		name, _, _ := strings.Cut(id, "::")
		packages = append(packages, name)
	}
	slices.Sort(packages)
	var canaries []starter.Canary
	for _, name := range slices.Compact(packages) {
		dir, ok := strings.CutPrefix(name, r.Package)
		if !ok {
			return nil, fmt.Errorf("package %s is not in module %s", name, r.Package)
		}
		clause, err := testPackage(filepath.Join(fixed, filepath.FromSlash(dir)))
		if err != nil {
			return nil, err
		}
		canaries = append(canaries, canariesOfGo(name, strings.TrimPrefix(dir, "/"), clause)...)
	}
	return canaries, nil
}

// testPackage returns the package that the first test file of a directory is in: one
// more file of it needs no other test binary.
func testPackage(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("no test file in %s: %w", filepath.Base(dir), err)
	}
	slices.Sort(files)
	parsed, err := parser.ParseFile(token.NewFileSet(), files[0], nil, parser.PackageClauseOnly)
	if err != nil {
		return "", fmt.Errorf("read the package of %s: %w", filepath.Base(files[0]), err)
	}
	return parsed.Name.Name, nil
}
