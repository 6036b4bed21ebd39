package patch

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const modifyF = "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"

func TestParse(t *testing.T) {
	for name, tc := range map[string]struct {
		text  string
		files []File
		paths []string
	}{
		"nothing":       {"\n \n", nil, nil},
		"git":           {"words before\ndiff --git a/f b/f\nindex 1234567..89abcde 100644\n" + modifyF + "-- \n2.39.5\n", []File{{Kind: Modify, Old: "f", New: "f"}}, []string{"f"}},
		"git, no index": {"diff --git a/f b/f\n" + modifyF, []File{{Kind: Modify, Old: "f", New: "f"}}, []string{"f"}},
		"plain":         {modifyF, []File{{Kind: Modify, Old: "f", New: "f"}}, []string{"f"}},
		"plain, no directory": {strings.NewReplacer("a/f", "f\t2024-01-01 10:00:00.000000000 +0100", "b/f", "f\t2024-01-01 10:00:01.000000000 +0100").Replace(modifyF),
			[]File{{Kind: Modify, Old: "f", New: "f"}}, []string{"f"}},
		"plain, created":         {"--- /dev/null\n+++ b/d/f\n@@ -0,0 +1 @@\n+one\n", []File{{Kind: Create, New: "d/f"}}, []string{"d/f"}},
		"plain, deleted":         {"--- a/d/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n", []File{{Kind: Delete, Old: "d/f"}}, []string{"d/f"}},
		"created without a mode": {"diff --git a/f b/f\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+one\n", []File{{Kind: Create, New: "f"}}, []string{"f"}},
		"created":                {"diff --git a/f b/f\nnew file mode 100755\nindex 0000000..e69de29\n", []File{{Kind: Create, New: "f", Mode: 0o755}}, []string{"f"}},
		"deleted":                {"diff --git a/f b/f\ndeleted file mode 100644\nindex e69de29..0000000\n", []File{{Kind: Delete, Old: "f"}}, []string{"f"}},
		"renamed":                {"diff --git a/x y b/d/z\nsimilarity index 100%\nrename from x y\nrename to d/z\n", []File{{Kind: Rename, Old: "x y", New: "d/z"}}, []string{"d/z", "x y"}},
		"copied":                 {"diff --git a/x b/y\nsimilarity index 100%\ncopy from x\ncopy to y\n", []File{{Kind: Copy, Old: "x", New: "y"}}, []string{"x", "y"}},
		"made executable":        {"diff --git a/f b/f\nold mode 100644\nnew mode 100755\n", []File{{Kind: Chmod, Old: "f", New: "f", Mode: 0o755}}, []string{"f"}},
		"a link":                 {"diff --git a/f b/f\nnew file mode 120000\nindex 0000000..1de5659\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+target\n\\ No newline at end of file\n", []File{{Kind: Create, New: "f", Mode: fs.ModeSymlink | 0o777}}, []string{"f"}},
		"quoted":                 {"diff --git \"a/\\303\\244\\t\\\"\" \"b/\\303\\244\\t\\\"\"\nold mode 100644\nnew mode 100755\n", []File{{Kind: Chmod, Old: "ä\t\"", New: "ä\t\"", Mode: 0o755}}, []string{"ä\t\""}},
		"binary, left out":       {"diff --git a/f b/f\nindex 1234567..89abcde 100644\nBinary files a/f and b/f differ\n", []File{{Kind: Modify, Old: "f", New: "f", Binary: true}}, []string{"f"}},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := Parse(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.files, set.Files, cmpopts.IgnoreUnexported(File{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			for _, f := range set.Files {
				if f.Withheld() != f.Binary { // no case here has binary data
					t.Errorf("%s: withheld %v", f.New, f.Withheld())
				}
			}
			if diff := cmp.Diff(tc.paths, set.Paths(), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	at := func(path string) string {
		return strings.NewReplacer("a/f", "a/"+path, "b/f", "b/"+path).Replace(modifyF)
	}
	for name, tc := range map[string]struct{ text, says string }{
		"words":             {"please fix it", "no diff"},
		"too long":          {strings.Repeat("\n", MaxText+1), "more than"},
		"parent":            {at("../f"), "not clean"},
		"parent inside":     {at("d/../../f"), "not clean"},
		"dot":               {at("./f"), "not clean"},
		"absolute":          {"diff --git a//etc/f b//etc/f\nrename from /etc/f\nrename to f\n", "absolute"},
		"history":           {at(".git/config"), ".git"},
		"history, any case": {at("d/.GIT/hooks/pre-commit"), ".git"},
		"NUL":               {"diff --git \"a/f\\000\" \"b/f\\000\"\nold mode 100644\nnew mode 100755\n", "NUL"},
		"whiteout":          {at("d/.wh.f"), "whiteout"},
		"long name":         {at(strings.Repeat("x", 256)), "too long"},
		"long path":         {at(strings.Repeat("x/", 2048) + "f"), "too long"},
		"rename out":        {"diff --git a/f b/g\nrename from f\nrename to ../g\n", "not clean"},
		"submodule":         {"diff --git a/s b/s\nnew file mode 160000\nindex 0000000..1234567\n--- /dev/null\n+++ b/s\n@@ -0,0 +1 @@\n+Subproject commit 1234567\n", "submodules"},
		"device":            {"diff --git a/s b/s\nnew file mode 020666\n", "mode"},
		"nothing":           {"diff --git a/f b/f\nindex 1234567..1234567 100644\n", "changes nothing"},
		"hunk cut":          {strings.TrimSuffix(modifyF, " three\n"), "miscounts"},
		"hunk alone":        {"@@ -1 +1 @@\n-a\n+b\n", "without file header"},
		"two names":         {"diff --git a/f b/g\n--- a/f\n+++ b/g\n@@ -1 +1 @@\n-a\n+b\n", "without being renamed"},
		"file to link":      {"diff --git a/f b/f\nold mode 100644\nnew mode 120000\n", "cannot become"},
		"git's and plain":   {modifyF + "diff --git a/g b/g\nold mode 100644\nnew mode 100755\n", "some do not"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(tc.text)
			if err == nil || !strings.HasPrefix(err.Error(), "parse patch: ") || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error = %v, want one that says %q", err, tc.says)
			}
		})
	}
}

func file(content string) node { return node{[]byte(content), 0o644} }

func TestApply(t *testing.T) {
	for name, tc := range map[string]struct {
		patch string
		tree  memoryTree
		want  memoryTree
	}{
		"exactly":                  {modifyF, memoryTree{"f": file("one\ntwo\nthree\n")}, memoryTree{"f": file("one\n2\nthree\n")}},
		"last newline lost":        {strings.TrimSuffix(modifyF, "\n"), memoryTree{"f": file("one\ntwo\nthree\n")}, memoryTree{"f": file("one\n2\nthree\n")}},
		"permissions are kept":     {modifyF, memoryTree{"f": {[]byte("one\ntwo\nthree\n"), 0o600}}, memoryTree{"f": {[]byte("one\n2\nthree\n"), 0o600}}},
		"elsewhere":                {strings.Replace(modifyF, "-1,3 +1,3", "-7,3 +7,3", 1), memoryTree{"f": file("zero\none\ntwo\nthree\nfour\n")}, memoryTree{"f": file("zero\none\n2\nthree\nfour\n")}},
		"exactly, of several":      {strings.Replace(modifyF, "-1,3 +1,3", "-4,3 +4,3", 1), memoryTree{"f": file("one\ntwo\nthree\none\ntwo\nthree\n")}, memoryTree{"f": file("one\ntwo\nthree\none\n2\nthree\n")}},
		"carriage returns":         {"--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n one\r\n-two\r\n+2\r\n", memoryTree{"f": file("one\r\ntwo\r\n")}, memoryTree{"f": file("one\r\n2\r\n")}},
		"newline added at end":     {"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-one\n\\ No newline at end of file\n+one\n", memoryTree{"f": file("one")}, memoryTree{"f": file("one\n")}},
		"newline taken from end":   {"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-one\n+one\n\\ No newline at end of file\n", memoryTree{"f": file("one\n")}, memoryTree{"f": file("one")}},
		"appended without context": {"--- a/f\n+++ b/f\n@@ -2,0 +3 @@\n+three\n", memoryTree{"f": file("one\ntwo\n")}, memoryTree{"f": file("one\ntwo\nthree\n")}},
		"empty file created":       {"diff --git a/d/f b/d/f\nnew file mode 100755\nindex 0000000..e69de29\n", memoryTree{}, memoryTree{"d/f": {nil, 0o755}}},
		"empty file deleted":       {"diff --git a/f b/f\ndeleted file mode 100644\nindex e69de29..0000000\n", memoryTree{"f": file("")}, memoryTree{}},
		"same file twice":          {modifyF + strings.NewReplacer("-two", "-2", "+2", "+II").Replace(modifyF), memoryTree{"f": file("one\ntwo\nthree\n")}, memoryTree{"f": file("one\nII\nthree\n")}},
		"names exchanged": {"diff --git a/f b/g\nrename from f\nrename to g\ndiff --git a/g b/f\nrename from g\nrename to f\n",
			memoryTree{"f": file("1"), "g": file("2")}, memoryTree{"f": file("2"), "g": file("1")}},
		"directory where a file was": {"diff --git a/f b/f\ndeleted file mode 100644\n--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\ndiff --git a/f/g b/f/g\nnew file mode 100644\n--- /dev/null\n+++ b/f/g\n@@ -0,0 +1 @@\n+two\n",
			memoryTree{"f": file("one\n")}, memoryTree{"f/g": file("two\n")}},
		"file where a directory was": {"diff --git a/f b/f\nnew file mode 100644\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+two\ndiff --git a/f/g b/f/g\ndeleted file mode 100644\n--- a/f/g\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n",
			memoryTree{"f/g": file("one\n")}, memoryTree{"f": file("two\n")}},
	} {
		t.Run(name, func(t *testing.T) {
			changes := mustApply(t, tc.patch, tc.tree)
			checkTree(t, tc.tree.with(changes), tc.want, tc.patch)
			checkTree(t, tc.tree.withLayer(t, changes), tc.want, tc.patch)
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	link := node{[]byte("elsewhere"), fs.ModeSymlink | 0o777}
	create := func(path string) string { return "--- /dev/null\n+++ b/" + path + "\n@@ -0,0 +1 @@\n+one\n" }
	for name, tc := range map[string]struct {
		patch string
		tree  memoryTree
		says  string
	}{
		"absent":                       {modifyF, memoryTree{}, "f does not exist"},
		"another text":                 {strings.Replace(modifyF, "-1,3 +1,3", "-2,3 +2,3", 1), memoryTree{"f": file("zero\none\nTWO\nthree\n")}, `hunk 1 of 1, for line 2: it does not match: line 3 is "TWO\n", the patch has "two\n"`},
		"several places":               {strings.Replace(modifyF, "-1,3 +1,3", "-3,3 +3,3", 1), memoryTree{"f": file("one\ntwo\nthree\none\ntwo\nthree\n")}, "at lines 1 and 4"},
		"first line, moved":            {modifyF, memoryTree{"f": file("zero\none\ntwo\nthree\n")}, "hunk 1 of 1"},
		"inserted without context":     {"--- a/f\n+++ b/f\n@@ -1,0 +2 @@\n+new\n", memoryTree{"f": file("one\ntwo\n")}, "beginning or the end"},
		"other line ends":              {modifyF, memoryTree{"f": file("one\r\ntwo\r\nthree\r\n")}, `line 1 is "one\r\n"`},
		"no newline in the middle":     {"--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@\n one\n+new\n\\ No newline at end of file\n two\n", memoryTree{"f": file("one\ntwo\n")}, "without a newline"},
		"exists":                       {create("f"), memoryTree{"f": file("")}, "exists already"},
		"exists as a directory":        {create("d"), memoryTree{"d/f": file("")}, "directory"},
		"below a file":                 {create("f/g"), memoryTree{"f": file("")}, "f is a regular file"},
		"below a link":                 {create("l/d/g"), memoryTree{"l": link}, "l is a symbolic link"},
		"below a file of its own":      {create("f") + create("f/g"), memoryTree{}, "no directory"},
		"created twice":                {create("f") + create("f"), memoryTree{}, "twice"},
		"deleted, not whole":           {"--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n", memoryTree{"f": file("one\ntwo\n")}, "hunk 1 of 1"},
		"deleted without content":      {"diff --git a/f b/f\ndeleted file mode 100644\n", memoryTree{"f": file("one\n")}, "not all of its content"},
		"modified after being renamed": {"diff --git a/f b/g\nrename from f\nrename to g\ndiff --git a/f b/f\n" + modifyF, memoryTree{"f": file("one\ntwo\nthree\n")}, "before in the same patch"},
		"a link, not a file":           {"diff --git a/f b/f\nindex 1234567..89abcde 100644\n" + modifyF, memoryTree{"f": link}, "is a symbolic link"},
		"empty link":                   {"diff --git a/f b/f\nnew file mode 120000\n", memoryTree{}, "target"},
		"binary, left out":             {"diff --git a/f b/f\nindex 1234567..89abcde 100644\nBinary files a/f and b/f differ\n", memoryTree{"f": file("")}, "--binary"},
		"binary, of another file":      {"diff --git a/f b/f\nindex e69de29bb2d1d6434b8b29ae775ad8c2e48c5391..1234567812345678123456781234567812345678 100644\nGIT binary patch\nliteral 0\nHcmV?d00001\n\n", memoryTree{"f": file("x")}, "not the one"},
		"binary, wrong result":         {"diff --git a/f b/f\nindex e69de29bb2d1d6434b8b29ae775ad8c2e48c5391..1234567812345678123456781234567812345678 100644\nGIT binary patch\nliteral 0\nHcmV?d00001\n\n", memoryTree{"f": file("")}, "does not make what it says"},
		"binary, no names":             {"diff --git a/f b/f\nindex 1234567..89abcde 100644\nGIT binary patch\nliteral 0\nHcmV?d00001\n\n", memoryTree{"f": file("")}, "full object names"},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := Parse(tc.patch)
			if err != nil {
				t.Fatal(err)
			}
			changes, err := Apply(set, tc.tree)
			if err == nil || !strings.HasPrefix(err.Error(), "apply patch to ") || !strings.Contains(err.Error(), tc.says) || changes != nil {
				t.Errorf("changes %v, error = %v, want one that says %q", changes, err, tc.says)
			}
		})
	}
}

func TestApplyKeepsTheTreesError(t *testing.T) {
	set, err := Parse(modifyF)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the line went dead")
	if _, err := Apply(set, brokenTree{broken}); !errors.Is(err, broken) {
		t.Errorf("error = %v", err)
	}
}

type brokenTree struct{ err error }

func (b brokenTree) ReadFile(string) ([]byte, fs.FileMode, error) { return nil, 0, b.err }

// A file as long as a patch may be, made to keep a search busy, is searched quickly.
func TestSearchIsLinear(t *testing.T) {
	const n = 200_000
	tree := memoryTree{"f": file(strings.Repeat("a\n", 2*n))}
	text := "--- a/f\n+++ b/f\n@@ -5,200001 +5,200002 @@\n+new\n" + strings.Repeat(" a\n", n) + " b\n"
	set, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Apply(set, tree); err == nil || !strings.Contains(err.Error(), "does not match") {
		t.Errorf("error = %v", err)
	}
}

func TestLayerIsReproducible(t *testing.T) {
	changes := []FileChange{
		{Path: "z/new", Content: []byte("new"), Mode: 0o755},
		{Path: "a/gone", Delete: true},
		{Path: "a/link", Content: []byte("../z/new"), Mode: fs.ModeSymlink | 0o777},
		{Path: strings.Repeat("long/", 60) + "日本", Mode: 0o644},
		{Path: "y/gone", Delete: true},
	}
	var layer bytes.Buffer
	if err := WriteLayer(&layer, changes); err != nil {
		t.Fatal(err)
	}
	var names []string
	for in := tar.NewReader(&layer); ; {
		hdr, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, hdr.Name)
	}
	want := []string{"a/.wh.gone", "y/.wh.gone", "a/link", strings.Repeat("long/", 60) + "日本", "z/new"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	for _, bad := range []FileChange{{Path: ""}, {Path: "../f"}, {Path: "/f"}, {Path: ".wh.f"}, {Path: "d", Mode: fs.ModeDir}, {Path: "l", Mode: fs.ModeSymlink, Content: []byte("a\x00")}} {
		if err := WriteLayer(io.Discard, []FileChange{bad}); err == nil {
			t.Errorf("WriteLayer takes %+v", bad)
		}
	}
}

func mustApply(t *testing.T, text string, tree Tree) []FileChange {
	t.Helper()
	set, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := Apply(set, tree)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}
