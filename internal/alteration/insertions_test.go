package alteration

import (
	"bytes"
	"slices"
	"testing"
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
