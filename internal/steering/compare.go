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
	if extract == nil || isSetup(name) && (mentionsPlugin(pristine) || mentionsPlugin(changed)) {
		return compareText(name, pristine, changed)
	}
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

// extractor returns what reads the steering part of a file of this name, or nil when
// the whole of it steers.
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
	case isSetup(name):
		return func([]byte) (part, error) { return part{}, nil } // nothing runs it when the tests run
	case base == "__init__.py" && g.packages[path.Dir(name)]:
		return func([]byte) (part, error) { return part{"its being there": ""}, nil }
	}
	return nil
}

func extractPart(extract func([]byte) (part, error), data []byte) (part, error) {
	if data == nil {
		return part{}, nil
	}
	return extract(bytes.TrimPrefix(data, []byte("\ufeff")))
}

// isSetup tells whether a file is a setup.py, which steers when it makes its package
// a plugin of pytest.
func isSetup(name string) bool { return fold(path.Base(name)) == "setup.py" }

func mentionsPlugin(data []byte) bool { return bytes.Contains(data, []byte("pytest11")) }

// compareText compares whole files, but for blanks at the ends of lines.
func compareText(name string, pristine, changed []byte) (same bool, difference string) {
	switch {
	case pristine == nil:
		return false, quote(name) + " is new"
	case changed == nil:
		return false, quote(name) + " is gone"
	}
	if n := firstDifference(pristine, changed); n > 0 {
		return false, fmt.Sprintf("%s differs from line %d on", quote(name), n)
	}
	return true, ""
}

// firstDifference returns the number of the first line that differs, or 0.
func firstDifference(a, b []byte) int {
	a, b = bytes.TrimRight(a, " \t\r\n"), bytes.TrimRight(b, " \t\r\n")
	for n := 1; ; n++ {
		lineA, restA, moreA := bytes.Cut(a, []byte("\n"))
		lineB, restB, moreB := bytes.Cut(b, []byte("\n"))
		if !bytes.Equal(bytes.TrimRight(lineA, " \t\r"), bytes.TrimRight(lineB, " \t\r")) || moreA != moreB {
			return n
		}
		if !moreA {
			return 0
		}
		a, b = restA, restB
	}
}

// diff says where two parts differ, in order, and not at too many places.
func diff(was, is part) []string {
	places := slices.Collect(maps.Keys(was))
	for place := range is {
		if _, there := was[place]; !there {
			places = append(places, place)
		}
	}
	slices.Sort(places)
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
