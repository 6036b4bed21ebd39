package testreport

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// jest --verbose lists the tests of a file below a line that begins with PASS or
// FAIL, up to a blank line, each with a sign before it and its time behind it. At the
// end it counts them (jest-reporters, VerboseReporter and SummaryReporter). What tests
// print stands between the lists.
//
// The names of tests are those of SWE-bench's lists: their own titles, without those
// of the blocks and the file that they are in. Tests may have one title; then the
// worst of them counts.

var (
	jestFile   = regexp.MustCompile(`^ ?(PASS|FAIL) (\S.*)$`)
	jestTest   = regexp.MustCompile(`^ +(✓|✕|○|✎|√|×) (.+?)(?: \((\d+(?:\.\d+)?) (ms|s|m)\))?$`)
	jestTotals = regexp.MustCompile(`^Tests:  +((?:\d+ \w+, )*)(\d+) total$`)
	jestCount  = regexp.MustCompile(`(\d+) (\w+), `)
)

// jestSigns are the signs of jest, and those that it writes on Windows.
var jestSigns = map[string]Status{"✓": Passed, "√": Passed, "✕": Failed, "×": Failed, "○": Skipped, "✎": Skipped}

type jestReader struct {
	limits Limits
	report *Report
	file   string // whose list is being read; ""
	ended  bool
}

func readJest(r io.Reader, limits Limits, report *Report) error {
	return readText(r, limits, report, &jestReader{limits: limits, report: report})
}

func (j *jestReader) line(line string, last bool) error {
	if m := jestTotals.FindStringSubmatch(line); m != nil {
		if j.ended {
			return fmt.Errorf("%w: it counts its tests twice", ErrAmbiguous)
		}
		j.ended = true
		j.announce(m[1], number(m[2]))
		return nil
	}
	switch m := jestFile.FindStringSubmatch(line); {
	case line == "":
		j.file = ""
	case m != nil:
		j.file = m[2]
	case strings.HasPrefix(line, "  ● Test suite failed to run"):
		j.report.problem("a suite failed to run: " + j.file)
	case j.file != "" && !last:
		return j.test(line)
	}
	return nil
}

func (j *jestReader) test(line string) error {
	m := jestTest.FindStringSubmatch(line)
	if m == nil {
		return nil // the title of a block
	}
	res := Result{ID: m[2], Status: jestSigns[m[1]], Duration: seconds(m[3])}
	switch m[4] {
	case "ms":
		res.Duration /= 1000
	case "m":
		res.Duration *= time.Duration(60)
	}
	if res.Status == Skipped { // which is written again
		res.ID = strings.TrimPrefix(strings.TrimPrefix(res.ID, "skipped "), "todo ")
	}
	if j.ended {
		return fmt.Errorf("%w: tests follow after its end", ErrAmbiguous)
	}
	_, err := j.report.addTest(res, j.limits)
	return err
}

func (j *jestReader) announce(counts string, total int) {
	said := map[string]int{}
	for _, m := range jestCount.FindAllStringSubmatch(counts, -1) {
		said[m[2]] += max(0, number(m[1]))
	}
	j.report.Announced = &Totals{Tests: max(0, total), Failed: said["failed"], Skipped: said["skipped"] + said["todo"] + said["pending"]}
	if seen := j.report.Counts(); seen.Tests != total || seen.Failed != said["failed"] || seen.Passed != said["passed"] {
		j.report.problem(fmt.Sprintf("jest counts %d tests, %d passed and %d failed, and its lists name %d, %d and %d: was it run with --verbose?",
			total, said["passed"], said["failed"], seen.Tests, seen.Passed, seen.Failed))
	}
}

func (j *jestReader) end() error {
	if !j.ended {
		return fmt.Errorf("%w: its totals were not seen", ErrTruncated)
	}
	return nil
}
