package foreign

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestParametersThatLookLikeTimingsStay: of the timings that SWE-rebench takes out of
// names, none is taken out of what a test is given.
func TestParametersThatLookLikeTimingsStay(t *testing.T) {
	c := &columns{row: map[string]any{
		"instance_id": "a", "problem_statement": "p", "repo": "a/b", "image_name": "i",
		"FAIL_TO_PASS":   []any{"t.py::a[5s]", "t.py::a[in 5 sec now] in 3 sec", "t.py::a[(3 ms)] (0.2s)", "TestA/[5s]", "t.py::a [5s]", "waits (12 ms)"},
		"install_config": map[string]any{"log_parser": "parse_log_pytest", "test_cmd": "test"},
	}}
	s := convertSWERebench(c, Options{})
	want := []string{"t.py::a[5s]", "t.py::a[in 5 sec now]", "t.py::a[(3 ms)]", "TestA/[5s]", "t.py::a", "waits"}
	if diff := cmp.Diff(want, s.FailToPass); diff != "" || len(c.faults) > 0 {
		t.Errorf("names differ (-want +got), %v:\n%s", c.faults, diff)
	}
}

// TestR2EParametersStayWhole: what stands behind " - " is a message, unless it is a
// parameter; and two names that become one have the worse outcome.
func TestR2EParametersStayWhole(t *testing.T) {
	c := &columns{row: map[string]any{
		"expected_output_json": map[string]any{
			"test_a[x/y - z]": "PASSED", "test_a[x/y - w]": "FAILED", "T.test_b[a.b]": "PASSED", "test_c - Error: [a - b]": "FAILED", "test_c": "PASSED", "test_d[x": "FAILED",
		},
		"execution_result_content": map[string]any{
			"old_commit_res_stdout": "= short test summary info =\nPASSED t.py::test_a[x/y - z]\nFAILED t.py::T::test_b[a::b] - a::c\n",
		},
	}}
	want := map[string]string{"test_a[x/y - z]": passed, "test_a[x/y - w]": failed, "T.test_b[a.b]": passed, "test_c": failed, "test_d[x": failed}
	if diff := cmp.Diff(want, r2eExpected(c)); diff != "" {
		t.Errorf("expected outcomes differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"test_a[x/y - z]": passed, "T.test_b[a.b]": failed}, r2eBefore(c)); diff != "" {
		t.Errorf("outcomes before differ (-want +got):\n%s", diff)
	}
}
