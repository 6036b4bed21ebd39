package worktree

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/patch"
	"assay/internal/sandbox"
)

// file is a file or link of a tree: paths, to what is there.
type file struct {
	Mode    fs.FileMode
	Content string
}

type files map[string]file

// onDisk makes a tree in a new directory.
func (f files) onDisk(t *testing.T, dir string) {
	t.Helper()
	for name, file := range f {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil && file.Mode.Type() == fs.ModeSymlink {
			err = os.Symlink(file.Content, path)
		} else if err == nil {
			err = errors.Join(os.WriteFile(path, []byte(file.Content), 0o600), os.Chmod(path, file.Mode))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (f files) root(t *testing.T) *os.Root {
	t.Helper()
	dir := t.TempDir()
	f.onDisk(t, dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

// below tells whether something of the tree lies below dir.
func (f files) below(dir string) bool {
	for name := range f {
		if strings.HasPrefix(name, dir+"/") {
			return true
		}
	}
	return false
}

// layer is what a file system in layers would write of one tree becoming another. It
// empties some directories that are still there, and fills them anew.
func layer(t *testing.T, rnd *rand.Rand, from, to files) *bytes.Reader {
	t.Helper()
	var buf bytes.Buffer
	out := tar.NewWriter(&buf)
	put := func(hdr tar.Header, content string) {
		hdr.Size, hdr.Format = int64(len(content)), tar.FormatPAX
		if err := out.WriteHeader(&hdr); err != nil {
			t.Fatal(err)
		}
		io.WriteString(out, content)
	}
	emptied, told := map[string]bool{}, map[string]bool{}
	for name := range to {
		for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
			if rnd.IntN(4) == 0 {
				emptied[dir] = true
			}
		}
	}
	hidden := func(name string) bool {
		for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
			if emptied[dir] {
				return true
			}
		}
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(to)) {
		if from[name] == to[name] && !hidden(name) && rnd.IntN(3) > 0 {
			continue
		}
		parts := strings.Split(name, "/")
		for i := 1; i < len(parts); i++ {
			if dir := strings.Join(parts[:i], "/"); !told[dir] {
				told[dir] = true
				put(tar.Header{Name: dir + "/", Typeflag: tar.TypeDir, Mode: 0o755}, "")
				if emptied[dir] {
					put(tar.Header{Name: dir + "/" + whiteoutOpaque, Typeflag: tar.TypeReg}, "")
				}
			}
		}
		if f := to[name]; f.Mode.Type() == fs.ModeSymlink {
			put(tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: f.Content}, "")
		} else {
			put(tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: int64(f.Mode.Perm())}, f.Content)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(from)) {
		if _, kept := to[name]; kept || hidden(name) && to.below(filepath.Dir(name)) {
			continue
		}
		top := name // of what goes with it
		for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
			if _, replaced := to[dir]; replaced {
				top = ""
			} else if top != "" && !to.below(dir) {
				top = dir
			}
		}
		if dir, base := filepath.Split(top); top != "" && !told[top] && !to.below(top) {
			told[top] = true
			put(tar.Header{Name: dir + whiteoutPrefix + base, Typeflag: tar.TypeReg}, "")
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(buf.Bytes())
}

var names = []string{
	"plain", "dir/plain", "dir/sub/deep", "dir-b", "two words", "dir/ä", "quote\"here", "back\\slash", "new\nline", "bytes\xff", "dir", "a/b/c/d", "a/b", "a/bc", "a",
}

func randomFile(rnd *rand.Rand) file {
	mode := []fs.FileMode{0o644, 0o755}[rnd.IntN(2)]
	lines := strings.Repeat(fmt.Sprintf("line %d\nand\r\n", rnd.IntN(5)), rnd.IntN(6))
	switch rnd.IntN(6) {
	case 0:
		return file{fs.ModeSymlink | 0o777, fmt.Sprintf("to/%d", rnd.IntN(9))}
	case 1:
		return file{mode, fmt.Sprintf("\x00%d", rnd.Uint64())}
	case 2:
		return file{mode, strings.TrimSpace(lines)}
	}
	return file{mode, lines}
}

func (f files) put(name string, n file) {
	for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
		if _, taken := f[dir]; taken {
			return
		}
	}
	if !f.below(name) {
		f[name] = n
	}
}

func randomFiles(rnd *rand.Rand) files {
	f := files{}
	for range 10 {
		f.put(names[rnd.IntN(len(names))], randomFile(rnd))
	}
	return f
}

// changed is a tree with some files of another in it.
func (f files) changed(rnd *rand.Rand) files {
	to := maps.Clone(f)
	for name := range f {
		switch rnd.IntN(4) {
		case 0:
			delete(to, name)
		case 1:
			to[name] = randomFile(rnd)
		}
	}
	for range rnd.IntN(6) {
		to.put(names[rnd.IntN(len(names))], randomFile(rnd))
	}
	return to
}

func diffOf(t *testing.T, layer io.ReadSeeker, from files) (diff, fingerprint string) {
	t.Helper()
	var out strings.Builder
	fingerprint, err := Diff(t.Context(), &out, layer, from.root(t))
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), fingerprint
}

// A layer's diff makes of the tree what the layer makes of it, as git applies it and as
// we do; and it and its fingerprint do not depend on what else the layer happens to tell.
func TestDiffsMakeWhatTheirLayersMake(t *testing.T) {
	for seed := range uint64(120) {
		rnd := rand.New(rand.NewPCG(seed, 11))
		from := randomFiles(rnd)
		to := from.changed(rnd)
		if seed%10 == 0 {
			to = files{"plain": to["plain"]}
			to["plain"] = randomFile(rnd)
		}
		diff, _ := diffOf(t, layer(t, rnd, from, to), from)
		if again, _ := diffOf(t, layer(t, rnd, from, to), from); again != diff {
			t.Fatalf("seed %d: another layer of the same work makes\n%s\nand not\n%s", seed, again, diff)
		}
		if got := patched(t, from, diff); !cmp.Equal(got, to) {
			t.Fatalf("seed %d:\n%s\n%s", seed, cmp.Diff(to, got), diff)
		}
		if got := byGit(t, from, diff); !cmp.Equal(got, to) {
			t.Fatalf("seed %d, by git:\n%s\n%s", seed, cmp.Diff(to, got), diff)
		}
	}
}

// ReadFile makes files a patch.Tree.
func (f files) ReadFile(path string) ([]byte, fs.FileMode, error) {
	n, found := f[path]
	if !found && f.below(path) {
		return nil, 0, fs.ErrInvalid
	}
	if !found {
		return nil, 0, fs.ErrNotExist
	}
	return []byte(n.Content), n.Mode, nil
}

func patched(t *testing.T, from files, diff string) files {
	t.Helper()
	set, err := patch.Parse(diff)
	if err != nil {
		t.Fatalf("%v\n%s", err, diff)
	}
	changes, err := patch.Apply(set, from)
	if err != nil {
		t.Fatalf("%v\n%s", err, diff)
	}
	to := maps.Clone(from)
	for _, c := range changes { // what a file takes the place of goes with it
		maps.DeleteFunc(to, func(name string, _ file) bool { return Within(name, c.Path) })
	}
	for _, c := range changes {
		if !c.Delete {
			to[c.Path] = file{c.Mode, string(c.Content)}
		}
	}
	return to
}

func byGit(t *testing.T, from files, diff string) files {
	t.Helper()
	dir := t.TempDir()
	from.onDisk(t, dir)
	if diff != "" {
		cmd := exec.Command("git", "apply", "--whitespace=nowarn", "-")
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(diff)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git apply: %v: %s\n%s", err, out, diff)
		}
	}
	to := files{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.Type() == fs.ModeSymlink {
			target, err := os.Readlink(path)
			to[name] = file{fs.ModeSymlink | 0o777, target}
			return err
		}
		content, err := os.ReadFile(path)
		to[name] = file{info.Mode(), string(content)}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func TestDiffIsSortedAndLeavesTheRepositoryOut(t *testing.T) {
	from := files{"b/x": {0o644, "x\n"}, ".git/HEAD": {0o644, "ref\n"}, "sub/.git/HEAD": {0o644, "ref\n"}, "sub/f": {0o644, "f\n"}}
	work := layerOf(t,
		tar.Header{Name: ".wh..wh..opq", Typeflag: tar.TypeReg},
		tar.Header{Name: "b/", Typeflag: tar.TypeDir, Mode: 0o755},
		tar.Header{Name: "b/y", Typeflag: tar.TypeReg, Mode: 0o644},
		tar.Header{Name: "b-a", Typeflag: tar.TypeReg, Mode: 0o644},
		tar.Header{Name: ".git/config", Typeflag: tar.TypeReg, Mode: 0o644},
		tar.Header{Name: ".GIT/config", Typeflag: tar.TypeReg, Mode: 0o644},
		tar.Header{Name: ".wh..git", Typeflag: tar.TypeReg},
		tar.Header{Name: "../outside", Typeflag: tar.TypeReg},
	)
	diff, _ := diffOf(t, bytes.NewReader(work.Bytes()), from)
	var seen []string
	for line := range strings.Lines(diff) {
		if name, ok := strings.CutPrefix(line, "diff --git a/"); ok {
			seen = append(seen, strings.Fields(name)[0])
		}
	}
	if want := []string{"b-a", "b/x", "b/y", "sub/f"}; !slices.Equal(seen, want) {
		t.Errorf("the diff is of %q, want %q", seen, want)
	}
}

// A fingerprint tells works apart that their diffs do not, and no others.
func TestFingerprints(t *testing.T) {
	from := files{"f": {0o644, "f\n"}, "dir/g": {0o644, "g\n"}}
	of := func(headers ...tar.Header) string {
		_, fingerprint := diffOf(t, bytes.NewReader(layerOf(t, headers...).Bytes()), from)
		return fingerprint
	}
	dir := tar.Header{Name: "dir/", Typeflag: tar.TypeDir, Mode: 0o755}
	emptied := tar.Header{Name: "dir/.wh..wh..opq", Typeflag: tar.TypeReg}
	nothing := of()
	if of(dir) != nothing {
		t.Error("a directory that is as it was makes a difference")
	}
	different := map[string]string{nothing: "nothing"}
	for name, got := range map[string]string{
		"an empty directory":               of(tar.Header{Name: "new/", Typeflag: tar.TypeDir, Mode: 0o755}),
		"an empty directory for all":       of(tar.Header{Name: "new/", Typeflag: tar.TypeDir, Mode: 0o777}),
		"a file":                           of(tar.Header{Name: "new", Typeflag: tar.TypeReg, Mode: 0o644}),
		"a private file":                   of(tar.Header{Name: "new", Typeflag: tar.TypeReg, Mode: 0o600}),
		"a directory's permissions":        of(tar.Header{Name: "dir/", Typeflag: tar.TypeDir, Mode: 0o700}),
		"an emptied directory":             of(dir, emptied),
		"one that was filled as it was":    of(dir, emptied, tar.Header{Name: "dir/g", Typeflag: tar.TypeReg, Mode: 0o644}),
		"a deleted file":                   of(tar.Header{Name: ".wh.f", Typeflag: tar.TypeReg}),
		"a name that no patch may have":    of(tar.Header{Name: ".GIT/f", Typeflag: tar.TypeReg, Mode: 0o644}),
		"a link":                           of(tar.Header{Name: "new", Typeflag: tar.TypeSymlink, Linkname: "f"}),
		"a link to somewhere else":         of(tar.Header{Name: "new", Typeflag: tar.TypeSymlink, Linkname: "dir"}),
		"a deleted directory":              of(tar.Header{Name: ".wh.dir", Typeflag: tar.TypeReg}),
		"a directory with the old content": of(tar.Header{Name: ".wh.dir", Typeflag: tar.TypeReg}, dir, tar.Header{Name: "dir/g", Typeflag: tar.TypeReg, Mode: 0o644}),
	} {
		if other, taken := different[got]; taken {
			t.Errorf("%s and %s have the same fingerprint", name, other)
		}
		different[got] = name
	}
}

func TestDiffHasLimits(t *testing.T) {
	from := files{}
	huge := tar.Header{Name: "huge", Typeflag: tar.TypeReg, Mode: 0o644, Size: patch.MaxFile + 1}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	if err := w.WriteHeader(&huge); err != nil {
		t.Fatal(err)
	}
	w.Write(make([]byte, huge.Size))
	if _, err := Diff(t.Context(), io.Discard, bytes.NewReader(buf.Bytes()), from.root(t)); !errors.Is(err, sandbox.ErrTooLarge) {
		t.Errorf("a file of %d bytes: %v", huge.Size, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	work := layerOf(t, tar.Header{Name: "f", Typeflag: tar.TypeReg})
	if _, err := Diff(ctx, io.Discard, bytes.NewReader(work.Bytes()), from.root(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of its context: %v", err)
	}
}

// A diff costs what was changed, whatever the size of the tree.
func BenchmarkDiffOfTenFilesOfTwentyThousand(b *testing.B) {
	dir := b.TempDir()
	var work bytes.Buffer
	out := tar.NewWriter(&work)
	for i := range 20_000 {
		name := fmt.Sprintf("d%d/f%d", i/200, i)
		content := strings.Repeat(fmt.Sprintf("line of %d\n", i), 50)
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			b.Fatal(err)
		}
		if i%2000 != 0 {
			continue
		}
		content += "one more\n"
		if err := out.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content))}); err != nil {
			b.Fatal(err)
		}
		io.WriteString(out, content)
	}
	root, err := os.OpenRoot(dir)
	if err := errors.Join(err, out.Close()); err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	for b.Loop() {
		if _, err := Diff(b.Context(), io.Discard, bytes.NewReader(work.Bytes()), root); err != nil {
			b.Fatal(err)
		}
	}
}
