// Package testid takes the names of tests apart, by the rules of their languages: one
// function a rule. What a test is given as parameters may hold every separator that
// there is, and is never cut.
package testid

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// sep separates a place and the names below it, as SWE-bench's and Codeset's tools
// and pytest write them.
const sep = "::"

// Parts are the parts of a test's name.
type Parts struct {
	Place string   // the file, module, package or class that its runner names; "" for none
	Outer []string // classes or blocks that it is in, from the outermost; Place is none of them
	Name  string   // of the function that it is, or its title
	Rest  string   // what stands behind Name: parameters, subtests, a class in parentheses
	outer string   // separates the names of Outer and Name
}

// String returns the name that was taken apart.
func (p Parts) String() string { return Join(p.Place, p.Below()) }

// Below returns the name that the test has in its place.
func (p Parts) Below() string {
	name := p.Name
	for _, outer := range slices.Backward(p.Outer) {
		name = outer + p.outer + name
	}
	return name + p.Rest
}

// Join makes a test's name of a place and the name that it has there, either of which
// may be "".
func Join(place, name string) string {
	if place == "" || name == "" {
		return place + name
	}
	return place + sep + name
}

// Of takes a test's name apart by the rules of a language, as datasets name it. One
// that is not known has the rules of languages in which tests are functions.
func Of(language, id string) Parts {
	switch strings.ToLower(language) {
	case "python":
		return Python(id)
	case "go", "golang":
		return Go(id)
	case "javascript", "typescript", "js", "ts":
		return JavaScript(id)
	}
	return Function(id)
}

// unittestName is how unittest writes a method, and its class behind it.
var unittestName = regexp.MustCompile(`^([\pL\pN_]+) \([\pL\pN_.<>]+\)`)

// Python takes the name of a test in Python apart:
//
//	tests/test_a.py::TestB::test_c[x::y]   of pytest
//	tests.test_a.TestB::test_c[x::y]       the same in JUnit XML
//	test_c (tests.test_a.TestB)            of unittest
//
// Parameters begin at the first bracket behind the place. A place with brackets is the
// path of a file.
func Python(id string) Parts {
	if m := unittestName.FindStringSubmatch(id); m != nil {
		return Parts{Name: m[1], Rest: id[len(m[1]):]}
	}
	p := Parts{outer: sep}
	place, names, found := strings.Cut(id, sep)
	if found && names != "" && isPlace(place) {
		p.Place = place
	} else {
		names = id
	}
	if i := strings.IndexByte(names, '['); i >= 0 {
		names, p.Rest = names[:i], names[i:]
	}
	p.Outer, p.Name = cutOuter(strings.Split(names, sep))
	return p
}

// isPlace tells whether what stands before "::" is a file or a module, and neither the
// beginning of a test that has "::" in its parameters nor prose.
func isPlace(s string) bool {
	word := func(s string) bool { return !strings.ContainsAny(s, "[]") && !strings.ContainsFunc(s, unicode.IsSpace) }
	ext := path.Ext(s)
	return s != "" && word(s) || len(ext) > 1 && word(ext) && strings.Count(s, "[") == strings.Count(s, "]")
}

func cutOuter(names []string) (outer []string, name string) {
	last := len(names) - 1
	if last == 0 {
		return nil, names[0]
	}
	return names[:last], names[last]
}

// goFunction is how a function begins that go test runs.
var goFunction = regexp.MustCompile(`^(?:Test|Benchmark|Fuzz|Example)(?:[^\p{Ll}/]|/|$)`)

// Go takes the name of a test in Go apart: "import/path::TestA/sub::case", of go test -json,
// and "TestA/sub::case", of go test -v. What a subtest is called is Rest, from its "/" on.
func Go(id string) Parts {
	var p Parts
	name := id
	if place, rest, found := strings.Cut(id, sep); found && place != "" && rest != "" && !goFunction.MatchString(id) {
		p.Place, name = place, rest
	}
	p.Name = name
	if i := strings.IndexByte(name, '/'); i >= 0 {
		p.Name, p.Rest = name[:i], name[i:]
	}
	return p
}

// GoSubtest is how Go's testing writes the name of a subtest that is given a title.
func GoSubtest(title string) string {
	var b strings.Builder
	for _, r := range title {
		switch {
		case unicode.IsSpace(r):
			b.WriteByte('_')
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// blocks separates the titles of blocks and tests in JavaScript.
const blocks = " > "

// JavaScript takes the name of a test in JavaScript or TypeScript apart: "file::block > title",
// or without the file. Nothing is cut within brackets. Of a title that has " > " in it
// otherwise, it cannot be told.
func JavaScript(id string) Parts {
	p := Parts{outer: blocks}
	if place := splitOutside(id, sep)[0]; place != "" && len(place)+len(sep) < len(id) && !strings.ContainsFunc(place, unicode.IsSpace) {
		p.Place, id = place, id[len(place)+len(sep):]
	}
	p.Outer, p.Name = cutOuter(splitOutside(id, blocks))
	return p
}

// splitOutside splits at a separator where it stands outside of brackets. A bracket
// without its other is a character like any other.
func splitOutside(s, separator string) []string {
	var open []int
	closed := map[int]int{}
	for i := range len(s) {
		switch {
		case s[i] == '[':
			open = append(open, i)
		case s[i] == ']' && len(open) > 0:
			closed[open[len(open)-1]] = i
			open = open[:len(open)-1]
		}
	}
	var parts []string
	from := 0
	for i := 0; i < len(s); i++ {
		if end, ok := closed[i]; ok {
			i = end
		} else if strings.HasPrefix(s[i:], separator) {
			parts = append(parts, s[from:i])
			from = i + len(separator)
			i = from - 1
		}
	}
	return append(parts, s[from:])
}

// Function takes the name of a test apart in languages in which it is a function or a
// method: "com.example.AppTest::testB(int)[1] x::y", "module::tests::name".
func Function(id string) Parts {
	p := Parts{outer: sep}
	names := id
	if i := strings.IndexAny(id, "[({ "); i >= 0 {
		names, p.Rest = id[:i], id[i:]
	}
	p.Outer, p.Name = cutOuter(strings.Split(names, sep))
	return p
}

// Innermost leaves out tests of which others are subtests: those are named by them, "/" and
// their own names, and make them fail when they do. The order stays.
func Innermost(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return slices.ContainsFunc(ids, func(other string) bool { return strings.HasPrefix(other, id+"/") })
	})
}
