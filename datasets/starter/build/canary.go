package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"assay/datasets/starter"
	"assay/internal/testid"
)

// A canary for each way in which tests fail: a runner need not be bent as a whole.
var (
	pytestCanaries = []struct{ name, body string }{
		{"assert", "assert not 1"},
		{"compare", "assert 1 == 2"},
		{"error", "raise ValueError('as it must')"},
		{"raises", "with __import__('pytest').raises(ValueError): pass"},
		{"warns", "with __import__('pytest').warns(UserWarning): pass"},
	}
	goCanaries = []struct{ name, call string }{
		{"Error", `Error("as it must")`}, {"Errorf", `Errorf("as it must")`}, {"Fatal", `Fatal("as it must")`},
		{"Fatalf", `Fatalf("as it must")`}, {"Fail", "Fail()"}, {"FailNow", "FailNow()"},
	}
)

// canariesOf returns the tests that must be seen to fail: the recipe's own, or those
// of its language. They are appended to the files, and in Python to the classes, that the
// expected tests are in: what lets pass only what is in there lets them pass, too. fixed
// is the tree with the fix and its tests.
func canariesOf(r starter.Recipe, fixed string) ([]starter.Canary, error) {
	switch {
	case len(r.Verifier.Canaries) > 0:
		return r.Verifier.Canaries, nil
	case r.Language == starter.Python:
		return canariesOfPython(r, fixed)
	case r.Language == starter.Go:
		return canariesOfGo(r, fixed)
	}
	return nil, fmt.Errorf("recipe %s names no canary", r.InstanceID)
}

// canariesOfPython lays some into each module and class with a test of fail_to_pass.
func canariesOfPython(r starter.Recipe, fixed string) ([]starter.Canary, error) {
	var places []string
	for _, id := range r.Recorded.FailToPass {
		places = append(places, testid.Python(id).Place)
	}
	slices.Sort(places)
	var canaries []starter.Canary
	for _, place := range slices.Compact(places) {
		module, class := place, ""
		for !exists(filepath.Join(fixed, moduleFile(module))) {
			i := strings.LastIndexByte(module, '.')
			if i < 0 || class != "" {
				return nil, fmt.Errorf("%s names no module of the tests", place)
			}
			module, class = module[:i], module[i+1:]
		}
		for i, c := range pytestCanaries {
			canary := starter.Canary{Path: moduleFile(module), ID: testid.Join(place, "test_{nonce}_"+c.name)}
			if class == "" {
				canary.Text = fmt.Sprintf("\n\ndef test_{nonce}_%s():\n    %s\n", c.name, c.body)
			} else {
				canary.Text = fmt.Sprintf("    def test_{nonce}_%s(self):\n        %s\n", c.name, c.body)
			}
			if class != "" && i == 0 { // the class, with more in it
				canary.Text = fmt.Sprintf("\n\nclass %s(%s):\n%s", class, class, canary.Text)
			}
			canaries = append(canaries, canary)
		}
	}
	return canaries, nil
}

func moduleFile(module string) string { return strings.ReplaceAll(module, ".", "/") + ".py" }

// canariesOfGo lays some into each package with an expected test: those with a test of
// fail_to_pass into each file that has one, others into one file.
func canariesOfGo(r starter.Recipe, fixed string) ([]starter.Canary, error) {
	tests := make(map[string][]string) // names of tests, by package
	var packages []string
	for _, ids := range [][]string{r.Recorded.FailToPass, r.Recorded.PassToPass} {
		had := len(packages)
		for _, id := range ids {
			parts := testid.Go(id)
			name, test := parts.Place, parts.Name
			if !slices.Contains(packages[:had], name) { // packages with a fail_to_pass test have enough
				packages, tests[name] = append(packages, name), append(tests[name], test)
			}
		}
		slices.Sort(packages)
		packages = slices.Compact(packages)
	}
	var canaries []starter.Canary
	for _, name := range packages {
		dir, ok := strings.CutPrefix(name, r.Package)
		if !ok {
			return nil, fmt.Errorf("package %s is not in module %s", name, r.Package)
		}
		dir = strings.TrimPrefix(dir, "/")
		files, err := filesWith(filepath.Join(fixed, filepath.FromSlash(dir)), tests[name])
		if err != nil {
			return nil, err
		}
		for i, file := range files {
			canaries = append(canaries, canariesOfFile(name, path.Join(dir, file), i)...)
		}
	}
	return canaries, nil
}

// canariesOfFile are those of the n-th test file of a package.
func canariesOfFile(name, file string, n int) []starter.Canary {
	var canaries []starter.Canary
	for _, c := range goCanaries {
		test := fmt.Sprintf("Test_{nonce}_%d_%s", n, c.name)
		canaries = append(canaries, starter.Canary{Path: file, Text: "\nfunc " + test + "(t *testing.T) { t." + c.call + " }\n", ID: testid.Join(name, test)})
	}
	example := fmt.Sprintf("Example_{nonce}_%d", n)
	return append(canaries, starter.Canary{Path: file, Text: "\nfunc " + example + "() {\n\t// Output: not\n}\n", ID: testid.Join(name, example)})
}

// filesWith returns the test files of a directory that import package testing and have
// one of the tests, or the first that does if none has.
func filesWith(dir string, tests []string) ([]string, error) {
	all, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	slices.Sort(all)
	var able, found []string
	for _, file := range all {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if !strings.Contains(string(text), `"testing"`) || constrained(file, text) {
			continue
		}
		able = append(able, filepath.Base(file))
		if slices.ContainsFunc(tests, func(test string) bool { return strings.Contains(string(text), "func "+test+"(") }) {
			found = append(found, filepath.Base(file))
		}
	}
	if len(found) == 0 && len(able) > 0 {
		found = able[:1]
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no test file in %s", filepath.Base(dir))
	}
	return found, nil
}

var onOtherSystems = regexp.MustCompile(`_(windows|darwin|plan9|js|wasm|freebsd)_test\.go$`)

// constrained tells whether a file is not built everywhere.
func constrained(file string, text []byte) bool {
	return onOtherSystems.MatchString(file) || strings.HasPrefix(string(text), "//go:build") || strings.Contains(string(text), "\n//go:build")
}
