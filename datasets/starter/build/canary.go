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

// pytestCanary is collected wherever pytest collects tests/.
var pytestCanary = starter.Canary{
	Path: "tests/test_{nonce}.py",
	Text: "def test_{nonce}():\n    assert not 1\n",
	ID:   "tests.test_{nonce}::test_{nonce}",
}

// canariesOf returns the tests that must be seen to fail: the recipe's own, or those
// of its language. A process that no canary sings in could report what it likes, so
// each Go package has one.
func canariesOf(r starter.Recipe, fixed string) ([]starter.Canary, error) {
	switch {
	case len(r.Verifier.Canaries) > 0:
		return r.Verifier.Canaries, nil
	case r.Language == starter.Python:
		return []starter.Canary{pytestCanary}, nil
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
		canaries = append(canaries, starter.Canary{
			Path: path.Join(strings.TrimPrefix(dir, "/"), "assay_{nonce}_test.go"),
			Text: "package " + clause + "\n\nimport \"testing\"\n\nfunc Test_{nonce}(t *testing.T) { t.Fatal(\"as it must\") }\n",
			ID:   name + "::Test_{nonce}",
		})
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
