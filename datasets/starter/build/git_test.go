package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/datasets/starter"
)

// write lays files, given as path and text, into a new directory.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var before = map[string]string{
	"go.mod":         "module m\n",
	"a.go":           "package m\n\nconst A = 1\n",
	"a_test.go":      "package m\n",
	"testdata/x.txt": "x\r\n",
	".gitignore":     "*.txt\n",
	".gitattributes": "* text=auto\n",
	"CHANGES":        "1\n",
	"gone.go":        "package m\n",
}

func after() map[string]string {
	files := maps.Clone(before)
	delete(files, "gone.go")
	files["a.go"] = "package m\n\nconst A = 2\n"
	files["a_test.go"] = "package m // tested\n"
	files["testdata/x.txt"] = "y\r\n"
	files["testdata/new [1].txt"] = "n"
	files["CHANGES"] = "2\n"
	return files
}

func TestDeriveSplitsTheDifference(t *testing.T) {
	p, err := derive(t.Context(), starter.Go, write(t, before), write(t, after()), filepath.Join(t.TempDir(), "derive"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, patch    string
		holds, without []string
	}{
		{"code", p.code, []string{"a/a.go", "a/gone.go", "+const A = 2"}, []string{"_test.go", "testdata", "CHANGES"}},
		{"test", p.test, []string{"a/a_test.go", "testdata/x.txt", "testdata/new [1].txt"}, []string{"a/a.go", "CHANGES"}},
	} {
		for _, text := range test.holds {
			if !strings.Contains(test.patch, text) {
				t.Errorf("%s patch lacks %q:\n%s", test.name, text, test.patch)
			}
		}
		for _, text := range test.without {
			if strings.Contains(test.patch, text) {
				t.Errorf("%s patch has %q:\n%s", test.name, text, test.patch)
			}
		}
	}
}

func TestDerivedPatchesMakeTheFixedTree(t *testing.T) {
	fixed := after()
	p, err := derive(t.Context(), starter.Go, write(t, before), write(t, fixed), filepath.Join(t.TempDir(), "derive"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "testbed")
	if _, err := commitOnce(t.Context(), write(t, before), dir); err != nil {
		t.Fatal(err)
	}
	for _, patch := range []string{p.test, p.code} {
		cmd := git(t.Context(), dir, "apply")
		cmd.Stdin = strings.NewReader(patch)
		if _, err := output(cmd); err != nil {
			t.Fatal(err)
		}
	}
	fixed["CHANGES"] = before["CHANGES"] // dropped from both patches
	for name, want := range fixed {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s = %q, %v; want %q", name, got, err, want)
		}
	}
	if exists(filepath.Join(dir, "gone.go")) {
		t.Error("gone.go is still there")
	}
}

func TestDeriveNeedsCodeAndTests(t *testing.T) {
	fixed := maps.Clone(before)
	fixed["a.go"] = "package m\n"
	if _, err := derive(t.Context(), starter.Go, write(t, before), write(t, fixed), filepath.Join(t.TempDir(), "derive")); err == nil {
		t.Error("a fix without a test was accepted")
	}
}

func TestCommitOnceIsReproducible(t *testing.T) {
	var ids [2]string
	for i := range ids {
		id, err := commitOnce(t.Context(), write(t, before), filepath.Join(t.TempDir(), "testbed"))
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = id
	}
	if ids[0] != ids[1] || len(ids[0]) != 40 {
		t.Errorf("commit ids %q and %q", ids[0], ids[1])
	}
}

func TestCheckOneCommitFindsWhatKnowsTheFuture(t *testing.T) {
	run := func(args ...string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			if _, err := output(git(t.Context(), dir, args...)); err != nil {
				t.Fatal(err)
			}
		}
	}
	object := func(t *testing.T, dir string) {
		t.Helper()
		cmd := git(t.Context(), dir, "hash-object", "-w", "--stdin")
		cmd.Stdin = strings.NewReader("const A = 2")
		if _, err := output(cmd); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		spoil func(*testing.T, string)
	}{
		{"second commit", run("commit", "--allow-empty", "--message", "more")},
		{"tag", run("tag", "v2")},
		{"branch", run("branch", "fix")},
		{"remote", run("remote", "add", "origin", "https://example.invalid/x")},
		{"reflog", run("-c", "core.logAllRefUpdates=true", "commit", "--amend", "--no-edit")},
		{"loose object", object},
		{"changed file", func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte("package m\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}},
		{"ignored file", func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "left.txt"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "testbed")
			if _, err := commitOnce(t.Context(), write(t, before), dir); err != nil {
				t.Fatal(err)
			}
			test.spoil(t, dir)
			if _, err := checkOneCommit(t.Context(), dir); err == nil {
				t.Error("not found")
			}
		})
	}
}
