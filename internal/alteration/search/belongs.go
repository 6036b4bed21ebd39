package search

import (
	"path"
	"slices"
	"strings"

	"assay/internal/alteration"
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

// belongs tells whether a test, by its id, may be the one that an edit stands in. It knows
// how runners make ids of names, and is right more often than not: who takes a test for an
// edit's holds it against a run.
func belongs(e alteration.Edit, id string) bool {
	if !e.Test || e.Region == "" {
		return false
	}
	switch path.Ext(e.File) {
	case ".go":
		return belongsGo(e, id)
	case ".py":
		return belongsPython(e, id)
	}
	return belongsTitled(e, id)
}

// belongsTitled: the id ends with the titles of the test and of the suites that it is in,
// with "::" or " > " between; reporters leave out outer ones.
func belongsTitled(e alteration.Edit, id string) bool {
	parts := strings.Split(strings.ReplaceAll(id, "::", regionSeparator), regionSeparator)
	titles := strings.Split(e.Region, regionSeparator)
	n := min(len(parts), len(titles))
	return slices.Equal(parts[len(parts)-n:], titles[len(titles)-n:])
}

// belongsGo: the id is the package's path, "::" and the names of the test and its subtests,
// joined by "/".
func belongsGo(e alteration.Edit, id string) bool {
	pkg, name, _ := strings.Cut(id, "::")
	name, _, _ = strings.Cut(name, "/")
	function, _, _ := strings.Cut(e.Region, regionSeparator)
	dir := path.Dir(e.File)
	return name == function && (dir == "." || pkg == dir || strings.HasSuffix(pkg, "/"+dir))
}

// belongsPython: the id ends with "::", the function and its parameters in brackets; its
// module and class come before, with dots, slashes or "::" between.
func belongsPython(e alteration.Edit, id string) bool {
	bare, _, _ := strings.Cut(id, "[")
	names := strings.FieldsFunc(bare, func(r rune) bool { return r == ':' || r == '.' || r == '/' })
	parts := strings.Split(e.Region, regionSeparator)
	function := parts[len(parts)-1]
	if len(names) == 0 || names[len(names)-1] != function {
		return false
	}
	module := strings.TrimSuffix(path.Base(e.File), ".py")
	around := slices.DeleteFunc(names[:len(names)-1], func(name string) bool { return name == "py" }) // of a.py::test
	if len(around) == 0 {
		return len(parts) == 1
	}
	if len(parts) == 1 { // and in no class
		return around[len(around)-1] == module
	}
	return slices.Contains(around, module) && slices.Contains(around, parts[0])
}
