package testreport

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// SymPy has a test runner of its own (sympy/testing/runtests.py, PyTestReporter).
// bin/test --verbose names a file with the number of its tests, and then each test
// with a word or a letter behind it; what a test prints stands between the two. At the
// end is a sum, which may be broken into two lines.
//
// The names of tests are those of SWE-bench's lists: without the file. Two files may
// have a test of one name; then the worse of the two counts.

var (
	sympyFile  = regexp.MustCompile(`^(\S+\.py)\[(\d+|\?)\](.*)$`)
	sympyTest  = regexp.MustCompile(`^(test_\w*)(?: (.*))?$`)
	sympyEnd   = regexp.MustCompile(`\s+\[(?:OK|FAIL)\]$`)
	sympySkip  = regexp.MustCompile(`^(?:(.*) )?[swKT]$`)
	sympyCount = regexp.MustCompile(`(\d+) (passed|failed|skipped|expected to fail but passed|expected to fail|exceptions), `)
	sympyTime  = regexp.MustCompile(`in \d+\.\d+ seconds`)
)

type sympyReader struct {
	limits Limits
	report *Report
	inFile bool
	open   int  // index of the test that runs, -1: none
	told   bool // failures are being told
	sum    string
	ended  bool
}

func readSympy(r io.Reader, limits Limits, report *Report) error {
	return readText(r, limits, report, &sympyReader{limits: limits, report: report, open: -1})
}

func (s *sympyReader) line(line string, last bool) error {
	if _, sum, found := strings.Cut(line, "tests finished: "); found {
		if s.sum != "" {
			return fmt.Errorf("%w: it counts its tests twice", ErrAmbiguous)
		}
		s.told = true
		s.add(sum)
		return nil
	}
	switch {
	case s.sum != "":
		s.add(line)
	case strings.HasPrefix(line, "____"):
		s.told = true
	case s.told:
	default:
		return s.listed(line, last)
	}
	return nil
}

// listed reads a line from where tests run.
func (s *sympyReader) listed(line string, last bool) error {
	if m := sympyFile.FindStringSubmatch(line); m != nil {
		s.inFile, s.open = true, -1
		if m[2] != "?" {
			return nil
		}
		_, err := s.report.addTest(Result{ID: m[1], Status: Errored, Message: strings.TrimSpace(sympyEnd.ReplaceAllString(m[3], ""))}, s.limits)
		return err
	}
	line = sympyEnd.ReplaceAllString(line, "")
	m := sympyTest.FindStringSubmatch(line)
	switch {
	case !s.inFile || last:
		return nil
	case m == nil:
		s.outcome(line, false)
		return nil
	}
	i, err := s.report.addTest(Result{ID: m[1], Status: Failed, Message: didNotFinish}, s.limits)
	s.open = i
	s.outcome(m[2], true)
	return err
}

// outcome reads what stands behind the name of the test that runs, or on a line after
// it. A reason to skip stands beside the name.
func (s *sympyReader) outcome(word string, beside bool) {
	if s.open < 0 {
		return
	}
	res := Result{}
	skipped := sympySkip.FindStringSubmatch(word)
	switch {
	case word == "ok":
		res.Status = Passed
	case word == "F":
		res.Status = Failed
	case word == "E", word == "T":
		res.Status = Errored
	case word == "f", word == "X": // expected to fail, and did, or did not
		res.Status = Skipped
	case skipped != nil && beside:
		res.Status, res.Message = Skipped, clip(skipped[1], s.limits.MaxText)
	default:
		return
	}
	s.report.Results[s.open].Status, s.report.Results[s.open].Message = res.Status, res.Message
	s.open = -1
}

// add reads a line of the sum.
func (s *sympyReader) add(text string) {
	if s.ended || len(s.sum) > maxProblemText {
		return
	}
	s.sum += text + " "
	if s.ended = sympyTime.MatchString(s.sum); !s.ended {
		return
	}
	said := map[string]int{}
	for _, m := range sympyCount.FindAllStringSubmatch(strings.ReplaceAll(s.sum, "  ", " "), -1) {
		said[m[2]] += max(0, number(m[1]))
	}
	announced := Totals{
		Skipped: said["skipped"] + said["expected to fail"] + said["expected to fail but passed"],
		Failed:  said["failed"], Errored: said["exceptions"],
	}
	announced.Tests = said["passed"] + announced.Skipped + announced.Failed + announced.Errored
	s.report.Announced = &announced
	if seen := len(s.report.Results); seen != announced.Tests {
		s.report.problem(fmt.Sprintf("%d tests are counted, and %d are named: were they run with --verbose?", announced.Tests, seen))
	}
}

func (s *sympyReader) end() error {
	if !s.ended {
		return fmt.Errorf("%w: its sum was not seen", ErrTruncated)
	}
	return nil
}
