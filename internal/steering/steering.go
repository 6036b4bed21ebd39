// Package steering knows which files of a work tree steer a test runner, so that
// what an agent did to them does not reach the judge.
//
// A test runner is told what to do by files that lie among the code: a conftest.py
// can report every test as passed, a script of package.json need not run any, and a
// module called json is imported in the place of Python's own. A Guard says of each
// path of a work tree what becomes of a change to it. It reads nothing by itself and
// knows nothing of sandboxes; who lays changes on a tree asks it, and obeys.
//
// Patterns, here and in a dataset's protected and unprotected, are those of
// github.com/bmatcuk/doublestar: they are matched against the whole path, relative to
// the work tree; * stays within a component and ** stands for any number of them. A
// pattern that fits a directory covers all that lies below it.
package steering

import (
	"fmt"
	"path"
	"strings"
)

// Fate is what becomes of a change.
type Fate int

const (
	// Travels: the change reaches the judge.
	Travels Fate = iota
	// Restored: the change never reaches the judge; the tree keeps what it had there.
	Restored
	// Compared: the change reaches the judge only as a regular file (or as its removal)
	// of which Guard.Compare says that its steering part is what it was.
	Compared
)

func (f Fate) String() string {
	switch f {
	case Travels:
		return "travels"
	case Restored:
		return "restored"
	case Compared:
		return "compared"
	}
	return fmt.Sprintf("Fate(%d)", int(f))
}

// The kinds of rulings, which are those of assay.Tampering.
const (
	KindTest     = "test"     // a test or its data
	KindSteering = "steering" // a file that steers a test runner
	KindReport   = "report"   // a place where a report is looked for
	KindEscape   = "escape"   // a name that other systems take for the repository's own data
)

// Ruling says what becomes of a change to a path.
type Ruling struct {
	Fate Fate
	// Kind is what a change that does not travel is reported as. It is "" when there is
	// nothing to report: of what travels, and of what honest work leaves behind as well
	// (the repository's data, caches, compiled files), though that may be Restored.
	Kind string
	Why  string // a sentence for people, without its full stop: "conftest.py is run by pytest"
	// Reference is set beside Compared when the sample's reference fix touches the path.
	// The change may then have the steering part of the tree, or of the reference.
	Reference bool
	// Installed is set of installed packages, which honest work may have beside it.
	Installed bool
}

// Rules are what a Guard is made from. All paths are slash-separated, clean, and
// relative to the work tree.
type Rules struct {
	Language string // of the code, as the dataset names it; one that is not known takes the rules of all
	Command  string // of the verifier, in bash

	Protected   []string // patterns of what never travels, whatever else holds
	Unprotected []string // patterns of what travels although it steers a runner

	Reference []string // paths that the sample's reference fix touches
	Tests     []string // paths that the sample's test patch touches; they never travel
	TestNames []string // names of the expected tests; only Suspicions needs them
	Reports   []string // patterns of the places where reports are looked for

	// ImportRoots are directories of which Python imports, beside those that are known:
	// the tree itself, src, lib, and the directories of Tests.
	ImportRoots []string
	// Modules are top-level modules, beside those that are known, that must come from
	// where the image has them: what the tests import to judge with.
	Modules []string
	// Has tells whether the tree, as it was before any change, has something at a path.
	// It is asked rarely: whether what looks like a test, or a package that is called as one
	// of Python's own, is new, and where packages end that have tests in them. Nil has nothing.
	Has func(path string) bool
}

// Guard rules on the paths of one sample's work tree. It may be used by several
// goroutines at once if Rules.Has may.
type Guard struct {
	rules     Rules
	languages []*language

	reports, tests, protected, unprotected *matcher
	known                                  [ranks]*matcher
	reference                              map[string]bool

	importRoots []string
	modules     map[string]bool // folded top-level names that must not be shadowed
	packages    map[string]bool // directories of which an __init__.py decides where tests are imported from
	tools       toolSet
	named       map[string]bool // folded paths that the command names
	looks       map[string]look // names that code may have as well as tests, by their pattern
	testDirs    map[string]bool // directories of the sample's tests
	reach       []string        // paths and patterns that the command runs the tests of; nil for all
	names       map[string]bool // of Rules.TestNames, those that are no ordinary words
}

// New returns the guard of a work tree. It fails when a pattern is malformed, and
// names it.
func New(rules Rules) (*Guard, error) {
	if rules.Has == nil {
		rules.Has = func(string) bool { return false }
	}
	g := &Guard{rules: rules, languages: languagesOf(rules.Language), reference: map[string]bool{}, names: telling(rules.Language, rules.TestNames)}
	for _, p := range rules.Reference {
		g.reference[p] = true
	}
	g.tools = toolsOf(rules.Command)

	var err error
	sets := []struct {
		into     **matcher
		patterns []string
		what     string
		verdict  Ruling
	}{
		{&g.reports, rules.Reports, "report", Ruling{Restored, KindReport, "%s is a place where a report is looked for", false, false}},
		{&g.tests, literal(rules.Tests), "test", Ruling{Restored, KindTest, "%s is a test of this sample", false, false}},
		{&g.protected, rules.Protected, "protected", Ruling{Restored, KindSteering, "%s is protected by the dataset", false, false}},
		{&g.unprotected, rules.Unprotected, "unprotected", Ruling{Travels, "", "%s is left to the agent by the dataset", false, false}},
	}
	for _, set := range sets {
		*set.into = newMatcher()
		for _, pattern := range set.patterns {
			if err = (*set.into).add(pattern, set.verdict); err != nil {
				return nil, fmt.Errorf("read a %s pattern: %w", set.what, err)
			}
		}
	}
	for i := range g.known {
		g.known[i] = newMatcher()
	}
	if err := g.addKnown(everywhere); err != nil {
		return nil, err
	}
	for _, l := range g.languages {
		if err := g.addKnown(l.rules); err != nil {
			return nil, err
		}
	}
	if err := g.addCommand(); err != nil {
		return nil, err
	}
	g.findImports()
	g.findLooks()
	return g, nil
}

// Rule says what becomes of a change to a path: that something is made, changed,
// replaced or removed there. A path that is not clean, absolute, or leads out of the
// tree is Restored. A directory that is merely there still, because something below it
// changed, is nothing to report, whatever its ruling.
func (g *Guard) Rule(name string) Ruling {
	if name == "" || name == "." || name != path.Clean(name) || path.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") {
		return Ruling{Fate: Restored, Kind: KindEscape, Why: "a path that is not plain never travels"}
	}
	p := split(name)
	if ruling, ok := repository(p); ok {
		return ruling
	}
	for _, m := range []*matcher{g.reports, g.tests, g.protected} {
		if ruling, ok := m.match(p); ok {
			return ruling
		}
	}
	if ruling, ok := g.unprotected.matchAsWritten(p); ok {
		return ruling
	}
	ruling, ok := g.steers(p, name)
	if !ok {
		return Ruling{Fate: Travels}
	}
	if g.reference[name] {
		ruling.Fate, ruling.Reference = Compared, true
	}
	return ruling
}

// steers rules by what is known of languages and tools.
func (g *Guard) steers(p pathname, name string) (Ruling, bool) {
	for rank, m := range g.known {
		if ruling, ok := m.match(p); ok && (rank != rankTest || !g.onlyLooks(p, name)) {
			return ruling, true
		}
	}
	for _, rule := range []func(pathname, string) (Ruling, bool){g.built, g.command, g.imports} {
		if ruling, ok := rule(p, name); ok {
			return ruling, true
		}
	}
	return Ruling{}, false
}

// Above tells whether something that is Restored is known to have its place below a
// directory, which must then not become a file or a link, nor be removed. What steers
// a runner at any depth (**/conftest.py) is not looked for: who removes a directory,
// or puts another in its place, asks Rule of each file that the tree has in it.
func (g *Guard) Above(dir string) bool {
	if dir == "." || dir == "" {
		return true
	}
	p := split(dir)
	for _, m := range append([]*matcher{g.reports, g.tests, g.protected}, g.known[:]...) {
		if m.above(p) {
			return true
		}
	}
	below := strings.Join(p.folded, "/") + "/"
	for named := range g.named {
		if strings.HasPrefix(named, below) {
			return true
		}
	}
	return false
}

// RuleLink is Rule for a symbolic link that is put at a path. A link never stands in
// for a file that would be Compared, nor for a package that would be Restored.
func (g *Guard) RuleLink(name, target string) Ruling {
	ruling := g.Rule(name)
	if ruling.Fate == Travels {
		if LinkEscapes(name, target) {
			return Ruling{Fate: Restored, Kind: KindEscape, Why: name + " is a link that leads out of the work tree"}
		}
		if ruling, ok := g.mayLeadToTests(name); ok {
			return ruling
		}
		inside := split(name + "/__init__.py")
		if shadow, ok := g.imports(inside, name); ok && shadow.Fate == Restored {
			return shadow
		}
	}
	if ruling.Fate == Compared {
		ruling.Fate, ruling.Reference = Restored, false
	}
	return ruling
}

// LinkEscapes tells whether a symbolic link leads, or may lead, out of the tree: its
// target is absolute, climbs above the root, or climbs after it went down, where what
// it went through may be a link itself.
func LinkEscapes(name, target string) bool {
	if target == "" || strings.HasPrefix(target, "/") || strings.ContainsRune(target, 0) {
		return true
	}
	depth, down := strings.Count(path.Clean(name), "/"), false
	for part := range strings.SplitSeq(target, "/") {
		switch part {
		case "", ".":
		case "..":
			if depth--; depth < 0 || down {
				return true
			}
		default:
			down = true
		}
	}
	return false
}
