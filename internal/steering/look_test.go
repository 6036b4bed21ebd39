package steering

import (
	"strings"
	"testing"
)

func TestWhatOnlyLooksLikeATestTravels(t *testing.T) {
	for _, tt := range []struct {
		language, command, tests, has string
		travels, restored             string
	}{
		{ // the command says where the tests are
			"python", "python3 -m pytest -p no:cacheprovider -q tests", "tests/test_a.py", "tests tests/test_a.py pkg pkg/__init__.py pkg/a.py pkg/old/tests",
			"pkg/test_vectors.py pkg/tests.py pkg/tests/helper.py pkg/tests/test_x.py pkg/new/tests/data.json pkg/types.py pkg/vector_test.py src/types.py",
			"test_vectors.py tests/test_b.py tests/helper.py tests/deep/pkg/test_x.py pkg/old/tests/a.py pkg/tests/conftest.py pkg/tests/pytest.ini types.py test/a.py pkg/a.pyc",
		},
		{ // it does not: everything may be collected
			"python", "python3 -m pytest", "tests/test_a.py", "tests tests/test_a.py pkg",
			"pkg/tests/helper.py pkg/tests/data.json pkg/types.py pkg/tests",
			"pkg/test_vectors.py pkg/tests.py pkg/tests/test_a.py pkg/tests/a_test.py tests/types.py types.py",
		},
		{ // the tests are among the code
			"python", "pytest pkg/test_a.py", "pkg/test_a.py", "pkg pkg/__init__.py pkg/test_a.py pkg/other",
			"pkg/tests/x.py pkg/other/test_b.py pkg/json.py pkg/types.py", "pkg/test_vectors.py",
		},
		{ // and pytest imports from where they are
			"python", "pytest pkg/test_a.py", "pkg/test_a.py", "pkg pkg/test_a.py pkg/other",
			"pkg/other/test_b.py pkg/other/types.py", "pkg/test_vectors.py pkg/json.py pkg/types.py pkg/tests/x.py",
		},
		{ // more may run than it says
			"python", "bash ci/run.sh && pytest tests", "tests/test_a.py", "tests pkg",
			"", "pkg/test_vectors.py pkg/tests/test_a.py",
		},
		{"python", "python ci/run.py tests/test_a.py", "tests/test_a.py", "tests pkg ci/run.py", "", "pkg/test_vectors.py"},
		{"python", "ci/run.sh tests", "tests/test_a.py", "tests pkg ci/run.sh", "", "pkg/test_vectors.py"},
		{"python", "./check tests/test_a.py", "tests/test_a.py", "tests pkg check", "", "pkg/test_vectors.py"},
		{"python", "./venv/bin/pytest tests/run.py tests/test_a.py", "tests/test_a.py", "tests tests/run.py pkg", "pkg/test_vectors.py", ""},
		{"python", "pytest -c conf/a.ini", "tests/test_a.py", "tests pkg conf/a.ini", "", "pkg/test_vectors.py"},
		{"python", "pytest .", "tests/test_a.py", "tests pkg", "", "pkg/test_vectors.py"},
		{"python", "cd sub; pytest tests", "tests/test_a.py", "tests pkg", "", "pkg/test_vectors.py"},
		{"python", "pytest src/pkg tests", "tests/test_a.py", "tests src src/pkg", "src/other/test_x.py src/pkg/tests/x.py", "src/pkg/test_x.py src/test_x.py src/tests/x.py src/tests src/json.py"},
		{
			"go", "go test ./...", "a/a_test.go", "a a/a_test.go b",
			"new/testdata/x.txt a/new/testdata/x.go", "testdata/x a/testdata/x b/testdata/x new/a_test.go a/new_test.go b/a_test.go new/testdata/a_test.go",
		},
		{
			"javascript", "node --test test/*.test.js", "test/a.test.js", "test test/a.test.js lib lib/old/test",
			"lib/test lib/test/clock.js lib/test/a.test.js lib/a.spec.js lib/__tests__/a.js lib/__fixtures__/a.js",
			"test/b.js test/deep/b.test.js tests/a.js a.test.js lib/old/test/x.js lib/__mocks__/a.js lib/test/__mocks__/a.js lib/a.snap lib/test/.mocharc.js lib/test/jest.config.js lib/test/node_modules/a/index.js __tests__/a.js",
		},
		{"javascript", "npm test", "test/a.js", "test lib", "lib/test/a.json lib/tests/words.txt", "lib/test/a.js lib/a.test.js lib/__tests__/a.js test/a.json"},
		{"javascript", "npx jest --json", "src/a.test.js", "src src/a.test.js", "src/test/clock.js src/lib/tests/x.ts", "src/b.test.js src/test/a.test.js src/__tests__/a.js src/test/a.spec.ts src/__mocks__/fs.js"},
		{"javascript", "npx jest tests/a", "tests/a.test.js", "tests/a.test.js tests/a", "", "lib/tests/a/b.test.js"},
		{"javascript", "mocha test/test.js", "test/test.js", "test test/test.js lib", "lib/test/a.js lib/x.test.js", "test/other.js __tests__/x.js"},
		{"rust", "cargo test", "tests/a.rs", "tests src crates/a/tests", "src/tests.rs src/a/tests/mod.rs crates/a/src/tests.rs", "tests/b.rs crates/a/tests/b.rs crates/b/tests/b.rs benches/a.rs"},
		{"rust", "cargo test", "src/a/tests/x.rs", "src src/a", "src/b/tests.rs", "src/a/tests/y.rs src/a/tests/deep/y.rs"},
		{"ruby", "bundle exec rspec", "spec/a_spec.rb", "spec lib", "lib/a/test/clock.rb lib/a/spec/x.rb", "lib/a/spec/x_spec.rb lib/test_x.rb spec/x.rb app/test_x.rb ext/spec/a.rb"},
		{"php", "vendor/bin/phpunit", "tests/ATest.php", "tests src", "src/Test/Clock.php src/Form/Test/X.php", "src/ATest.php src/Test/XTest.php tests/X.php src/x/vendor/a.php"},
		{"c", "make check", "tests/a.c", "tests src", "src/x/test/clock.c", "src/test_a.c tests/b.c src/test/test_a.c src/test/Makefile"},
		{"c#", "dotnet test", "A.Tests/ATests.cs", "A.Tests src", "src/A/Test/Clock.cs", "A.Tests/X.cs src/A/XTests.cs src/A/Test/A.csproj"},
		{"java", "mvn test", "src/test/java/ATest.java", "src/test", "src/main/java/test/A.java", "src/test/java/B.java mod/src/test/B.java"},
		{"befunge", "./run", "tests/a", "tests", "", "lib/test/a.js pkg/test_a.py"}, // nothing is known
	} {
		g := newGuard(t, Rules{Language: tt.language, Command: tt.command, Tests: strings.Fields(tt.tests)}, strings.Fields(tt.has)...)
		for want, names := range map[Fate]string{Restored: tt.restored, Travels: tt.travels} {
			for name := range strings.FieldsSeq(names) {
				if got := g.Rule(name); got.Fate != want {
					t.Errorf("%s: %s: %s %s (%s), want %s", tt.language, tt.command, name, got.Fate, got.Why, want)
				}
			}
		}
	}
}

func TestWhatOnlyLooksLikeATestIsSearchedAsCode(t *testing.T) {
	g := newGuard(t, Rules{Language: "python", Command: "pytest tests", Tests: []string{"tests/test_a.py"}}, "tests", "pkg")
	if found := g.Suspicions("pkg/test_vectors.py", []Line{{Number: 1, Text: "import _pytest.runner"}}); len(found) != 1 {
		t.Errorf("found %+v", found)
	}
}

// What lies where a link leads has the link's name, too: a link is taken for a test where
// something may be collected by that name.
func TestALinkDoesNotOnlyLookLikeATest(t *testing.T) {
	for _, tt := range []struct {
		language, command, has, link string
		unprotected                  []string
		want                         Fate
	}{
		{"javascript", "node --test", "test lib", "lib/test", nil, Restored},
		{"javascript", "node --test", "test lib", "lib/test/data", nil, Restored},
		{"javascript", "node --test", "test lib", "lib/test", []string{"lib/test"}, Travels},
		{"javascript", "node --test", "test lib", "lib/other", nil, Travels},
		{"javascript", "mocha */test/*.js test", "test lib", "lib/test", nil, Restored},
		{"javascript", "node --test test/a.js", "test test/a.js lib", "lib/test", nil, Travels}, // nothing else is run
		{"python", "pytest", "test lib", "pkg/tests", nil, Restored},
		{"go", "go test ./...", "test", "new/testdata", nil, Travels}, // of which nothing is collected
	} {
		g := newGuard(t, Rules{Language: tt.language, Command: tt.command, Tests: []string{"test/a.js"}, Unprotected: tt.unprotected}, strings.Fields(tt.has)...)
		if got := g.RuleLink(tt.link, "code"); got.Fate != tt.want {
			t.Errorf("%s: a link at %s %s (%s), want %s", tt.command, tt.link, got.Fate, got.Why, tt.want)
		}
		if tt.want == Restored && g.Rule(tt.link).Fate != Travels {
			t.Errorf("%s: %s is a test whatever it is", tt.command, tt.link)
		}
	}
}
