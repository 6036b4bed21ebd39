package steering

import (
	"strings"
	"testing"
)

// newGuard returns the guard of a tree that has the given files.
func newGuard(t testing.TB, rules Rules, has ...string) *Guard {
	t.Helper()
	files := map[string]bool{}
	for _, name := range has {
		files[name] = true
	}
	rules.Has = func(name string) bool { return files[name] }
	g, err := New(rules)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestWhatSteersTheRunnersOfALanguageDoesNotTravel(t *testing.T) {
	for _, tt := range []struct {
		language, command  string
		restored, compared string
		travels            string
		has                string
	}{
		{
			has:      "src lib pkg pkg/tests",
			language: "python", command: "python3 -m pytest -q tests",
			restored: `conftest.py pkg/conftest.py pytest.ini .pytest.ini pytest.toml sub/.pytest.toml sitecustomize.py usercustomize.py src/sitecustomize.cpython-311-x86_64-linux-gnu.so sitecustomize/__init__.py evil.pth
				pkg.egg-info/entry_points.txt pkg.egg-info/PKG-INFO src/pkg-1.0.dist-info/METADATA test_a.py pkg/a_test.py pkg/tests.py tests/helper.py pkg/tests/data/x.json test/support.py .coveragerc
				__pycache__/a.cpython-311.pyc pkg/__pycache__/x pkg/a.pyc .venv/lib/python3.11/site-packages/pytest/__init__.py pytest.py json.py src/json.py lib/unittest.py json/__init__.py pluggy.py _pytest/__init__.py pytest_cov.py numpy.py
				random.cpython-311-x86_64-linux-gnu.so re.pyc json.abi3.so conftest.py/x .python-version .env .gitattributes`,
			compared: "setup.cfg tox.ini pyproject.toml sub/setup.cfg setup.py",
			travels: `pkg/json.py pkg/types/__init__.py json json/decoder.py types/index.d.ts pkg/a.py attest_a.py testing/a.py latest.py README.md docs/conf.py requirements.txt pkg/test/a.py Makefile package.json
				src/pkg/logging.py contest.py pkg/pytest.py pkg/numpy.py .gitignore`,
		},
		{
			has:      "pkg",
			language: "go", command: "go test -json ./...",
			restored: "a_test.go pkg/a_test.go testdata/x pkg/testdata/deep/x go.work go.work.sum vendor/modules.txt vendor/a/b.go go.env .git/hooks/post-checkout sub/.git/config",
			compared: "go.mod sub/go.mod",
			travels:  "go.sum a.go pkg/latest.go testing.go internal/test/helper.go vendored/a.go .golangci.yml Makefile test.go conftest.py data/testdata.go",
		},
		{
			language: "javascript", command: "npm test",
			restored: `test/a.js tests/a.js lib/__tests__/a.js __mocks__/chai.js a/__snapshots__/a.snap a.test.js lib/a.spec.mjs a.test.d.ts cypress/e2e.js jest.config.js jest.setup.ts packages/a/jest.config.cjs .mocharc .mocharc.yml mocha.opts
				vitest.config.ts vitest.workspace.js vite.config.js ava.config.cjs karma.conf.js .taprc .nycrc .nycrc.json babel.config.js .babelrc .babelrc.json .swcrc .npmrc .yarnrc .yarnrc.yml .yarn/releases/yarn.cjs .pnp.cjs .noderc node_modules/mocha/lib/cli.js`,
			compared: "package.json packages/a/package.json tsconfig.json tsconfig.build.json",
			travels:  "index.js lib/a.js lib/test.js lib/latest.js contest/a.js package-lock.json README.md src/spec.js lib/mocks.js dist/a.js a.py",
		},
		{
			language: "java", command: "mvn -q test",
			restored: `src/test/java/ATest.java mod/src/test/resources/x src/integrationTest/java/A.java src/testFixtures/a.java pom.xml mod/pom.xml build.gradle build.gradle.kts settings.gradle settings.gradle.kts gradle.properties gradle/wrapper/gradle-wrapper.jar
				gradlew gradlew.bat mvnw mvnw.cmd .mvn/maven.config buildSrc/src/main/A.java src/main/resources/junit-platform.properties target/test-classes/ATest.class mod/build/classes/A.class
				src/main/resources/META-INF/services/org.junit.platform.launcher.TestExecutionListener testng.xml`,
			travels: "src/main/java/A.java src/main/java/org/build/target/A.java src/main/resources/a.properties README.md src/main/resources/META-INF/services/org.example.Plugin",
		},
		{
			language: "rust", command: "cargo nextest run",
			restored: "tests/a.rs crates/a/tests/b.rs benches/a.rs build.rs crates/a/build.rs .cargo/config.toml .cargo/config rust-toolchain rust-toolchain.toml .config/nextest.toml target/debug/deps/a",
			compared: "Cargo.toml crates/a/Cargo.toml",
			travels:  "src/lib.rs src/tests.rs src/build.rs src/target/mod.rs Cargo.lock examples/a.rs",
		},
		{
			language: "ruby", command: "bundle exec rspec",
			restored: "spec/a_spec.rb spec/spec_helper.rb test/test_a.rb .rspec Rakefile Gemfile Gemfile.lock lib/a_spec.rb a.gemspec .bundle/config lib/tasks/a.rake",
			travels:  "lib/a.rb lib/spec.rb config/application.rb",
		},
		{
			language: "php", command: "vendor/bin/phpunit",
			restored: "tests/ATest.php phpunit.xml phpunit.xml.dist vendor/autoload.php .phpunit.result.cache src/ATest.php",
			compared: "composer.json",
			travels:  "src/A.php composer.lock src/Testing.php",
		},
		{
			language: "c++", command: "cmake -B build && make -C build && ctest --test-dir build",
			restored: "test/a.cc tests/a.cc CTestTestfile.cmake build/CTestTestfile.cmake Makefile CMakeLists.txt src/CMakeLists.txt cmake/x.cmake build/a.o src/a_test.cc",
			travels:  "src/a.cc src/build/a.cc include/a.h src/testing.h",
		},
		{
			language: "c#", command: "dotnet test",
			restored: "a.runsettings Directory.Build.props Directory.Build.targets src/A.Tests/A.cs tests/A/A.cs A/obj/project.assets.json A/bin/Debug/A.dll A/A.csproj nuget.config global.json xunit.runner.json",
			travels:  "src/A/A.cs src/A/Testing.cs",
		},
		{
			language: "befunge", command: "./run-tests",
			restored: "conftest.py a_test.go test/a.js src/test/a tests/a.rs run-tests .rspec phpunit.xml",
			compared: "pyproject.toml package.json go.mod Cargo.toml composer.json",
			travels:  "src/a.bf README.md",
		},
	} {
		g := newGuard(t, Rules{Language: tt.language, Command: tt.command}, strings.Fields(tt.has)...)
		for want, names := range map[Fate]string{Restored: tt.restored, Compared: tt.compared, Travels: tt.travels} {
			for _, name := range strings.Fields(names) {
				if got := g.Rule(name); got.Fate != want {
					t.Errorf("%s: %s %s (%s), want %s", tt.language, name, got.Fate, got.Why, want)
				} else if want != Travels && got.Why == "" {
					t.Errorf("%s: nobody is told why %s %s", tt.language, name, got.Fate)
				}
			}
		}
	}
}

func TestWhatHonestWorkLeavesBehindIsNotReported(t *testing.T) {
	for language, names := range map[string]string{
		"python":     ".git/index tests/__pycache__/test_a.cpython-311.pyc .pytest_cache/v/cache a.egg-info/PKG-INFO",
		"javascript": "node_modules/.cache/babel/x .nyc_output/x.json",
		"java":       "target/classes/A.class build/tmp/x .gradle/8.0/x",
		"rust":       "target/debug/.fingerprint/x",
	} {
		g := newGuard(t, Rules{Language: language})
		for name := range strings.FieldsSeq(names) {
			if got := g.Rule(name); got.Fate != Restored || got.Kind != "" {
				t.Errorf("%s: %s %s and is reported as %q, want restored and silence", language, name, got.Fate, got.Kind)
			}
		}
	}
}

func TestTwinsOfNamesAreRestoredAndReported(t *testing.T) {
	g := newGuard(t, Rules{Language: "python", Tests: []string{"pkg/check.py"}, Protected: []string{"scripts/*.sh"}, Reports: []string{"out/report-*.xml"}})
	for name, kind := range map[string]string{
		"Conftest.py":              KindSteering,
		"CONFTEST.PY":              KindSteering,
		"con\u200bftest.py":        KindSteering, // zero width space
		"ｃｏｎｆｔｅｓｔ.py":              KindSteering, // full width
		"conf\u017ftest.py":        "",           // a long s is an s, which is not there
		"conftes\u0074.py":         KindSteering,
		"Tests/a.py":               KindTest,
		"PKG/check.py":             KindTest,
		"Scripts/run.SH":           KindSteering,
		"out/REPORT-1.xml":         KindReport,
		".GIT/config":              KindEscape,
		".git./config":             KindEscape,
		".git /config":             KindEscape,
		".g\u200cit/config":        KindEscape,
		"a/.Git":                   KindEscape,
		"git~1/config":             KindEscape,
		".git::$INDEX_ALLOCATION":  KindEscape,
		`a\.git\config`:            KindEscape,
		".gitignore":               "",
		".github/workflows/ci.yml": "",
		"git/config":               "",
		"a.git":                    "",
	} {
		if got := g.Rule(name); got.Kind != kind || (got.Fate == Travels) != (kind == "") {
			t.Errorf("%q %s as %q (%s), want %q", name, got.Fate, got.Kind, got.Why, kind)
		}
	}
}

func TestPathsThatAreNotPlainAreRestored(t *testing.T) {
	g := newGuard(t, Rules{Language: "go"})
	for _, name := range []string{"", ".", "..", "../a", "/etc/passwd", "a/../../b", "a//b", "./a", "a/", "a/."} {
		if got := g.Rule(name); got.Fate != Restored {
			t.Errorf("%q %s", name, got.Fate)
		}
	}
}

func TestTheDatasetAndTheReferenceMakeExceptions(t *testing.T) {
	g := newGuard(t, Rules{
		Language:    "python",
		Protected:   []string{"data/**/*.json", "golden", "conftest.py"},
		Unprotected: []string{"tests/fixtures/**", "**/mockery/*.py", "conftest.py", "tests/test_listed.py", "out.xml"},
		Reference:   []string{"src/a.py", "pyproject.toml", "pkg/conftest.py", "tests/helper.py", "tests/test_listed.py", "golden/a", "queue.py", "out.xml"},
		Tests:       []string{"tests/test_listed.py", "checks/weird[1].txt"},
		Reports:     []string{"out.xml"},
	})
	for name, want := range map[string]Ruling{
		"src/a.py":                {Fate: Travels},
		"pyproject.toml":          {Fate: Compared, Kind: KindSteering, Reference: true},
		"pkg/conftest.py":         {Fate: Compared, Kind: KindSteering, Reference: true},
		"tests/helper.py":         {Fate: Compared, Kind: KindTest, Reference: true},
		"queue.py":                {Fate: Travels}, // the reference makes a module that is called so
		"tests/test_listed.py":    {Fate: Restored, Kind: KindTest},
		"out.xml":                 {Fate: Restored, Kind: KindReport},
		"checks/weird[1].txt":     {Fate: Restored, Kind: KindTest},
		"checks/weird1.txt":       {Fate: Travels},
		"data/deep/er/a.json":     {Fate: Restored, Kind: KindSteering},
		"data/a.json":             {Fate: Restored, Kind: KindSteering},
		"data/a.txt":              {Fate: Travels},
		"golden/a":                {Fate: Restored, Kind: KindSteering}, // protected is protected
		"conftest.py":             {Fate: Restored, Kind: KindSteering},
		"tests/fixtures/a/b.json": {Fate: Travels},
		"Tests/fixtures/b.json":   {Fate: Restored, Kind: KindTest}, // exceptions are for the name itself
		"tests/mockery/a.py":      {Fate: Travels},
		"tests/mockery/a.json":    {Fate: Restored, Kind: KindTest},
	} {
		got := g.Rule(name)
		got.Why = ""
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// A solution need not be the reference's, also where the command names the code.
func TestCodeUnderTestTravelsThoughTheCommandNamesIt(t *testing.T) {
	fixed := "calc.py lib/emit.js run_all.py ci/go.sh setup.py tests/main.py Makefile"
	g := newGuard(t, Rules{
		Language: "python", Command: "python3 calc.py other.py && node lib/emit.js && python run_all.py tests/main.py && ci/go.sh && make && python setup.py test",
		Reference: strings.Fields(fixed),
	})
	for name, want := range map[string]Fate{
		"calc.py": Travels, "lib/emit.js": Travels, "other.py": Restored,
		"run_all.py": Compared, "ci/go.sh": Compared, "setup.py": Compared, "tests/main.py": Compared, "Makefile": Compared,
	} {
		if got := g.Rule(name); got.Fate != want {
			t.Errorf("%s %s (%s), want %s", name, got.Fate, got.Why, want)
		}
	}
}

func TestMalformedPatternsAreNamed(t *testing.T) {
	for _, rules := range []Rules{{Protected: []string{"a[b"}}, {Unprotected: []string{"{a"}}, {Reports: []string{""}}} {
		if _, err := New(rules); err == nil {
			t.Errorf("%+v: no error", rules)
		}
	}
}

func TestAboveKnowsWhatLiesBelow(t *testing.T) {
	g := newGuard(t, Rules{
		Language: "rust", Command: "ci/steps/run.sh --report=out/r.xml",
		Tests: []string{"a/b/c.rs"}, Protected: []string{"x/y*/z", "p/q"}, Reports: []string{"r/s/*.xml"},
	})
	for dir, want := range map[string]bool{
		".": true, "a": true, "a/b": true, "A/B": true, "a/c": false, "x": true, "p": true, "r": true, "r/s": true,
		"ci": true, "ci/steps": true, "out": true, "src": false, "q": false,
	} {
		if got := g.Above(dir); got != want {
			t.Errorf("Above(%q) = %t", dir, got)
		}
	}
}

func TestLinksThatMayLeadOutEscape(t *testing.T) {
	for _, tt := range []struct {
		name, target string
		want         bool
	}{
		{"a", "b", false}, {"a", "b/c", false}, {"d/a", "../b", false}, {"d/e/a", "../../b", false}, {"a", ".", false}, {"d/a", "..", false}, {"d/a", "./../b", false},
		{"a", "/etc/passwd", true}, {"a", "..", true}, {"a", "../b", true}, {"d/a", "../../b", true}, {"d/a", "../../tree/b", true},
		{"a", "b/../../c", true}, {"a", "b/..", true}, {"d/a", "x/../b", true}, {"a", "", true}, {"a", "b\x00c", true},
	} {
		if got := LinkEscapes(tt.name, tt.target); got != tt.want {
			t.Errorf("LinkEscapes(%q, %q) = %t", tt.name, tt.target, got)
		}
	}
}

func TestALinkStandsInForNothing(t *testing.T) {
	g := newGuard(t, Rules{Language: "python", Reference: []string{"setup.cfg"}}, "attr/__init__.py")
	for _, tt := range []struct {
		name, target string
		fate         Fate
		kind         string
	}{
		{"docs/latest", "../README.md", Travels, ""},
		{"attr", "src/attr", Travels, ""},
		{"json", "evil", Restored, KindSteering},
		{"unittest.py", "evil.py", Restored, KindSteering},
		{"pyproject.toml", "other.toml", Restored, KindSteering},
		{"setup.cfg", "other.cfg", Restored, KindSteering},
		{"tests", "evil", Restored, KindTest},
		{"a", "/etc", Restored, KindEscape},
	} {
		if got := g.RuleLink(tt.name, tt.target); got.Fate != tt.fate || got.Kind != tt.kind {
			t.Errorf("%s -> %s: %+v, want %s, %q", tt.name, tt.target, got, tt.fate, tt.kind)
		}
	}
}

func TestAPackageThatWasThereIsTheCodesOwn(t *testing.T) {
	g := newGuard(t, Rules{Language: "python", Tests: []string{"pkg/deep/test_a.py", "checks/unit/check_b.py"}},
		"attr/__init__.py", "calendar.py", "src", "lib", "lib/__init__.py", "pkg/__init__.py", "pkg/deep/__init__.py")
	for name, want := range map[string]Fate{
		"attr/new.py":             Travels,
		"attr/__init__.py":        Travels,
		"calendar.py":             Travels,
		"attrs/__init__.py":       Restored,
		"lib/json.py":             Travels, // lib is a package
		"src/json.py":             Restored,
		"pkg/deep/json.py":        Travels, // a module of a package
		"pkg/json.py":             Travels,
		"checks/unit/json.py":     Restored, // pytest imports from the directory of the test
		"checks/json.py":          Travels,
		"pkg/deep/__init__.py":    Compared,
		"pkg/__init__.py":         Compared,
		"checks/unit/__init__.py": Compared,
		"checks/__init__.py":      Travels,
		"__init__.py":             Travels,
	} {
		if got := g.Rule(name); got.Fate != want {
			t.Errorf("%s %s (%s), want %s", name, got.Fate, got.Why, want)
		}
	}
	for _, tt := range []struct {
		was, is []byte
		same    bool
	}{{[]byte("a"), []byte("b"), true}, {[]byte("a"), nil, false}, {nil, []byte{}, false}} {
		if same, _ := g.Compare("pkg/deep/__init__.py", tt.was, tt.is); same != tt.same {
			t.Errorf("an __init__.py above a test, %q and then %q: %t", tt.was, tt.is, same)
		}
	}
}

func TestFilesThatTheCommandNamesAreRestored(t *testing.T) {
	for _, tt := range []struct{ command, restored, travels string }{
		{"make check", "Makefile GNUmakefile sub/Makefile build/rules.mk", "remake tox.ini2 noxfile.py"},
		{"gmake -f ci/test.make", "Makefile ci/test.make", "ci/other.make"},
		{"tox -e py311", "tox.ini setup.py", "noxfile.py"},
		{"nox -s tests", "noxfile.py", "scripts/x.sh"},
		{"bash scripts/test.sh; exit 0", "scripts/test.sh", "sub/scripts/test.sh test.sh"},
		{`cd sub && "./run.sh" > out.txt`, "run.sh sub/run.sh", "sub/walk.sh"},
		{"/testbed/ci/run.sh", "ci/run.sh run.sh", "ci/walk.sh"},
		{"$PWD/ci/run.sh --config=conf/a.ini FOO=b/c.env", "ci/run.sh conf/a.ini b/c.env", "conf/b.ini"},
		{"python -m runner.cli && python -m pytest src/pkg", "runner/cli.py runner/cli/__main__.py pytest.py", "src/pkg/a.py runner/other.py"},
		{"python -m unittest pkg/check.py::TestX", "pkg/check.py", "pkg/a.py"},
		{"prog -fspec.mk <in.txt", "spec.mk in.txt", "in"},
		{"for f in src/*.py; do python $f; done", "", "src/a.py"},
		{"cd /testbed; if true; then bash ci.sh 2>&1 >3.txt; fi; exit 1", "ci.sh sub/ci.sh sub/3.txt", "many/1 many/2 lib/true sub/exit a/fi 1"},
		{"golangci-lint run", ".golangci.yml", ".flake8 go.sum"},
		{"ruff check . && flake8", "ruff.toml .flake8", ".golangci.yml"},
		{"pip install -e . && pytest", "setup.py", "a.py"},
	} {
		g := newGuard(t, Rules{Language: "python", Command: tt.command})
		for want, names := range map[Fate]string{Restored: tt.restored, Travels: tt.travels} {
			for name := range strings.FieldsSeq(names) {
				if got := g.Rule(name); got.Fate != want {
					t.Errorf("%s: %s %s (%s), want %s", tt.command, name, got.Fate, got.Why, want)
				}
			}
		}
	}
}
