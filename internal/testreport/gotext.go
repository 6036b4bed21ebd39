package testreport

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// go test -v writes "--- PASS: TestName (0.00s)" for each test, those of subtests
// indented below their parent's, and a last line for each package: "ok", "FAIL" or
// "?". Packages are told one after the other, so a test belongs to the package whose
// last line follows.
//
// The names of tests are those of SWE-bench's lists: without the package. Two
// packages may have a test of one name; then the worse of the two counts.

var (
	goTextTest    = regexp.MustCompile(`^ *--- (PASS|FAIL|SKIP): (.+) \((\d+\.\d+)s\)$`)
	goTextRun     = regexp.MustCompile(`^=== RUN +(\S.*)$`)
	goTextGoesOn  = regexp.MustCompile(`^=== (?:CONT|NAME|PAUSE) +(\S.*)$`)
	goTextPackage = regexp.MustCompile(`^(ok|FAIL|\?) *\t(\S+)(?:\s.*)?$`)
)

type goTextReader struct {
	limits   Limits
	report   *Report
	running  map[string]int      // tests that were begun and did not end, by name
	said     map[string]*excerpt // by them
	now      string              // the one that says what follows
	ended    bool                // the last package ended, and nothing was seen since
	failed   int                 // tests of this package that failed
	packages int
}

func readGoText(r io.Reader, limits Limits, report *Report) error {
	return readText(r, limits, report, &goTextReader{limits: limits, report: report, running: map[string]int{}, said: map[string]*excerpt{}})
}

func (g *goTextReader) line(line string, last bool) error {
	if m := goTextRun.FindStringSubmatch(line); m != nil && !last {
		g.ended, g.now = false, m[1]
		g.running[m[1]]++
		if len(g.running) > g.limits.MaxTests {
			return fmt.Errorf("%w: more than %d tests", ErrTooLarge, g.limits.MaxTests)
		}
		return nil
	}
	if m := goTextTest.FindStringSubmatch(line); m != nil && !last {
		return g.test(m[1], m[2], m[3])
	}
	if m := goTextPackage.FindStringSubmatch(line); m != nil {
		return g.endPackage(m[1], m[2])
	}
	if m := goTextGoesOn.FindStringSubmatch(line); m != nil {
		g.now = m[1]
		return nil
	}
	if strings.HasPrefix(line, "panic: ") {
		g.report.problem(line)
	}
	g.says(line)
	return nil
}

// says gives a line to the test that runs, as far as the output tells which one does. It says
// how that failed, should it fail, and nothing else is read of it.
func (g *goTextReader) says(line string) {
	if g.running[g.now] == 0 {
		return
	}
	if g.said[g.now] == nil {
		g.said[g.now] = &excerpt{limit: g.limits.MaxText}
	}
	g.said[g.now].add(line + "\n")
}

func (g *goTextReader) test(word, name, time string) error {
	res := Result{ID: name, Status: map[string]Status{"PASS": Passed, "SKIP": Skipped, "FAIL": Failed}[word], Duration: seconds(time)}
	if res.Status == Passed && g.running[name] == 0 {
		g.report.Noise++ // it does not run: something printed that
		return nil
	}
	g.ended = false
	if res.Status == Failed {
		g.failed++
		if said := g.said[name]; said != nil {
			res.Details = said.String()
			res.Message = clip(firstWords(res.Details), g.limits.MaxText)
		}
	}
	delete(g.said, name)
	if g.running[name]--; g.running[name] <= 0 {
		delete(g.running, name)
	}
	_, err := g.report.addTest(res, g.limits)
	return err
}

// endPackage settles the tests of a package. A test that was begun and not ended
// failed.
func (g *goTextReader) endPackage(word, name string) error {
	unfinished := len(g.running)
	if err := g.abandon(); err != nil {
		return err
	}
	switch bad := unfinished + g.failed; {
	case word == "ok" && bad > 0:
		g.report.problem(fmt.Sprintf("package %s is reported to have passed, although %d of its tests did not", name, bad))
	case word == "FAIL" && bad == 0:
		g.report.problem(fmt.Sprintf("package %s failed, although no test in it did", name))
	}
	g.packages++
	g.ended, g.failed = true, 0
	return nil
}

func (g *goTextReader) abandon() error {
	for _, name := range slices.Sorted(maps.Keys(g.running)) {
		if _, err := g.report.addTest(Result{ID: name, Status: Failed, Message: didNotFinish}, g.limits); err != nil {
			return err
		}
	}
	clear(g.running)
	clear(g.said)
	return nil
}

func (g *goTextReader) end() error {
	if err := g.abandon(); err != nil {
		return err
	}
	switch {
	case g.packages == 0:
		return fmt.Errorf("%w: no package ended", ErrTruncated)
	case !g.ended:
		return fmt.Errorf("%w: the end of a package was not seen", ErrTruncated)
	}
	return nil
}
