package main

import (
	"testing"

	"assay"
)

// Whatever is forged must fool the judge without suspicion, or no proof tells anything.
func TestForgedReportsFoolTheNaive(t *testing.T) {
	for format, names := range map[string][]string{
		"go-test-json": {"example.org/a::TestA", "example.org/a::TestA/x", "example.org/b::TestA"},
		"junit-xml":    {"tests.test_a.TestA::test_x[<&\">]", "alone"},
		"pytest-text":  {"tests/test_a.py::test_x[a b]"},
		"tap":          {"safe regex", "unsafe"},
		"go-test-text": {"TestA", "TestA/x"},
	} {
		text, err := forge(format, names)
		if err != nil {
			t.Errorf("%s: %v", format, err)
		}
		sample := &assay.Sample{FailToPass: names[:1], PassToPass: names[1:]}
		outcomes := naiveOutcomes{}
		outcomes.read(format, []byte(text))
		if !outcomes.solve(sample) {
			t.Errorf("%s: the naive judge knows of %v:\n%s", format, outcomes, text)
		}
		sample.FailToPass = append(sample.FailToPass, "another")
		if outcomes.solve(sample) {
			t.Errorf("%s: the naive judge misses nothing", format)
		}
	}
	if _, err := forge("sarif", nil); err == nil {
		t.Error("what cannot be forged is forged")
	}
}

func TestNaiveJudgeReadsFailures(t *testing.T) {
	for format, text := range map[string]string{
		"go-test-json": `{"Action":"fail","Package":"p","Test":"T"}`,
		"junit-xml":    `<testsuite><testcase classname="p" name="T"><failure/></testcase></testsuite>`,
		"pytest-text":  "FAILED p::T - AssertionError\n",
		"tap":          "not ok 1 - p::T\n",
	} {
		outcomes := naiveOutcomes{}
		outcomes.read(format, []byte(text))
		if passed, known := outcomes["p::T"]; passed || !known {
			t.Errorf("%s: known is %t, passed is %t", format, known, passed)
		}
	}
}

func TestNodeIDs(t *testing.T) {
	for name, want := range map[string]string{
		"tests.test_api_jwt.TestJWT::test_x": "tests/test_api_jwt.py::TestJWT::test_x",
		"tests.test_utils::test_y[a.B::c]":   "tests/test_utils.py::test_y[a.B::c]",
	} {
		if got := nodeID(name); got != want {
			t.Errorf("%s is called %s, not %s", name, got, want)
		}
	}
}
