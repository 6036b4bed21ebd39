package patch

import (
	"fmt"
	"iter"
	"strings"
)

// Limits of Linux, in bytes.
const (
	maxPath      = 4095
	maxComponent = 255
)

// whiteoutPrefix marks deletions in a layer (OCI image-spec, layer.md), so that no
// file can be called so.
const whiteoutPrefix = ".wh."

// checkPath refuses paths that lead out of a tree, into its history, or that no
// layer can hold. The empty path is none and passes.
func checkPath(path string) error {
	if path == "" {
		return nil
	}
	if fault := pathFault(path); fault != "" {
		return fmt.Errorf("path %q %s", clipPath(path), fault)
	}
	return nil
}

func pathFault(path string) string {
	switch {
	case strings.HasPrefix(path, "/"):
		return "is absolute"
	case len(path) > maxPath:
		return "is too long"
	case strings.ContainsRune(path, 0):
		return "holds a NUL"
	}
	for part := range strings.SplitSeq(path, "/") {
		switch {
		case part == "":
			return "has an empty component"
		case part == "." || part == "..":
			return "is not clean"
		case strings.EqualFold(part, ".git"):
			return "leads into .git"
		case strings.HasPrefix(part, whiteoutPrefix):
			return "is named like the whiteout of an image layer"
		case len(part) > maxComponent:
			return "has a component that is too long"
		}
	}
	return ""
}

func clipPath(path string) string {
	const most = 200
	if len(path) > most {
		return path[:most] + "..."
	}
	return path
}

// stripComponent removes the first component of a name that has several.
func stripComponent(name string) string {
	if name == devNull {
		return name
	}
	if _, rest, found := strings.Cut(name, "/"); found {
		return rest
	}
	return name
}

// parents calls yield for the directories above path, the topmost first.
func parents(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(path) {
			if path[i] == '/' && !yield(path[:i]) {
				return
			}
		}
	}
}

// CanName tells whether a patch may name a path: not what leads into .git, what no
// layer can hold, or what is longer than Linux takes.
func CanName(path string) bool { return path != "" && pathFault(path) == "" }
