package patch

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestAgainstGit makes random changes in real repositories and checks that what
// Apply makes of git's diff is what git has: contents, modes, links and all.
func TestAgainstGit(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, 1))
			repo := newRepo(t)
			before := randomTree(rnd)
			repo.write(before)
			repo.git("add", "-A")
			repo.git("commit", "-q", "--allow-empty", "-m", "before")
			after := change(rnd, before)
			repo.write(after)
			repo.git("add", "-A")
			args := []string{"diff", "--cached", "--binary", "-M", "-C", "--find-copies-harder"}
			if rnd.IntN(3) == 0 {
				args = []string{"diff", "--cached", "--binary", "--no-renames"}
			}
			diff := repo.git(append(args, fmt.Sprintf("-U%d", 1+rnd.IntN(4)))...)

			set, err := Parse(diff)
			if err != nil {
				t.Fatalf("%v\n%s", err, diff)
			}
			changes, err := Apply(set, before)
			if err != nil {
				t.Fatalf("%v\n%s", err, diff)
			}
			checkTree(t, before.with(changes), after, diff)
			checkTree(t, before.withLayer(t, changes), after, diff)
		})
	}
}

// TestDriftedAgainstGit applies diffs to files that have moved on. Where Apply
// succeeds, git apply does too and makes the same; where it does not, git does not
// either, or guesses.
func TestDriftedAgainstGit(t *testing.T) {
	var applied, refused int
	for seed := range uint64(120) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		repo := newRepo(t)
		base := randomLines(rnd, 30)
		repo.write(memoryTree{"f": {content: base, mode: 0o644}})
		repo.git("add", "-A")
		repo.write(memoryTree{"f": {content: edit(rnd, base), mode: 0o644}})
		diff := repo.git("diff")
		drifted := edit(rnd, base)
		repo.write(memoryTree{"f": {content: drifted, mode: 0o644}})

		set, err := Parse(diff)
		if err != nil {
			t.Fatalf("%v\n%s", err, diff)
		}
		changes, err := Apply(set, memoryTree{"f": {content: drifted, mode: 0o644}})
		if err != nil {
			refused++
			if !strings.Contains(err.Error(), "apply patch to f: hunk ") {
				t.Errorf("seed %d: error does not name file and hunk: %v", seed, err)
			}
			repo.input = diff
			if _, gitErr := repo.run("apply", "-"); gitErr == nil && !strings.Contains(err.Error(), "not clear") {
				t.Errorf("seed %d: git applies\n%s\nto\n%q\nand we do not: %v", seed, diff, drifted, err)
			}
			continue
		}
		applied++
		if len(changes) == 0 {
			continue
		}
		repo.input = diff
		repo.git("apply", "-")
		want := repo.read("f")
		if !bytes.Equal(changes[0].Content, want) {
			t.Errorf("seed %d: git makes\n%q\nof\n%q\nand we\n%q\n%s", seed, want, drifted, changes[0].Content, diff)
		}
	}
	if applied < 20 || refused < 20 {
		t.Errorf("%d diffs applied and %d were refused: too few to say anything", applied, refused)
	}
}

type repository struct {
	t     *testing.T
	dir   string
	input string // of the next command
}

func newRepo(t *testing.T) *repository {
	r := &repository{t: t, dir: t.TempDir()}
	r.git("init", "-q")
	return r
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	out, err := r.run(args...)
	if err != nil {
		r.t.Fatalf("git %s: %v", args, err)
	}
	return out
}

func (r *repository) run(args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-c", "user.name=n", "-c", "user.email=e", "-c", "core.autocrlf=false", "-c", "core.safecrlf=false"}, args...)...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "LC_ALL=C")
	cmd.Stdin, r.input = strings.NewReader(r.input), ""
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.String())
	}
	return string(out), err
}

// write makes the repository's files those of tree.
func (r *repository) write(tree memoryTree) {
	r.t.Helper()
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == ".git" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(r.dir, e.Name())); err != nil {
			r.t.Fatal(err)
		}
	}
	for name, n := range tree {
		path := filepath.Join(r.dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil && n.mode.Type() == fs.ModeSymlink {
			err = os.Symlink(string(n.content), path)
		} else if err == nil {
			err = os.WriteFile(path, n.content, n.mode.Perm())
		}
		if err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *repository) read(name string) []byte {
	r.t.Helper()
	content, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		r.t.Fatal(err)
	}
	return content
}

// memoryTree is a Tree of files by path.
type memoryTree map[string]node

func (m memoryTree) ReadFile(path string) ([]byte, fs.FileMode, error) {
	if n, found := m[path]; found {
		return n.content, n.mode, nil
	}
	for name := range m {
		if below(name, path) {
			return nil, 0, fmt.Errorf("%s is a directory: %w", path, fs.ErrInvalid)
		}
		if below(path, name) {
			return nil, 0, fmt.Errorf("%s is below a file: %w", path, fs.ErrInvalid)
		}
	}
	return nil, 0, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
}

// with returns the tree after changes.
func (m memoryTree) with(changes []FileChange) memoryTree {
	after := memoryTree{}
	for name, n := range m {
		after[name] = n
	}
	for _, c := range changes {
		delete(after, c.Path)
		if !c.Delete {
			for name := range after {
				if below(name, c.Path) {
					delete(after, name)
				}
			}
			after[c.Path] = node{c.Content, c.Mode}
		}
	}
	return after
}

// withLayer returns the tree after changes, by way of their layer.
func (m memoryTree) withLayer(t *testing.T, changes []FileChange) memoryTree {
	var layer, again bytes.Buffer
	if err := WriteLayer(&layer, changes); err != nil {
		t.Fatal(err)
	}
	backwards := slices.Clone(changes)
	slices.Reverse(backwards)
	if err := WriteLayer(&again, backwards); err != nil || !bytes.Equal(layer.Bytes(), again.Bytes()) {
		t.Fatalf("the layer depends on the order of the changes: %v", err)
	}
	var read []FileChange
	for in := tar.NewReader(&layer); ; {
		hdr, err := in.Next()
		if errors.Is(err, io.EOF) {
			return m.with(read)
		}
		if err != nil {
			t.Fatal(err)
		}
		if hdr.Uid != 0 || hdr.Gid != 0 || hdr.Uname != "" || !hdr.ModTime.IsZero() && hdr.ModTime.Unix() != 0 {
			t.Errorf("entry %+v is not deterministic", hdr)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		dir, base := filepath.Split(hdr.Name)
		change := FileChange{Path: hdr.Name, Content: content, Mode: fs.FileMode(hdr.Mode).Perm()}
		if name, deleted := strings.CutPrefix(base, whiteoutPrefix); deleted {
			change = FileChange{Path: dir + name, Delete: true}
		} else if hdr.Typeflag == tar.TypeSymlink {
			change.Content, change.Mode = []byte(hdr.Linkname), fs.ModeSymlink|0o777
		}
		read = append(read, change)
	}
}

func checkTree(t *testing.T, got, want memoryTree, diff string) {
	t.Helper()
	for name, w := range want {
		g, found := got[name]
		if !found || !bytes.Equal(g.content, w.content) || g.mode != w.mode {
			t.Fatalf("%q: got %v %q (%v), want %v %q\n%s", name, g.mode, g.content, found, w.mode, w.content, diff)
		}
	}
	for name := range got {
		if _, found := want[name]; !found {
			t.Fatalf("%q is still there\n%s", name, diff)
		}
	}
}
