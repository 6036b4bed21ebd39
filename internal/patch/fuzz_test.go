package patch

import (
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
)

// FuzzApply applies any text to any file and checks what holds of every patch:
// paths stay in the tree, each changes once, only paths of the patch change, sizes
// are bounded, and the result fits in a layer.
func FuzzApply(f *testing.F) {
	f.Add(modifyF, "one\ntwo\nthree\n")
	f.Add("diff --git a/f b/f\nold mode 100644\nnew mode 100755\nindex 1..2\n"+modifyF, "zero\none\ntwo\nthree\n")
	f.Add("diff --git a/f b/d/g\nsimilarity index 90%\nrename from f\nrename to d/g\n"+"@@ -1 +1 @@\n-one\n+1\n", "one\n")
	f.Add("diff --git a/f b/../g\ncopy from f\ncopy to ../g\n", "one\n")
	f.Add("--- /dev/null\n+++ b/.git/config\n@@ -0,0 +1 @@\n+x\n", "")
	f.Add("diff --git a/f b/f\nindex e69de29bb2d1d6434b8b29ae775ad8c2e48c5391..e69de29bb2d1d6434b8b29ae775ad8c2e48c5391 100644\nGIT binary patch\nliteral 0\nHcmV?d00001\n\n", "")
	f.Add("diff --git \"a/\\303\\244\" \"b/\\303\\244\"\ndeleted file mode 120000\n--- \"a/\\303\\244\"\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\\ No newline at end of file\n", "x")
	f.Fuzz(func(t *testing.T, text, content string) {
		set, err := Parse(text)
		if err != nil {
			return
		}
		paths := set.Paths()
		if !slices.IsSorted(paths) || len(slices.Compact(slices.Clone(paths))) != len(paths) {
			t.Fatalf("paths are not sorted and unique: %q", paths)
		}
		for _, p := range paths {
			if p == "" || !path.IsAbs("/"+p) || path.Clean(p) != p || strings.HasPrefix(p, "../") || strings.HasPrefix(p, "/") || strings.HasPrefix(p, ".git/") || p == ".git" || p == ".." {
				t.Fatalf("path %q", p)
			}
		}
		changes, err := Apply(set, oneFile(content))
		if err != nil {
			if changes != nil {
				t.Fatalf("changes with an error: %v", err)
			}
			return
		}
		for i, c := range changes {
			if i > 0 && changes[i-1].Path >= c.Path {
				t.Fatalf("%q comes after %q", c.Path, changes[i-1].Path)
			}
			if _, named := slices.BinarySearch(paths, c.Path); !named {
				t.Fatalf("%q changes and the patch does not name it", c.Path)
			}
			if len(c.Content) > MaxFile || c.Mode&^(fs.ModePerm|fs.ModeSymlink) != 0 {
				t.Fatalf("%d bytes, mode %v", len(c.Content), c.Mode)
			}
		}
		if err := WriteLayer(io.Discard, changes); err != nil {
			t.Fatal(err)
		}
	})
}

// oneFile is a tree in which every file named f, at any depth, has one content, and
// which has nothing else.
type oneFile string

func (o oneFile) ReadFile(name string) ([]byte, fs.FileMode, error) {
	if path.Base(name) == "f" {
		return []byte(o), 0o644, nil
	}
	return nil, 0, fs.ErrNotExist
}
