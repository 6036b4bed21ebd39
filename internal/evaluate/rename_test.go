package evaluate

import (
	"strings"
	"testing"

	"assay"
)

func TestTestsGetNamesThatNobodyKnew(t *testing.T) {
	for _, tt := range []struct {
		language, id string
		file, want   string // N stands for the nonce
		newID        string
	}{
		{"go", "m/p::TestParse", "func TestParse(t *testing.T) { TestParseMore() }", "func Test_N0(t *testing.T) { TestParseMore() }", "m/p::Test_N0"},
		{"go", "m/p::TestParse/sub/case", "func TestParse(t *testing.T)", "func Test_N0(t *testing.T)", "m/p::Test_N0/sub/case"},
		{"go", "m/p::ExamplePath", "func ExamplePath() {", "func Example_N0() {", "m/p::Example_N0"},
		{"go", "m/p::FuzzParse/seed#0", "func FuzzParse(f *testing.F)", "func FuzzParse(f *testing.F)", "m/p::FuzzParse/seed#0"},
		{"python", "tests.test_a.TestA::test_x[a b-ü]", "def test_x(self): test_xy()", "def test_N0(self): test_xy()", "tests.test_a.TestA::test_N0[a b-ü]"},
		{"python", "tests/test_a.py::TestA::test_x[a::b - c]", "def test_x(self, p):", "def test_N0(self, p):", "tests/test_a.py::TestA::test_N0[a::b - c]"},
		{"go", "m/p::TestParse/a::b", "func TestParse(t *testing.T)", "func Test_N0(t *testing.T)", "m/p::Test_N0/a::b"},
		{"python", "test_x (a.B)", "def test_x(self):", "def test_N0(self):", "test_N0 (a.B)"},
		{"javascript", "test/a.js::outer > it's (fine)", "t.test(\"it's (fine)\", f); test('outer')", "t.test(\"N0\", f); test('outer')", "test/a.js::outer > N0"},
	} {
		sample := &assay.Sample{FailToPass: []string{tt.id}, PassToPass: []string{"other::test_other"}, Task: assay.Task{Language: tt.language}}
		names := newRenaming(sample, "N")
		if names == nil {
			if tt.file != tt.want {
				t.Errorf("%s has no name", tt.id)
			}
			continue
		}
		if got := names.text(tt.file); got != tt.want {
			t.Errorf("%s: the file became %s, want %s", tt.id, got, tt.want)
		}
		renamed := names.sample(sample)
		if renamed.FailToPass[0] != tt.newID || renamed.PassToPass[0] != "other::test_other" {
			t.Errorf("%s: the ids became %q and %q", tt.id, renamed.FailToPass, renamed.PassToPass)
		}
		if sample.FailToPass[0] != tt.id {
			t.Error("the sample itself was changed")
		}
	}
}

func TestANameThatIsInNoFileStays(t *testing.T) {
	sample := &assay.Sample{FailToPass: []string{"p::TestMade"}, Task: assay.Task{Language: "go", Verifier: assay.Verifier{Command: "go test -run 'TestMade|TestOther'"}}}
	names := newRenaming(sample, "n")
	names.text("func TestOther(t *testing.T) {}")
	if got := names.sample(sample); got.FailToPass[0] != "p::TestMade" || got.Task.Verifier.Command != sample.Task.Verifier.Command {
		t.Errorf("%q, %s", got.FailToPass, got.Task.Verifier.Command)
	}
	names.text("func TestMade(t *testing.T) {}")
	if got := names.sample(sample); !strings.Contains(got.Task.Verifier.Command, "'Test_n0|TestOther'") {
		t.Errorf("the command is %s", got.Task.Verifier.Command)
	}
}
