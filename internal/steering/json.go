package steering

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

var errNoJSON = errors.New("it is no JSON")

// object is what a JSON document says: its keys, and which of them have something
// below them that is said twice. Node takes the last of two; others take the first.
type object struct {
	values map[string]any
	twice  map[string]bool
}

// readJSON reads a document that is an object.
func readJSON(data []byte) (object, error) {
	doc := object{map[string]any{}, map[string]bool{}}
	if !utf8.Valid(data) {
		return doc, errNoJSON
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		return doc, errNoJSON
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return doc, errNoJSON
		}
		name, _ := key.(string)
		value, twice, err := readValue(dec, 0)
		if err != nil {
			return doc, err
		}
		_, there := doc.values[name]
		doc.twice[name] = doc.twice[name] || twice || there
		doc.values[name] = value
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return doc, errNoJSON
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return doc, errNoJSON
	}
	return doc, nil
}

// readValue reads the next value, and tells whether a key in it is said twice.
func readValue(dec *json.Decoder, depth int) (value any, twice bool, err error) {
	const maxDepth = 200
	if depth > maxDepth {
		return nil, false, errTooDeep
	}
	token, err := dec.Token()
	if err != nil {
		return nil, false, errNoJSON
	}
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, false, errNoJSON
			}
			name, _ := key.(string)
			member, below, err := readValue(dec, depth+1)
			if err != nil {
				return nil, false, err
			}
			_, there := object[name]
			twice = twice || below || there
			object[name] = member
		}
		value = object
	case json.Delim('['):
		array := []any{}
		for dec.More() {
			member, below, err := readValue(dec, depth+1)
			if err != nil {
				return nil, false, err
			}
			twice = twice || below
			array = append(array, member)
		}
		value = array
	default:
		return token, false, nil
	}
	if _, err := dec.Token(); err != nil { // the closing delimiter
		return nil, false, errNoJSON
	}
	return value, twice, nil
}

// jsonPart is what a document says under the keys for which steers returns true.
func jsonPart(doc object, steers func(key string) bool) (part, error) {
	p := part{}
	for key, value := range doc.values {
		if !steers(key) {
			continue
		}
		if doc.twice[key] {
			return nil, fmt.Errorf("%s has a key twice", quote(key))
		}
		if value == nil { // null is not the same as nothing
			p[key] = "null"
		}
		p.putAll(key, value)
	}
	return p, nil
}

// packageKeys steer, in a package.json: name, because a package finds itself by its
// name before any dependency; imports, because tests may import by #names; the rest,
// because it is read by what runs the tests. What the package exports, and whether it is
// made of modules (type), are the code's own: they can break tests, not pass them.
var packageKeys = []string{
	"name", "imports", "scripts", "config", "workspaces", "packageManager", "volta", "devEngines", "pnpm", "wireit", "nx",
	"jest", "mocha", "ava", "tap", "nyc", "c8", "vitest", "jasmine", "karma", "cypress", "testem", "babel", "swc", "esm", "ts-node", "tsx", "tape", "tsd", "uvu", "lab", "playwright",
}

// packagePart is what package.json says to test runners. Versions of dependencies may
// change; one that comes from elsewhere than the registry may not.
func (g *Guard) packagePart(data []byte) (part, error) {
	doc, err := readJSON(data)
	if err != nil {
		return nil, err
	}
	p, err := jsonPart(doc, func(key string) bool {
		if key == "scripts" && !g.runsScripts() {
			return false
		}
		return slices.Contains(g.tools.keys, key) || slices.ContainsFunc(packageKeys, func(k string) bool {
			return key == k || strings.HasPrefix(key, k+"-") // jest-junit, mocha-junit-reporter
		})
	})
	if err != nil {
		return nil, err
	}
	for _, kind := range []string{"dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "overrides", "resolutions"} {
		if doc.twice[kind] {
			return nil, fmt.Errorf("%s has a key twice", kind)
		}
		dependencies, _ := doc.values[kind].(map[string]any)
		for name, spec := range dependencies {
			if text, plain := spec.(string); plain && strings.ContainsAny(text, ":/") {
				p[kind+" "+name] = text
			}
		}
	}
	return p, nil
}

// scriptRunners run scripts of a package.json, as whatever the command calls indirectly may.
var scriptRunners = []string{"npm", "npx", "yarn", "pnpm", "pnpx", "bun", "bunx", "corepack", "lerna", "nx", "turbo", "rush", "wireit", "run-s", "run-p", "npm-run-all", "concurrently", "--run"}

// runsScripts tells whether the command may run scripts of a package.json. One that calls
// node or a test runner itself does not.
func (g *Guard) runsScripts() bool {
	return g.rules.Command == "" || len(g.tools.used) > 0 || g.calls(scriptRunners) || g.calls(indirect) || slices.ContainsFunc(g.tools.words, func(word string) bool {
		return strings.HasSuffix(word, ".sh") || strings.HasPrefix(word, "./") // a program of which nothing is known
	})
}

// composerPart is what composer.json says beside the code and its dependencies.
func composerPart(data []byte) (part, error) {
	doc, err := readJSON(data)
	if err != nil {
		return nil, err
	}
	return jsonPart(doc, func(key string) bool {
		return slices.Contains([]string{"scripts", "scripts-aliases", "scripts-descriptions", "autoload-dev", "repositories", "config", "extra", "bin", "include-path", "target-dir", "name"}, key)
	})
}

// tsconfigPart is what a tsconfig.json says of where modules are found, and of how
// they are loaded. How strictly the code is checked may change.
func tsconfigPart(data []byte) (part, error) {
	doc, err := readJSON(plainJSON(data))
	if err != nil {
		return nil, err
	}
	p, err := jsonPart(doc, func(key string) bool {
		return slices.Contains([]string{"extends", "ts-node", "tsx", "references", "mocha", "vitest"}, key)
	})
	if err != nil {
		return nil, err
	}
	if doc.twice["compilerOptions"] {
		return nil, errors.New("compilerOptions has a key twice")
	}
	for _, key := range []string{"paths", "baseUrl", "rootDirs", "plugins", "types", "typeRoots", "outDir", "noEmit", "noCheck", "jsxImportSource", "customConditions"} {
		p.put("compilerOptions."+key, at(doc.values["compilerOptions"], key))
	}
	return p, nil
}

// plainJSON takes comments and final commas out of what tools that are kind to people
// call JSON.
func plainJSON(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			end := i + 1
			for end < len(data) && data[end] != '"' {
				if data[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end+1, len(data))
			out = append(out, data[i:end]...)
			i = end - 1
		case bytes.HasPrefix(data[i:], []byte("//")):
			end := bytes.IndexByte(data[i:], '\n')
			if end < 0 {
				return out
			}
			i += end
		case bytes.HasPrefix(data[i:], []byte("/*")):
			end := bytes.Index(data[i+2:], []byte("*/"))
			if end < 0 {
				return out
			}
			i += end + 3
		case c == '}' || c == ']':
			trimmed := bytes.TrimRight(out, " \t\r\n")
			out = append(bytes.TrimSuffix(trimmed, []byte(",")), c)
		default:
			out = append(out, c)
		}
	}
	return out
}
