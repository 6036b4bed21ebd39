package patch

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// Tree is what a patch is applied to.
type Tree interface {
	// ReadFile returns a regular file, or of a symbolic link, which it does not
	// follow, the target, with ModeSymlink in the mode. Its error is
	// fs.ErrNotExist where there is nothing, and another where there is something
	// else, as a directory. The content is not changed by Apply.
	ReadFile(path string) (content []byte, mode fs.FileMode, err error)
}

// FileChange is what becomes of one path.
type FileChange struct {
	Path    string
	Delete  bool        // and nothing else is set
	Content []byte      // of a symbolic link, its target
	Mode    fs.FileMode // permissions, and ModeSymlink for a link
}

// Apply returns what a patch makes of a tree, sorted by path, each path once. It
// applies wholly or not at all.
//
// A hunk is applied where its header says, or else at the only other place after
// the hunk before where it matches; a hunk without context at its end, or that
// begins at the first line, matches only at the end or the beginning of the file,
// as with git apply. There is no fuzz. The error names file, hunk and line.
//
// As with git, renames and copies start from the tree and other diffs from what the
// diffs before them made. Permissions that the patch does not name are kept.
// Directories that become empty stay.
func Apply(set *Set, tree Tree) ([]FileChange, error) {
	a := &applier{
		tree:    tree,
		removed: map[string]bool{},
		made:    map[string]node{},
		gone:    map[string]bool{},
		places:  map[string]place{},
	}
	for _, f := range set.Files {
		if f.removesOld() {
			a.removed[f.Old] = true
		}
	}
	for _, f := range set.Files {
		if err := a.apply(f); err != nil {
			return nil, fmt.Errorf("apply patch to %s: %w", f.name(), err)
		}
	}
	return a.changes()
}

func (f *File) removesOld() bool { return f.Kind == Delete || f.Kind == Rename }

// name is what to call the file in an error.
func (f *File) name() string {
	if f.New == "" {
		return f.Old
	}
	return f.New
}

// node is a file or a link.
type node struct {
	content []byte
	mode    fs.FileMode
}

type applier struct {
	tree    Tree
	removed map[string]bool  // paths that some diff of the patch takes away
	made    map[string]node  // by the diffs so far
	gone    map[string]bool  // taken away by the diffs so far
	places  map[string]place // directories that were looked at
	total   int
}

func (a *applier) apply(f File) error {
	var from node
	if f.Kind == Create {
		from.mode = 0o644
	} else {
		var err error
		if from, err = a.source(f); err != nil {
			return err
		}
	}
	to, err := patched(f, from)
	if err != nil {
		return err
	}
	if f.Kind == Delete {
		if len(to.content) > 0 {
			return errors.New("the diff deletes the file, but not all of its content")
		}
		a.gone[f.Old] = true
		delete(a.made, f.Old)
		return nil
	}
	if f.Kind == Create || f.Kind == Rename || f.Kind == Copy {
		if err := a.mayCreate(f.New); err != nil {
			return err
		}
	}
	if f.Kind == Rename {
		a.gone[f.Old] = true
	}
	a.total += len(to.content)
	if a.total > MaxTotal {
		return fmt.Errorf("the patch makes more than %d bytes of files", MaxTotal)
	}
	a.made[f.New] = to
	delete(a.gone, f.New)
	return nil
}

// source returns the file that a diff starts from.
func (a *applier) source(f File) (node, error) {
	moved := f.Kind == Rename || f.Kind == Copy
	n, made := a.made[f.Old]
	switch {
	case moved || !made && !a.gone[f.Old]:
		var err error
		if n.content, n.mode, err = a.tree.ReadFile(f.Old); err != nil {
			return node{}, absent(f.Old, err)
		}
	case a.gone[f.Old]:
		return node{}, fmt.Errorf("%s was deleted or renamed before in the same patch", f.Old)
	}
	if t := n.mode.Type(); t != 0 && t != fs.ModeSymlink {
		return node{}, fmt.Errorf("%s is neither a regular file nor a symbolic link", f.Old)
	}
	if f.typed && f.oldType != n.mode.Type() {
		return node{}, fmt.Errorf("%s is %s, the patch is for %s", f.Old, typeName(n.mode.Type()), typeName(f.oldType))
	}
	return n, nil
}

func absent(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s does not exist: %w", path, fs.ErrNotExist)
	}
	return fmt.Errorf("read %s: %w", path, err)
}

func typeName(t fs.FileMode) string {
	if t == fs.ModeSymlink {
		return "a symbolic link"
	}
	return "a regular file"
}

// patched returns what a diff makes of a file.
func patched(f File, from node) (node, error) {
	to := node{mode: from.mode & (fs.ModeSymlink | fs.ModePerm)}
	if f.Mode != 0 {
		to.mode = f.Mode
	}
	var err error
	if f.Binary {
		to.content, err = applyBinary(&f, from.content)
	} else {
		to.content, err = applyHunks(f.diff.TextFragments, from.content)
	}
	if err != nil {
		return node{}, err
	}
	if len(to.content) > MaxFile {
		return node{}, fmt.Errorf("the file would have %d bytes, more than %d", len(to.content), MaxFile)
	}
	if to.mode.Type() == fs.ModeSymlink && f.Kind != Delete {
		return to, checkTarget(to.content)
	}
	return to, nil
}

// checkTarget refuses what no link can point to. Where a link points is for those
// to mind who follow it.
func checkTarget(target []byte) error {
	if len(target) == 0 || len(target) > maxPath || slices.Contains(target, 0) {
		return errors.New("the target of the symbolic link is empty, too long or holds a NUL")
	}
	return nil
}

// mayCreate tells whether a file may come to path.
func (a *applier) mayCreate(path string) error {
	if _, made := a.made[path]; made {
		return errors.New("the patch makes the file twice")
	}
	for dir := range parents(path) {
		if a.removed[dir] {
			return nil // it was a file, so that there is nothing below it
		}
		p := a.look(dir)
		if p.fault != nil || !p.exists {
			return p.fault
		}
	}
	if a.removed[path] {
		return nil
	}
	_, mode, err := a.tree.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && !mode.IsDir():
		return fmt.Errorf("the file exists already: %w", fs.ErrExist)
	case a.removesBelow(path):
		return nil // a directory makes room for a file
	case err != nil:
		return fmt.Errorf("read it: %w", err)
	}
	return errors.New("there is a directory of this name")
}

// place is what there is where the patch needs a directory.
type place struct {
	exists bool
	fault  error // it is something else
}

func (a *applier) look(dir string) place {
	p, known := a.places[dir]
	if known {
		return p
	}
	_, mode, err := a.tree.ReadFile(dir)
	p.exists = !errors.Is(err, fs.ErrNotExist)
	if err == nil && !mode.IsDir() {
		p.fault = fmt.Errorf("%s is %s, not a directory", dir, typeName(mode.Type()))
	}
	a.places[dir] = p
	return p
}

func (a *applier) removesBelow(path string) bool {
	for p := range a.removed {
		if below(p, path) {
			return true
		}
	}
	return false
}

func below(path, dir string) bool {
	return len(path) > len(dir) && path[len(dir)] == '/' && path[:len(dir)] == dir
}

// changes returns the sum of all diffs. A path that was taken away and made again
// was made.
func (a *applier) changes() ([]FileChange, error) {
	var changes []FileChange
	for _, path := range slices.Sorted(maps.Keys(a.made)) {
		if dir, found := a.madeAbove(path); found {
			return nil, fmt.Errorf("apply patch to %s: the patch makes %s, which is no directory", path, dir)
		}
		n := a.made[path]
		changes = append(changes, FileChange{Path: path, Content: n.content, Mode: n.mode})
	}
	for path := range a.gone {
		_, made := a.made[path]
		if _, replaced := a.madeAbove(path); !made && !replaced {
			changes = append(changes, FileChange{Path: path, Delete: true})
		}
	}
	slices.SortFunc(changes, byPath)
	return changes, nil
}

// madeAbove returns a file that the patch makes where path would need a directory.
func (a *applier) madeAbove(path string) (string, bool) {
	for dir := range parents(path) {
		if _, made := a.made[dir]; made {
			return dir, true
		}
	}
	return "", false
}
