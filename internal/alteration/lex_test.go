package alteration_test

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"assay/internal/alteration"
)

func kinds(path, src string) string {
	var out []string
	for _, tok := range alteration.Lex(alteration.LanguageOf(path), []byte(src)) {
		if tok.Kind != alteration.Space && tok.Kind != alteration.Newline {
			out = append(out, fmt.Sprintf("%s %s", tok.Kind, tok.Text([]byte(src))))
		}
	}
	return strings.Join(out, " | ")
}

func TestLex(t *testing.T) {
	for _, tc := range []struct{ path, src, want string }{
		{"a.go", "x := `raw\\` + 'a' + '\\'' // end", "name x | operator := | string `raw\\` | operator + | char 'a' | operator + | char '\\'' | comment // end"},
		{"a.go", "0x_1F.8p-2 1e+9 .5i 07", "number 0x_1F.8p-2 | number 1e+9 | number .5i | number 07"},
		{"a.go", `"open` + "\nnext", `unknown "open | name next`},
		{"a.go", "a[1:2]...", "name a | operator [ | number 1 | operator : | number 2 | operator ] | operator ..."},
		{"a.py", `Rb'\'' + u"é"`, `string Rb'\'' | operator + | string u"é"`},
		{"a.py", "'''a\n'b''' \"\"", "string '''a\n'b''' | string \"\""},
		{"a.py", `f"{a['k']!r:>{w}} {{}} {b}"`, `template f"{ | name a | operator [ | string 'k' | operator ] | operator ! | name r | format :>{ | name w | format } | template } {{}} { | name b | template }"`},
		{"a.py", `f"{d["k"]:%H:%M}" 1_0j`, `template f"{ | name d | operator [ | string "k" | operator ] | format :%H:%M | template }" | number 1_0j`},
		{"a.py", "x = 1 + \\\n 2", "name x | operator = | number 1 | operator + | number 2"},
		{"a.py", "rabbit(b)", "name rabbit | operator ( | name b | operator )"},
		{"a.js", "a / b / c", "name a | operator / | name b | operator / | name c"},
		{"a.js", "x = /[/]\\/*/g.test(y)", "name x | operator = | regex /[/]\\/*/g | operator . | name test | operator ( | name y | operator )"},
		{"a.js", "if (x) /re/.exec(y)", "keyword if | operator ( | name x | operator ) | regex /re/ | operator . | name exec | operator ( | name y | operator )"},
		{"a.js", "f(x) / 2 / g", "name f | operator ( | name x | operator ) | operator / | number 2 | operator / | name g"},
		{"a.js", "return /a/", "keyword return | regex /a/"},
		{"a.js", "this / a / b", "keyword this | operator / | name a | operator / | name b"},
		{"a.js", "`a${ {b: `c${d}`} }e`", "template `a${ | operator { | name b | operator : | template `c${ | name d | template }` | operator } | template }e`"},
		{"a.js", "`whole` a?.5:1 a?.b", "string `whole` | name a | operator ? | number .5 | operator : | number 1 | name a | operator ?. | name b"},
		{"a.js", "x.true to.not", "name x | operator . | name true | name to | operator . | name not"},
		{"a.ts", "const a: Map<string, Array<number>> = b as any", "keyword const | name a | operator : | name Map | operator < | name string | operator , | name Array | operator < | name number | operator >> | operator = | name b | name as | name any"},
		{"a.ts", "10n /* c */ 0xFFn", "number 10n | comment /* c */ | number 0xFFn"},
	} {
		if got := kinds(tc.path, tc.src); got != tc.want {
			t.Errorf("%s: %s\n got %s\nwant %s", tc.path, tc.src, got, tc.want)
		}
	}
}

func TestLanguageOf(t *testing.T) {
	for path, want := range map[string]string{"a/b_test.go": "go", "test_a.py": "python", "a.test.MJS": "javascript", "a.spec.tsx": "typescript"} {
		if l := alteration.LanguageOf(path); l == nil || l.Name != want {
			t.Errorf("%s: %v, want %s", path, l, want)
		}
	}
	if l := alteration.LanguageOf("a.rb"); l != nil {
		t.Errorf("a.rb: %s", l.Name)
	}
}

// total fails unless tokens make up their source.
func total(t *testing.T, src []byte, tokens []alteration.Token) {
	t.Helper()
	at := 0
	for _, tok := range tokens {
		if tok.Start != at || tok.End <= tok.Start {
			t.Fatalf("token %d to %d after byte %d of %q", tok.Start, tok.End, at, src)
		}
		at = tok.End
	}
	if at != len(src) {
		t.Fatalf("the tokens end at %d of %d bytes", at, len(src))
	}
}

func TestTokensOfSourcesAreKnown(t *testing.T) {
	for path, src := range sources(t) {
		tokens := alteration.Lex(alteration.LanguageOf(path), src)
		total(t, src, tokens)
		for _, tok := range tokens {
			if tok.Kind == alteration.Unknown {
				t.Errorf("%s: %q is unknown", path, tok.Text(src))
			}
		}
	}
}

var paths = []string{"a_test.go", "test_a.py", "a.test.js", "a.test.ts"}

func FuzzLex(f *testing.F) {
	for path, src := range sources(f) {
		f.Add(uint8(slices.IndexFunc(paths, func(p string) bool { return alteration.LanguageOf(p) == alteration.LanguageOf(path) })), src)
	}
	f.Add(uint8(1), []byte("f'{a:{b:{c}}}' f'{' }"))
	f.Add(uint8(2), []byte("`${`${/[/` /x\n}"))
	f.Fuzz(func(t *testing.T, n uint8, src []byte) {
		l := alteration.LanguageOf(paths[int(n)%len(paths)])
		tokens := alteration.Lex(l, src)
		total(t, src, tokens)
		regions := alteration.Regions(l, src, tokens)
		for i, r := range regions {
			if r.Start < 0 || r.End <= r.Start || r.End > len(src) || r.Parent >= i {
				t.Fatalf("region %+v of %d bytes", r, len(src))
			}
			if r.Parent >= 0 && (regions[r.Parent].Start > r.Start || regions[r.Parent].End < r.End) {
				t.Fatalf("region %+v is not in %+v", r, regions[r.Parent])
			}
		}
		if uses := alteration.Uses(src, tokens, regions); len(uses) != len(regions) {
			t.Fatalf("uses of %d of %d regions", len(uses), len(regions))
		}
	})
}

// TestTimeIsLinear gives sources that invite looking at everything again and again, and
// four times as much of them: quadratic time would be sixteen times as long.
func TestTimeIsLinear(t *testing.T) {
	golang, python, javascript := paths[0], paths[1], paths[2]
	for _, tc := range []struct {
		name, unit string
		paths      []string
	}{
		{"open brackets", "f([{", paths[:3]},
		{"closed brackets", ")]}", paths[:3]},
		{"one long line", "f(\"a\", 1, 'b1'), ", paths[:3]},
		{"one long list", "{\"a\": 1}, ", paths[:3]},
		{"nested rows", "[[1,2],", []string{python, javascript}},
		{"assignments", "name = a.b\n", paths[:3]},
		{"methods", "a.b.", []string{javascript}},
		{"slashes", "(/[", []string{javascript}},
		{"templates", "`${", []string{javascript}},
		{"tests within tests", "test('a', function (t) { ", []string{javascript}},
		{"formats", "f'{a:{", []string{python}},
		{"triple quotes", "'''", []string{python}},
		{"functions", "def test_a():\n x = 'ab'\n", []string{python}},
		{"comments", "# ab\n'ab'\n", []string{python}},
		{"tests", "func TestA(t *testing.T) {\n if a != \"b1\" {\n t.Fatal(1)\n }\n}\n", []string{golang}},
		{"negations", "if !a && ", []string{golang}},
		{"one name", "var a = 1\n", []string{golang, javascript}},
		{"examples", "func ExampleA() {\n// Output:\n// abcd\n}\n", []string{golang}},
	} {
		for _, path := range tc.paths {
			const size = 4 << 10
			var small, large time.Duration
			linear := false
			for runs := 1; runs <= 4 && !linear; runs++ { // once more, where something else took time
				small = fastest(runs, path, strings.Repeat(tc.unit, size/len(tc.unit)))
				large = fastest(runs, path, strings.Repeat(tc.unit, 4*size/len(tc.unit)))
				linear = large < 10*small || large < 50*time.Millisecond
			}
			if !linear {
				t.Errorf("%s, %s: %v, and %v for four times as much", tc.name, path, small, large)
			}
		}
	}
}

// fastest returns the processor's time, without the collector's: others may use the
// machine, too.
func fastest(runs int, path, src string) time.Duration {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	best := time.Hour
	for range runs {
		runtime.GC()
		start := processorTime()
		f := alteration.File{Path: path, Source: []byte(src)}
		alteration.Candidates(f, alteration.Options{})
		alteration.FreshCandidates(f, alteration.Options{})
		l := alteration.LanguageOf(path)
		tokens := alteration.Lex(l, f.Source)
		alteration.Uses(f.Source, tokens, alteration.Regions(l, f.Source, tokens))
		best = min(best, processorTime()-start)
	}
	return best
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano())
}
