package worktree

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ignoring makes a repository with ignore files, and returns what is ignored in it.
func ignoring(t *testing.T, files map[string]string) (dir string, ignored *Ignored) {
	t.Helper()
	dir = t.TempDir()
	if out, err := exec.Command("git", "init", "-q", dir).CombinedOutput(); err != nil {
		t.Fatalf("git init: %v: %s", err, out)
	}
	for name, text := range files {
		if err := os.MkdirAll(filepath.Join(dir, path.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tree.Close() })
	return dir, NewIgnored(tree)
}

// sameAsGit makes files, unless something is there, and holds what is ignored of them and of
// the directories above them against git.
func sameAsGit(t *testing.T, dir string, ignored *Ignored, files []string) {
	t.Helper()
	directories := map[string]bool{}
	for _, name := range files {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if f, err := os.OpenFile(at, os.O_CREATE, 0o600); err == nil {
			f.Close()
		}
		for above := name; above != "."; above = path.Dir(above) {
			info, err := os.Lstat(filepath.Join(dir, above))
			if err != nil {
				t.Fatal(err)
			}
			directories[above] = info.IsDir()
		}
	}
	names := slices.Sorted(maps.Keys(directories))
	cmd := exec.Command("git", "-C", dir, "-c", "core.excludesFile=/dev/null", "check-ignore", "--no-index", "--stdin", "-z")
	cmd.Stdin = strings.NewReader(strings.Join(names, "\x00") + "\x00")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for name := range strings.SplitSeq(string(out), "\x00") {
		want[name] = true
	}
	for _, name := range names {
		got, err := ignored.Ignores(name, directories[name])
		if err != nil {
			t.Fatal(err)
		}
		if got != want[name] {
			t.Errorf("%s is ignored: %t, of git: %t", name, got, want[name])
		}
	}
}

func TestWhatIsIgnoredIsWhatGitIgnores(t *testing.T) {
	dir, ignored := ignoring(t, map[string]string{
		".gitignore":            "\ufeff# a comment\n.venv/\n*.log\n!keep.log\r\n/build\nbuild/**/out\ndocs/*.html\n**/cache\na/**\n!a/b\nspace\\ \ntrailing   \n\\#hash\n\\!bang\nx{1,2}\n[!a-c].bin\n[^d].dat\n?.tmp\nstar**star\n/top/\nc/d/\n\n/\n//\n!\n**\\\n[z\nnested/**/deep/*.o\n",
		"sub/.gitignore":        "!*.log\n/only\nin/side\n*.pyc\n",
		"sub/deeper/.gitignore": "*\n!*/\n!.gitignore\n",
		".venv/.gitignore":      "!*\n",
		"link/x":                "",
	})
	if err := os.Symlink("../.gitignore", filepath.Join(dir, "link", ".gitignore")); err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(`x/.venv .venv/a .venv/lib/b.py sub/.venv/x a.log keep.log sub/a.log sub/deeper/a.log build/x build/a/b/out sub/build/out docs/a.html docs/a/b.html
		cache x/y/cache/z a/c a/b/c xspace trailing #hash !bang x1 x{1,2} a.bin d.bin d.dat e.dat a.tmp ab.tmp starstar starxstar star/star top/x sub/top c/d/e x/c/d only sub/only sub/x/only
		sub/in/side in/side sub/a.pyc a.pyc sub/deeper/x sub/deeper/.gitignore sub/deeper/dir/x link/a.log nested/deep/a.o nested/x/y/deep/a.o nested/deep/x/a.o z [z`)
	sameAsGit(t, dir, ignored, append(names, "space ", "trailing   "))
}

func TestWhatIsIgnoredIsWhatGitIgnoresAtRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(parts ...string) string { return parts[random.IntN(len(parts))] }
	for range 60 {
		files := map[string]string{}
		for _, place := range []string{".gitignore", "a/.gitignore", "a/b/.gitignore"} {
			var text strings.Builder
			for range random.IntN(5) {
				fmt.Fprintf(&text, "%s%s%s%s%s\n", pick("", "", "!"), pick("", "", "/", "**/"), pick("a", "b", "*", "a*", "?", "[ab]", "[!a]", "**"), pick("", "", "/b", "/*", "/**", "/**/c"), pick("", "", "/"))
			}
			files[place] = text.String()
		}
		dir, ignored := ignoring(t, files)
		var names []string
		for range 40 {
			names = append(names, path.Join(pick("a", "b", "ab", "c"), pick(".", "a", "b", "c"), pick("a", "b", "c")))
		}
		slices.Sort(names)
		slices.Reverse(names) // the deepest first, so that directories are there before files would be
		sameAsGit(t, dir, ignored, names)
		if t.Failed() {
			t.Fatalf("with %q", files)
		}
	}
}

// What the work put where the tree has a link, a file, or nothing is looked for all the same.
func TestWhereTheTreeIsAnotherNothingFails(t *testing.T) {
	dir, ignored := ignoring(t, map[string]string{".gitignore": "*.log\n", "dir/x": "", "file": ""})
	for name, target := range map[string]string{"out": "/etc", "up": "../..", "loop": "loop", "in": "dir", "nowhere": "absent"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	long := strings.Repeat("x", 300)
	for name, has := range map[string]bool{
		"out": true, "out/passwd": false, "up/x": false, "loop": true, "loop/x": false, "in/x": false, "nowhere/x": false,
		"dir/x": true, "file/x": false, "file/x/y": false, long: false, long + "/x": false, strings.Repeat("x/", 250) + "x": false, strings.Repeat(long[:250]+"/", 16) + "x": false, "\xff/\n": false,
	} {
		for _, directory := range []bool{true, false} {
			if got, err := ignored.Ignores(name, directory); err != nil || got {
				t.Errorf("%.40q is ignored: %t, %v", name, got, err)
			}
		}
		if got, err := ignored.Ignores(name+".log", false); err != nil || !got {
			t.Errorf("%.40q.log is ignored: %t, %v", name, got, err)
		}
		if got, err := ignored.Has(name); err != nil || got != has {
			t.Errorf("the tree has %.40q: %t, %v", name, got, err)
		}
	}
}
