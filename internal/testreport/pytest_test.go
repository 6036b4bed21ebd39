package testreport

import (
	"strings"
	"testing"
)

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

// The blocks before the summary say how a test failed. Of one name in two files, the place
// says whose it is.
func TestPytestFailures(t *testing.T) {
	const text = `============================= test session starts ==============================
collected 4 items

tests/test_a.py FFF                                                      [100%]

=================================== FAILURES ===================================
______________________________ TestA.test_one[x-1] _____________________________

    def test_one(self):
>       with raises(KeyError):
E       Failed: DID NOT RAISE <class 'KeyError'>

tests/test_a.py:12: Failed
___________________________________ test_two ___________________________________

>   assert 1 == 2
E   assert 1 == 2

tests/test_a.py:20: AssertionError
___________________________________ test_two ___________________________________

>   assert 3 == 4
E   assert 3 == 4

tests/test_b.py:5: AssertionError
=========================== short test summary info ============================
PASSED tests/test_a.py::test_three
FAILED tests/test_a.py::TestA::test_one[x-1]
FAILED tests/test_a.py::test_two - assert 1 == 2
FAILED tests/test_b.py::test_two - assert 3 == 4
========================= 3 failed, 1 passed in 0.05s ==========================
`
	r, err := Parse(PytestText, strings.NewReader(text), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"tests/test_a.py::TestA::test_one[x-1]": "DID NOT RAISE <class 'KeyError'>",
		"tests/test_a.py::test_two":             "assert 1 == 2",
		"tests/test_b.py::test_two":             "assert 3 == 4",
		"tests/test_a.py::test_three":           "",
	} {
		for _, res := range r.Results {
			if res.ID == id && (!strings.Contains(res.Details, want) || want == "" && res.Details != "" || strings.Contains(res.Details, "____")) {
				t.Errorf("%s: %q, want %q in it", id, res.Details, want)
			}
		}
	}
}
