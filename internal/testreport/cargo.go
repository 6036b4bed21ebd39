package testreport

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// cargo test runs several binaries behind each other, and each of them writes what
// libtest's pretty formatter does (library/test/src/formatters/pretty.rs): the number
// of its tests, a line for each, and a result that counts them. cargo's own words go
// to standard error and are let pass.

var (
	cargoRunning = regexp.MustCompile(`^running (\d+) tests?$`)
	cargoTest    = regexp.MustCompile(`^test (.+?) \.\.\.(?: (.*))?$`)
	cargoResult  = regexp.MustCompile(`^test result: (ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored; (\d+) measured; (\d+) filtered out(?:; finished in [0-9.]+s)?$`)
	cargoTime    = regexp.MustCompile(` <[0-9.]+s>$`)
	cargoOutput  = regexp.MustCompile(`^---- (.+) stdout ----$`)
)

// cargoModes are what libtest appends to the name of a test.
var cargoModes = []string{" - should panic", " - compile fail", " - compile"}

type cargoReader struct {
	limits  Limits
	report  *Report
	results int // binaries that ended
	binary  *cargoBinary
}

// cargoBinary is a test binary that runs.
type cargoBinary struct {
	announced int
	named     int    // tests, benchmarks too
	said      Totals // of the named ones, without benchmarks
	open      int    // index of the test that was named last, -1 if its outcome stood beside its name
	outcome   Status // what was seen of it since
	retold    bool   // the outputs of tests follow, and no more tests
	failed    map[string]int
	of        int // index of the test whose output is being read, -1: none
	output    *excerpt
}

func readCargo(r io.Reader, limits Limits, report *Report) error {
	return readText(r, limits, report, &cargoReader{limits: limits, report: report})
}

func (c *cargoReader) line(line string, last bool) error {
	b := c.binary
	if m := cargoRunning.FindStringSubmatch(line); m != nil && (b == nil || !b.retold) {
		return c.begin(number(m[1]))
	}
	if strings.HasPrefix(line, "error: could not compile") {
		c.report.problem(line)
	}
	if b == nil {
		if strings.HasPrefix(line, "test result: ") {
			return fmt.Errorf("%w: a result and no tests that ran before it", ErrAmbiguous)
		}
		return nil
	}
	if m := cargoResult.FindStringSubmatch(line); m != nil {
		c.endBinary(m)
		return nil
	}
	switch m := cargoTest.FindStringSubmatch(line); {
	case b.retold:
		c.retell(line)
	case m != nil && b.named < b.announced:
		return c.test(m[1], m[2], last)
	case line == "failures:" || line == "successes:":
		b.retold = true
	case b.open >= 0:
		if status, message := cargoOutcome(line); message == "" {
			b.outcome = worse(b.outcome, status)
		}
	}
	return nil
}

func (c *cargoReader) begin(n int) error {
	if c.binary != nil {
		return fmt.Errorf("%w: tests run, and those before them have no result", ErrTruncated)
	}
	c.binary = &cargoBinary{announced: n, open: -1, of: -1, failed: map[string]int{}}
	return nil
}

// test reads the line of a test. Where the test's own output stands between its name
// and its outcome, it failed until the outcome is seen.
func (c *cargoReader) test(name, outcome string, last bool) error {
	c.settle()
	c.binary.named++
	if strings.HasPrefix(outcome, "bench: ") {
		return nil // it measured, it passed no judgement
	}
	for _, mode := range cargoModes {
		name = strings.TrimSuffix(name, mode)
	}
	res := Result{ID: name}
	res.Status, res.Message = cargoOutcome(outcome)
	if res.Status == "" || last && res.Status == Passed {
		res.Status, res.Message = Failed, didNotFinish
	}
	i, err := c.report.addTest(res, c.limits)
	if err != nil || i < 0 {
		return err
	}
	if res.Message == didNotFinish {
		c.binary.open = i
		return nil
	}
	c.count(i)
	return nil
}

// cargoOutcome reads what stands after the name of a test; "" if it is no outcome.
func cargoOutcome(s string) (status Status, message string) {
	s = cargoTime.ReplaceAllString(s, "")
	reason, ignored := strings.CutPrefix(s, "ignored")
	switch {
	case s == "ok":
		return Passed, ""
	case s == "FAILED", s == "failed", strings.HasPrefix(s, "FAILED ("): // (time limit exceeded)
		return Failed, ""
	case ignored && (reason == "" || strings.HasPrefix(reason, ", ")):
		return Skipped, strings.TrimPrefix(reason, ", ")
	}
	return "", ""
}

// settle gives the test that was named last the outcome that was seen after it.
func (c *cargoReader) settle() {
	b := c.binary
	if b.open < 0 {
		return
	}
	res := &c.report.Results[b.open]
	if b.outcome != "" {
		res.Status, res.Message = b.outcome, ""
	}
	c.count(b.open)
	b.open, b.outcome = -1, ""
}

func (c *cargoReader) count(i int) {
	b, res := c.binary, c.report.Results[i]
	b.said.Tests++
	switch res.Status {
	case Passed:
		b.said.Passed++
	case Skipped:
		b.said.Skipped++
	default:
		b.said.Failed++
		b.failed[res.ID] = i
	}
}

// retell reads the section that repeats the outputs of tests.
func (c *cargoReader) retell(line string) {
	b := c.binary
	if m := cargoOutput.FindStringSubmatch(line); m != nil || line == "failures:" {
		c.keepOutput()
		if i, failed := b.failed[strings.Join(m[min(1, len(m)):], "")]; failed {
			b.of, b.output = i, &excerpt{limit: c.limits.MaxText}
		}
		return
	}
	if b.of >= 0 {
		b.output.add(line + "\n")
	}
}

// keepOutput gives a test the output that was read.
func (c *cargoReader) keepOutput() {
	b := c.binary
	if b.of < 0 {
		return
	}
	res := &c.report.Results[b.of]
	res.Details = strings.TrimSpace(b.output.String())
	if _, panicked, found := strings.Cut(res.Details, " panicked at "); found {
		_, panicked, _ = strings.Cut(panicked, "\n")
		res.Message = clip(firstLine(panicked), c.limits.MaxText)
	} else {
		res.Message = clip(firstLine(res.Details), c.limits.MaxText)
	}
	b.of = -1
}

// endBinary reads the result of a binary and holds it against what was seen.
func (c *cargoReader) endBinary(m []string) {
	c.settle()
	c.keepOutput()
	b := c.binary
	c.binary = nil
	c.results++
	said := Totals{Passed: max(0, number(m[2])), Failed: max(0, number(m[3])), Skipped: max(0, number(m[4]))}
	said.Tests = said.Passed + said.Failed + said.Skipped
	if said != b.said || said.Tests+max(0, number(m[5])) != b.announced {
		c.report.problem(fmt.Sprintf("%d tests were to run, the result counts %d passed, %d failed and %d ignored, and %d passed, %d failed and %d ignored were seen",
			b.announced, said.Passed, said.Failed, said.Skipped, b.said.Passed, b.said.Failed, b.said.Skipped))
	}
	if (m[1] == "ok") != (said.Failed == 0) {
		c.report.problem(fmt.Sprintf("the result is %q, and it counts %d failed tests", m[1], said.Failed))
	}
	said.Passed = 0
	if c.report.Announced == nil {
		c.report.Announced = &Totals{}
	}
	c.report.Announced.add(said)
}

func (c *cargoReader) end() error {
	switch {
	case c.binary != nil:
		c.settle()
		return fmt.Errorf("%w: tests ran, and they have no result", ErrTruncated)
	case c.results == 0:
		return fmt.Errorf("%w: no tests ran", ErrTruncated)
	}
	return nil
}
