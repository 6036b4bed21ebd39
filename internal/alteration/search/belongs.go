package search

import (
	"path"
	"slices"
	"strings"

	"assay/internal/alteration"
	"assay/internal/testid"
)

// group names what is altered apart from everything else of its file: a test or, for what
// tests share, the declaration.
func group(e alteration.Edit) string {
	name := e.Region
	if strings.HasSuffix(e.File, ".go") { // subtests end with the test that they are in
		name, _, _ = strings.Cut(name, regionSeparator)
	}
	return e.File + "\x00" + name
}

const regionSeparator = " > "

// belongs tells whether a test, by its id, may be the one that an edit stands in. It is
// right more often than not: who takes a test for an edit's holds it against a run.
func belongs(e alteration.Edit, id string) bool {
	if !e.Test || e.Region == "" {
		return false
	}
	names := strings.Split(e.Region, regionSeparator)
	switch path.Ext(e.File) {
	case ".go": // the package's path, and the function; subtests stand in Rest
		parts := testid.Go(id)
		dir := path.Dir(e.File)
		return parts.Name == names[0] && (dir == "." || parts.Place == dir || strings.HasSuffix(parts.Place, "/"+dir))
	case ".py":
		return belongsPython(e, names, testid.Python(id))
	}
	// The titles of the test and of the blocks that it is in; reporters leave out outer ones.
	titles := strings.Split(strings.ReplaceAll(id, "::", regionSeparator), regionSeparator)
	n := min(len(titles), len(names))
	return slices.Equal(titles[len(titles)-n:], names[len(names)-n:])
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
