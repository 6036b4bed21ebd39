package assay_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrows says which packages of this module a package may import. It is the
// picture of docs/architecture.md, held true. A package that is not named here
// fails the test: say where it belongs.
var arrows = map[string][]string{
	"assay":       {}, // the vocabulary: the standard library only
	"assay/agent": {"assay/agent/...", "assay/internal/sandbox"},

	// Services: the rules live here, once. They know the vocabulary, their ports
	// and each other where the rule says so.
	"assay/internal/dataset":      {"assay", "assay/internal/narrow", "assay/internal/patch", "assay/internal/testid", "assay/internal/testreport"},
	"assay/internal/identity":     {"assay"},
	"assay/internal/billing":      {"assay"},
	"assay/internal/session":      {"assay", "assay/internal/persist", "assay/internal/sandbox", "assay/internal/tasksandbox", "assay/internal/telemetry", "assay/internal/wake", "assay/internal/worktree"},
	"assay/internal/verification": {"assay", "assay/internal/alteration/search", "assay/internal/evaluate", "assay/internal/patch", "assay/internal/persist", "assay/internal/rounds", "assay/internal/sandbox", "assay/internal/session", "assay/internal/telemetry", "assay/internal/wake", "assay/internal/worktree"},
	"assay/internal/queue":        {"assay", "assay/internal/persist", "assay/internal/telemetry", "assay/internal/wake"},

	// What compares the rows of services with the world.
	"assay/internal/reconcile": {"assay", "assay/internal/sandbox"},

	// The command by which some tests are run alone.
	"assay/internal/narrow": {"assay/internal/testid"},

	// The judge knows no store, no user and no session.
	"assay/internal/evaluate":    {"assay", "assay/internal/patch", "assay/internal/sandbox", "assay/internal/steering", "assay/internal/tasksandbox", "assay/internal/telemetry", "assay/internal/testid", "assay/internal/testreport", "assay/internal/worktree"},
	"assay/internal/rounds":      {"assay", "assay/internal/alteration", "assay/internal/alteration/search", "assay/internal/evaluate", "assay/internal/narrow", "assay/internal/testid"},
	"assay/internal/tasksandbox": {"assay", "assay/internal/sandbox"},

	// What is known of samples' tests: pure text, found by trying, kept sealed.
	"assay/internal/alteration":         {},
	"assay/internal/alteration/search":  {"assay", "assay/internal/alteration", "assay/internal/evaluate", "assay/internal/testid"},
	"assay/internal/alteration/catalog": {"assay", "assay/internal/alteration/search", "assay/internal/evaluate"},
	"assay/internal/alteration/idle":    {"assay", "assay/internal/alteration/catalog", "assay/internal/alteration/search", "assay/internal/evaluate"},

	// Tools without knowledge of the product.
	"assay/internal/attest":     {},
	"assay/internal/patch":      {},
	"assay/internal/persist":    {"assay"},
	"assay/internal/steering":   {"assay/internal/testid"},
	"assay/internal/telemetry":  {"assay"},
	"assay/internal/testid":     {},
	"assay/internal/testreport": {"assay/internal/testid"},
	"assay/internal/wake":       {},
	"assay/internal/worktree":   {"assay/internal/patch", "assay/internal/sandbox"},

	// Ports and adapters: adapters do not know each other.
	"assay/internal/github":         {"assay/internal/identity"},
	"assay/internal/image":          {},
	"assay/internal/sandbox":        {},
	"assay/internal/sandbox/memory": {"assay/internal/sandbox"},
	"assay/internal/sandbox/oci":    {"assay/agent", "assay/internal/image", "assay/internal/sandbox", "assay/internal/sandbox/oci/..."},
	"assay/internal/stripe":         {"assay", "assay/internal/billing"},
	"assay/internal/store":          {"assay", "assay/internal/alteration/catalog", "assay/internal/alteration/idle", "assay/internal/billing", "assay/internal/dataset", "assay/internal/identity", "assay/internal/persist", "assay/internal/queue", "assay/internal/session", "assay/internal/verification", "assay/internal/store/..."},

	// The outside.
	"assay/client":           {"assay", "assay/client/..."},
	"assay/internal/httpapi": {"assay", "assay/client/...", "assay/internal/attest", "assay/internal/billing", "assay/internal/dataset", "assay/internal/identity", "assay/internal/sandbox", "assay/internal/session", "assay/internal/telemetry", "assay/internal/verification", "assay/internal/httpapi/..."},
	"assay/cmd/assay":        {"assay", "assay/client/...", "assay/internal/alteration/catalog", "assay/internal/alteration/search", "assay/internal/app", "assay/internal/attest", "assay/internal/billing", "assay/internal/dataset", "assay/internal/identity", "assay/internal/image"},
	"assay/cmd/assay-agent":  {"assay/agent/..."},

	// The one place that sees all.
	"assay/internal/app": {"assay/..."},
}

// anything may import what it needs: test suites, the dataset's builder and the
// end-to-end tests are nobody's foundation.
var anything = []string{"assay/e2e", "assay/datasets", "assay/internal/alteration/search/searchtest", "assay/internal/sandbox/sandboxtest", "assay/internal/store/pgtest", "assay/internal/store/storetest", "assay/internal/stripe/stripetest"}

func TestImportsFollowTheArrows(t *testing.T) {
	for _, pkg := range listPackages(t) {
		if slices.ContainsFunc(anything, func(prefix string) bool { return covers(prefix+"/...", pkg.ImportPath) }) {
			continue
		}
		allowed, known := rulesFor(pkg.ImportPath)
		if !known {
			t.Errorf("%s has no arrows: name it in this test and in docs/architecture.md", pkg.ImportPath)
			continue
		}
		for _, imported := range pkg.Imports {
			if imported != "assay" && !strings.HasPrefix(imported, "assay/") {
				continue
			}
			if !slices.ContainsFunc(allowed, func(pattern string) bool { return covers(pattern, imported) }) {
				t.Errorf("%s must not import %s", pkg.ImportPath, imported)
			}
		}
	}
}

func TestVocabularyImportsTheStandardLibraryOnly(t *testing.T) {
	for _, pkg := range listPackages(t) {
		if pkg.ImportPath != "assay" {
			continue
		}
		for _, imported := range pkg.Imports {
			if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") {
				t.Errorf("package assay imports %s", imported)
			}
		}
	}
}

// rulesFor returns the rules of a package, or of the nearest package above it that has some.
func rulesFor(path string) ([]string, bool) {
	for dir := path; dir != ""; {
		if rules, ok := arrows[dir]; ok {
			if dir == "assay" && path != "assay" {
				return nil, false
			}
			return append(slices.Clone(rules), dir+"/...", dir), true
		}
		i := strings.LastIndexByte(dir, '/')
		if i < 0 {
			return nil, false
		}
		dir = dir[:i]
	}
	return nil, false
}

// covers tells whether a pattern, perhaps with a final "/...", names a package.
func covers(pattern, path string) bool {
	prefix, tree := strings.CutSuffix(pattern, "/...")
	return path == prefix || tree && strings.HasPrefix(path, prefix+"/")
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatalf("read the answer of go list: %v", err)
		}
		pkgs = append(pkgs, p)
	}
}
