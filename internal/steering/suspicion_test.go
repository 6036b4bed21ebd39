package steering

import (
	"strings"
	"testing"
)

func TestCodeThatReachesForItsJudgeIsSuspicious(t *testing.T) {
	g := newGuard(t, Rules{Language: "python", Reports: []string{"out/junit-report.xml"}, TestNames: []string{"pkg.test_mod.TestX::test_frobnicates[a b]", "adds numbers", "test_a"}})
	for name, lines := range map[string]string{
		"pkg/a.py": `import _pytest.runner
import pytest
from atexit import register
    os._exit(0)
sys.exit(0)
sys.modules["json"] = evil
builtins.isinstance = lambda *a: True
setattr(builtins, "len", f)
for o in gc.get_objects():
caller = sys._getframe(1)
frames = inspect.stack()
import ctypes
if "PYTEST_CURRENT_TEST" in os.environ:
path = sys.argv[sys.argv.index("--junitxml") + 1]
unittest.TestCase.assertEqual = ok
open("/proc/self/cmdline")
os.environ.get("ASSAY_REPORTS")
open("out/junit-report.xml", "w")
if caller == "test_frobnicates":`,
		"pkg/a.go": `//go:linkname exit os.runtime_beforeExit
	os.Exit(0)
	if testing.Testing() {
	if flag.Lookup("test.v") != nil {
	if strings.HasSuffix(os.Args[0], ".test") {
	fmt.Println("--- PASS: TestA")
	fmt.Println("=== RUN   TestA")
	os.ReadFile("/proc/self/environ")`,
		"lib/a.js": `process.exit(0)
process.on('exit', () => {})
process.reallyExit(0)
const test = require('node:test')
import mocha from "mocha"
Module._load = f
global.it = () => {}
if (process.env.NODE_TEST_CONTEXT) {
fs.readFileSync('/proc/self/cmdline')
assert.equal = () => {}`,
		"src/a.rs": `std::fs::read("/proc/self/maps")`,
	} {
		var added []Line
		for i, text := range strings.Split(lines, "\n") {
			added = append(added, Line{Number: 10 + i, Text: text})
		}
		found := map[int]bool{}
		for _, s := range g.Suspicions(name, added) {
			if s.Path != name || s.Why == "" {
				t.Errorf("%s: %+v", name, s)
			}
			found[s.Line] = true
		}
		for _, line := range added {
			if !found[line.Number] {
				t.Errorf("%s: nothing is said of %s", name, line.Text)
			}
		}
	}
}

func TestNamesOfTestsAreThoseOfTheirLanguage(t *testing.T) {
	for _, tt := range []struct {
		language, id, want string // "" when it is no name that tells
	}{
		{"python", "tests/test_x.py::TestA::test_frobnicates[a::b]", "test_frobnicates"},
		{"python", "tests/[x]/test_x.py::test_frobnicates[x/y - z]", "test_frobnicates"},
		{"python", "test_frobnicates[a::test_of_nothing]", "test_frobnicates"},
		{"python", "TestA.test_frobnicates[a.b]", "test_frobnicates"},
		{"python", "test_frobnicates (tests.test_x.TestA)", "test_frobnicates"},
		{"python", "tests/test_x.py::test_a[test_something_else]", ""},
		{"go", "example.com/p::TestFrobnicates/sub::case", "TestFrobnicates"},
		{"go", "TestFrobnicates/test_something_else", "TestFrobnicates"},
		{"java", "com.example.AppTest::testFrobnicates(int)[1] a::b", "testFrobnicates"},
		{"rust", "module::tests::test_frobnicates", "test_frobnicates"},
		{"javascript", "file.js > testing > test frobnicates", ""},
		{"javascript", "file.js::testFrobnicates", "testFrobnicates"},
		{"", "tests/[x]/test_x.py::TestA::test_frobnicates[a::b]", "test_frobnicates"},
		{"", "TestFrobnicates/sub::case", "TestFrobnicates"},
	} {
		names := telling(tt.language, []string{tt.id})
		if len(names) > 1 || tt.want != "" && !names[tt.want] || tt.want == "" && len(names) > 0 {
			t.Errorf("%s: of %q, it is %v", tt.language, tt.id, names)
		}
	}
}

func TestOrdinaryCodeIsNotSuspicious(t *testing.T) {
	g := newGuard(t, Rules{Language: "go", Reports: []string{"*.xml"}, TestNames: []string{"TestA", "adds numbers", "test_a"}})
	for name, lines := range map[string]string{
		"pkg/a.py": `# import pytest, os._exit and /proc/self
import os, sys, unittest.mock
    sys.exit(main())
module = sys.modules[__name__]
import builtins
value = builtins.open(path)
frame = make_frame()
exit_code = 1
class TestCase: adds = "adds numbers"
PASS = True
latest_a = test_a`,
		"cmd/tool/a.go": "\tos.Exit(1)\nfunc main() {",
		"main.go":       "\tos.Exit(1)",
		"pkg/a.go":      "// os.Exit(0), as --- PASS says\n\tfmt.Println(\"PASS\")\n\tflag.Parse()\n\tif len(os.Args) > 1 {\n//go:build linux",
		"bin/a.js":      "process.exit(1)",
		"lib/a.js":      "// process.exit\nif (assert.equal == b) {}\nglobal.setTimeout(f)\nconst testing = require('./test-utils')\nconst x = it.next()\nimport {test} from './a'",
		"README.md":     "import pytest; os._exit(0); /proc/self; ASSAY_X",
		"a_test.go":     "\tos.Exit(m.Run())\n\"testing\"",
		"data.json":     `{"/proc/self": "ASSAY_"}`,
	} {
		for i, text := range strings.Split(lines, "\n") {
			for _, s := range g.Suspicions(name, []Line{{Number: i, Text: text}}) {
				t.Errorf("%s: %s: %s", name, text, s.Why)
			}
		}
	}
}

func TestAnInitThatExitsIsSuspiciousInAProgramToo(t *testing.T) {
	g := newGuard(t, Rules{Language: "go"})
	added := []Line{{1, "func init() {"}, {2, "\tos.Exit(0)"}, {3, "}"}, {4, ""}, {5, "func main() {"}, {6, "\tos.Exit(run())"}, {7, "}"}}
	found := g.Suspicions("main.go", added)
	if len(found) != 1 || found[0].Line != 2 {
		t.Errorf("found %+v, want line 2 alone", found)
	}
}

func TestSuspicionsOfAFileAreBounded(t *testing.T) {
	g := newGuard(t, Rules{Language: "go"})
	if found := g.Suspicions("a.go", make([]Line, 10)); found != nil {
		t.Errorf("empty lines: %+v", found)
	}
	added := make([]Line, 1000)
	for i := range added {
		added[i] = Line{i, "os.Exit(0)"}
	}
	if found := g.Suspicions("a.go", added); len(found) != maxSuspicions {
		t.Errorf("%d suspicions", len(found))
	}
}
