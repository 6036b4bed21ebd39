package steering

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestOnlyTheSteeringPartOfAFileMustStay(t *testing.T) {
	const (
		cfg       = "[metadata]\nname = a\n\n[tool:pytest]\naddopts = -q\n\n[coverage:run]\nbranch = true\n"
		ini       = "[tox]\nenvlist = py311\n[pytest]\ntestpaths = tests\n"
		pyproject = "[project]\nname = \"a\"\n[tool.pytest.ini_options]\naddopts = \"-q\"\n[tool.black]\nline-length = 88\n"
		pkg       = `{"name":"a","version":"1.0.0","scripts":{"test":"mocha"},"dependencies":{"b":"^1.0.0"}}`
		cargo     = "[package]\nname = \"a\"\nversion = \"1.0.0\"\n[dependencies]\nb = \"1\"\n[dev-dependencies]\nc = \"1\"\n"
		mod       = "module example.org/a\n\ngo 1.22\n\nrequire example.org/b v1.0.0\n"
		composer  = `{"name":"a/b","require":{"c/d":"^1"},"scripts":{"test":"phpunit"}}`
		tsconfig  = "{\n // how it is built\n \"compilerOptions\": {\"strict\": true, \"target\": \"es2020\",},\n}"
	)
	for _, tt := range []struct {
		what, name string
		was, is    string // "-" is no file
		same       bool
	}{
		{"metadata changed", "setup.cfg", cfg, strings.Replace(cfg, "name = a", "name = b\nversion = 2", 1), true},
		{"a linter's section came", "setup.cfg", cfg, cfg + "[flake8]\nmax-line-length = 100\n", true},
		{"a comment came, and CRLF", "setup.cfg", cfg, strings.ReplaceAll("# hello\n"+cfg, "\n", "\r\n"), true},
		{"an option changed", "setup.cfg", cfg, strings.Replace(cfg, "-q", "-q -p evil", 1), false},
		{"an option goes on", "setup.cfg", cfg, strings.Replace(cfg, "-q", "-q\n  -p evil", 1), false},
		{"a plugin of coverage", "setup.cfg", cfg, cfg + "plugins = evil\n", false},
		{"the section came", "setup.cfg", "[metadata]\nname = a\n", cfg, false},
		{"the section went", "setup.cfg", cfg, "[metadata]\nname = a\n", false},
		{"the file came, with it", "setup.cfg", "-", cfg, false},
		{"the file came, without it", "setup.cfg", "-", "[metadata]\nname = a\n", true},
		{"the file went", "setup.cfg", cfg, "-", false},
		{"the file went that had none", "setup.cfg", "[metadata]\nname = a\n", "-", true},
		{"an entry point", "setup.cfg", cfg, cfg + "[options.entry_points]\npytest11 =\n  evil = evil\n", false},
		{"an honest entry point", "setup.cfg", cfg, cfg + "[options.entry_points]\nconsole_scripts =\n  a = a:main\n", true},
		{"a program called pytest", "setup.cfg", cfg, cfg + "[options.entry_points]\nconsole_scripts =\n  pytest = evil:main\n", false},
		{"defaults of all sections", "setup.cfg", cfg, "[DEFAULT]\nplugins = evil\n" + cfg, false},
		{"a header that only iniconfig sees", "setup.cfg", cfg, "[metadata]\nname = a\n\f[tool:pytest]\naddopts = -p evil\n", false},
		{"a header with a comment", "setup.cfg", "[metadata]\nname = a\n", "[metadata]\nname = a\n[tool:pytest] # hi\naddopts = -p evil\n", false},
		{"a value that looks like a header", "setup.cfg", cfg, cfg + "x =\n  [other]\nplugins = evil\n", false},
		{"a break that configparser does not see", "setup.cfg", cfg, cfg + "x = \x1c[other]\nplugins = evil\n", false},
		{"a section after an odd break", "setup.cfg", cfg, cfg + "[other]\nx = 1\u2028[tool:pytest]\naddopts = -p evil\n", false},
		{"tox alone", "tox.ini", ini, strings.Replace(ini, "py311", "py312", 1), true},
		{"pytest in tox.ini", "sub/tox.ini", ini, strings.Replace(ini, "= tests", "= none", 1), false},

		{"a project", "pyproject.toml", pyproject, strings.Replace(pyproject, "88", "100", 1), true},
		{"pytest's options reordered", "pyproject.toml", pyproject, "[tool.pytest]\n[tool.pytest.ini_options]\naddopts = '-q'\n", true},
		{"pytest's options", "pyproject.toml", pyproject, strings.Replace(pyproject, "-q", "-q -p evil", 1), false},
		{"pytest's options, dotted", "pyproject.toml", "[project]\nname='a'\n", "tool.pytest.ini_options.addopts = '-p evil'\n[project]\nname='a'\n", false},
		{"pytest's options, quoted", "pyproject.toml", "", "[\"tool\".\"py\\u0074est\".ini_options]\naddopts = '-p evil'\n", false},
		{"pytest's own table", "pyproject.toml", pyproject, pyproject + "[tool.pytest]\naddopts = ['-p', 'evil']\n", false},
		{"a plugin's table", "pyproject.toml", pyproject, pyproject + "[tool.pytest_env]\nA = '1'\n", false},
		{"coverage", "pyproject.toml", pyproject, pyproject + "[tool.coverage.run]\nplugins = ['evil']\n", false},
		{"an entry point of pytest", "pyproject.toml", pyproject, pyproject + "[project.entry-points.pytest11]\ne = 'evil'\n", false},
		{"an entry point by poetry", "pyproject.toml", pyproject, pyproject + "[tool.poetry.plugins.pytest11]\ne = 'evil'\n", false},
		{"a build system that nobody runs", "pyproject.toml", pyproject, pyproject + "[build-system]\nrequires = ['x']\n", true},
		{"no TOML any more", "pyproject.toml", pyproject, pyproject + "[", false},
		{"a key twice", "pyproject.toml", pyproject, pyproject + "[tool.pytest.ini_options]\naddopts = '-q'\n", false},

		{"an honest setup.py", "setup.py", "setup(name='a')", "setup(name='b', install_requires=['c'])", true},
		{"a plugin in setup.py", "setup.py", "setup(name='a')", "setup(name='a', entry_points={'pytest11': ['e = evil']})", false},
		{"a plugin goes", "setup.py", "setup(entry_points={'pytest11': ['e = a']})", "setup()", false},

		{"versions", "package.json", pkg, strings.NewReplacer("1.0.0\"", "2.0.0\"").Replace(pkg), true},
		{"exports, main and type", "package.json", pkg, strings.Replace(pkg, `{`, `{"type":"module","main":"x.js","exports":"./x.js",`, 1), true},
		{"a script", "package.json", pkg, strings.Replace(pkg, "mocha", "true", 1), false},
		{"a lifecycle script", "package.json", pkg, strings.Replace(pkg, `"test"`, `"pretest":"evil","test"`, 1), false},
		{"a script by another spelling", "package.json", pkg, strings.Replace(pkg, `}`, `},"scr\u0069pts":{"test":"true"}`, 1), false},
		{"a runner's options", "package.json", pkg, strings.Replace(pkg, `{`, `{"mocha":{"require":"./evil.js"},`, 1), false},
		{"a runner's options, empty", "package.json", pkg, strings.Replace(pkg, `{`, `{"jest":{},`, 1), false},
		{"a runner's options, null", "package.json", pkg, strings.Replace(pkg, `{`, `{"jest":null,`, 1), false},
		{"a reporter's options", "package.json", pkg, strings.Replace(pkg, `{`, `{"jest-junit":{"x":1},`, 1), false},
		{"the name of another package", "package.json", pkg, strings.Replace(pkg, `"a"`, `"chai"`, 1), false},
		{"imports", "package.json", pkg, strings.Replace(pkg, `{`, `{"imports":{"#a":"./evil.js"},`, 1), false},
		{"a dependency of the tree", "package.json", pkg, strings.Replace(pkg, "^1.0.0", "file:./evil", 1), false},
		{"a key twice where it steers", "package.json", pkg, strings.Replace(pkg, `"test":"mocha"`, `"test":"true","test":"mocha"`, 1), false},
		{"a key twice where it does not", "package.json", pkg, strings.Replace(pkg, `{`, `{"keywords":["a"],"keywords":["b"],`, 1), true},
		{"no JSON any more", "package.json", pkg, pkg + "x", false},
		{"a list", "package.json", pkg, "[]", false},
		{"a byte order mark", "package.json", pkg, "\ufeff" + pkg, true},
		{"a new package that is nothing", "lib/package.json", "-", `{"type":"commonjs"}`, true},

		{"versions of crates", "Cargo.toml", cargo, strings.Replace(cargo, `b = "1"`, "b = \"2\"\nd = { version = \"1\", features = [\"x\"] }", 1), true},
		{"a crate of the tree", "Cargo.toml", cargo, strings.Replace(cargo, `c = "1"`, `c = { path = "evil" }`, 1), false},
		{"a crate by another name", "Cargo.toml", cargo, strings.Replace(cargo, `c = "1"`, `c = { version = "1", package = "evil" }`, 1), false},
		{"a crate of the tree, for a target", "Cargo.toml", cargo, cargo + "[target.'cfg(unix)'.dev-dependencies]\nc = { path = 'evil' }\n", false},
		{"a patch", "Cargo.toml", cargo, cargo + "[patch.crates-io]\nc = { path = \"evil\" }\n", false},
		{"no harness", "Cargo.toml", cargo, cargo + "[[test]]\nname = \"x\"\nharness = false\n", false},
		{"no tests of the library", "Cargo.toml", cargo, cargo + "[lib]\ntest = false\n", false},
		{"tests are not looked for", "Cargo.toml", cargo, strings.Replace(cargo, "version", "autotests = false\nversion", 1), false},
		{"a build script", "Cargo.toml", cargo, strings.Replace(cargo, "version", "build = \"src/x.rs\"\nversion", 1), false},
		{"a profile", "Cargo.toml", cargo, cargo + "[profile.test]\npanic = 'abort'\n", false},

		{"requirements", "go.mod", mod, strings.Replace(mod, "v1.0.0", "v1.1.0 // indirect", 1) + "require example.org/c v1.0.0\n", true},
		{"the version of the language", "go.mod", mod, strings.Replace(mod, "1.22", "1.23", 1), true},
		{"a replaced module", "go.mod", mod, mod + "replace example.org/b => ./evil\n", false},
		{"an excluded one", "go.mod", mod, mod + "exclude example.org/b v1.0.0\n", false},
		{"a toolchain", "go.mod", mod, mod + "toolchain go1.99.0\n", false},
		{"a setting", "go.mod", mod, mod + "godebug panicnil=1\n", false},
		{"a tool", "go.mod", mod, mod + "tool example.org/b/cmd\n", false},
		{"a part that is left out", "go.mod", mod, mod + "ignore ./pkg\n", false},
		{"another module", "go.mod", mod, strings.Replace(mod, "org/a", "org/c", 1), false},
		{"a module of its own", "sub/go.mod", "-", "module example.org/a/sub\n", false},
		{"no go.mod any more", "go.mod", mod, mod + "nonsense {\n", false},

		{"requirements of PHP", "composer.json", composer, strings.Replace(composer, "^1", "^2", 1), true},
		{"scripts of PHP", "composer.json", composer, strings.Replace(composer, "phpunit", "true", 1), false},

		{"strictness", "tsconfig.json", tsconfig, strings.Replace(tsconfig, "true", "false /* \" */", 1), true},
		{"paths", "tsconfig.json", tsconfig, strings.Replace(tsconfig, "true", `true, "paths": {"chai": ["./evil"]}`, 1), false},
		{"paths after a comment's end", "tsconfig.json", tsconfig, strings.Replace(tsconfig, "true", `true, /* */ "paths": {"chai": ["./evil"]}`, 1), false},

		{"blanks at the ends of lines", "conftest.py", "a\nb\n", "a \r\nb", true},
		{"another line", "conftest.py", "a\nb\n", "a\nc\n", false},
		{"one line more", "conftest.py", "a\n", "a\n\nb\n", false},
		{"a file that came", "conftest.py", "-", "", false},
	} {
		g := newGuard(t, Rules{Language: "python"})
		same, difference := g.Compare(tt.name, version(tt.was), version(tt.is))
		if same != tt.same || (difference == "") != same {
			t.Errorf("%s: %s: same is %t (%s)", tt.name, tt.what, same, difference)
		}
		back, _ := g.Compare(tt.name, version(tt.is), version(tt.was))
		if back != same {
			t.Errorf("%s: %s: same is %t, and the other way round %t", tt.name, tt.what, same, back)
		}
	}
}

func version(text string) []byte {
	if text == "-" {
		return nil
	}
	return []byte(text)
}

func TestWhatTheCommandCallsIsComparedToo(t *testing.T) {
	for _, tt := range []struct {
		command, name, was, is string
	}{
		{"flake8", "setup.cfg", "[flake8]\nselect = E\n", "[flake8]\nselect =\n"},
		{"ruff check", "pyproject.toml", "[tool.ruff]\nselect = ['E']\n", "[tool.ruff]\nselect = []\n"},
		{"npx eslint .", "package.json", `{"eslintConfig":{"a":1}}`, `{}`},
		{"pip install -e . && pytest", "pyproject.toml", "[build-system]\nrequires = []\n", "[build-system]\nrequires = []\nbackend-path = ['.']\nbuild-backend = 'evil'\n"},
	} {
		if same, _ := newGuard(t, Rules{Command: tt.command}).Compare(tt.name, []byte(tt.was), []byte(tt.is)); same {
			t.Errorf("%s: what it reads in %s is not compared", tt.command, tt.name)
		}
		if same, difference := newGuard(t, Rules{Command: "pytest"}).Compare(tt.name, []byte(tt.was), []byte(tt.is)); !same {
			t.Errorf("pytest: what %s reads is compared: %s", tt.command, difference)
		}
	}
}

func TestADifferenceNamesThePlacesAndIsShort(t *testing.T) {
	g := newGuard(t, Rules{Language: "javascript"})
	_, difference := g.Compare("package.json", []byte(`{"scripts":{"test":"mocha","build":"a"}}`), []byte(`{"scripts":{"test":"true"},"jest":{"a\u001b[31m":1}}`))
	const want = "package.json differs: jest is new; jest a?[31m is new; scripts build is gone; scripts test changed"
	if difference != want {
		t.Errorf("the difference is %q, want %q", difference, want)
	}
	var many []string
	for i := range 50 {
		many = append(many, `"`+strings.Repeat("x", 1000+i)+`":"1"`)
	}
	_, difference = g.Compare("package.json", []byte("{}"), []byte(`{"scripts":{`+strings.Join(many, ",")+"}}"))
	if len(difference) > 1000 || !strings.HasSuffix(difference, "and more") {
		t.Errorf("the difference has %d bytes: %s", len(difference), difference)
	}
}

func TestWhatIsTooMuchToReadIsNotTheSame(t *testing.T) {
	g := newGuard(t, Rules{})
	large := append([]byte("{}"), bytes.Repeat([]byte(" "), MaxCompared)...)
	if same, _ := g.Compare("package.json", []byte("{}"), large); same {
		t.Error("a file that is too large was compared")
	}
	if same, _ := g.Compare("package.json", large, large); !same {
		t.Error("a large file is not the same as itself")
	}
	for name, text := range map[string]string{
		"package.json":     `{"a":` + strings.Repeat("[", 500_000),
		"sub/package.json": `{"a":` + strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_001),
		"pyproject.toml":   "a = " + strings.Repeat("[", 500_000),
		"Cargo.toml":       strings.Repeat("a.", 500_000) + "a = 1",
		"tsconfig.json":    strings.Repeat("/*", 500_000),
		"setup.py":         strings.Repeat("\n", 500_000) + "pytest11",
		"go.mod":           strings.Repeat("(", 500_000),
		"setup.cfg":        "[pytest]\n" + strings.Repeat(" [a]\nb=1\n", 100_000),
	} {
		if same, difference := g.Compare(name, nil, []byte(text)); same || len(difference) > 1000 {
			t.Errorf("%s: same is %t: %.200s", name, same, difference)
		}
	}
}

// A parser that looks through all keys for each takes minutes for the first of these.
// Twice as many keys take twice the CPU time, and not four times: a ratio within one run,
// which no load of the machine turns.
func TestManyKeysAreReadInLinearTime(t *testing.T) {
	g := newGuard(t, Rules{})
	for name, line := range map[string]string{
		"pyproject.toml": "a%d = 1\n",
		"Cargo.toml":     strings.Repeat("a.", 900) + "a%d = 1\n",
		"a/Cargo.toml":   strings.Repeat("a.", 9) + "a%d = 1\n",
		"tox.ini":        "[pytest]\na%d = 1\n",
		"go.mod":         "require a.example/b%d v1.0.0\n",
	} {
		compare := func(size int) time.Duration {
			var text strings.Builder
			for i := 0; text.Len() < size; i++ {
				fmt.Fprintf(&text, line, i)
			}
			least := time.Duration(math.MaxInt64)
			for range 3 {
				before := cpuTime(t)
				g.Compare(name, nil, []byte(text.String()))
				least = min(least, cpuTime(t)-before)
			}
			return least
		}
		half, whole := compare(MaxCompared/8), compare(MaxCompared/4)
		const noise = 20 * time.Millisecond
		if whole > 3*half+noise {
			t.Errorf("%s: half of it took %s, the whole %s", name, half, whole)
		}
	}
}

// cpuTime is the CPU time that this process has used.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// TestWhatDocumentsPromiseIsGuarded names what a reader is told never reaches the judge.
func TestWhatDocumentsPromiseIsGuarded(t *testing.T) {
	for language, names := range map[string]string{
		"python":     "conftest.py pytest.ini setup.cfg tox.ini pyproject.toml sitecustomize.py a.pth",
		"go":         "a_test.go testdata/a go.work vendor/a.go go.mod",
		"javascript": "package.json jest.config.js .mocharc.js vitest.config.ts",
		"java":       "src/test/A.java pom.xml build.gradle settings.gradle gradle.properties",
		"rust":       "build.rs .cargo/config .cargo/config.toml",
		"c":          "Makefile sub/Makefile a.mk",
	} {
		for _, language := range []string{language, strings.ToUpper(language), "", "brainfuck"} {
			g := newGuard(t, Rules{Language: language, Command: "make test"})
			for name := range strings.FieldsSeq(names) {
				if got := g.Rule(name); got.Fate == Travels || got.Kind == "" {
					t.Errorf("%q: %s %s, and is reported as %q", language, name, got.Fate, got.Kind)
				}
			}
		}
	}
}

func FuzzRule(f *testing.F) {
	for _, name := range []string{"conftest.py", ".git/config", "a/../b", "Ｔests/ſ", "\xff/\u200d", "json/__init__.py", "target/x"} {
		f.Add("python", "make && cd a && ./b/c.sh -m x.y", name)
	}
	f.Fuzz(func(t *testing.T, language, command, name string) {
		g, err := New(Rules{Language: language, Command: command, Tests: []string{name}, Reports: []string{"a/*.xml"}})
		if err != nil {
			return
		}
		first, again := g.Rule(name), g.Rule(name)
		if first != again {
			t.Errorf("%q: %+v, and then %+v", name, first, again)
		}
		if first.Fate != Restored {
			t.Errorf("%q is a test of the sample and %s", name, first.Fate)
		}
		if link := g.RuleLink(name, command); link.Fate == Compared {
			t.Errorf("a link at %q is compared", name)
		}
		g.Above(name)
	})
}

func FuzzCompare(f *testing.F) {
	names := []string{"setup.cfg", "pyproject.toml", "Cargo.toml", "package.json", "composer.json", "tsconfig.json", "go.mod", "setup.py", "conftest.py"}
	for i := range names {
		f.Add(uint8(i), []byte("[tool.pytest]\na = 1\n"), []byte(`{"a":[1,{"b":null}],"scripts":{}} // x`))
		f.Add(uint8(i), []byte("module a\nreplace b => ./c\n"), []byte("[pytest]\n [x]\n\x1c[y]\n"))
	}
	g, err := New(Rules{Command: "tox && npm test"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, which uint8, a, b []byte) {
		name := names[int(which)%len(names)]
		for _, data := range [][]byte{a, b} {
			if same, difference := g.Compare(name, data, bytes.Clone(data)); !same {
				t.Errorf("%s is not the same as itself: %s", name, difference)
			}
		}
		same, difference := g.Compare(name, a, b)
		if back, _ := g.Compare(name, b, a); back != same {
			t.Errorf("%s: same is %t, and %t the other way round", name, same, back)
		}
		if (difference == "") != same || strings.ContainsAny(difference, "\n\x1b") {
			t.Errorf("%s: same is %t, with the difference %q", name, same, difference)
		}
	})
}

func TestScriptsSteerWhereTheyMayBeRun(t *testing.T) {
	was, is := []byte(`{"name":"a","scripts":{"test":"mocha"}}`), []byte(`{"name":"a","scripts":{"test":"mocha","lint":"standard"}}`)
	for command, same := range map[string]bool{
		"mocha test/test.js": true, "node --test test/*.test.js": true, `for f in test/*.js; do node "$f"; done`: true,
		"": false, "npm test": false, "npx mocha": false, "yarn jest": false, "node --run test": false, "bash ci.sh": false, "./run": false, "make check": false,
	} {
		g := newGuard(t, Rules{Language: "javascript", Command: command})
		if got, difference := g.Compare("package.json", was, is); got != same {
			t.Errorf("%q: %t, %s", command, got, difference)
		}
	}
}
