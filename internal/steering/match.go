package steering

import (
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// matcher finds the first rule that fits a path or a directory above it. It keeps
// patterns by their shape, because a tree of dependencies has many paths and most
// patterns are plain names.
type matcher struct {
	names    map[string]rule // **/NAME
	globs    []globRule      // **/GLOB, by component
	paths    map[string]rule // plain paths
	dirs     map[string]bool // directories above the plain paths, and above what patterns begin with
	patterns []globRule      // everything else
	all      []rule
}

type rule struct {
	ruling Ruling
	plain  string // the pattern as it was written, without a final /**
}

// fits tells whether a path fits the pattern without any folding.
func (r rule) fits(name string) bool {
	ok, err := doublestar.Match(r.plain, name)
	return ok && err == nil
}

type globRule struct {
	folded string
	rule
}

func newMatcher() *matcher {
	return &matcher{names: map[string]rule{}, paths: map[string]rule{}, dirs: map[string]bool{}}
}

// add adds a pattern. The ruling's Why may have a %s, which becomes the name that fits.
// Of two rules for one pattern the first holds.
func (m *matcher) add(pattern string, ruling Ruling) error {
	if !doublestar.ValidatePattern(pattern) || pattern == "" {
		return fmt.Errorf("%q is malformed", pattern)
	}
	plain := strings.TrimPrefix(strings.TrimSuffix(strings.TrimSuffix(pattern, "/**"), "/"), "./")
	r := rule{ruling: ruling, plain: plain}
	m.all = append(m.all, r)
	folded := foldPath(plain)
	rest, anywhere := strings.CutPrefix(folded, "**/")
	switch {
	case anywhere && !strings.Contains(rest, "/") && !hasMeta(rest):
		putFirst(m.names, rest, r)
	case anywhere && !strings.Contains(rest, "/") && rest != "**":
		m.globs = append(m.globs, globRule{rest, r})
	case !hasMeta(folded):
		putFirst(m.paths, unescape(folded), r)
		m.addAbove(unescape(folded))
	default:
		m.patterns = append(m.patterns, globRule{folded, r})
		base, _ := doublestar.SplitPattern(folded)
		if base != "." {
			m.dirs[base] = true
			m.addAbove(base)
		}
	}
	return nil
}

func (m *matcher) addAbove(dir string) {
	for i := strings.LastIndexByte(dir, '/'); i > 0; i = strings.LastIndexByte(dir, '/') {
		dir = dir[:i]
		m.dirs[dir] = true
	}
}

// match finds the rule for a path or its twin.
func (m *matcher) match(p pathname) (Ruling, bool) {
	for i := range p.folded {
		r, ok := m.matchAt(p.folded, i)
		if !ok {
			continue
		}
		ruling := r.ruling
		if ruling.Fate == Compared && i < len(p.folded)-1 { // a directory in the place of the file
			ruling.Fate = Restored
		}
		name := strings.Join(p.parts[:i+1], "/")
		ruling.Why = strings.ReplaceAll(ruling.Why, "%s", name)
		if !r.fits(name) {
			ruling.Why += " (by a name that some systems do not tell from this one)"
			if ruling.Kind == "" {
				ruling.Kind = KindSteering
			}
		}
		return ruling, true
	}
	return Ruling{}, false
}

// matchAsWritten is match without twins, for rules that let something travel.
func (m *matcher) matchAsWritten(p pathname) (Ruling, bool) {
	for i := range p.parts {
		if len(m.all) == 0 {
			break
		}
		name := strings.Join(p.parts[:i+1], "/")
		for _, r := range m.all {
			if r.fits(name) {
				ruling := r.ruling
				ruling.Why = strings.ReplaceAll(ruling.Why, "%s", name)
				return ruling, true
			}
		}
	}
	return Ruling{}, false
}

// matchAt looks for a rule for the path that ends with component i.
func (m *matcher) matchAt(parts []string, i int) (rule, bool) {
	if r, ok := m.names[parts[i]]; ok {
		return r, true
	}
	if len(m.paths) > 0 || len(m.patterns) > 0 {
		name := strings.Join(parts[:i+1], "/")
		if r, ok := m.paths[name]; ok {
			return r, true
		}
		for _, r := range m.patterns {
			if ok, err := doublestar.Match(r.folded, name); ok && err == nil {
				return r.rule, true
			}
		}
	}
	for _, r := range m.globs {
		if ok, err := doublestar.Match(r.folded, parts[i]); ok && err == nil {
			return r.rule, true
		}
	}
	return rule{}, false
}

func (m *matcher) above(p pathname) bool {
	return m.dirs[strings.Join(p.folded, "/")]
}

func putFirst(rules map[string]rule, name string, r rule) {
	if _, there := rules[name]; !there {
		rules[name] = r
	}
}

// foldPath folds a path or a pattern, component by component.
func foldPath(name string) string { return strings.Join(split(name).folded, "/") }

func hasMeta(pattern string) bool {
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			i++ // what follows stands for itself
		case '*', '?', '[', '{':
			return true
		}
	}
	return false
}

func unescape(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] == '\\' && i+1 < len(pattern) {
			i++
		}
		b.WriteByte(pattern[i])
	}
	return b.String()
}

// literal returns patterns that fit paths and nothing else.
func literal(paths []string) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "{", `\{`).Replace(p)
	}
	return out
}
