package steering

import (
	"path"
	"slices"
	"strings"
)

// findImports finds what Python imports before anything else: "python -m pytest" puts
// the current directory first, and pytest puts the first directory above each test
// that is no package there too. A module of the tree that is called as one of the
// standard library, or of the test runner, is imported in its place.
func (g *Guard) findImports() {
	if !g.is("python") {
		return
	}
	g.modules, g.packages = map[string]bool{}, map[string]bool{}
	for _, list := range [][]string{strings.Fields(stdlib), strings.Fields(judges), g.rules.Modules} {
		for _, name := range list {
			g.modules[fold(name)] = true
		}
	}
	g.importRoots = append([]string{"."}, g.rules.ImportRoots...)
	for _, dir := range []string{"src", "lib"} { // of which nothing is imported by the tests when they are new
		if g.rules.Has(dir) && !g.rules.Has(dir+"/__init__.py") {
			g.importRoots = append(g.importRoots, dir)
		}
	}
	for _, test := range g.rules.Tests {
		if path.Ext(test) != ".py" {
			continue
		}
		dir := path.Dir(test)
		for dir != "." && g.rules.Has(path.Join(dir, "__init__.py")) {
			g.packages[dir] = true
			dir = path.Dir(dir)
		}
		g.packages[dir] = true
		g.importRoots = append(g.importRoots, dir)
	}
	delete(g.packages, ".")
	slices.Sort(g.importRoots)
	g.importRoots = slices.Compact(g.importRoots)
}

// imports rules on the paths that change what Python imports.
func (g *Guard) imports(p pathname, name string) (Ruling, bool) {
	if g.modules == nil {
		return Ruling{}, false
	}
	if path.Base(name) == "__init__.py" && g.packages[path.Dir(name)] {
		return Ruling{Fate: Compared, Kind: KindSteering, Why: name + " decides, by being there, where pytest imports its tests from"}, true
	}
	for _, root := range g.importRoots {
		below := 0
		if root != "." {
			below = strings.Count(root, "/") + 1
			if len(p.parts) <= below || strings.Join(p.parts[:below], "/") != root {
				continue
			}
		}
		if module, ok := g.shadows(p, below); ok && !g.ours(root, module) {
			return Ruling{Fate: Restored, Kind: KindSteering, Why: name + " would be imported in the place of " + module}, true
		}
	}
	return Ruling{}, false
}

// shadows tells which module a path makes, if its name is one that must not be
// shadowed. A directory alone makes none: the standard library goes before it.
func (g *Guard) shadows(p pathname, below int) (module string, ok bool) {
	rest := p.folded[below:]
	stem, extension, _ := strings.Cut(rest[0], ".")
	if !g.modules[stem] && !strings.HasPrefix(stem, "pytest_") {
		return "", false
	}
	switch len(rest) {
	case 1:
		return stem, importable(extension)
	case 2:
		initial, extension, _ := strings.Cut(rest[1], ".")
		return stem, rest[0] == stem && initial == "__init__" && importable(extension)
	}
	return "", false
}

// importable tells whether Python imports a file with such an ending: foo.py,
// foo.cpython-311-x86_64-linux-gnu.so.
func importable(extension string) bool {
	return extension == "py" || strings.HasSuffix(extension, "so") || strings.HasSuffix(extension, "pyd") || strings.HasSuffix(extension, "pyc")
}

// ours tells whether the tree has had a module of that name in its place all along,
// or the reference fix makes one: then it is the code's own.
func (g *Guard) ours(root, module string) bool {
	file, pkg := path.Join(root, module+".py"), path.Join(root, module, "__init__.py")
	return g.reference[file] || g.reference[pkg] || g.rules.Has(file) || g.rules.Has(pkg)
}
