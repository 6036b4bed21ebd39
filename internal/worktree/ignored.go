package worktree

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Bounds of what is read of a tree's ignore files. What lies beyond them ignores nothing.
const (
	maxIgnoreFiles    = 1000
	maxIgnoreBytes    = 1 << 20 // of one file
	maxIgnorePatterns = 10_000  // of all
)

// Ignored tells what the .gitignore files of a tree ignore (gitignore(5)). The tree must
// not change meanwhile. It reads no other settings of git, and asks for no index: a file
// that is in the tree may be ignored as well.
type Ignored struct {
	tree     *tree
	files    map[string][]ignorePattern // of the .gitignore in a directory
	dirs     map[string]bool            // whether a directory is ignored
	patterns int
}

// ignorePattern is a line of a .gitignore file.
type ignorePattern struct {
	glob      string // matched against the path below the file's directory, or against the last component
	anchored  bool
	directory bool // it fits directories alone
	negated   bool
}

// NewIgnored returns what a tree ignores.
func NewIgnored(root *os.Root) *Ignored {
	return &Ignored{tree: newTree(context.Background(), root), files: map[string][]ignorePattern{}, dirs: map[string]bool{".": false}}
}

// Ignores tells whether a path, which is clean and relative, is ignored. What lies in a
// directory that is ignored is ignored, too, whatever else is said.
func (i *Ignored) Ignores(name string, directory bool) (bool, error) {
	if known, ok := i.dirs[name]; ok && directory {
		return known, nil
	}
	ignored, err := i.Ignores(path.Dir(name), true)
	if err == nil && !ignored {
		ignored, err = i.match(name, directory)
	}
	if err == nil && directory && len(i.dirs) < maxIgnorePatterns {
		i.dirs[name] = ignored
	}
	return ignored, err
}

// Has tells whether the tree has anything at a path, which is clean and relative. What
// would lie below a link is not in the tree.
func (i *Ignored) Has(name string) (bool, error) {
	info, err := i.tree.lstat(name)
	if err != nil {
		return false, fmt.Errorf("look whether the image has %s: %w", name, err)
	}
	return info != nil, nil
}

// match looks for the last pattern that fits, in the files from the nearest to the root's.
func (i *Ignored) match(name string, directory bool) (bool, error) {
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		patterns, err := i.read(dir)
		if err != nil {
			return false, err
		}
		below := name
		if dir != "." {
			below = strings.TrimPrefix(name, dir+"/")
		}
		for n := len(patterns) - 1; n >= 0; n-- {
			if patterns[n].fits(below, directory) {
				return !patterns[n].negated, nil
			}
		}
		if dir == "." {
			return false, nil
		}
	}
}

func (p ignorePattern) fits(name string, directory bool) bool {
	if p.directory && !directory {
		return false
	}
	if !p.anchored {
		name = path.Base(name)
	}
	ok, err := doublestar.Match(p.glob, name)
	return ok && err == nil
}

// read returns the patterns of the .gitignore of a directory, which may have none. Git
// does not follow a link there.
func (i *Ignored) read(dir string) ([]ignorePattern, error) {
	if patterns, known := i.files[dir]; known || len(i.files) >= maxIgnoreFiles {
		return patterns, nil
	}
	text, err := i.readFile(path.Join(dir, ".gitignore"))
	if err != nil {
		return nil, err
	}
	var patterns []ignorePattern
	for line := range bytes.Lines(bytes.TrimPrefix(text, []byte("\ufeff"))) {
		if p, ok := parseIgnore(string(line)); ok && i.patterns < maxIgnorePatterns {
			patterns = append(patterns, p)
			i.patterns++
		}
	}
	i.files[dir] = patterns
	return patterns, nil
}

func (i *Ignored) readFile(name string) ([]byte, error) {
	info, err := i.tree.lstat(name)
	if err != nil || info == nil || !info.Mode().IsRegular() || info.Size() > maxIgnoreBytes {
		return nil, err
	}
	f, err := i.tree.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxIgnoreBytes))
}

// parseIgnore reads a line of a .gitignore file; false of one that says nothing.
func parseIgnore(line string) (p ignorePattern, ok bool) {
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	for strings.HasSuffix(line, " ") && !strings.HasSuffix(line, `\ `) {
		line = line[:len(line)-1]
	}
	if line == "" || line[0] == '#' {
		return p, false
	}
	line, p.negated = strings.CutPrefix(line, "!")
	line, p.directory = strings.CutSuffix(line, "/")
	p.anchored = strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if below, all := strings.CutSuffix(line, "/**"); all {
		line = below + "/**/*" // what lies in it, and not itself
	}
	p.glob = strings.NewReplacer(`\\`, `\\`, `\{`, `\{`, "{", `\{`, `\}`, `\}`, "}", `\}`).Replace(line) // git knows no alternatives
	if line == "" {
		return p, false
	}
	if strings.Contains(line, "[[:") || !doublestar.ValidatePattern(p.glob) {
		p.glob, p.anchored = "**", true
		return p, p.negated // rather too little is ignored than too much
	}
	return p, true
}
