package testreport

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// python -m unittest -v, and Django's test runner with it, name each test, run it, and
// write its outcome behind " ... " (unittest/runner.py, TextTestResult). A test with a
// docstring gets its first line on a line of its own, with the outcome. What a test
// prints stands between the two. Failures are told again after the last test, and the
// end is the number of tests that ran and a word.
//
// The rules for names are those by which SWE-bench made its lists for Django.

var (
	unittestName    = regexp.MustCompile(`^\w+ \([\w.<>]+\)`)
	unittestOutcome = regexp.MustCompile(`^(?:ok|OK|FAIL|ERROR|expected failure|unexpected success|skipped(?: .*)?)$`)
	unittestRetold  = regexp.MustCompile(`^(FAIL|ERROR|UNEXPECTED SUCCESS): (\w+ \([\w.<>]+\))`)
	unittestRan     = regexp.MustCompile(`^Ran (\d+) tests? in [0-9.]+s$`)
	unittestEnd     = regexp.MustCompile(`^(OK|FAILED|NO TESTS RAN)(?: \((.*)\))?$`)
	unittestCount   = regexp.MustCompile(`(failures|errors|skipped|expected failures|unexpected successes)=(\d+)`)
)

const unittestSep = " ... "

type unittestReader struct {
	limits Limits
	report *Report
	named  string // a test whose name stands on the line before
	open   int    // index of the test that runs, -1: none
	runs   string // its name
	tests  map[string]unittestTest
	told   bool // failures are being told again
	ran    int  // tests that ran, -1: not announced yet
	ended  bool
}

// unittestTest is a test by its name, which is its id unless it has a docstring.
type unittestTest struct {
	result int  // index of its last occurrence, -1 if it could not be taken
	bad    bool // seen not to pass
}

func readUnittest(r io.Reader, limits Limits, report *Report) error {
	return readText(r, limits, report, &unittestReader{limits: limits, report: report, open: -1, ran: -1, tests: map[string]unittestTest{}})
}

func (u *unittestReader) line(line string, last bool) error {
	if m := unittestRan.FindStringSubmatch(line); m != nil {
		if u.ran >= 0 {
			return fmt.Errorf("%w: it counts its tests twice", ErrAmbiguous)
		}
		u.ran = max(0, number(m[1]))
		return nil
	}
	switch end := unittestEnd.FindStringSubmatch(line); {
	case line == "":
		return nil
	case u.ran >= 0 && end != nil && !u.ended:
		u.ended = true
		u.announce(end)
		return nil
	case u.ran >= 0:
		u.report.Noise++ // Django takes its databases down
		return nil
	case strings.HasPrefix(line, strings.Repeat("=", 70)):
		u.told = true
		return nil
	case u.told:
		return u.retold(line)
	}
	return u.test(line, last)
}

// test reads a line from where tests run.
func (u *unittestReader) test(line string, last bool) error {
	name := unittestName.FindString(line)
	described := u.named
	u.named = ""
	switch rest, begins := strings.CutPrefix(line+" ", name+unittestSep); {
	case name != "" && name == line:
		u.named = name
		return nil
	case name != "" && begins:
		return u.begin(name, name, strings.TrimSpace(rest), last)
	case described != "":
		doc, rest, found := cutLast(line+" ", unittestSep)
		if found {
			return u.begin(described, doc, strings.TrimSpace(rest), last)
		}
	}
	if u.open < 0 || last {
		return nil
	}
	// In Python 3.11 and later a subtest has a line of its own, and its test none.
	if below, ok := strings.CutPrefix(line, "  "+u.runs); ok {
		_, line, _ = cutLast(below, unittestSep)
	}
	if unittestOutcome.MatchString(line) {
		u.outcome(line)
	}
	return nil
}

// cutLast is strings.Cut at the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// begin notes that a test runs. It failed until its outcome is seen.
func (u *unittestReader) begin(name, id, rest string, last bool) error {
	u.open = -1
	if word, _, _ := strings.Cut(name, " "); word == "setUpClass" || word == "tearDownClass" || word == "setUpModule" || word == "tearDownModule" {
		u.report.problem(id + ": " + rest) // no test
		return nil
	}
	if len(u.tests) >= u.limits.MaxTests {
		return fmt.Errorf("%w: more than %d tests", ErrTooLarge, u.limits.MaxTests)
	}
	i, err := u.report.addTest(Result{ID: id, Status: Failed, Message: didNotFinish}, u.limits)
	if err != nil {
		return err
	}
	u.tests[name] = unittestTest{result: i, bad: u.tests[name].bad}
	u.open, u.runs = i, name
	if !last && unittestOutcome.MatchString(rest) {
		u.outcome(rest)
	}
	return nil
}

// outcome ends the test that runs.
func (u *unittestReader) outcome(word string) {
	if u.open < 0 {
		return
	}
	res := &u.report.Results[u.open]
	word, reason, _ := strings.Cut(word, " ")
	res.Message = ""
	switch word {
	case "ok", "OK":
		res.Status = Passed
	case "skipped":
		res.Status, res.Message = Skipped, clip(unquoted(reason), u.limits.MaxText)
	case "expected":
		res.Status = Skipped
	case "ERROR":
		res.Status = Errored
	}
	if res.Status != Passed {
		u.tests[u.runs] = unittestTest{result: u.open, bad: true}
	}
	u.open = -1
}

// unquoted takes the quotes off that Python puts around a text.
func unquoted(s string) string {
	if len(s) > 1 && s[0] == s[len(s)-1] && (s[0] == '\'' || s[0] == '"') {
		return s[1 : len(s)-1]
	}
	return s
}

// retold reads what is told after the last test: a test that failed there did not
// pass, whatever stood beside its name.
func (u *unittestReader) retold(line string) error {
	m := unittestRetold.FindStringSubmatch(line)
	if m == nil {
		return nil
	}
	test, known := u.tests[m[2]]
	if !known || test.bad || test.result < 0 {
		return nil
	}
	u.tests[m[2]] = unittestTest{result: test.result, bad: true}
	res := &u.report.Results[test.result]
	status := Failed
	if m[1] == "ERROR" {
		status = Errored
	}
	if res.Status != Passed { // it did not finish
		res.Status, res.Message = status, ""
		return nil
	}
	_, err := u.report.addTest(Result{ID: res.ID, Status: status, Message: "failed after it had passed"}, u.limits)
	return err
}

// announce reads the last word.
func (u *unittestReader) announce(end []string) {
	said := map[string]int{}
	for _, m := range unittestCount.FindAllStringSubmatch(end[2], -1) {
		said[m[1]] = max(0, number(m[2]))
	}
	bad := said["failures"] + said["errors"] + said["unexpected successes"]
	u.report.Announced = &Totals{
		Tests:   u.ran,
		Skipped: said["skipped"] + said["expected failures"],
		Failed:  said["failures"] + said["unexpected successes"],
		Errored: said["errors"],
	}
	if seen := len(u.report.Results); seen != u.ran {
		u.report.problem(fmt.Sprintf("%d tests ran, and %d are named: were they run with -v?", u.ran, seen))
	}
	if (end[1] == "FAILED") != (bad > 0) {
		u.report.problem(fmt.Sprintf("the end is %q, and it counts %d failed tests", end[1], bad))
	}
}

func (u *unittestReader) end() error {
	if !u.ended {
		return fmt.Errorf("%w: its end was not seen", ErrTruncated)
	}
	return nil
}
