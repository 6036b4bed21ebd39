package steering

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"assay/internal/testid"
)

// maxSuspicions bounds what is said of one file.
const maxSuspicions = 50

// Line is a line that a change added.
type Line struct {
	Number int // in the changed file, from 1
	Text   string
}

// Suspicion is a sign, in a line of code, that it reaches for what judges it. It is
// shown to people and decides nothing: honest code has its reasons, and an attack can
// be written without any sign.
type Suspicion struct {
	Path string
	Line int
	Why  string // a sentence for people, without its full stop
}

// sign is what a suspicious line looks like.
type sign struct {
	looks *regexp.Regexp
	why   string
}

// signsOf are the signs by what a file is written in.
var signsOf = map[string][]sign{
	"python": {
		{regexp.MustCompile(`\b_pytest\b|^\s*(import|from)\s+(pytest|pluggy|xdist)\b|\bpytest_(runtest|report|session|collection|configure|pyfunc)\w*`), "reaches for pytest outside of tests"},
		{regexp.MustCompile(`\bunittest(\.\w+)+\s*=[^=]|\bTest(Case|Result|Runner|Program)\.\w+\s*=[^=]|setattr\(\s*(unittest|pytest)\b`), "changes the test library"},
		{regexp.MustCompile(`\batexit\.|^\s*(import|from)\s+atexit\b`), "runs code when the process that judges ends"},
		{regexp.MustCompile(`\bos\._exit\b|\bos\.(abort|kill|killpg)\(`), "ends a process at once, without its report"},
		{regexp.MustCompile(`^(sys\.exit|exit|quit|raise\s+SystemExit)\b`), "ends the process when it is imported"},
		{regexp.MustCompile(`\bsys\.modules\[\s*['"]|\bsys\.(meta_path|path_hooks)\b`), "changes what an import gives"},
		{regexp.MustCompile(`\b(__builtins__|builtins)\.\w+\s*=[^=]|\b__builtins__\[[^]]*\]\s*=[^=]|setattr\(\s*(__builtins__|builtins)\b`), "changes Python's own functions"},
		{regexp.MustCompile(`\bgc\.get_(objects|referrers)\b`), "looks through the objects of the process that judges"},
		{regexp.MustCompile(`\bsys\._getframe\b|\bsys\._current_frames\b|\binspect\.(stack|currentframe)\b|\bsys\.set(trace|profile)\b`), "looks at who calls it"},
		{regexp.MustCompile(`^\s*(import|from)\s+ctypes\b|\bctypes\.(pythonapi|CDLL|memmove)\b`), "reaches into the memory of the process"},
		{regexp.MustCompile(`\bPYTEST_\w+|\bjunit_?xml\b|\bJUNIT_\w+`), "looks for signs of being tested"},
	},
	"go": {
		{regexp.MustCompile(`^//go:linkname\b`), "reaches for unexported code of other packages"},
		{regexp.MustCompile(`\btesting\.Testing\(\)|\bflag\.Lookup\(\s*"test\.|\bos\.Args\b.*\.test\b|"-test\.|HasSuffix\([^)]*"\.test"`), "looks for signs of being tested"},
		{regexp.MustCompile(`=== RUN\b|--- (PASS|FAIL|SKIP)\b|"Action":"(pass|run)"`), "writes what go test writes"},
		{regexp.MustCompile(`^\s*"testing"$|^import "testing"$`), "imports the test library outside of tests"},
	},
	"javascript": {
		{regexp.MustCompile(`\bprocess\.(reallyExit|abort|kill)\b|\bprocess\.(on|once|addListener|prependListener)\(\s*['"\x60](exit|beforeExit)`), "ends, or waits for the end of, the process that judges"},
		{regexp.MustCompile(`(\brequire\(|\bfrom\s+|\bimport\(?\s*)['"\x60](node:test|mocha|tape|tap|ava|jest|vitest|@jest/globals|chai|jasmine|qunit|uvu)\b`), "reaches for the test library outside of tests"},
		{regexp.MustCompile(`\bModule\._(load|resolveFilename|extensions|cache)\b|\brequire\.cache\b|\b(module|Module)\.register\(`), "changes what an import gives"},
		{regexp.MustCompile(`\bglobal(This)?\.(it|test|describe|expect|before|after|beforeEach|afterEach|assert|jest|vi|mocha)\b`), "changes the functions of the test runner"},
		{regexp.MustCompile(`\bassert(\.strict)?\.\w+\s*=[^=>]`), "changes the assertions"},
		{regexp.MustCompile(`\bNODE_(TEST_CONTEXT|OPTIONS|V8_COVERAGE)\b|\b(JEST|MOCHA|VITEST)_\w+|process\.env\.(JEST|VITEST|MOCHA)\b`), "looks for signs of being tested"},
	},
	"": {
		{regexp.MustCompile(`/proc/(self|\d+|\*|%[ds]|\$\{?\w+\}?)`), "looks at running processes"},
		{regexp.MustCompile(`\bASSAY_\w*`), "looks for what judges it"},
	},
}

// endings are what files are written in, by their extension.
var endings = map[string]string{
	".py": "python", ".pyx": "python", ".pyw": "python", ".go": "go",
	".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "javascript",
	".ts": "javascript", ".mts": "javascript", ".cts": "javascript", ".tsx": "javascript", ".vue": "javascript",
}

// otherCode are the extensions of code for which only the signs of all code are known.
var otherCode = strings.Fields(".c .cc .cpp .cxx .h .hpp .rs .java .kt .scala .groovy .rb .php .cs .fs .sh .bash .pl .lua .swift .s .S")

// isSource tells whether a file holds code of a program, as opposed to a script of a shell.
func isSource(name string) bool {
	ext := path.Ext(name)
	return endings[ext] != "" || slices.Contains(otherCode, ext) && ext != ".sh" && ext != ".bash"
}

// Suspicions returns the suspicious lines among those that a change added to a file. It says
// nothing of tests, of documents and of comments, and at most one thing of a line.
func (g *Guard) Suspicions(name string, added []Line) []Suspicion {
	written, code := endings[path.Ext(name)]
	if !code && !slices.Contains(otherCode, path.Ext(name)) || g.Rule(name).Kind == KindTest {
		return nil
	}
	var found []Suspicion
	exits := exitFinder(written, name)
	for _, line := range added {
		why := exits(line.Text)
		if why == "" && !comment(written, line.Text) {
			why = g.suspect(written, line.Text)
		}
		if why != "" {
			found = append(found, Suspicion{Path: name, Line: line.Number, Why: why})
		}
		if len(found) == maxSuspicions {
			break
		}
	}
	return found
}

func (g *Guard) suspect(written, text string) string {
	for _, signs := range [][]sign{signsOf[written], signsOf[""]} {
		for _, s := range signs {
			if s.looks.MatchString(text) {
				return s.why
			}
		}
	}
	for _, place := range g.reportNames() {
		if strings.Contains(text, place) {
			return "names " + place + ", where a report is looked for"
		}
	}
	for word := range strings.FieldsFuncSeq(text, isNoLetter) {
		if g.names[word] {
			return "names the test " + quote(word)
		}
	}
	return ""
}

// exitFinder returns what finds lines that end the process where a library has no
// business to: not in programs, whose way to end it is.
func exitFinder(written, name string) func(line string) (why string) {
	program := slices.ContainsFunc(strings.Split(path.Dir(name), "/"), func(dir string) bool {
		return slices.Contains([]string{"bin", "cmd", "scripts", "script", "tools", "cli", "examples", "example"}, dir)
	})
	stem, _, _ := strings.Cut(path.Base(name), ".")
	program = program || stem == "main" || stem == "cli" || stem == "bin"
	inInit := false
	return func(line string) string {
		switch written {
		case "go":
			if strings.HasPrefix(line, "func ") {
				inInit = strings.HasPrefix(line, "func init()")
			}
			if goExit.MatchString(line) && !comment(written, line) && (inInit || !program) {
				return "ends the process"
			}
			if strings.HasPrefix(line, "}") {
				inInit = false
			}
		case "javascript":
			if jsExit.MatchString(line) && !comment(written, line) && !program {
				return "ends the process"
			}
		}
		return ""
	}
}

var (
	goExit = regexp.MustCompile(`\b(os|syscall|unix)\.(Exit|Kill)\(|\bruntime\.Goexit\(`)
	jsExit = regexp.MustCompile(`\bprocess\.exit(Code)?\b`)
)

// comment tells whether a line is one, as far as a line alone can tell. Go's
// directives are comments that do something.
func comment(written, line string) bool {
	line = strings.TrimSpace(line)
	switch written {
	case "python":
		return strings.HasPrefix(line, "#")
	case "go":
		return strings.HasPrefix(line, "//") && !strings.HasPrefix(line, "//go:")
	}
	return strings.HasPrefix(line, "//") || strings.HasPrefix(line, "* ") || strings.HasPrefix(line, "/*")
}

// reportNames are the parts of the reports' places that say which they are.
func (g *Guard) reportNames() []string {
	var names []string
	for _, report := range g.rules.Reports {
		parts := strings.Split(report, "/")
		for _, part := range slices.Backward(parts) {
			if !hasMeta(part) && len(part) >= 6 {
				names = append(names, part)
				break
			}
		}
	}
	return names
}

// telling returns the names that would hardly stand in code by chance: the last part
// of a test's id, by the rules of its language, when it is one long word that says it
// is a test.
func telling(language string, ids []string) map[string]bool {
	const enough = 10
	names := map[string]bool{}
	rules := []func(string) testid.Parts{func(id string) testid.Parts { return testid.Of(language, id) }}
	if language == "" {
		rules = append(rules, testid.Python, testid.Go)
	}
	for _, id := range ids {
		for _, rule := range rules {
			name := rule(id).Name
			name = name[strings.LastIndexByte(name, '.')+1:] // Class.test
			if len(name) >= enough && strings.HasPrefix(strings.ToLower(name), "test") && isWord(name) {
				names[name] = true
			}
		}
	}
	return names
}

// isWord tells whether a name is what code calls something by.
func isWord(name string) bool { return strings.IndexFunc(name, isNoLetter) < 0 }

func isNoLetter(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }
