package narrow

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// argumentsOf has bash take a command apart.
func argumentsOf(t *testing.T, command string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "bash", "-c", `run() { printf '%s\0' "$@"; }; `+command).Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

func TestFill(t *testing.T) {
	for _, tt := range []struct {
		language, command string
		tests             []Test
		want              []string
	}{
		{"python", "run {tests}", []Test{{ID: "tests.test_a.TestB::test_c[x'y z $HOME `id`]"}, {ID: "tests.test_a.TestB::test_c[2]"}, {ID: "tests.test_a::test_d"}}, []string{"tests/test_a.py::TestB::test_c", "tests/test_a.py::test_d"}},
		{"python", "run {tests} -- {files}", []Test{{ID: "tests/it's $1 test_a.py::TestB::test_c[x]"}}, []string{"tests/it's $1 test_a.py::TestB::test_c", "--", "tests/it's $1 test_a.py"}},
		{"python", "run {tests}", []Test{{ID: "Lower.test_a.inner::test_c", File: "src/Lower/test_a.py"}}, []string{"src/Lower/test_a.py::inner::test_c"}},
		{"python", "run {tests}", []Test{{ID: "test_c (tests.test_a.TestB)"}, {ID: "test_d (tests.test_a.TestB.test_d)"}}, []string{"tests/test_a.py::TestB::test_c", "tests/test_a.py::TestB::test_d"}},
		{"go", "run -run={tests} {files}", []Test{{ID: "example.com/a/b::TestA/sub case's $x"}, {ID: "example.com/a/b::TestA/other"}, {ID: "example.com/a::TestÄ_1"}}, []string{"-run=^(TestA|TestÄ_1)$", "example.com/a/b", "example.com/a"}},
		{"go", "run {files} {tests}", []Test{{ID: "TestA", File: "x y/a_test.go"}, {ID: "TestB", File: "b_test.go"}}, []string{"./x y", "./.", "^(TestA|TestB)$"}},
		{"javascript", "run -g {tests} {files}", []Test{{ID: `test/a.js::outer > it's "$1" (x+y)`}}, []string{"-g", `(it's "\$1" \(x\+y\))`, "test/a.js"}},
		{"typescript", "run {tests}", []Test{{ID: "suite::adds `1` \\ 2\nlines"}}, []string{"(adds `1` \\\\ 2\nlines)"}},
		{"rust", "run {files} {tests}", []Test{{ID: "module::tests::parses", File: "tests/a.rs"}}, []string{"tests/a.rs", "module::tests::parses"}},
	} {
		got, err := Fill(tt.command, tt.language, tt.tests)
		if err != nil {
			t.Errorf("%s: %q: %v", tt.language, tt.tests, err)
			continue
		}
		if args := argumentsOf(t, got); !slices.Equal(args, tt.want) {
			t.Errorf("%s: %s\n got %q\nwant %q", tt.language, got, args, tt.want)
		}
	}
}

// A test that holds a placeholder in its name fills nothing.
func TestNamesFillNoPlaceholder(t *testing.T) {
	got, err := Fill("run {tests} {files}", "javascript", []Test{{ID: "a.js::{files} of {tests}"}})
	if err != nil {
		t.Fatal(err)
	}
	args := argumentsOf(t, got)
	if len(args) != 2 || args[1] != "a.js" || !regexp.MustCompile(args[0]).MatchString("{files} of {tests}") {
		t.Errorf("got %q", args)
	}
}

func TestWhatCannotBeFilled(t *testing.T) {
	for _, tt := range []struct {
		language, command string
		tests             []Test
	}{
		{"go", "run {tests}", nil},
		{"go", "run", []Test{{ID: "TestA"}}},
		{"go", "run {files}", []Test{{ID: "TestA"}}},
		{"go", "run {tests}", []Test{{ID: "a::Test|.*"}}},
		{"go", "run {tests}", []Test{{ID: "a::TestA\x00"}}},
		{"python", "run {tests}", []Test{{ID: "a title in prose"}}},
		{"python", "run {tests}", []Test{{ID: "test_a"}}},
		{"javascript", "run {files}", []Test{{ID: "suite::title"}}},
		{"javascript", "run {tests}", []Test{{ID: strings.Repeat("x", MaxBytes)}}},
	} {
		if got, err := Fill(tt.command, tt.language, tt.tests); err == nil {
			t.Errorf("%s: %.50q became %.50q", tt.language, tt.tests, got)
		}
	}
}

func TestCheck(t *testing.T) {
	for command, good := range map[string]bool{
		"run {tests}": true, "run {files}": true, "run --x={tests} {files} > 'a b'": true, `run "$X" {files}`: true, "for f in {files}; do run \"$f\"; done": true,
		"": false, "run": false, "run {test}": false, "run '{tests}'": false, `run "{files}"`: false, `run --x="{tests} y"`: false, "run 'x {tests}'": false,
	} {
		if err := Check(command); (err == nil) != good {
			t.Errorf("%q: %v", command, err)
		}
	}
}
