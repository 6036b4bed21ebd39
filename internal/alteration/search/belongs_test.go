package search

import (
	"fmt"
	"strings"
	"testing"

	"assay/internal/alteration"
	"assay/internal/evaluate"
)

func TestBelongs(t *testing.T) {
	for _, tt := range []struct {
		file, region, id string
		want             bool
	}{
		// Go: the package's path, "::", the names joined by "/".
		{"semver_test.go", "TestParse", "github.com/x/semver::TestParse", true},
		{"semver_test.go", "TestParse", "github.com/x/semver::TestParse/row_1", true},
		{"semver_test.go", "TestParse > row 1", "github.com/x/semver::TestParse/row_1", true},
		{"semver_test.go", "TestParse", "github.com/x/semver::TestParseAll", false},
		{"semver_test.go", "Parse", "github.com/x/semver::TestParse", false},
		{"internal/a/a_test.go", "TestParse", "github.com/x/semver/internal/a::TestParse", true},
		{"internal/a/a_test.go", "TestParse", "internal/a::TestParse", true},
		{"internal/a/a_test.go", "TestParse", "github.com/x/semver/internal/b::TestParse", false},
		{"internal/a/a_test.go", "TestParse", "github.com/x/semver/internal/aa::TestParse", false},
		{"a/a_test.go", "TestParse", "github.com/x/aa::TestParse", false},
		{"a/a_test.go", "TestParse", "TestParse", false},
		{"a_test.go", "TestParse", "TestParse", true}, // of go test -v

		// Python: module, class and function, however they are joined.
		{"tests/test_words.py", "test_it", "tests.test_words::test_it", true},
		{"tests/test_words.py", "test_it", "tests/test_words.py::test_it", true},
		{"tests/test_words.py", "test_it", "tests.test_words::test_it[a.b::c/d]", true},
		{"tests/test_words.py", "test_it", "tests.test_other::test_it", false},
		{"tests/test_words.py", "test_it", "tests.test_words::test_it_not", false},
		{"tests/test_words.py", "test_it", "test_it", true},
		{"tests/test_words.py", "TestWords > test_it", "tests.test_words.TestWords::test_it", true},
		{"tests/test_words.py", "TestWords > test_it", "tests/test_words.py::TestWords::test_it[x]", true},
		{"tests/test_words.py", "TestWords > test_it", "tests.test_words::test_it", false},
		{"tests/test_words.py", "TestWords > test_it", "tests.test_words.TestOthers::test_it", false},
		{"tests/test_words.py", "test_it", "tests.test_words.TestWords::test_it", false}, // one name in two places
		{"tests/test_words.py", "test_it", "[", false},
		{"tests/test_words.py", "test_it", "", false},

		// JavaScript: titles, the outer ones left out or joined in some way.
		{"test/a.test.js", "splits", "a.test.js::splits", true},                                 // tape, node:test
		{"test/a.test.js", "split() > at colons", "suite::split() > at colons", true},           // node:test
		{"test/a.test.js", "split() > at colons", "split()::at colons", true},                   // mocha
		{"test/a.test.js", "split() > at colons", "at colons", true},                            // only the innermost is left
		{"test/a.test.js", "split() > at colons", "test/a.test.js > split() > at colons", true}, // jest, vitest
		{"test/a.test.js", "split() > at colons", "join() > at colons", false},
		{"test/a.test.js", "at colons", "split()::at colons more", false},
		{"src/a.spec.ts", "outer > inner", "src/a.spec.ts::outer::inner", true},
	} {
		e := alteration.Edit{File: tt.file, Region: tt.region, Test: true}
		if got := belongs(e, tt.id); got != tt.want {
			t.Errorf("%s in %s, %s: %v", tt.region, tt.file, tt.id, got)
		}
		for _, nothing := range []alteration.Edit{{File: tt.file, Region: tt.region}, {File: tt.file, Test: true}} {
			if belongs(nothing, tt.id) {
				t.Errorf("%+v belongs to %s", nothing, tt.id)
			}
		}
	}
}

func TestGroup(t *testing.T) {
	of := func(file, region string) string { return group(alteration.Edit{File: file, Region: region}) }
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{of("a_test.go", "TestX"), of("a_test.go", "TestX > sub"), true},
		{of("a_test.go", "TestX"), of("b_test.go", "TestX"), false},
		{of("a_test.go", "TestX"), of("a_test.go", "TestXY"), false},
		{of("a.py", "TestX > test_a"), of("a.py", "TestX > test_b"), false},
		{of("a.js", "outer > one"), of("a.js", "outer > two"), false},
	} {
		if (tt.a == tt.b) != tt.same {
			t.Errorf("%q and %q", tt.a, tt.b)
		}
	}
}

// Ids are what a sandbox says: any of them may come.
func FuzzBelongs(f *testing.F) {
	for _, id := range []string{"", "::", "[", "a::b/c", "tests/test_a.py::T::test_x[a]", "a > b > c", "\x00\xff"} {
		for _, file := range []string{"a_test.go", "b/a_test.go", "test_a.py", "a.test.js", "", "."} {
			f.Add(file, "TestX > sub", id)
		}
	}
	f.Fuzz(func(t *testing.T, file, region, id string) {
		e := alteration.Edit{File: file, Region: region, Test: true}
		if belongs(e, id) && region == "" {
			t.Errorf("%q belongs to nothing", id)
		}
		group(e)
		leaves([]string{id, region, id + "/" + region})
	})
}

// A row that is a subtest is told by the name that it gives it.
func TestRowsBelong(t *testing.T) {
	const sep = alteration.CaseSeparator
	for _, tt := range []struct {
		name, id string
		want     bool
	}{
		{"basic", "x::TestParse/basic", true},
		{"basic", "x::TestParse/basic/deeper", true},
		{"basic", "x::TestParse/outer/basic", true},
		{"basic", "x::TestParse/basic#01", true},
		{"basic", "x::TestParse/basic_expired", false},
		{"basic", "x::TestParse", false},
		{"a b\tc", "x::TestParse/a_b_c", true},
		{"a\x01", `x::TestParse/a\x01`, true},
		{"", "x::TestParse/anything", true},
		{"2020" + sep + "%F %T", "x::TestParse/2020/%F_%T", true},
		{"2020" + sep + "%F %T", "x::TestParse/2020/%F", false},
	} {
		e := alteration.Edit{File: "a_test.go", Region: "TestParse", Test: true, Case: tt.name}
		if got := belongs(e, tt.id); got != tt.want {
			t.Errorf("%q, %s: %v", tt.name, tt.id, got)
		}
		shared := alteration.Edit{File: "a_test.go", Region: "cases", Case: tt.name}
		s := sources{"a_test.go": {users: map[string][]string{"cases": {"TestOther", "TestParse"}}}}
		if got := s.belongs(shared, tt.id); got != tt.want {
			t.Errorf("shared: %q, %s: %v", tt.name, tt.id, got)
		}
	}
}

// One name in the package at the root and in another is two tests.
func TestThePackageAtTheRoot(t *testing.T) {
	s := sources{"lru_test.go": {}, "simple/lru_test.go": {}}
	for _, tt := range []struct {
		file, id string
		want     bool
	}{
		{"lru_test.go", "github.com/x/lru::TestA", true},
		{"lru_test.go", "github.com/x/lru/simple::TestA", false},
		{"simple/lru_test.go", "github.com/x/lru/simple::TestA", true},
		{"simple/lru_test.go", "github.com/x/lru::TestA", false},
	} {
		if got := s.belongs(alteration.Edit{File: tt.file, Region: "TestA", Test: true}, tt.id); got != tt.want {
			t.Errorf("%s, %s: %v", tt.file, tt.id, got)
		}
	}
}

// The tests that are to be solved are often the last of a long file.
func TestALongFileHasCandidatesOfItsLastTest(t *testing.T) {
	var text strings.Builder
	text.WriteString("package words\n")
	for n := range 400 {
		fmt.Fprintf(&text, "\nfunc TestOther%d(t *testing.T) {\n\tif got := Shout(\"parcel%d\"); got != \"PARCEL%d\" {\n\t\tt.Error(got)\n\t}\n}\n", n, n, n)
	}
	text.WriteString("\nfunc TestLast(t *testing.T) {\n\tif got := Shout(\"lantern\"); got != \"LANTERN\" {\n\t\tt.Error(got)\n\t}\n}\n")
	tree := &evaluate.TestTree{Changed: []evaluate.TestFile{{Path: "words_test.go", After: []byte(text.String())}}}
	last, others := 0, 0
	for _, e := range readSources(tree, 1, map[string]bool{goID("TestLast"): true}, "")["words_test.go"].candidates {
		if e.Region == "TestLast" {
			last++
		} else {
			others++
		}
	}
	if last < 5 || others == 0 || others > mostOfOthers {
		t.Errorf("%d edits of the test that is to be solved, %d of others", last, others)
	}
}
