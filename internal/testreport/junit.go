package testreport

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"assay/internal/testid"
)

// JUnit XML has no standard, only writers. What they agree on: a root testsuites or
// testsuite, suites in suites, testcases in both, and in a testcase an element for
// each thing that kept it from passing. The corpus in testdata/junit-xml shows the
// dialects that were seen.

// outcomes are the children of a testcase that say that it did not pass. Surefire
// and nextest write flaky* for a test that failed and then passed when it was run
// again, rerun* for one that never did.
var outcomes = map[string]Status{
	"skipped":      Skipped,
	"warning":      Skipped, // PHPUnit's, which makes a run neither pass nor fail
	"failure":      Failed,
	"flakyfailure": Failed,
	"rerunfailure": Failed,
	"error":        Errored,
	"flakyerror":   Errored,
	"rerunerror":   Errored,
}

// attributeStatus reads the attributes status and result, in which GoogleTest, CTest,
// NUnit and others say what the rest say in children. A word that is not here is no
// pass: such a test counts as skipped.
var attributeStatus = map[string]Status{
	"": Passed, "run": Passed, "passed": Passed, "pass": Passed, "success": Passed, "successful": Passed, "succeeded": Passed, "ok": Passed,
	"completed": Passed, "complete": Passed, "executed": Passed, "finished": Passed, "done": Passed,
	"fail": Failed, "failed": Failed, "failure": Failed,
	"error": Errored, "errored": Errored, "broken": Errored,
}

type junitReader struct {
	*xmlReader
	limits Limits
	report *Report
}

func readJUnit(r io.Reader, limits Limits, report *Report) error {
	err := readXML(r, limits, []string{"testsuites", "testsuite"}, func(x *xmlReader, start xml.StartElement) error {
		p := &junitReader{x, limits, report}
		return p.suite(start, true)
	})
	report.Complete = err == nil
	return err
}

// suite reads a testsuites or testsuite element. Totals are taken from the
// outermost elements that have them.
func (p *junitReader) suite(start xml.StartElement, wantTotals bool) error {
	if own := totals(start); own != nil && wantTotals {
		if p.report.Announced == nil {
			p.report.Announced = &Totals{}
		}
		p.report.Announced.add(*own)
		wantTotals = false
	}
	return p.children(func(child xml.StartElement) error {
		switch name := strings.ToLower(child.Name.Local); name {
		case "testsuite":
			return p.suite(child, wantTotals)
		case "testcase":
			return p.testcase(child)
		case "failure", "error":
			o, err := p.outcome(child, outcomes[name])
			p.report.problem(fmt.Sprintf("suite %q: %s: %s", attribute(start, "name"), o.status, strings.TrimSpace(o.message+"\n"+o.details.String())))
			return err
		}
		return p.skip(child)
	}, nil)
}

// testcase reads one occurrence of a test.
func (p *junitReader) testcase(start xml.StartElement) error {
	res := Result{ID: testid.Join(attribute(start, "classname"), attribute(start, "name")), Status: Passed, Duration: seconds(attribute(start, "time"))}
	for _, attr := range []string{"status", "result"} {
		word := strings.ToLower(attribute(start, attr))
		status, known := attributeStatus[word]
		if !known { // notrun, disabled, suppressed, skipped, inconclusive, ...
			status = Skipped
		}
		res.Status = worse(res.Status, status)
	}
	if message := attribute(start, "failure"); message != "" { // node:test
		res.Status, res.Message = worse(res.Status, Failed), message
	}
	worst := res.Status
	err := p.children(func(child xml.StartElement) error {
		status, says := outcomes[strings.ToLower(child.Name.Local)]
		if !says {
			return p.skip(child)
		}
		o, err := p.outcome(child, status)
		if res.Status = worse(res.Status, status); res.Status != worst || res.Details == "" {
			worst = res.Status
			res.Message, res.Details = o.message, o.details.String()
		}
		return err
	}, nil)
	if err != nil {
		return err // a testcase that was cut short says nothing
	}
	_, err = p.report.addTest(res, p.limits)
	return err
}

type outcome struct {
	status  Status
	message string
	details excerpt
}

// outcome reads a child of a testcase that says why it did not pass, with the text
// of its own children (surefire's stackTrace).
func (p *junitReader) outcome(start xml.StartElement, status Status) (*outcome, error) {
	o := &outcome{status: status, message: clip(attribute(start, "message"), p.limits.MaxText), details: excerpt{limit: p.limits.MaxText}}
	if o.message == "" {
		o.message = clip(attribute(start, "type"), p.limits.MaxText)
	}
	var each func(xml.StartElement) error
	text := func(t []byte) { o.details.add(string(t)) }
	each = func(xml.StartElement) error { return p.children(each, text) }
	return o, p.children(each, text)
}

func totals(start xml.StartElement) *Totals {
	number := func(name string) int { return max(0, number(attribute(start, name))) }
	if attribute(start, "tests") == "" {
		return nil
	}
	return &Totals{
		Tests: number("tests"), Failed: number("failures"), Errored: number("errors"),
		Skipped: number("skipped") + number("disabled") + number("warnings") + number("skip"), // skip: nose
	}
}

// seconds reads a time attribute; surefire writes thousands with a comma.
func seconds(s string) time.Duration {
	f, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
	if err != nil {
		return 0
	}
	return duration(f)
}
