package steering

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// readTOML reads a document whose nesting is bounded: the parser recurses. It was
// chosen for its time, which is linear; that of others grows with the square of the
// keys, a minute for a document of 1 MiB.
func readTOML(data []byte) (map[string]any, error) {
	const maxBrackets, maxDots = 10_000, 5_000_000
	if bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > maxBrackets {
		return nil, errTooDeep
	}
	dots := 0 // squared by line, which is what a.b.c.d costs
	for line := range bytes.Lines(data) {
		n := bytes.Count(line, []byte("."))
		if dots += n * n; dots > maxDots {
			return nil, errTooDeep
		}
	}
	var doc map[string]any
	if err := toml.Unmarshal(data, &doc); err != nil {
		return nil, errors.New("it is no TOML")
	}
	return doc, nil
}

// at returns what a document has at a path of keys, or nil.
func at(doc any, keys ...string) any {
	for _, key := range keys {
		table, _ := doc.(map[string]any)
		doc = table[key]
	}
	return doc
}

// table returns the table that a document has at a path of keys; a nil one when it
// has something else there.
func table(doc any, keys ...string) map[string]any {
	t, _ := at(doc, keys...).(map[string]any)
	return t
}

// put adds what a document says at a place, if it says anything.
func (p part) put(place string, value any) {
	if value == nil {
		return
	}
	text, err := json.Marshal(value) // sorts keys
	if err != nil {                  // of a number that JSON has not: nan, inf
		text = fmt.Append(nil, value)
	}
	p[place] = string(text)
}

// putAll adds each key of a table, so that a difference can name it.
func (p part) putAll(place string, value any) {
	t, ok := value.(map[string]any)
	if !ok {
		p.put(place, value)
		return
	}
	p[place] = "" // an empty table can mean something as well
	for key, value := range t {
		p.put(place+" "+key, value)
	}
}

// pyprojectPart is what pyproject.toml says to test runners: the tables of pytest, of
// coverage and of the tools that the verifier calls, and the entry points of pytest.
// What it says to build the package counts when the verifier builds it.
func (g *Guard) pyprojectPart(data []byte) (part, error) {
	doc, err := readTOML(data)
	if err != nil {
		return nil, err
	}
	p := part{}
	for name, value := range table(doc, "tool") {
		if isTool(name, append([]string{"pytest", "coverage", "nose2", "unittest", "ward", "tox", "env"}, g.tools.sections...)) {
			p.putAll("tool."+name, value)
		}
	}
	for _, at := range [][]string{{"project", "entry-points"}, {"tool", "poetry", "plugins"}, {"tool", "flit", "entrypoints"}, {"tool", "pdm", "entry-points"}, {"tool", "setuptools", "entry-points"}} {
		for group, points := range table(doc, at...) {
			if strings.Contains(strings.ToLower(group), "pytest") || group == "console_scripts" {
				p.putAll(strings.Join(at, ".")+"."+group, points)
			}
		}
	}
	for _, at := range [][]string{{"project", "scripts"}, {"tool", "poetry", "scripts"}, {"tool", "flit", "scripts"}} {
		for name, script := range table(doc, at...) {
			if runners[strings.ToLower(name)] {
				p.put(strings.Join(at, ".")+"."+name, script)
			}
		}
	}
	if g.tools.installs {
		p.putAll("build-system", doc["build-system"])
		p.putAll("tool.setuptools cmdclass", at(doc, "tool", "setuptools", "cmdclass"))
	}
	return p, nil
}

// isTool tells whether a table belongs to one of the tools, or to a plugin of it.
func isTool(name string, tools []string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(tools, func(tool string) bool {
		return name == tool || strings.HasPrefix(name, tool+"-") || strings.HasPrefix(name, tool+"_")
	})
}

// cargoPart is what Cargo.toml says of how the tests are built and run. Versions of
// dependencies may change, and new ones may come; where one comes from may not.
func cargoPart(data []byte) (part, error) {
	doc, err := readTOML(data)
	if err != nil {
		return nil, err
	}
	p := part{}
	for _, key := range []string{"test", "bench", "profile", "patch", "replace", "cargo-features"} {
		p.put(key, doc[key])
	}
	for _, key := range []string{"build", "autotests", "autobenches", "workspace", "links", "metadata", "forced-target", "default-target"} {
		p.put("package."+key, at(doc, "package", key))
	}
	for _, key := range []string{"test", "doctest", "harness", "path", "proc-macro", "required-features", "name"} {
		p.put("lib."+key, at(doc, "lib", key))
	}
	for _, key := range []string{"exclude", "members", "default-members", "resolver", "metadata"} {
		p.put("workspace."+key, at(doc, "workspace", key))
	}
	bins, _ := doc["bin"].([]any)
	for i, bin := range bins {
		for _, key := range []string{"test", "harness"} {
			p.put(fmt.Sprintf("bin %d.%s", i, key), at(bin, key))
		}
	}
	sources(p, "", doc)
	sources(p, "workspace.", table(doc, "workspace"))
	for target, value := range table(doc, "target") {
		sources(p, "target."+target+".", value)
	}
	return p, nil
}

// sources adds where dependencies come from, when it is not the registry.
func sources(p part, place string, doc any) {
	for _, kind := range []string{"dependencies", "dev-dependencies", "build-dependencies", "dev_dependencies", "build_dependencies"} {
		dependencies := table(doc, kind)
		for _, name := range slices.Sorted(maps.Keys(dependencies)) {
			for _, key := range []string{"path", "git", "branch", "tag", "rev", "registry", "registry-index", "package"} {
				p.put(place+kind+"."+name+"."+key, at(dependencies[name], key))
			}
		}
	}
}
