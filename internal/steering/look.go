package steering

import (
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// look is a kind of names by which a language's tests are known, and which code may have
// as well: lib/test/clock.js, pkg/test_vectors.py. A new file of such a name travels if it
// does not lie among the sample's own tests, and nothing collects it.
type look struct {
	patterns  string // among those of the language's tests
	below     string // names of directories, one of which must lie above; "" for anywhere
	newParent bool   // the directory above must be new, too: one that is there may have tests that look here
	collected string // patterns of the base names that test runners collect here of themselves
	byName    string // collected in its place where the command calls a runner that goes by names
}

// Base names that are collected.
const (
	anyFile     = "*"
	pythonTests = "test*.py *_test.py *_tests.py"
	scripts     = "*.js *.cjs *.mjs *.jsx *.ts *.cts *.mts *.tsx"
)

// goByName are runners of JavaScript that collect no directory for its name alone, but
// for those that are at the root.
var goByName = []string{"jest", "vitest", "mocha", "react-scripts"}

// goByPart are runners that take a path in their command for a part of those to run.
var goByPart = []string{"jest", "vitest", "react-scripts"}

// indirect are programs that run what a command does not say.
var indirect = []string{"npm", "yarn", "pnpm", "bun", "bash", "sh", "zsh", "dash", "source", "eval", "xargs", "find", "env", "parallel"}

// findLooks gathers the looks of the language. Of one that is not known nothing is known of
// what collects its tests either.
func (g *Guard) findLooks() {
	g.looks = map[string]look{}
	if len(g.languages) != 1 {
		return
	}
	for _, l := range g.languages[0].looks {
		for pattern := range strings.FieldsSeq(l.patterns) {
			g.looks[pattern] = l
		}
	}
	g.findReach()
}

// onlyLooks tells whether a path that fits the patterns of tests only looks like one.
func (g *Guard) onlyLooks(p pathname, name string) bool {
	if len(g.looks) == 0 || g.rules.Has(name) {
		return false
	}
	for i := range p.parts {
		r, ok := g.known[rankTest].matchAt(p.folded, i)
		if !ok {
			continue
		}
		l, ok := g.looks[r.plain]
		if !ok || !g.harmless(l, p, i, name) {
			return false
		}
	}
	return true
}

// mayLeadToTests rules on a link whose name only looks like one of a test. Whatever lies
// where it leads has then the name of a test as well, and may be collected by it.
func (g *Guard) mayLeadToTests(name string) (Ruling, bool) {
	p := split(name)
	if _, left := g.unprotected.matchAsWritten(p); left || g.reference[name] || g.reach != nil && !slices.ContainsFunc(g.reach, hasMeta) && !g.reached(name) {
		return Ruling{}, false
	}
	for i := range p.parts {
		r, ok := g.known[rankTest].matchAt(p.folded, i)
		if ok && g.looks[r.plain].collected != "" {
			return g.known[rankTest].match(p)
		}
	}
	return Ruling{}, false
}

// harmless tells whether a new path that has a look by its component i cannot be collected
// or imported by the sample's tests.
func (g *Guard) harmless(l look, p pathname, i int, name string) bool {
	at, parent := strings.Join(p.parts[:i+1], "/"), path.Dir(strings.Join(p.parts[:i+1], "/"))
	twin := path.Join(parent, p.folded[i])
	switch {
	case parent == "." || slices.Contains(g.importRoots, parent):
		return false // tests may import it by this name, or in the place of their own package
	case i < len(p.parts)-1 && (g.rules.Has(at) || g.rules.Has(twin)):
		return false // the directory was there with its tests
	case l.newParent && g.rules.Has(parent):
		return false
	case l.below != "" && !slices.ContainsFunc(p.parts[:i], func(part string) bool { return slices.Contains(strings.Fields(l.below), part) }):
		return false
	}
	for dir := range g.testDirs {
		if dir == at || dir == path.Dir(name) || strings.HasPrefix(dir, at+"/") {
			return false
		}
	}
	return !g.collects(l, name)
}

// collects tells whether a test runner may collect a file.
func (g *Guard) collects(l look, name string) bool {
	patterns := l.collected
	if l.byName != "" && g.calls(goByName) {
		patterns = l.byName
	}
	base := path.Base(name)
	if !slices.ContainsFunc(strings.Fields(patterns), func(pattern string) bool {
		ok, err := doublestar.Match(fold(pattern), fold(base))
		return ok || err != nil
	}) {
		return false
	}
	return g.reach == nil || g.reached(name)
}

// reached tells whether what the command says to run includes a path.
func (g *Guard) reached(name string) bool {
	parts := g.calls(goByPart)
	return slices.ContainsFunc(g.reach, func(word string) bool {
		if hasMeta(word) {
			ok, err := doublestar.Match(word, name)
			return ok || err != nil
		}
		return within(name, word) || parts && strings.Contains(name, word)
	})
}

// within tells whether a path is dir or lies below it.
func within(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }

func (g *Guard) calls(programs []string) bool {
	return slices.ContainsFunc(g.tools.words, func(word string) bool { return slices.Contains(programs, path.Base(word)) })
}

// runsOthers tells whether a word of the command is a program of the tree, of which nothing is
// known but that it is no test: it may run what the command does not say.
func (g *Guard) runsOthers(word string) bool {
	plain := path.Clean(word)
	if strings.HasPrefix(word, "-") || path.IsAbs(plain) || !g.rules.Has(plain) {
		return false
	}
	if _, test := g.known[rankTest].match(split(plain)); test || slices.Contains(g.rules.Tests, plain) {
		return false
	}
	ext := path.Ext(plain)
	return strings.HasPrefix(word, "./") && ext == "" || isSource(plain) || ext == ".sh" || ext == ".bash"
}

// findReach finds the paths that the command says to run the tests of, and the directories
// of the sample's tests. It is believed only where it has all of the sample's tests and
// calls nothing that may run others; else reach is nil, which is everything.
func (g *Guard) findReach() {
	g.testDirs = map[string]bool{}
	var own []string
	for _, test := range g.rules.Tests {
		if _, ok := g.known[rankTest].match(split(test)); ok {
			own = append(own, test)
			g.testDirs[path.Dir(test)] = true
		}
	}
	var reach []string
	for _, word := range g.tools.words {
		word, _, _ = strings.Cut(word, "::")
		word = strings.TrimPrefix(path.Clean(word), "./")
		switch {
		case strings.HasPrefix(word, "-"), strings.HasPrefix(word, "$"), path.IsAbs(word), word == ".", word == "..":
		case hasMeta(word) && doublestar.ValidatePattern(word), !hasMeta(word) && (g.rules.Has(word) || slices.ContainsFunc(own, func(test string) bool { return within(test, word) })):
			reach = append(reach, word)
		}
	}
	g.reach = reach
	for _, test := range own {
		if !g.reached(test) {
			own = nil
			break
		}
	}
	if len(own) == 0 || g.tools.moves || len(g.tools.used) > 0 || g.calls(indirect) || slices.ContainsFunc(g.tools.fields, g.runsOthers) || slices.ContainsFunc(g.tools.fields, func(field string) bool { return path.Clean(field) == "." }) {
		g.reach = nil
		return
	}
	for _, word := range reach {
		if dir := path.Dir(word); dir != "." {
			g.testDirs[dir] = true
		}
	}
}
