package guest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"assay/internal/sandbox"
)

// forest makes a tree and returns the names in it, sorted as walk has them.
func forest(t *testing.T) (root string, names []string) {
	t.Helper()
	root = t.TempDir()
	names = []string{"."}
	for d := range 20 {
		dir := fmt.Sprintf("d%02d", d)
		names = append(names, dir, dir+"/sub")
		for f := range 10 {
			names = append(names, fmt.Sprintf("%s/sub/%d", dir, f))
		}
		if err := os.MkdirAll(filepath.Join(root, dir, "sub"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		if strings.Count(name, "/") == 2 {
			if err := os.WriteFile(filepath.Join(root, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root, names
}

func TestWalkVisitsEverythingOnce(t *testing.T) {
	root, want := forest(t)
	for _, helpers := range []int{0, 3, 100} {
		var mu sync.Mutex
		var got []string
		err := walk(root, helpers, func(n *node) error {
			mu.Lock()
			defer mu.Unlock()
			if parent := filepath.Dir(n.name); parent != "." && !slices.Contains(got, parent) {
				t.Errorf("%s came before the directory that it is in", n.name)
			}
			got = append(got, n.name)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if helpers > 0 {
			slices.Sort(got)
		}
		if !slices.Equal(got, want) {
			t.Errorf("with %d helpers: %q, want %q", helpers, got, want)
		}
	}
}

func TestWalkEndsWithTheErrorOfWhatItCalls(t *testing.T) {
	root, all := forest(t)
	enough := errors.New("enough")
	for _, helpers := range []int{0, 3} {
		var mu sync.Mutex
		visited := 0
		err := walk(root, helpers, func(n *node) error {
			mu.Lock()
			defer mu.Unlock()
			visited++
			if n.name == "d03" {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) {
			t.Errorf("with %d helpers: %v, want the error", helpers, err)
		}
		if helpers == 0 && visited >= len(all)/2 {
			t.Errorf("%d of %d were visited after all", visited, len(all))
		}
	}
}

func TestWalkLeavesOutWhatIsSkipped(t *testing.T) {
	root, all := forest(t)
	visited := 0
	err := walk(root, 0, func(n *node) error {
		visited++
		if n.name == "d05" {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil || visited != len(all)-11 {
		t.Errorf("%d of %d were visited, %v; want all but the 11 in d05", visited, len(all), err)
	}
}

func TestWalkFollowsNoLinkAndEntersNoAbyss(t *testing.T) {
	root := t.TempDir()
	if err := os.Symlink("/etc", filepath.Join(root, "out")); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := walk(root, 0, func(n *node) error { got = append(got, n.name); return nil }); err != nil || !slices.Equal(got, []string{".", "out"}) {
		t.Errorf("%q, %v", got, err)
	}
	if err := walk(filepath.Join(root, "nothing"), 0, func(*node) error { return nil }); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
	r, err := os.OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.MkdirAll(strings.Repeat("d/", maxWalkDepth+2), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := walk(root, 3, func(*node) error { return nil }); !errors.Is(err, sandbox.ErrTooLarge) {
		t.Errorf("%d directories in one another: %v, want too large", maxWalkDepth+2, err)
	}
}

func TestModesAreThoseOfTheInode(t *testing.T) {
	dir := t.TempDir()
	for i, mode := range []fs.FileMode{0o600, 0o755, 0o777 | fs.ModeSticky, 0o755 | fs.ModeSetuid, 0o755 | fs.ModeSetgid} {
		name := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(filepath.Join(dir, "fifo"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	err := walk(dir, 0, func(n *node) error {
		info, err := os.Lstat(filepath.Join(dir, n.name))
		if err == nil && info.Mode() != n.mode {
			t.Errorf("%s has mode %v, want %v", n.name, n.mode, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
