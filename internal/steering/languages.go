package steering

import (
	"fmt"
	"strings"
)

// language is what is known of the test runners of a language.
type language struct {
	names []string // that datasets give it
	rules []knownRule
	looks []look
}

// knownRule rules on the places that fit one of its patterns, which are separated by spaces.
type knownRule struct {
	rank     int // a rule of a lower rank holds before those of a higher one
	patterns string
	ruling   Ruling
}

// The ranks of rules.
const (
	rankInside   = iota // a file that steers within leftovers
	rankLeftover        // leftovers, also among tests
	rankCalled          // what the verifier's command calls
	rankSteers          // also among tests, so that it is told for what it is
	rankTest
	rankPlain
	ranks
)

func tests(patterns string) knownRule {
	return knownRule{rankTest, patterns, Ruling{Fate: Restored, Kind: KindTest, Why: "%s is a test, or belongs to one"}}
}

// steers is a rule for files that are restored as a whole. The sentence begins with
// the path that fits.
func steers(why, patterns string) knownRule {
	return knownRule{rankSteers, patterns, Ruling{Fate: Restored, Kind: KindSteering, Why: "%s " + why}}
}

// compares is a rule for files that say other things as well.
func compares(why, patterns string) knownRule {
	return knownRule{rankPlain, patterns, Ruling{Fate: Compared, Kind: KindSteering, Why: "%s " + why}}
}

// leftovers is a rule for what honest work leaves behind as well, but which could be
// run in the place of what it was made from.
func leftovers(patterns string) knownRule {
	return knownRule{rankLeftover, patterns, Ruling{Fate: Restored, Why: "%s is made by tools and never travels"}}
}

// installed is a rule for packages that the code needs. Whoever installs some anew, next
// to the code, hardly means to steer; they stay behind all the same.
func installed(patterns string) knownRule {
	r := steers("holds installed packages", patterns)
	r.ruling.Installed = true
	return r
}

// inside is steers for a file among leftovers.
func inside(why, patterns string) knownRule {
	r := steers(why, patterns)
	r.rank = rankInside
	return r
}

// everywhere holds for all languages.
var everywhere = []knownRule{
	leftovers("**/__pycache__ **/*.pyc **/*.pyo **/.pytest_cache **/.hypothesis **/node_modules/.cache **/.turbo **/.nx/cache **/.gradle **/*.class"),
	steers("chooses the interpreter or the compiler that runs the tests", "**/.python-version **/.tool-versions **/.mise.toml **/mise.toml **/.mise **/.sdkmanrc **/.node-version **/.nvmrc **/.ruby-version **/.java-version **/rust-toolchain **/rust-toolchain.toml"),
	steers("says what git makes of the files", "**/.gitattributes **/.gitmodules **/.gitconfig"),
	steers("sets the environment that tests run in", "**/.env **/.env.test **/.env.test.local **/.envrc"),
}

// languages are the rules by language. Within one, the first that fits holds.
var languages = []*language{
	{[]string{"python"}, []knownRule{
		tests("**/test_*.py **/*_test.py **/tests.py **/tests test"),
		steers("is run by pytest", "**/conftest.py"),
		steers("sets pytest's options", "**/pytest.ini **/.pytest.ini **/pytest.toml **/.pytest.toml"),
		steers("is run by every Python that starts beside it", "**/sitecustomize.* **/sitecustomize **/usercustomize.* **/usercustomize **/*.pth **/pyvenv.cfg"),
		inside("makes its package a plugin of pytest", "**/*.egg-info/entry_points.txt **/*.dist-info/entry_points.txt **/EGG-INFO/entry_points.txt"),
		leftovers("**/*.egg-info **/*.dist-info **/EGG-INFO **/*.egg-link **/.tox **/.nox **/.eggs"),
		installed("**/site-packages **/dist-packages .venv venv"),
		steers("tells coverage which code to load, and what to write", "**/.coveragerc"),
		steers("sets a test runner's options", "**/unittest.cfg **/nose2.cfg **/nose.cfg **/.noserc **/.testr.conf **/.stestr.conf **/behave.ini **/.behaverc"),
		tests("features"),
		compares("may set options of pytest and of coverage", "**/setup.cfg **/tox.ini **/pyproject.toml"),
		compares("may make its package a plugin of pytest", "**/setup.py"),
	}, []look{
		{patterns: "**/tests", collected: pythonTests},
		{patterns: "**/test_*.py **/*_test.py **/tests.py", collected: anyFile},
	}},
	{[]string{"go", "golang"}, []knownRule{
		tests("**/*_test.go **/testdata"),
		steers("puts other modules in the place of those that go.mod names", "**/go.work **/go.work.sum **/vendor"),
		steers("sets the environment of the go command", "**/go.env"),
		compares("says which modules, tools and toolchain the tests are built with", "**/go.mod"),
	}, []look{
		{patterns: "**/testdata", newParent: true},
	}},
	{[]string{"javascript", "js", "typescript", "ts", "node"}, []knownRule{
		leftovers("**/.nyc_output **/.parcel-cache **/.swc **/.vitest **/*.tsbuildinfo"),
		tests("**/test **/tests **/__tests__ **/__mocks__ **/__snapshots__ **/__fixtures__ **/*.test.* **/*.spec.* **/*.snap cypress e2e spec"),
		steers("sets a test runner's options", "**/jest.config.* **/jest.setup.* **/jest-preset.* **/setupTests.* **/.mocharc **/.mocharc.* **/mocha.opts **/vitest.config.* **/vitest.workspace.* **/vitest.setup.* **/vite.config.* **/ava.config.* **/karma.conf* **/.taprc **/.tap **/.nycrc* **/nyc.config.* **/.c8rc* **/cypress.config.* **/cypress.json **/playwright.config.* **/jasmine.json **/.jasmine* **/wtr.config.* **/web-test-runner.config.* **/testem.* **/nightwatch.conf.* **/wdio.conf.* **/node.config.json **/.borp.*"),
		steers("rewrites the code before the tests run it", "**/babel.config.* **/.babelrc* **/.swcrc **/rollup.config.* **/webpack.config.*"),
		steers("sets the options of npm, yarn, pnpm or node", "**/.npmrc **/.yarnrc* **/.yarn **/.pnp.* **/.pnpmfile.* **/pnpm-workspace.yaml **/.noderc **/.node-options **/lerna.json **/nx.json **/turbo.json **/bunfig.toml **/deno.json **/deno.jsonc"),
		installed("**/node_modules"),
		compares("holds the scripts and the options of test runners", "**/package.json"),
		compares("says how a test runner loads TypeScript", "**/tsconfig.json **/tsconfig.*.json **/jsconfig.json"),
	}, []look{
		{patterns: "**/test **/tests **/__fixtures__", collected: scripts, byName: "*.test.* *.spec.*"},
		{patterns: "**/__tests__ **/*.test.* **/*.spec.*", collected: anyFile},
	}},
	{[]string{"java", "kotlin", "scala", "groovy"}, []knownRule{
		tests("**/src/test **/src/*Test **/src/*Tests **/src/testFixtures **/src/it"),
		steers("says how Maven builds and tests", "**/pom.xml **/mvnw* **/.mvn **/*surefire*.xml **/*failsafe*.xml"),
		steers("says how Gradle builds and tests", "**/*.gradle **/*.gradle.kts **/gradle.properties gradle */gradle **/gradlew* **/buildSrc build-logic **/init.gradle*"),
		steers("says how the tests are built and run", "**/build.xml **/build.sbt project/*.sbt project/*.scala project/build.properties **/testng.xml **/testng.yaml"),
		steers("sets the options of JUnit, or makes a class its plugin", "**/junit-platform.properties **/META-INF/services/org.junit* **/META-INF/services/org.testng* **/META-INF/services/org.spockframework* **/META-INF/services/io.kotest* **/META-INF/services/javax.annotation.processing.Processor"),
		steers("is compiled code", "**/*.jar"),
	}, nil},
	{[]string{"rust"}, []knownRule{
		tests("**/tests **/benches **/tests.rs"),
		steers("sets the options of cargo", "**/.cargo **/.config/nextest.toml **/.config/nextest **/clippy.toml **/.rustfmt.toml"),
		compares("says how the package and its tests are built", "**/Cargo.toml"),
	}, []look{
		{patterns: "**/tests **/tests.rs", below: "src"},
	}},
	{[]string{"ruby"}, []knownRule{
		tests("**/spec **/test **/features **/*_spec.rb **/*_test.rb **/test_*.rb"),
		steers("sets a test runner's options", "**/.rspec **/.rspec-local **/.simplecov **/cucumber.yml **/.minitest* **/.m.rb"),
		steers("is run by rake or by bundler before the tests", "**/Rakefile **/rakefile.rb **/Rakefile.rb **/rakelib **/*.rake **/Gemfile* **/gems.rb **/gems.locked **/*.gemspec **/.bundle"),
		installed("vendor/bundle vendor/gems vendor/cache"),
	}, []look{
		{patterns: "**/spec **/test **/features", below: "lib app", collected: "*_spec.rb *_test.rb test_*.rb *.feature"},
	}},
	{[]string{"php"}, []knownRule{
		leftovers("**/.phpunit.result.cache **/.phpunit.cache"),
		tests("**/tests **/test **/*Test.php **/*.phpt"),
		steers("sets a test runner's options", "**/phpunit.xml* **/phpunit.dist.xml **/phpspec.yml* **/.phpspec.yml **/codeception.yml **/codeception.dist.yml **/behat.yml* **/behat.php **/infection.json* **/.user.ini **/php.ini **/patchwork.json"),
		installed("**/vendor"),
		steers("says how packages are installed", "**/auth.json"),
		compares("holds scripts, plugins and what is loaded first", "**/composer.json"),
	}, []look{
		{patterns: "**/tests **/test", below: "src lib app", collected: "*Test.php *TestCase.php *.phpt"},
	}},
	{[]string{"c", "c++", "cpp"}, []knownRule{
		leftovers("**/*.o **/*.obj **/*.lo **/*.gcda **/*.gcno **/*.gch **/*.pch **/CMakeCache.txt **/CMakeFiles **/Testing cmake-build-* **/*.a **/*.so **/*.so.*"),
		tests("**/test **/tests **/*_test.c **/*_test.cc **/*_test.cpp **/*_test.cxx **/*_unittest.cc **/*_unittest.cpp **/test_*.c **/test_*.cc **/test_*.cpp **/unittests **/googletest"),
		steers("tells ctest which tests there are", "**/CTestTestfile.cmake **/CTestConfig.cmake **/CTestCustom.cmake **/CTestCustom.ctest **/DartConfiguration.tcl **/CMakePresets.json **/CMakeUserPresets.json **/toolchain.cmake"),
	}, []look{
		{patterns: "**/test **/tests **/unittests", below: "src include lib", collected: "*test*"},
	}},
	{[]string{"c#", "csharp", "f#", "fsharp", "dotnet"}, []knownRule{
		leftovers("**/obj **/bin/Debug **/bin/Release **/TestResults"),
		tests("**/test **/tests **/*.Test **/*.Tests **/*.UnitTests **/*.IntegrationTests **/*Tests.cs **/*Test.cs **/*Tests.fs"),
		steers("sets a test runner's options", "**/*.runsettings **/*.testsettings **/xunit.runner.json **/*.xunit.runner.json **/testconfig.json **/*.testconfig.json **/coverlet.json"),
		steers("says how MSBuild builds and tests", "**/Directory.Build.* **/Directory.Packages.* **/Directory.Solution.* **/*.csproj **/*.fsproj **/*.vbproj **/*.proj **/*.props **/*.targets **/*.sln **/*.slnx **/*.rsp **/global.json **/nuget.config **/.config/dotnet-tools.json"),
	}, []look{
		{patterns: "**/test **/tests", below: "src", collected: "*Test.cs *Tests.cs *Tests.fs *.csproj *.fsproj"},
	}},
}

// addKnown adds rules that this package knows. Their patterns are constants.
func (g *Guard) addKnown(rules []knownRule) error {
	for _, r := range rules {
		for pattern := range strings.FieldsSeq(r.patterns) {
			if err := g.known[r.rank].add(pattern, r.ruling); err != nil {
				return fmt.Errorf("read a rule of this program: %w", err)
			}
		}
	}
	return nil
}

// languagesOf returns the rules of a language, or all of them when it is not known:
// nothing is known then of what its tests are run with.
func languagesOf(name string) []*language {
	for _, l := range languages {
		for _, n := range l.names {
			if strings.EqualFold(n, name) {
				return []*language{l}
			}
		}
	}
	return languages
}

// is tells whether the rules of a language hold.
func (g *Guard) is(name string) bool {
	for _, l := range g.languages {
		if l.names[0] == name {
			return true
		}
	}
	return false
}
