package steering

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// tool is a program that a verifier's command may call, with the files that tell it
// what to do.
type tool struct {
	names    []string // of the program
	patterns string
	sections []string // of setup.cfg and tox.ini, and tables of pyproject.toml below [tool]
	keys     []string // of package.json
	installs bool     // it builds or installs the package, by what the package says
}

var tools = []tool{
	{names: []string{"make", "gmake", "remake", "checkmk"}, patterns: "**/Makefile **/GNUmakefile **/makefile **/*.mk **/*.mak **/Makefile.*", installs: true},
	{names: []string{"cmake", "ctest"}, patterns: "**/CMakeLists.txt **/*.cmake **/*.cmake.in"},
	{names: []string{"meson", "ninja"}, patterns: "**/meson.build **/meson_options.txt **/meson.options **/build.ninja **/subprojects"},
	{names: []string{"configure", "autoreconf", "automake"}, patterns: "**/configure **/configure.ac **/Makefile.am **/Makefile.in"},
	{names: []string{"bazel", "bazelisk"}, patterns: "**/BUILD **/BUILD.bazel **/WORKSPACE* **/MODULE.bazel* **/*.bzl **/.bazelrc **/.bazelversion"},
	{names: []string{"just"}, patterns: "**/justfile **/.justfile"},
	{names: []string{"task"}, patterns: "**/Taskfile.y* **/Taskfile.dist.y*"},
	{names: []string{"rake"}, patterns: "**/Rakefile **/rakelib **/*.rake"},
	{names: []string{"ant"}, patterns: "**/build.xml **/build.properties"},
	{names: []string{"tox"}, patterns: "**/tox.ini **/tox.toml", sections: []string{"tox", "testenv"}, installs: true},
	{names: []string{"nox"}, patterns: "**/noxfile.py", installs: true},
	{names: []string{"hatch"}, patterns: "**/hatch.toml **/hatch_build.py", sections: []string{"hatch"}, installs: true},
	{names: []string{"pdm"}, patterns: "**/pdm.toml **/.pdm-python", sections: []string{"pdm"}, installs: true},
	{names: []string{"poetry"}, patterns: "**/poetry.toml", sections: []string{"poe", "taskipy"}, installs: true},
	{names: []string{"poe", "poethepoet"}, patterns: "**/poe_tasks.*", sections: []string{"poe"}},
	{names: []string{"invoke", "inv"}, patterns: "tasks.py tasks **/invoke.*"},
	{names: []string{"uv", "pip", "pip3", "pipx", "build"}, patterns: "**/uv.toml **/pip.conf **/.pip", sections: []string{"uv"}, installs: true},
	{names: []string{"setup.py", "manage.py", "runtests.py"}, installs: true},
	{names: []string{"nosetests", "nose2"}, sections: []string{"nosetests"}},
	{names: []string{"bats", "prove", "shellspec"}, patterns: "**/.proverc **/.shellspec **/*.bats"},

	// Linters: for them, their settings are the judge.
	{names: []string{"golangci-lint"}, patterns: "**/.golangci.*"},
	{names: []string{"staticcheck"}, patterns: "**/staticcheck.conf"},
	{names: []string{"revive"}, patterns: "**/revive.toml"},
	{names: []string{"flake8"}, patterns: "**/.flake8", sections: []string{"flake8"}},
	{names: []string{"ruff"}, patterns: "**/ruff.toml **/.ruff.toml", sections: []string{"ruff"}},
	{names: []string{"pylint"}, patterns: "**/.pylintrc* **/pylintrc*", sections: []string{"pylint"}},
	{names: []string{"mypy"}, patterns: "**/mypy.ini **/.mypy.ini", sections: []string{"mypy"}},
	{names: []string{"pyright", "basedpyright"}, patterns: "**/pyrightconfig.json", sections: []string{"pyright", "basedpyright"}},
	{names: []string{"bandit"}, patterns: "**/.bandit **/bandit.y*", sections: []string{"bandit"}},
	{names: []string{"black", "isort"}, patterns: "**/.isort.cfg", sections: []string{"black", "isort"}},
	{names: []string{"eslint", "xo", "standard"}, patterns: "**/.eslintrc* **/eslint.config.* **/.eslintignore **/.xo-config* **/xo.config.*", keys: []string{"eslintConfig", "eslintIgnore", "xo", "standard"}},
	{names: []string{"biome"}, patterns: "**/biome.json*"},
	{names: []string{"prettier"}, patterns: "**/.prettierrc* **/prettier.config.* **/.prettierignore", keys: []string{"prettier"}},
	{names: []string{"stylelint"}, patterns: "**/.stylelintrc* **/stylelint.config.* **/.stylelintignore", keys: []string{"stylelint"}},
	{names: []string{"tsc"}, patterns: "**/tsconfig*.json"},
	{names: []string{"rubocop"}, patterns: "**/.rubocop*"},
	{names: []string{"phpstan"}, patterns: "**/phpstan*.neon* **/phpstan.*"},
	{names: []string{"psalm"}, patterns: "**/psalm.xml*"},
	{names: []string{"phpcs"}, patterns: "**/.phpcs.xml* **/phpcs.xml*"},
	{names: []string{"shellcheck"}, patterns: "**/.shellcheckrc **/shellcheckrc"},
	{names: []string{"semgrep"}, patterns: "**/.semgrep* **/semgrep.y*"},
	{names: []string{"checkstyle", "spotbugs", "pmd", "detekt", "ktlint"}, patterns: "**/checkstyle*.xml **/spotbugs*.xml **/pmd*.xml **/detekt* **/.editorconfig"},
	{names: []string{"clang-tidy", "cppcheck", "clang-format"}, patterns: "**/.clang-tidy **/.clang-format **/*.cppcheck"},
	{names: []string{"pre-commit"}, patterns: "**/.pre-commit-config.yaml **/.pre-commit-hooks.yaml"},
}

// toolSet is what the tools that a command calls look at.
type toolSet struct {
	used     []tool
	fields   []string // of the command, as the shell has them
	words    []string // of the command, and the parts of them that may be paths
	modules  []string // files of the modules that it runs with -m
	moves    bool     // it changes its directory
	installs bool
	sections []string
	keys     []string
}

// inner separates the parts of a shell's words that may be a path of their own:
// VAR=path, --config=path, a::TestX, "a,b".
var inner = regexp.MustCompile(`[=:,]+`)

// toolsOf reads a command as far as names go: it is not run, and need not be understood.
func toolsOf(command string) toolSet {
	var set toolSet
	fields := strings.FieldsFunc(command, func(r rune) bool { return strings.ContainsRune(" \t\r\n;&|()<>`\"'", r) })
	set.fields = fields
	for i, field := range fields {
		candidates := append([]string{field}, inner.Split(field, -1)...)
		if len(field) > 2 && field[0] == '-' && field[1] != '-' { // -fMakefile.test
			candidates = append(candidates, field[2:])
		}
		if i > 0 && fields[i-1] == "-m" { // python -m tests.run
			module := strings.ReplaceAll(field, ".", "/")
			set.modules = append(set.modules, module+".py", module+"/__main__.py", module+"/__init__.py")
		}
		for _, c := range candidates {
			if c = strings.TrimRight(c, "/"); c != "" && c != "." && c != ".." && !slices.Contains(set.words, c) {
				set.words = append(set.words, c)
			}
		}
	}
	for _, mover := range []string{"cd", "pushd", "-C", "--directory", "--prefix", "--cwd"} {
		set.moves = set.moves || slices.Contains(set.words, mover)
	}
	for _, t := range tools {
		if slices.ContainsFunc(set.words, func(w string) bool { return slices.Contains(t.names, path.Base(w)) }) {
			set.used = append(set.used, t)
			set.installs = set.installs || t.installs
			set.sections = append(set.sections, t.sections...)
			set.keys = append(set.keys, t.keys...)
		}
	}
	return set
}

// addCommand adds what the verifier's command names, and what the tools that it calls
// look at.
func (g *Guard) addCommand() error {
	called := Ruling{Fate: Restored, Kind: KindSteering, Why: "%s tells a program that the verifier calls what to do"}
	for _, t := range g.tools.used {
		if err := g.addKnown([]knownRule{{rankCalled, t.patterns, called}}); err != nil {
			return err
		}
	}
	if g.tools.installs {
		building := Ruling{Fate: Restored, Kind: KindSteering, Why: "%s is run before the tests are"}
		if err := g.addKnown([]knownRule{{rankCalled, "**/setup.py", building}}); err != nil {
			return err
		}
	}
	g.named = map[string]bool{}
	for _, module := range g.tools.modules {
		g.named[foldPath(module)] = true
	}
	for _, word := range g.tools.words {
		for _, name := range wordPaths(word) {
			g.named[foldPath(name)] = true
		}
	}
	return nil
}

// pathless are words of a command that name no file: numbers, such as those of descriptors, and
// what a shell knows by itself.
var pathless = regexp.MustCompile(`^(?:\d+|if|then|elif|else|fi|for|in|do|done|while|until|case|esac|function|` +
	`cd|echo|eval|exec|exit|export|false|local|read|readonly|return|set|shift|trap|true|unset|wait)$`)

// wordPaths returns the paths that a word of the command may name. A glob names none:
// it would name the code as easily as the tests, of which the language's rules know.
func wordPaths(word string) []string {
	plain := path.Clean(word)
	switch {
	case strings.HasPrefix(plain, "-"), strings.HasPrefix(plain, ".."), plain == "/", plain == ".", strings.ContainsAny(plain, "*?[{"), pathless.MatchString(plain):
		return nil
	case strings.HasPrefix(plain, "$"): // $PWD/run.sh
		_, rest, _ := strings.Cut(plain, "/")
		return []string{rest}
	case !path.IsAbs(plain):
		return []string{plain}
	}
	var ends []string // of the work tree's own path, perhaps, and then of a file in it
	for rest := plain; rest != ""; {
		_, after, _ := strings.Cut(rest, "/")
		if rest = after; rest != "" {
			ends = append(ends, rest)
		}
	}
	return ends
}

// judging are words in the names of programs that judge, whatever a fix does to them too.
var judging = regexp.MustCompile(`(?i)test|spec|check|run|judge|verif|valid|bench|report|^(setup|manage|tasks|noxfile)\.`)

// underTest tells whether a file that the command names is what the sample is about:
// code that the reference fix changes, and no program that judges by its name.
func (g *Guard) underTest(name string) bool {
	base := path.Base(name)
	return g.reference[name] && isSource(base) && !judging.MatchString(base)
}

// command rules on the files that the command names. One that changes its directory
// may mean any file whose path ends so.
func (g *Guard) command(p pathname, name string) (Ruling, bool) {
	if g.underTest(name) {
		return Ruling{}, false
	}
	for i := range p.folded {
		if g.named[strings.Join(p.folded[i:], "/")] {
			return Ruling{Fate: Restored, Kind: KindSteering, Why: name + " is named by the verifier's command"}, true
		}
		if !g.tools.moves {
			break
		}
	}
	return Ruling{}, false
}
