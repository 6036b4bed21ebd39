package alteration_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"assay/internal/alteration"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestRegions compares the regions of each source with its golden file: kind, lines, path,
// and what it uses.
func TestRegions(t *testing.T) {
	for path, src := range sources(t) {
		l := alteration.LanguageOf(path)
		tokens := alteration.Lex(l, src)
		regions := alteration.Regions(l, src, tokens)
		uses := alteration.Uses(src, tokens, regions)
		var b strings.Builder
		for i, r := range regions {
			line := func(offset int) int { return strings.Count(string(src[:offset]), "\n") + 1 }
			fmt.Fprintf(&b, "%-6s %3d-%-3d %s", r.Kind, line(r.Start), line(r.End), r.Path)
			for _, u := range uses[i] {
				fmt.Fprintf(&b, " [%s]", regions[u].Name)
			}
			b.WriteByte('\n')
		}
		golden := "testdata/" + path + ".regions"
		if *update {
			if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != string(want) {
			t.Errorf("%s:\n got\n%s\nwant\n%s", path, got, want)
		}
	}
}

func TestUsesAreFollowed(t *testing.T) {
	src := []byte("package a\n\nvar table = []int{1}\n\nfunc help() { walk(table) }\n\nfunc TestA(t *testing.T) {\n\tt.Run(\"b\", func(t *testing.T) { help() })\n}\n")
	l := alteration.LanguageOf("a_test.go")
	tokens := alteration.Lex(l, src)
	regions := alteration.Regions(l, src, tokens)
	uses := alteration.Uses(src, tokens, regions)
	for i, r := range regions {
		if r.Kind == alteration.Test && !slices.Equal(uses[i], []int{0, 1}) {
			t.Errorf("%s uses %v", r.Path, uses[i])
		}
	}
}
