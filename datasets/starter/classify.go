package starter

import (
	"path"
	"slices"
	"strings"
)

// Kind says which patch a changed file belongs to.
type Kind int

// The kinds. What a release changes besides code and tests (change logs, CI, built
// bundles, package metadata) is not part of a task.
const (
	Dropped Kind = iota
	Code
	Test
)

// Classify sorts a file by its slash-separated path in the package.
func Classify(language Language, file string) Kind {
	dirs := strings.Split(path.Dir(file), "/")
	name := path.Base(file)
	switch language {
	case Go:
		switch {
		case strings.HasSuffix(name, "_test.go") || slices.Contains(dirs, "testdata"):
			return Test
		case strings.HasSuffix(name, ".go") || file == "go.mod" || file == "go.sum":
			return Code
		}
	case Python:
		switch {
		case dirs[0] == "tests":
			return Test
		case dirs[0] != "docs" && file != "setup.py" && strings.HasSuffix(name, ".py"):
			return Code
		}
	case JavaScript:
		switch {
		case dirs[0] == "test":
			return Test
		case dirs[0] == "dist":
		case slices.Contains([]string{".js", ".cjs", ".mjs", ".ts"}, path.Ext(name)):
			return Code
		}
	}
	return Dropped
}
