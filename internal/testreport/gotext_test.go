package testreport

import (
	"strings"
	"testing"
)

// What a test says stands between its beginning and its end, and others' may stand between.
func TestGoTextTellsHowTestsFailed(t *testing.T) {
	const text = `=== RUN   TestOne
    one_test.go:12: got 1, want 2
=== RUN   TestOne/sub
    one_test.go:15: sub is wrong
=== NAME  TestOne
    one_test.go:20: and this
--- FAIL: TestOne (0.00s)
    --- FAIL: TestOne/sub (0.00s)
=== RUN   TestTwo
=== PAUSE TestTwo
=== RUN   TestThree
    three_test.go:3: fine
--- PASS: TestThree (0.00s)
    nobody's line
=== CONT  TestTwo
    two_test.go:7: late
--- FAIL: TestTwo (0.00s)
FAIL
FAIL	example.org/words	0.002s
`
	r, err := Parse(GoTestText, strings.NewReader(text), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"TestOne": "    one_test.go:12: got 1, want 2\n    one_test.go:20: and this\n", "TestOne/sub": "    one_test.go:15: sub is wrong\n",
		"TestTwo": "    two_test.go:7: late\n", "TestThree": "",
	}
	for _, res := range r.Results {
		if res.Details != want[res.ID] {
			t.Errorf("%s: %q, want %q", res.ID, res.Details, want[res.ID])
		}
		delete(want, res.ID)
	}
	if len(want) > 0 {
		t.Errorf("not reported: %v", want)
	}
}
