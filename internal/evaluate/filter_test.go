package evaluate

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
)

// tree is the base work tree of the tests: a Python project.
var tree = map[string]string{
	"pkg/__init__.py":      "",
	"pkg/code.py":          "x = 1\n",
	"pkg/old.py":           "y = 1\n",
	"tests/test_code.py":   "def test_x(): assert 1\n",
	"tests/data/in.txt":    "in\n",
	"tests/data/.keep":     "",
	"conftest.py":          "import pytest\n",
	"setup.cfg":            "[metadata]\nname = p\n[tool:pytest]\naddopts = -q\n",
	"docs/index.txt":       "docs\n",
	".git/HEAD":            "ref: refs/heads/main\n",
	".git/config":          "[core]\n\tbare = false\n[filter \"lfs\"]\n\tclean = git-lfs clean\n",
	".git/info/attributes": "*.bin filter=lfs\n",
	".git/hooks/pre-push":  "#!/bin/sh\n",
	"tests/all":            "-> data",
	"tests/big.bin":        strings.Repeat("x", maxLookedAtFile+1),
	"report.xml":           "<stale/>",
	"sub/tests/test_s.py":  "def test_s(): assert 1\n",
	"sub/s.py":             "s = 1\n",
}

// entry is an entry of a layer: a file, or "name/" for a directory, or a link.
type entry struct {
	name, content, link string
	mode                int64 // 0o644 when 0
}

func layer(t *testing.T, entries []entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		hdr := &tar.Header{Name: e.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(e.content)), Format: tar.FormatPAX}
		switch {
		case e.link != "":
			hdr.Typeflag, hdr.Linkname = tar.TypeSymlink, e.link
		case strings.HasSuffix(e.name, "/"):
			hdr.Typeflag, hdr.Mode = tar.TypeDir, 0o755
		}
		if e.mode != 0 {
			hdr.Mode = e.mode
		}
		if err := w.WriteHeader(hdr); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func pythonSample() *assay.Sample {
	return &assay.Sample{
		Dataset: "d", ID: "s",
		Patch:     "--- a/pkg/code.py\n+++ b/pkg/code.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n",
		TestPatch: "--- a/tests/test_code.py\n+++ b/tests/test_code.py\n@@ -1 +1 @@\n-def test_x(): assert 1\n+def test_x(): assert 2\n",
		Task: assay.Task{
			Image: "img", Workdir: "/work", Language: "python",
			Verifier: assay.Verifier{Command: "pytest tests", Reports: []assay.ReportSpec{{Path: "report.xml", Format: "junit-xml"}}},
		},
	}
}

// laid lays work in a clean sandbox, and returns what the tree is then and what was told.
func laid(t *testing.T, sample *assay.Sample, entries []entry) (map[string]string, []assay.Tampering) {
	t.Helper()
	image := make(map[string]memory.File)
	for name, content := range tree {
		image["/work/"+name] = memory.File{Content: []byte(content)}
		if target, link := strings.CutPrefix(content, "-> "); link {
			image["/work/"+name] = memory.File{Link: target}
		}
	}
	box, err := memory.New(memory.Options{Images: map[string]memory.Image{"img": {Files: image}}}).Create(t.Context(), sandbox.Spec{ID: "ver_1", Image: "img", Workdir: "/work", Deadline: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Destroy(context.Background()) })
	r, err := newEnvironment(t.Context(), box, sample)
	if err != nil {
		t.Fatal(err)
	}
	text := layer(t, entries)
	work := func(context.Context, sandbox.Sandbox) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(text)), nil
	}
	if err := errors.Join(r.lay(t.Context(), work), r.ready(t.Context())); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	err = box.List(t.Context(), "/work", func(name string, mode fs.FileMode) error {
		switch {
		case mode.IsRegular():
			content, _, err := box.ReadFile(t.Context(), "/work/"+name, 1<<22)
			got[name] = string(content)
			return err
		case mode&fs.ModeSymlink != 0:
			got[name] = "a link"
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, r.tampered.all()
}

func TestWhatReachesTheCleanRoom(t *testing.T) {
	for _, tt := range []struct {
		name     string
		work     []entry
		changes  map[string]string // to the base tree with its tests restored; "" is gone
		tampered []string          // kind and path of each
	}{
		{name: "nothing"},
		{"code", []entry{{name: "pkg/"}, {name: "pkg/code.py", content: "x = 2\n"}, {name: "pkg/new.py", content: "n\n"}, {name: "pkg/.wh.old.py"}},
			map[string]string{"pkg/code.py": "x = 2\n", "pkg/new.py": "n\n", "pkg/old.py": ""}, nil},
		{"tests", []entry{{name: "tests/"}, {name: "tests/test_code.py", content: "pass\n"}, {name: "tests/test_new.py", content: "pass\n"}, {name: "tests/data/.wh.in.txt"}},
			nil, []string{"test tests/test_code.py", "added tests/test_new.py", "test tests/data/in.txt"}},
		{"everything as it was, of another owner", everything(), nil, nil},
		{"code that only looks like a test", []entry{{name: "pkg/test_vectors.py", content: "v = 1\n"}, {name: "pkg/tests/"}, {name: "pkg/tests/clock.py", content: "c = 1\n"}, {name: "pkg/types.py", content: "t = 1\n"}},
			map[string]string{"pkg/test_vectors.py": "v = 1\n", "pkg/tests/clock.py": "c = 1\n", "pkg/types.py": "t = 1\n"}, nil},
		{"tests that were moved", []entry{{name: ".wh.sub"}, {name: "tests/"}, {name: "tests/data/.wh.in.txt"}, {name: "tests/data/input.txt", content: "in\n"}, {name: "tests/test_s.py", content: tree["sub/tests/test_s.py"]}},
			map[string]string{"sub/s.py": ""}, []string{"added sub/tests/test_s.py", "added tests/data/in.txt", "added tests/data/input.txt", "added tests/test_s.py"}},
		{"a directory of tests that was moved", []entry{{name: ".wh.tests"}, {name: "checks/"}, {name: "checks/all", link: "data"}, {name: "checks/test_code.py", content: tree["tests/test_code.py"]}, {name: "checks/data/"}, {name: "checks/data/in.txt", content: "in\n"}, {name: "checks/data/.keep"}, {name: "checks/big.bin", content: tree["tests/big.bin"]}},
			map[string]string{"checks/all": "a link", "checks/test_code.py": tree["tests/test_code.py"], "checks/data/in.txt": "in\n", "checks/big.bin": tree["tests/big.bin"]}, []string{"added tests"}},
		{"a directory of tests of which one was not moved", []entry{{name: ".wh.tests"}, {name: "checks/"}, {name: "checks/data/"}, {name: "checks/data/in.txt", content: "in\n"}, {name: "checks/data/.keep"}, {name: "checks/big.bin", content: tree["tests/big.bin"]}},
			map[string]string{"checks/data/in.txt": "in\n", "checks/big.bin": tree["tests/big.bin"]}, []string{"test tests"}},
		{"an empty file among tests that was moved", []entry{{name: "tests/data/.wh..keep"}, {name: "tests/new/"}, {name: "tests/new/.keep"}}, nil, []string{"added tests/data/.keep", "added tests/new"}},
		{"one in whose place another was made", []entry{{name: "tests/data/.wh..keep"}, {name: "tests/new"}}, nil, []string{"test tests/data/.keep", "added tests/new"}},
		{"a test that was moved and changed", []entry{{name: "tests/data/.wh.in.txt"}, {name: "tests/data/input.txt", content: "other\n"}},
			nil, []string{"test tests/data/in.txt", "added tests/data/input.txt"}},
		{"a test that was overwritten by another", []entry{{name: "tests/data/in.txt", content: tree["sub/tests/test_s.py"]}, {name: ".wh.sub"}},
			map[string]string{"sub/s.py": ""}, []string{"test tests/data/in.txt", "test sub/tests/test_s.py"}},
		{"a link that leads elsewhere", []entry{{name: "tests/all", link: "../sub"}}, nil, []string{"test tests/all"}},
		{"a large test that changed", []entry{{name: "tests/big.bin", content: strings.Repeat("y", maxLookedAtFile+1)}}, nil, []string{"test tests/big.bin"}},
		{"tests that were removed and written anew", []entry{{name: "tests/"}, {name: "tests/.wh..wh..opq"}, {name: "tests/all", link: "data"}, {name: "tests/big.bin", content: tree["tests/big.bin"]}, {name: "tests/data/"}, {name: "tests/data/in.txt", content: tree["tests/data/in.txt"]}, {name: "tests/data/.keep"}, {name: "tests/test_code.py", content: tree["tests/test_code.py"]}}, nil, nil},
		{"a folder of tests", []entry{{name: "tests/new/"}, {name: "tests/new/test_a.py", content: "a\n"}, {name: "tests/new/deep/"}, {name: "tests/new/deep/test_b.py", content: "b\n"}}, nil, []string{"added tests/new"}},
		{"installed packages", []entry{{name: ".venv/"}, {name: ".venv/pyvenv.cfg", content: "x\n"}, {name: ".venv/bin/"}, {name: ".venv/bin/python", link: "/usr/bin/python3"}, {name: ".venv/lib/python3.11/site-packages/a.py", content: "a\n"}, {name: ".venv/lib/python3.11/site-packages/a.dist-info/METADATA", content: "a\n"}}, nil, []string{"added .venv"}},
		{"a link among tests", []entry{{name: "tests/new", link: "data"}}, nil, []string{"added tests/new"}},
		{"a pipe among tests", []entry{{name: "tests/.wh.pipe"}}, nil, []string{"added tests/pipe"}},
		{"tests as they were", []entry{{name: "sub/tests/test_s.py", content: tree["sub/tests/test_s.py"]}}, nil, nil},
		{"a conftest", []entry{{name: "conftest.py", content: "evil\n"}, {name: "pkg/conftest.py", content: "evil\n"}},
			nil, []string{"steering conftest.py", "steering pkg/conftest.py"}},
		{"a conftest that is a directory", []entry{{name: "conftest.py/"}, {name: "conftest.py/__init__.py", content: "evil\n"}},
			nil, []string{"steering conftest.py", "steering conftest.py/__init__.py"}},
		{"another part of setup.cfg", []entry{{name: "setup.cfg", content: "[metadata]\nname = q\n[tool:pytest]\naddopts = -q\n"}},
			map[string]string{"setup.cfg": "[metadata]\nname = q\n[tool:pytest]\naddopts = -q\n"}, nil},
		{"the part of setup.cfg that steers", []entry{{name: "setup.cfg", content: "[metadata]\nname = q\n[tool:pytest]\naddopts = -p evil\n"}},
			nil, []string{"steering setup.cfg"}},
		{"setup.cfg is gone", []entry{{name: ".wh.setup.cfg"}}, nil, []string{"steering setup.cfg"}},
		{"the repository", []entry{{name: ".git/HEAD", content: "evil\n"}, {name: ".git/hooks/post-checkout", content: "evil\n", mode: 0o755}, {name: "sub/.GIT/config", content: "[core]\n  fsmonitor = evil\n"}},
			nil, []string{"steering .git/hooks/post-checkout", "steering sub/.GIT/config"}},
		{"repositories that run nothing", []entry{{name: ".git/hooks/pre-commit.sample", content: "x\n", mode: 0o755}, {name: "sub/.git/hooks/update.sample", content: "x\n", mode: 0o755}, {name: ".git/hooks/pre-commit", content: "x\n"}, {name: ".git/hooks/README", content: "x\n", mode: 0o755},
			{name: ".git/hooks/pre-push", content: tree[".git/hooks/pre-push"], mode: 0o755}, {name: ".git/info/attributes", content: tree[".git/info/attributes"] + "*.png binary\n"},
			{name: ".git/config", content: tree[".git/config"] + "[user]\n\tname = a\n"}, {name: "sub/.git/config", content: "[core]\n\tbare = false\n"}}, nil, nil},
		{"filters of git", []entry{{name: ".git/info/attributes", content: "*.py filter=evil\n"}, {name: ".git/modules/sub/hooks/post-merge", content: "x\n", mode: 0o755}, {name: ".git/config.worktree", content: "[diff \"a\"]\n\ttextconv = evil\n"}},
			nil, []string{"steering .git/info/attributes", "steering .git/modules/sub/hooks/post-merge", "steering .git/config.worktree"}},
		{"links", []entry{{name: "pkg/in.py", link: "code.py"}, {name: "pkg/out", link: "../../etc"}, {name: "pkg/abs", link: "/etc/passwd"}},
			map[string]string{"pkg/in.py": "a link"}, []string{"escape pkg/out", "escape pkg/abs"}},
		{"a report", []entry{{name: "report.xml", content: "<testsuite/>"}}, nil, []string{"report report.xml"}},
		{"a directory that is gone with its tests", []entry{{name: ".wh.sub"}},
			map[string]string{"sub/s.py": ""}, []string{"test sub/tests/test_s.py"}},
		{"a directory that was made anew", []entry{{name: "sub/"}, {name: "sub/.wh..wh..opq"}, {name: "sub/t.py", content: "t\n"}},
			map[string]string{"sub/s.py": "", "sub/t.py": "t\n"}, []string{"test sub/tests/test_s.py"}},
		{"a link in the place of tests", []entry{{name: "tests", link: "docs"}}, nil, []string{"test tests"}},
		{"a file in the place of a directory with tests", []entry{{name: "sub", content: "x"}}, nil, []string{"test sub"}},
		{"the whole tree made anew", []entry{{name: ".wh..wh..opq"}, {name: "pkg/"}, {name: "pkg/code.py", content: "x = 2\n"}, {name: "conftest.py", content: tree["conftest.py"]}},
			map[string]string{"pkg/__init__.py": "", "pkg/code.py": "x = 2\n", "pkg/old.py": "", "docs/index.txt": "", "sub/s.py": ""},
			[]string{"test sub/tests/test_s.py", "test tests/test_code.py", "test tests/data/in.txt", "test tests/data/.keep", "test tests/big.bin", "test tests/all", "steering setup.cfg", "report report.xml"}},
		{"a module of Python's own", []entry{{name: "json.py", content: "evil\n"}, {name: "pkg/json.py", content: "fine\n"}},
			map[string]string{"pkg/json.py": "fine\n"}, []string{"steering json.py"}},
		{"code that reaches for its judge", []entry{{name: "pkg/code.py", content: "x = 1\nimport _pytest.runner\n"}},
			map[string]string{"pkg/code.py": "x = 1\nimport _pytest.runner\n"}, []string{"code pkg/code.py"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := maps.Clone(tree)
			want["tests/test_code.py"] = "def test_x(): assert 2\n"
			delete(want, "report.xml")
			for name, content := range tt.changes {
				if want[name] = content; content == "" {
					delete(want, name)
				}
			}
			got, tampered := laid(t, pythonSample(), tt.work)
			for _, name := range slices.Sorted(maps.Keys(got)) {
				if strings.HasPrefix(want[name], "-> ") {
					want[name] = "a link"
				}
				if got[name] != want[name] {
					t.Errorf("%s holds %q, want %q", name, got[name], want[name])
				}
			}
			for name := range want {
				if _, there := got[name]; !there {
					t.Errorf("%s is gone", name)
				}
			}
			var told []string
			for _, one := range tampered {
				told = append(told, string(one.Kind)+" "+one.Path)
			}
			slices.Sort(told)
			slices.Sort(tt.tampered)
			if !slices.Equal(told, tt.tampered) {
				t.Errorf("told %q, want %q", told, tt.tampered)
			}
		})
	}
}

// everything is what chown -R leaves: all that there was, as it was.
func everything() []entry {
	var all []entry
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		if name != "report.xml" { // whose place is nobody's
			one := entry{name: name, content: tree[name]}
			if target, link := strings.CutPrefix(tree[name], "-> "); link {
				one = entry{name: name, link: target}
			}
			all = append(all, one)
		}
	}
	return all
}

func TestAnAlarmIsNotHiddenBehindWhatIsNone(t *testing.T) {
	var work []entry
	for i := range 2 * maxTampering {
		work = append(work, entry{name: fmt.Sprintf("tests/test_%d.py", i), content: "x\n"})
	}
	_, tampered := laid(t, pythonSample(), append(work, entry{name: "tests/test_code.py", content: "x\n"}))
	if len(tampered) != maxTampering+2 || !tampered[0].Kind.Alarm() || tampered[0].Path != "tests/test_code.py" {
		t.Errorf("told %d things, the first is %+v", len(tampered), tampered[0])
	}
	if last := tampered[len(tampered)-1]; last.Kind.Alarm() || last.Detail != "and 200 more" {
		t.Errorf("the last is %+v", last)
	}
}

func TestManyFilesDoNotHideWhatSteers(t *testing.T) {
	var work []entry
	for i := range maxLookedAt + 1 {
		work = append(work, entry{name: fmt.Sprintf("a/%d.py", i), content: "x\n"})
	}
	_, tampered := laid(t, pythonSample(), append(work, entry{name: "setup.cfg", content: "[metadata]\nname = q\n[tool:pytest]\naddopts = -q\n"}))
	if len(tampered) != 0 {
		t.Errorf("told %+v", tampered)
	}
}

func TestAFileOfTheReferenceFixMayBeWhatTheFixMakesOfIt(t *testing.T) {
	sample := pythonSample()
	sample.NonCodePatch = "--- a/conftest.py\n+++ b/conftest.py\n@@ -1 +1 @@\n-import pytest\n+import pytest, sys\n"
	for content, reaches := range map[string]bool{"import pytest, sys\n": true, "import pytest\n": true, "import evil\n": false} {
		got, tampered := laid(t, sample, []entry{{name: "conftest.py", content: content}})
		if (got["conftest.py"] == content) != reaches || (len(tampered) == 0) != reaches {
			t.Errorf("%q: the environment has %q, told %+v", content, got["conftest.py"], tampered)
		}
	}
}

func TestCanariesAreLaidBesideTheRestoredTests(t *testing.T) {
	sample := pythonSample()
	sample.Task.Verifier.Canaries = []assay.Canary{
		{Path: "tests/test_code.py", Text: "def {nonce}(): assert 0\n", ID: "{nonce}"},
		{Path: "tests/test_{nonce}.py", Text: "1\n", ID: "a {nonce}"},
		{Path: "tests/test_{nonce}.py", Text: "2\n", ID: "b {nonce}"},
	}
	got, _ := laid(t, sample, []entry{{name: "tests/test_code.py", content: "evil\n"}})
	head, canary, _ := strings.Cut(got["tests/test_code.py"], "def n")
	if head != "def test_x(): assert 2\n" || !strings.HasSuffix(canary, "(): assert 0\n") {
		t.Errorf("the test file is %q", got["tests/test_code.py"])
	}
	if !slices.Contains(slices.Collect(maps.Values(got)), "1\n2\n") {
		t.Errorf("the tree is %q", got)
	}
}
