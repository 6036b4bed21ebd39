package starter

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestEveryRecipeIsWhole(t *testing.T) {
	recipes, err := LoadAll()
	if err != nil {
		t.Fatal(err)
	}
	count := map[Language]int{}
	for _, r := range recipes {
		count[r.Language]++
		if len(r.Recorded.FailToPass) == 0 || len(r.Recorded.PassToPass) == 0 {
			t.Errorf("%s: no fail_to_pass or no pass_to_pass is recorded", r.InstanceID)
		}
		for _, hex := range []string{r.Recorded.PatchSHA256, r.Recorded.TestPatchSHA256} {
			if len(hex) != 64 {
				t.Errorf("%s: %q is not the checksum of a patch", r.InstanceID, hex)
			}
		}
	}
	if count[Go] < 9 || count[Python] < 2 || count[JavaScript] < 1 {
		t.Errorf("samples by language: %v", count)
	}
}

// An image that holds the package to be fixed in some other version may show the fix.
func TestTestDependenciesDoNotHoldTheFix(t *testing.T) {
	recipes, err := LoadAll()
	if err != nil {
		t.Fatal(err)
	}
	pins, err := Files.ReadFile("images/python-requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recipes {
		switch r.Language {
		case Python:
			pinned := regexp.MustCompile(`(?im)^` + regexp.QuoteMeta(r.Package) + `==`)
			if pinned.Match(pins) {
				t.Errorf("%s: %s is installed beside pytest", r.InstanceID, r.Package)
			}
		case JavaScript:
			var lock struct{ Packages map[string]json.RawMessage }
			if err := json.Unmarshal(r.Lock, &lock); err != nil {
				t.Fatal(err)
			}
			for place := range lock.Packages {
				if strings.HasSuffix(place, "node_modules/"+r.Package) {
					t.Errorf("%s: %s is a test dependency", r.InstanceID, place)
				}
			}
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	const whole = `
instance_id: a__b-1.0.1
language: python
repo: a/b
package: b
base: {version: 1.0.0, checksum: "sha256:0000000000000000000000000000000000000000000000000000000000000000"}
fixed: {version: 1.0.1, checksum: "sha256:1111111111111111111111111111111111111111111111111111111111111111"}
problem_statement: It breaks.
`
	tests := []struct{ name, old, new, want string }{
		{"nothing wrong", "", "", ""},
		{"unknown key", "repo:", "rebo:", "rebo"},
		{"language", "language: python", "language: cobol", "cobol"},
		{"other file name", "a__b-1.0.1", "a__c-1.0.1", "file's name"},
		{"one version twice", "version: 1.0.1", "version: 1.0.0", "two versions"},
		{"checksum of another registry", "sha256:1111", "sha512-1111", "checksums"},
		{"no statement", "problem_statement: It breaks.", "", "must be set"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(whole, test.old, test.new, 1)
			_, err := load(fstest.MapFS{"recipes/a__b-1.0.1.yaml": {Data: []byte(text)}}, "recipes/a__b-1.0.1.yaml")
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("err = %v, want one that says %q", err, test.want)
			}
		})
	}
}

func TestRecordedRefusesATestInTwoLists(t *testing.T) {
	rec := Recorded{Lists: Lists{FailToPass: []string{"a"}, PassToPass: []string{"b"}}, Flaky: []string{"a"}}
	if err := rec.validate(); err == nil {
		t.Error("a test in fail_to_pass and flaky was accepted")
	}
}

func TestClassify(t *testing.T) {
	tests := []struct {
		language Language
		file     string
		want     Kind
	}{
		{Go, "lru.go", Code},
		{Go, "simplelru/lru_test.go", Test},
		{Go, "testdata/in.go", Test},
		{Go, "go.mod", Code},
		{Go, "sub/go.mod", Dropped},
		{Go, "README.md", Dropped},
		{Python, "jwt/api_jwt.py", Code},
		{Python, "src/p/x.py", Code},
		{Python, "tests/data/x.json", Test},
		{Python, "setup.py", Dropped},
		{Python, "docs/conf.py", Dropped},
		{Python, "PKG-INFO", Dropped},
		{JavaScript, "lib/parse.js", Code},
		{JavaScript, "test/parse.js", Test},
		{JavaScript, "dist/qs.js", Dropped},
		{JavaScript, "package.json", Dropped},
	}
	for _, test := range tests {
		if got := Classify(test.language, test.file); got != test.want {
			t.Errorf("Classify(%s, %s) = %d, want %d", test.language, test.file, got, test.want)
		}
	}
}

func TestCompareSortsByOutcome(t *testing.T) {
	before := Outcomes{"keeps": Passed, "fixed": Failed, "broken": Failed, "flaky": Passed, "was skipped": Skipped, "gone": Passed}
	after := Outcomes{"keeps": Passed, "fixed": Passed, "broken": Failed, "flaky": Failed, "was skipped": Passed, "new": Passed, "skipped": Skipped}
	want := Lists{
		FailToPass: []string{"fixed", "new", "was skipped"},
		PassToPass: []string{"keeps"},
		FailToFail: []string{"broken"},
	}
	if diff := cmp.Diff(want, Compare(before, after, []string{"flaky"})); diff != "" {
		t.Error(diff)
	}
}

func TestListsDiff(t *testing.T) {
	recorded := Lists{FailToPass: []string{"a", "b"}, PassToPass: []string{"c"}}
	if diff := recorded.Diff(recorded); diff != "" {
		t.Errorf("equal lists differ: %s", diff)
	}
	got := recorded.Diff(Lists{FailToPass: []string{"a"}, PassToPass: []string{"c"}, FailToFail: []string{"b"}})
	if want := "- fail_to_pass b\n+ fail_to_fail b\n"; got != want {
		t.Errorf("diff = %q, want %q", got, want)
	}
}

func TestUnstable(t *testing.T) {
	runs := []Outcomes{{"a": Passed, "b": Passed}, {"a": Passed, "b": Failed, "c": Passed}, {"a": Passed, "b": Passed, "c": Passed}}
	if diff := cmp.Diff([]string{"b", "c"}, Unstable(runs)); diff != "" {
		t.Error(diff)
	}
}

func TestReadReport(t *testing.T) {
	tests := []struct {
		name, format, text string
		want               Outcomes
	}{
		{"go", "go-test-json", `{"Action":"run","Package":"m/a","Test":"TestX"}
not an event {
{"Action":"output","Package":"m/a","Test":"TestX","Output":"{\n"}
{"Action":"pass","Package":"m/a","Test":"TestX/has space"}
{"Action":"fail","Package":"m/a","Test":"TestX"}
{"Action":"skip","Package":"m/b","Test":"TestX"}
{"Action":"run","Package":"m/b","Test":"TestNeverEnds"}
{"Action":"fail","Package":"m/a"}`,
			Outcomes{"m/a::TestX/has space": Passed, "m/a::TestX": Failed, "m/b::TestX": Skipped}},
		{"junit", "junit-xml", `<?xml version="1.0"?><testsuites><testsuite><testcase classname="c" name="ok"/>
<testcase name="alone"><system-out>&lt;failure/&gt;</system-out></testcase>
<testsuite><testcase classname="c" name="bad"><failure message="m"/></testcase></testsuite>
<testcase classname="c" name="err"><error/></testcase><testcase classname="c" name="skip"><skipped/></testcase>
</testsuite></testsuites>`,
			Outcomes{"c::ok": Passed, "alone": Passed, "c::bad": Failed, "c::err": Failed, "c::skip": Skipped}},
		{"one id twice: all must pass", "junit-xml",
			`<testsuite><testcase name="x"><failure/></testcase><testcase name="x"/><testcase name="y"/><testcase name="y"/></testsuite>`,
			Outcomes{"x": Failed, "y": Passed}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Outcomes{}
			if err := ReadReport(strings.NewReader(test.text), test.format, got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, bad := range []struct{ format, text string }{{"junit-xml", "<testsuite><testcase"}, {"tap", "ok 1"}} {
		if err := ReadReport(strings.NewReader(bad.text), bad.format, Outcomes{}); err == nil {
			t.Errorf("%s %q was accepted", bad.format, bad.text)
		}
	}
}
