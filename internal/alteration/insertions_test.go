package alteration

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// One more separator of a row's strings is put where it is not, and nowhere else.
func TestInsertions(t *testing.T) {
	source := []byte("package x\n\nfunc TestMatch(t *testing.T) {\n\tfor _, tt := range []struct {\n\t\tpattern, path string\n\t\twant bool\n\t}{\n" +
		"\t\t{\"a{**/b,c}\", \"a/c\", false},\n\t\t{\"é-b\", \"x\", true},\n\t\t{\"plain\", \"q\", true},\n\t} {\n\t\tif Match(tt.pattern, tt.path) != tt.want {\n\t\t\tt.Error(tt)\n\t\t}\n\t}\n}\n")
	from := bytes.Index(source, []byte("{\"a{"))
	to := from + bytes.IndexByte(source[from:], '\n') - 1
	f := File{Path: "x_test.go", Source: source}
	var news []string
	for _, e := range Insertions(f, Options{Seed: 1}, from, to) {
		if e.Start < from || e.End > to || e.Region != "TestMatch" || !e.Test || len(e.New) != len(e.Old)+1 {
			t.Errorf("%+v", e)
		}
		if _, err := Apply(source, e); err != nil {
			t.Error(err)
		}
		news = append(news, e.New)
	}
	for _, want := range []string{`"a/{**/b,c}"`, `"a{/**/b,c}"`, `"a{**/b/,c}"`, `"/a/c"`} {
		if !slices.Contains(news, want) {
			t.Errorf("%s is not among %q", want, news)
		}
	}
	for _, none := range []string{"{\"é-b\"", "{\"plain\""} {
		from := bytes.Index(source, []byte(none))
		to := from + bytes.IndexByte(source[from:], '\n') - 1
		for _, e := range Insertions(f, Options{Seed: 1}, from, to) {
			t.Errorf("%s: %q -> %q: no two strings of the row hold a separator", none, e.Old, e.New)
		}
	}
}

// The same options give the same edits, also where several separators are shared.
func TestInsertionsAreTheSameEachTime(t *testing.T) {
	row := "{\"a/b,c-d\", \"x/y,z-w\", true}"
	source := []byte("package x\n\nfunc TestMatch(t *testing.T) {\n\tfor _, tt := range []struct {\n\t\tpattern, path string\n\t\twant bool\n\t}{\n\t\t" + row +
		",\n\t\t{\"p\", \"q\", false},\n\t} {\n\t\tif Match(tt.pattern, tt.path) != tt.want {\n\t\t\tt.Error(tt)\n\t\t}\n\t}\n}\n")
	from := bytes.Index(source, []byte(row))
	list := func() []Edit {
		return Insertions(File{Path: "x_test.go", Source: source}, Options{Seed: 1}, from, from+len(row))
	}
	first := list()
	if len(first) < 10 {
		t.Fatalf("there are %d", len(first))
	}
	for range 50 {
		if diff := cmp.Diff(first, list()); diff != "" {
			t.Fatal(diff)
		}
	}
}
