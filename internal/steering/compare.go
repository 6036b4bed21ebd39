package steering

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxCompared is the size, in bytes, up to which a file is compared. A larger one is
// another, unless it has not changed at all.
const MaxCompared = 1 << 20

// maxShown bounds the places that a difference names.
const maxShown = 4

// part is the steering part of a file: what it says, by the place where it says it.
type part map[string]string

// errTooDeep: parsers would follow the file further than honest files go.
var errTooDeep = errors.New("it is nested too deeply")

// Compare tells whether the steering part of a file is what it was; else it says what
// differs, in one sentence without its full stop. A version that is nil stands for no file. To hold a
// change against the reference fix, give the reference's version as the pristine one.
// A file that cannot be read as what its name says is the same as itself alone. Of files that are
// restored as a whole the whole is compared, line by line, but for blanks at the ends of lines.
func (g *Guard) Compare(name string, pristine, changed []byte) (same bool, difference string) {
	if (pristine == nil) == (changed == nil) && bytes.Equal(pristine, changed) {
		return true, ""
	}
	if len(pristine) > MaxCompared || len(changed) > MaxCompared {
		return false, fmt.Sprintf("%s is larger than the %d KiB that are compared", quote(name), MaxCompared>>10)
	}
	extract := g.extractor(name)
	was, err := extractPart(extract, pristine)
	if err != nil {
		return false, fmt.Sprintf("%s cannot be compared: as it was, %s", quote(name), err)
	}
	is, err := extractPart(extract, changed)
	if err != nil {
		return false, fmt.Sprintf("%s cannot be compared: %s", quote(name), err)
	}
	if differences := diff(was, is); len(differences) > 0 {
		return false, quote(name) + " differs: " + strings.Join(differences, "; ")
	}
	return true, ""
}

// extractor returns what reads the steering part of a file of this name.
func (g *Guard) extractor(name string) func([]byte) (part, error) {
	switch base := fold(path.Base(name)); {
	case base == "setup.cfg" || base == "tox.ini":
		return g.iniPart
	case base == "pyproject.toml":
		return g.pyprojectPart
	case base == "cargo.toml":
		return cargoPart
	case base == "go.mod":
		return goModPart
	case base == "package.json":
		return g.packagePart
	case base == "composer.json":
		return composerPart
	case strings.HasSuffix(base, ".json") && (strings.HasPrefix(base, "tsconfig") || strings.HasPrefix(base, "jsconfig")):
		return tsconfigPart
	case base == "setup.py":
		return setupPart
	case base == "__init__.py" && g.packages[path.Dir(name)]:
		return func([]byte) (part, error) { return part{"its being there": ""}, nil }
	}
	return textPart
}

func extractPart(extract func([]byte) (part, error), data []byte) (part, error) {
	if data == nil {
		return part{}, nil
	}
	return extract(bytes.TrimPrefix(data, []byte("\ufeff")))
}

// setupPart is all of a setup.py that mentions pytest's entry points, and nothing of
// another: nothing runs it when the tests run.
func setupPart(data []byte) (part, error) {
	if !bytes.Contains(data, []byte("pytest11")) {
		return part{}, nil
	}
	return textPart(data)
}

// textPart is the whole of a file.
func textPart(data []byte) (part, error) {
	p := part{"its being there": ""}
	for i, line := range bytes.Split(bytes.TrimRight(data, "\r\n\t "), []byte("\n")) {
		p[fmt.Sprintf("line %d", i+1)] = string(bytes.TrimRight(line, "\r\t "))
	}
	return p, nil
}

// diff says where two parts differ, in order, and not at too many places.
func diff(was, is part) []string {
	places := slices.Collect(maps.Keys(was))
	for place := range is {
		if _, there := was[place]; !there {
			places = append(places, place)
		}
	}
	slices.SortFunc(places, natural)
	var out []string
	for _, place := range places {
		before, had := was[place]
		after, has := is[place]
		if had && has && before == after {
			continue
		}
		if len(out) == maxShown {
			return append(out, "and more")
		}
		verb := "changed"
		switch {
		case !had:
			verb = "is new"
		case !has:
			verb = "is gone"
		}
		out = append(out, quote(place)+" "+verb)
	}
	return out
}

// natural orders "line 9" before "line 10".
func natural(a, b string) int {
	if strings.HasPrefix(a, "line ") && strings.HasPrefix(b, "line ") && len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// quote shows what an agent wrote: on one line, printable, and not too long.
func quote(s string) string {
	const enough = 120
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || ignorable(r) || r == utf8.RuneError {
			return '?'
		}
		return r
	}, s)
	if len(s) > enough {
		return strings.ToValidUTF8(s[:enough], "") + "..."
	}
	return s
}
