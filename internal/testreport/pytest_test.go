package testreport

import "testing"

func TestSplitMessage(t *testing.T) {
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
		if id, message := splitMessage(tt.line); id != tt.id || message != tt.message {
			t.Errorf("splitMessage(%q) = %q, %q; want %q, %q", tt.line, id, message, tt.id, tt.message)
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
