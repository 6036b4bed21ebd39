package search

import (
	"path"
	"slices"
	"strings"

	"assay/internal/alteration"
	"assay/internal/testid"
)

// family names the test that an edit stands in or, for what tests share, the declaration.
func family(e alteration.Edit) string { return familyOf(e.File, e.Region) }

func familyOf(file, region string) string {
	if strings.HasSuffix(file, ".go") { // subtests end with the test that they are in
		region, _, _ = strings.Cut(region, regionSeparator)
	}
	return file + "\x00" + region
}

// group names what is altered apart from everything else of its file: a family or, where
// rows of a table are tests of their own, a row.
func group(e alteration.Edit) string {
	if e.Case != "" {
		return family(e) + "\x00" + e.Case
	}
	return family(e)
}

const regionSeparator = " > "

// belongs tells whether a test, by its id, may be one that an edit stands in, or that uses
// what it stands in. It is right more often than not: who takes a test for an edit's holds
// it against a run.
func (s sources) belongs(e alteration.Edit, id string) bool {
	if e.Test {
		return belongs(e, id) && !s.elsewhere(e.File, id)
	}
	if path.Ext(e.File) == ".snap" { // its name is the titles of a test, and a number
		at := strings.LastIndex(e.Region, " ")
		return at > 0 && belongs(alteration.Edit{File: strings.TrimSuffix(path.Base(e.File), ".snap"), Region: e.Region[:at], Test: true}, id)
	}
	src := s[e.File]
	return src != nil && !s.elsewhere(e.File, id) && slices.ContainsFunc(src.users[e.Region], func(user string) bool {
		return belongs(alteration.Edit{File: e.File, Region: user, Test: true, Case: e.Case}, id)
	})
}

// elsewhere tells whether a test of Go is of another package than a file at the root, whose
// package's path is not known: of that of another file.
func (s sources) elsewhere(file, id string) bool {
	if path.Dir(file) != "." || path.Ext(file) != ".go" {
		return false
	}
	place := "/" + testid.Go(id).Place
	for name := range s {
		if dir := path.Dir(name); dir != "." && strings.HasSuffix(place, "/"+dir) {
			return true
		}
	}
	return false
}

// belongs is as above, for an edit in a test.
func belongs(e alteration.Edit, id string) bool {
	if !e.Test || e.Region == "" {
		return false
	}
	names := strings.Split(e.Region, regionSeparator)
	switch path.Ext(e.File) {
	case ".go": // the package's path, and the function; subtests stand in Rest
		parts := testid.Go(id)
		dir := path.Dir(e.File)
		return parts.Name == names[0] && (dir == "." || parts.Place == dir || strings.HasSuffix(parts.Place, "/"+dir)) && isCase(e.Case, parts.Rest)
	case ".py":
		return belongsPython(e, names, testid.Python(id))
	}
	// The titles of the test and of the blocks that it is in; reporters leave out outer ones,
	// and mocha's put a space between them.
	titles := strings.Split(strings.ReplaceAll(id, "::", regionSeparator), regionSeparator)
	if last := titles[len(titles)-1]; last != names[len(names)-1] || last == "" {
		return false
	}
	one, other := " "+strings.Join(titles, " "), " "+strings.Join(names, " ")
	return strings.HasSuffix(one, other) || strings.HasSuffix(other, one)
}

// isCase tells whether a subtest of Go is a row, by the name that the row gives it.
func isCase(name, subtest string) bool {
	if name == "" {
		return true
	}
	parts := strings.Split(name, alteration.CaseSeparator)
	for i := range parts {
		parts[i] = testid.GoSubtest(parts[i])
	}
	if len(parts) > 1 { // how they are put together is the test's affair
		return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(subtest, part) })
	}
	// What it is in and what is in it stand before and behind; the second of a name has a number.
	at := strings.Index(subtest, "/"+parts[0])
	if at < 0 || strings.Contains(subtest[1:], "/") && parts[0] == "" {
		return false
	}
	rest := subtest[at+1+len(parts[0]):]
	return rest == "" || rest[0] == '/' || rest[0] == '#'
}

// belongsPython: a class is among the id's Outer, or at the end of its Place where that is a
// module's path.
func belongsPython(e alteration.Edit, names []string, id testid.Parts) bool {
	if id.Name != names[len(names)-1] {
		return false
	}
	place := strings.FieldsFunc(strings.TrimSuffix(id.Place, ".py"), func(r rune) bool { return r == '.' || r == '/' || r == ':' })
	place = append(place, id.Outer...)
	module := strings.TrimSuffix(path.Base(e.File), ".py")
	switch {
	case len(place) == 0:
		return len(names) == 1
	case len(names) == 1: // and in no class
		return place[len(place)-1] == module
	}
	return slices.Contains(place, module) && slices.Contains(place, names[0])
}
