package testreport

import "testing"

func TestDescriptionsOfSubtestsStayWhole(t *testing.T) {
	for line, want := range map[string]string{
		"a.py::T::test - so":                                      "a.py::T::test - so",
		"[a::b] a.py::T::test - so":                               "a.py::T::test - so",
		"[a::b [c] d] (i='x::y', j=(1, 2)) a.py::test[e::f] - so": "a.py::test[e::f] - so",
		"(<subtest>) my tests/a.py::test - so":                    "my tests/a.py::test - so",
		"(i='::') a.py::test":                                     "a.py::test",
		"[a b a.py::test - so":                                    "a.py::test - so",
		"(a":                                                      "(a",
		"":                                                        "",
	} {
		if got := withoutDescription(line); got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

func TestFinalLines(t *testing.T) {
	for line, final := range map[string]bool{
		"=== 3 failed, 5 passed in 1.20s ===":                                   true,
		"3 failed, 5 passed in 1.20s":                                           true,
		"== 1 passed, 2 warnings, 1 error, 3 deselected in 61.20s (0:01:01) ==": true,
		"=== 1 passed in 0.12 seconds ===":                                      true,
		"=== no tests ran in 0.00s ===":                                         true,
		"1 passed, 2 subtests passed, 1 rerun in 0.12s":                         true,
		"5 passed in 1.2":                                                       false, // cut
		"collected 5 items in 0.2s":                                             false,
		"5 passed":                                                              false,
		"I saw 5 passed in 1.20s":                                               false,
		"":                                                                      false,
	} {
		if got := pytestFinal.MatchString(line); got != final {
			t.Errorf("%q: %v", line, got)
		}
	}
}
