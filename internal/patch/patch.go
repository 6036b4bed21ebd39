// Package patch reads unified diffs and applies them, as strictly as git apply
// does: every hunk must match whole, somewhere unambiguous, or nothing is applied.
//
// It works on values and writes no files: Apply reads through a Tree and returns
// what would change.
package patch

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
)

// Limits of what is read and made.
const (
	MaxText  = 16 << 20  // bytes of a patch
	MaxFiles = 10_000    // files that a patch touches
	MaxFile  = 64 << 20  // bytes of a file that is made
	MaxTotal = 256 << 20 // bytes of all files that are made
)

// Kind is what a patch does to a file.
type Kind string

// The kinds of changes.
const (
	Modify Kind = "modify"
	Create Kind = "create"
	Delete Kind = "delete"
	Rename Kind = "rename" // and perhaps modify
	Copy   Kind = "copy"   // and perhaps modify
	Chmod  Kind = "chmod"  // the mode only
)

// File is what a patch does to one file.
type File struct {
	Kind   Kind
	Old    string      // slash-separated path before; "" for Create
	New    string      // and after; "" for Delete
	Mode   fs.FileMode // after: 0644, 0755 or ModeSymlink|0777; 0 where the patch does not say
	Binary bool

	oldType fs.FileMode // type before, regular or ModeSymlink, if typed
	typed   bool
	diff    *gitdiff.File
}

// Withheld tells whether the diff says that a binary file changes without saying how,
// as git diff without --binary does. Such a file cannot be patched.
func (f *File) Withheld() bool { return f.Binary && f.diff.BinaryFragment == nil }

// Set is a parsed patch. The same file may be in it more than once.
type Set struct {
	Files []File
}

// Parse reads a patch as git diff and diff -u write it; text around the diffs is
// ignored. One leading component (a/ and b/) is stripped from names, as git apply
// does: from all names of git's diffs, and from those of plain ones that have a
// slash. Empty text is an empty set; text without a diff is an error.
//
// Paths are validated: relative, clean, nothing in .git, and nothing that would be
// a whiteout in an image layer. Submodules are refused.
func Parse(text string) (*Set, error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("parse patch: it has %d bytes, more than %d", len(text), MaxText)
	}
	if strings.TrimSpace(text) == "" {
		return &Set{}, nil
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n" // lost on the way; that a file ends without one has its own mark
	}
	diffs, _, err := gitdiff.Parse(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("parse patch: %s", strings.TrimPrefix(err.Error(), "gitdiff: "))
	}
	switch {
	case len(diffs) == 0:
		return nil, errors.New("parse patch: there is no diff in it")
	case len(diffs) > MaxFiles:
		return nil, fmt.Errorf("parse patch: it touches %d files, more than %d", len(diffs), MaxFiles)
	}
	plain, err := isPlain(text, len(diffs))
	if err != nil {
		return nil, err
	}
	set := &Set{Files: make([]File, 0, len(diffs))}
	for _, diff := range diffs {
		f, err := newFile(diff, plain)
		if err != nil {
			return nil, fmt.Errorf("parse patch: %w", err)
		}
		set.Files = append(set.Files, f)
	}
	return set, nil
}

// isPlain tells the diffs of diff -u from git's: the parser strips the names of
// these and not of those, and does not say which it read. No line of a hunk or of
// binary data can begin with "diff --git ", so that counting such lines does.
func isPlain(text string, files int) (bool, error) {
	headers := 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "diff --git ") {
			headers++
		}
	}
	if headers != 0 && headers != files {
		return false, errors.New("parse patch: some of its diffs have git's headers and some do not")
	}
	return headers == 0, nil
}

// Paths returns all old and new paths, sorted, each once.
func (s *Set) Paths() []string {
	paths := map[string]bool{}
	for _, f := range s.Files {
		paths[f.Old], paths[f.New] = true, true
	}
	delete(paths, "")
	return slices.Sorted(maps.Keys(paths))
}

const devNull = "/dev/null"

func newFile(diff *gitdiff.File, plain bool) (File, error) {
	f := File{Old: diff.OldName, New: diff.NewName, Binary: diff.IsBinary, diff: diff}
	if plain {
		f.Old, f.New = stripComponent(f.Old), stripComponent(f.New)
	}
	switch {
	case diff.IsNew || f.Old == devNull:
		f.Kind, f.Old = Create, ""
	case diff.IsDelete || f.New == devNull:
		f.Kind, f.New = Delete, ""
	case diff.IsRename:
		f.Kind = Rename
	case diff.IsCopy:
		f.Kind = Copy
	case f.Old != f.New:
		return File{}, fmt.Errorf("%s becomes %s without being renamed or copied", f.Old, f.New)
	case len(diff.TextFragments) == 0 && !diff.IsBinary:
		if diff.NewMode == 0 {
			return File{}, fmt.Errorf("%s: the diff changes nothing", f.Old)
		}
		f.Kind = Chmod
	default:
		f.Kind = Modify
	}
	for _, path := range []string{f.Old, f.New} {
		if err := checkPath(path); err != nil {
			return File{}, err
		}
	}
	return f, f.readModes()
}

// readModes takes over the modes of the diff, which are git's numbers.
func (f *File) readModes() error {
	if f.diff.OldMode != 0 {
		old, err := modeOf(f.diff.OldMode)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Old, err)
		}
		f.oldType, f.typed = old.Type(), true
	}
	if f.diff.NewMode == 0 {
		return nil
	}
	mode, err := modeOf(f.diff.NewMode)
	if err != nil {
		return fmt.Errorf("%s: %w", f.New, err)
	}
	if f.typed && f.oldType != mode.Type() {
		return fmt.Errorf("%s: a file cannot become a link, or a link a file, but by being deleted and created", f.New)
	}
	f.Mode = mode
	return nil
}

// modeOf turns git's mode into one of those that git knows (gitformat-index).
func modeOf(raw fs.FileMode) (fs.FileMode, error) {
	switch n := uint32(raw); {
	case n == 0o120000:
		return fs.ModeSymlink | 0o777, nil
	case n == 0o160000:
		return 0, errors.New("submodules cannot be patched")
	case n&^uint32(0o777) == 0o100000 && n&0o100 != 0:
		return 0o755, nil
	case n&^uint32(0o777) == 0o100000:
		return 0o644, nil
	}
	return 0, fmt.Errorf("mode %o is not known", uint32(raw))
}
