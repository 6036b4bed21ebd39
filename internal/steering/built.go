package steering

import (
	"path"
	"slices"
)

// buildDirs are the directories, by language, in which tools leave what they compiled.
// What lies there may be newer than its source, and is then run in its place.
var buildDirs = map[string][]string{
	"java": {"target", "build", "out"},
	"rust": {"target"},
	"c":    {"build", "_build", "builddir", "out"},
}

// built rules on what was compiled, and on the script that cargo runs to compile. A
// directory below one called src is a package of the code, whatever its name, and so
// is build.rs a module there, unless a Cargo.toml lies beside it.
func (g *Guard) built(p pathname, name string) (Ruling, bool) {
	for i, part := range p.folded {
		if part == "src" {
			break
		}
		for language, dirs := range buildDirs {
			if g.is(language) && slices.Contains(dirs, part) {
				return Ruling{Fate: Restored, Why: p.parts[i] + " is made by tools and never travels"}, true
			}
		}
	}
	if g.is("rust") && p.folded[len(p.folded)-1] == "build.rs" {
		if !slices.Contains(p.folded[:len(p.folded)-1], "src") || g.rules.Has(path.Join(path.Dir(name), "Cargo.toml")) {
			return Ruling{Fate: Restored, Kind: KindSteering, Why: name + " is run by cargo before the tests are built"}, true
		}
	}
	return Ruling{}, false
}
