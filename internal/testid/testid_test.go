package testid

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNamesAreCutByTheirLanguagesRules(t *testing.T) {
	for _, tt := range []struct {
		language, id, place string
		outer               []string
		name, rest          string
	}{
		{"python", "tests/test_x.py::TestA::test_b[a::b]", "tests/test_x.py", []string{"TestA"}, "test_b", "[a::b]"},
		{"python", "tests/test_x.py::TestA::TestB::test_c[x/y - z]", "tests/test_x.py", []string{"TestA", "TestB"}, "test_c", "[x/y - z]"},
		{"python", "tests/[x]/test_x.py::test_b[[a]::b]", "tests/[x]/test_x.py", nil, "test_b", "[[a]::b]"},
		{"python", "my tests/test_x.py::test_b", "my tests/test_x.py", nil, "test_b", ""},
		{"python", "tests.test_x.TestA::test_b[a > b::c]", "tests.test_x.TestA", nil, "test_b", "[a > b::c]"},
		{"python", "test_b[a::b]", "", nil, "test_b", "[a::b]"},
		{"python", "test_b[a.b::c]", "", nil, "test_b", "[a.b::c]"},
		{"python", "test_b[a b::c", "", nil, "test_b", "[a b::c"},
		{"python", "tests/test_x.py::test_b[a", "tests/test_x.py", nil, "test_b", "[a"},
		{"python", "tests/test_x.py::größe[é::ü]", "tests/test_x.py", nil, "größe", "[é::ü]"},
		{"python", "tests/test_x.py::test_b[a (b.C)]", "tests/test_x.py", nil, "test_b", "[a (b.C)]"},
		{"python", "test_b (tests.test_x.TestA)", "", nil, "test_b", " (tests.test_x.TestA)"},
		{"python", "test_b (tests.test_x.TestA) [a::b] (i='[')", "", nil, "test_b", " (tests.test_x.TestA) [a::b] (i='[')"},
		{"python", "Docstrings of a::b are titles", "", []string{"Docstrings of a"}, "b are titles", ""},
		{"python", "tests.test_{nonce}.TestA::test_{nonce}", "tests.test_{nonce}.TestA", nil, "test_{nonce}", ""},
		{"python", "tests/test_x.py:10", "", nil, "tests/test_x.py:10", ""},

		{"go", "example.com/pkg::TestA/sub::case", "example.com/pkg", nil, "TestA", "/sub::case"},
		{"go", "pkg::TestA/sub::case/[x]", "pkg", nil, "TestA", "/sub::case/[x]"},
		{"go", "TestA/sub::case", "", nil, "TestA", "/sub::case"},
		{"golang", "TestA/sub::TestB", "", nil, "TestA", "/sub::TestB"},
		{"go", "TestA", "", nil, "TestA", ""},
		{"go", "testing/x::ExampleA_b", "testing/x", nil, "ExampleA_b", ""},
		{"go", "Testdata/x::FuzzA/seed#0", "Testdata/x", nil, "FuzzA", "/seed#0"},

		{"javascript", "file > describe > it [a::b]", "", []string{"file", "describe"}, "it [a::b]", ""},
		{"typescript", "test/a.test.ts::describe > it [a > b]", "test/a.test.ts", []string{"describe"}, "it [a > b]", ""},
		{"js", "test::parses a::b [", "test", nil, "parses a::b [", ""},
		{"js", "parses a::b", "", nil, "parses a::b", ""},
		{"js", "parses [ > and ]a", "", nil, "parses [ > and ]a", ""},
		{"js", "parses [ > and ( > x", "", []string{"parses [", "and ("}, "x", ""},
		{"js", "[a::b]::c > d", "[a::b]", []string{"c"}, "d", ""},

		{"java", "com.example.AppTest::testB(int)[1] x::y", "", []string{"com.example.AppTest"}, "testB", "(int)[1] x::y"},
		{"rust", "module::tests::parses_it", "", []string{"module", "tests"}, "parses_it", ""},
		{"rust", "src/lib.rs - module::item (line 3)", "", nil, "src/lib.rs", " - module::item (line 3)"},
		{"", "", "", nil, "", ""},
	} {
		got := Of(tt.language, tt.id)
		if got.Place != tt.place || got.Name != tt.name || got.Rest != tt.rest || !cmp.Equal(tt.outer, got.Outer) {
			t.Errorf("%s: %q is %q, %q, %q, %q", tt.language, tt.id, got.Place, got.Outer, got.Name, got.Rest)
		}
		if got.String() != tt.id {
			t.Errorf("%s: %q became %q", tt.language, tt.id, got.String())
		}
	}
}

func TestTruncatedNames(t *testing.T) {
	for _, tt := range []struct {
		truncated, id string
		stands        bool
	}{
		{"a::t[1", "a::t[1 2]", true},
		{"a::t[1", "a::t[1\t2]", true},
		{"a::t[", "a::t[ 2]", true},
		{"a::t[[]", "a::t[[]", true},
		{"a::t[1", "a::t[1]", false},
		{"a::t[1", "a::t[10 2]", false},
		{"a::t[", "a::t[1]", false},
		{"a::t[1 2", "a::t[1", false},
		{"a::t[é", "a::t[éa]", false},
	} {
		if got := StandsFor(tt.truncated, tt.id); got != tt.stands {
			t.Errorf("%q for %q: %v", tt.truncated, tt.id, got)
		}
		if !Truncated(tt.truncated) {
			t.Errorf("%q is whole", tt.truncated)
		}
	}
	for _, whole := range []string{"", "a::t", "a::t[1]", "a::t[1 [2]]", "a::t]"} {
		if Truncated(whole) {
			t.Errorf("%q is truncated", whole)
		}
	}
}

func TestMessagesBeginBehindParameters(t *testing.T) {
	for _, tt := range []struct{ line, id, message string }{
		{"a.py::test", "a.py::test", ""},
		{"a.py::test - AssertionError: 1 - 2", "a.py::test", "AssertionError: 1 - 2"},
		{"a.py::test[x - y] - AssertionError: [1 - 2]", "a.py::test[x - y]", "AssertionError: [1 - 2]"},
		{"a.py::test[x - y]", "a.py::test[x - y]", ""},
		{"a.py::test[[x] - AssertionError", "a.py::test[[x]", "AssertionError"},
		{"a.py::test[[x] - [] - AssertionError", "a.py::test[[x]", "[] - AssertionError"},
		{"a.py::test[日本 - [a]] - so", "a.py::test[日本 - [a]]", "so"},
		{"a-b.py::test", "a-b.py::test", ""},
		{"a.py::test[ - ", "a.py::test[", ""},
		{" - so", "", "so"},
	} {
		if id, message := CutMessage(tt.line); id != tt.id || message != tt.message {
			t.Errorf("CutMessage(%q) = %q, %q; want %q, %q", tt.line, id, message, tt.id, tt.message)
		}
	}
}

func TestParametersEndWithTheirBracket(t *testing.T) {
	for _, tt := range []struct{ id, upTo, rest string }{
		{"a.py::test[5s] (3 ms)", "a.py::test[5s]", " (3 ms)"},
		{"a.py::test[[5s] x] [3 ms]", "a.py::test[[5s] x]", " [3 ms]"},
		{"a.py::test [3 ms]", "", "a.py::test [3 ms]"},
		{"[3 ms]", "", "[3 ms]"},
		{"TestA/[5s]", "TestA/[5s]", ""},
		{"a.py::test[5s (3 ms)", "a.py::test[5s (3 ms)", ""},
		{"", "", ""},
	} {
		if upTo, rest := CutParameters(tt.id); upTo != tt.upTo || rest != tt.rest {
			t.Errorf("%q is %q and %q", tt.id, upTo, rest)
		}
	}
}

func TestJoin(t *testing.T) {
	for want, parts := range map[string][2]string{"a::b": {"a", "b"}, "a": {"a", ""}, "b": {"", "b"}, "": {}} {
		if got := Join(parts[0], parts[1]); got != want {
			t.Errorf("Join(%q, %q) = %q", parts[0], parts[1], got)
		}
	}
}

// FuzzParts checks that nothing is lost of any name, and that no parameter is cut,
// whatever it holds.
func FuzzParts(f *testing.F) {
	for _, seed := range []string{"a::b", "x/y - z", "[", "]", "a > b", " (b.C)", "::", "a\nb", "TestB/c", ".py::x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, given string) {
		for _, language := range []string{"python", "go", "javascript", "java", ""} {
			if got := Of(language, given).String(); got != given {
				t.Errorf("%s: %q became %q", language, given, got)
			}
		}
		for _, place := range []string{"tests/[a]/test_x.py", "tests.test_x.TestA"} {
			p := Python(place + "::TestA::test_b[" + given + "]")
			if p.Place != place || p.Name != "test_b" || p.Rest != "["+given+"]" {
				t.Errorf("python: %q is %+v", given, p)
			}
		}
		if p := Go("example.com/p::TestA/" + given); p.Place != "example.com/p" || p.Name != "TestA" || p.Rest != "/"+given {
			t.Errorf("go: %q is %+v", given, p)
		}
		if p := Go("TestA/" + given); p.Place != "" || p.Name != "TestA" || p.Rest != "/"+given {
			t.Errorf("go: %q is %+v", given, p)
		}
		balanced := "[" + strings.NewReplacer("[", "(", "]", ")").Replace(given) + "]"
		if p := JavaScript("a.js::block > it " + balanced); p.Place != "a.js" || len(p.Outer) != 1 || p.Name != "it "+balanced {
			t.Errorf("javascript: %q is %+v", given, p)
		}
		if p := Function("AppTest::testB(int)[1] " + given); p.Name != "testB" || p.Rest != "(int)[1] "+given {
			t.Errorf("java: %q is %+v", given, p)
		}
		if id, _ := CutMessage("a.py::test_b" + balanced + " - it failed"); id != "a.py::test_b"+balanced {
			t.Errorf("message: %q is %q", given, id)
		}
		if upTo, rest := CutParameters("a.py::test_b" + balanced + " (3 ms)"); upTo != "a.py::test_b"+balanced || rest != " (3 ms)" {
			t.Errorf("parameters: %q is %q and %q", given, upTo, rest)
		}
		if word := strings.Fields("t[" + given); Truncated(word[0]) && !StandsFor(word[0], "t["+given) {
			t.Errorf("%q does not stand for what it was cut from, %q", word[0], "t["+given)
		}
	})
}

func TestInnermost(t *testing.T) {
	for _, tt := range []struct{ ids, want []string }{
		{nil, nil},
		{[]string{"p::TestA", "p::TestA/x", "p::TestA/x/y", "p::TestAB", "p::TestB"}, []string{"p::TestA/x/y", "p::TestAB", "p::TestB"}},
		{[]string{"a.py::test_b[x/y]", "a.py::test_b[x]"}, []string{"a.py::test_b[x/y]", "a.py::test_b[x]"}},
	} {
		if got := Innermost(tt.ids); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.ids, got, tt.want)
		}
	}
}

func TestGoSubtest(t *testing.T) {
	for title, want := range map[string]string{"a b\tc": "a_b_c", "é\x00": `é\x00`, "": "", "x/y": "x/y"} {
		if got := GoSubtest(title); got != want {
			t.Errorf("%q: %q, want %q", title, got, want)
		}
	}
}
