package testreport

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
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
	"failure":      Failed,
	"flakyfailure": Failed,
	"rerunfailure": Failed,
	"error":        Errored,
	"flakyerror":   Errored,
	"rerunerror":   Errored,
}

// attributeStatus reads the attributes status and result, in which GoogleTest and
// CTest say what others say in children. Unknown words say nothing.
var attributeStatus = map[string]Status{
	"notrun": Skipped, "disabled": Skipped, "suppressed": Skipped, "skipped": Skipped, "skip": Skipped, "ignored": Skipped, "pending": Skipped,
	"fail": Failed, "failed": Failed, "failure": Failed,
	"error": Errored,
}

type junitReader struct {
	dec    *xml.Decoder
	limits Limits
	report *Report
	depth  int
}

func readJUnit(r io.Reader, limits Limits, report *Report) error {
	dec := xml.NewDecoder(newXMLScanner(r))
	dec.CharsetReader = acceptCharset
	p := &junitReader{dec: dec, limits: limits, report: report}
	if err := p.document(); err != nil {
		var syntax *xml.SyntaxError
		if errors.Is(err, io.EOF) || errors.As(err, &syntax) && strings.Contains(syntax.Msg, "unexpected EOF") {
			err = ErrTruncated
		}
		return fmt.Errorf("at byte %d: %w", dec.InputOffset(), err)
	}
	report.Complete = true
	return nil
}

// document reads the root element and what may follow it.
func (p *junitReader) document() error {
	for seen := false; ; {
		tok, err := p.next()
		switch {
		case errors.Is(err, io.EOF) && seen:
			return nil
		case err != nil:
			return err
		}
		switch t := tok.(type) {
		case xml.CharData:
			if strings.TrimSpace(string(t)) != "" {
				return errors.New("text outside of the root element")
			}
		case xml.StartElement:
			name := strings.ToLower(t.Name.Local)
			if seen || name != "testsuites" && name != "testsuite" {
				return fmt.Errorf("element %q where testsuites or testsuite is expected once", clip(t.Name.Local, 100))
			}
			seen = true
			if err := p.suite(t, true); err != nil {
				return err
			}
		}
	}
}

// next returns the next token. io.EOF is returned between elements only.
func (p *junitReader) next() (xml.Token, error) {
	tok, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok.(type) {
	case xml.StartElement:
		p.depth++
		if p.depth > p.limits.MaxDepth {
			return nil, fmt.Errorf("elements are nested deeper than %d", p.limits.MaxDepth)
		}
	case xml.EndElement:
		p.depth--
	}
	return tok, nil
}

// children calls each for every child element of the one that was just begun, and
// text for its text. each reads its element to the end.
func (p *junitReader) children(each func(xml.StartElement) error, text func([]byte)) error {
	for {
		tok, err := p.next()
		if err != nil {
			return err
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if err := each(t); err != nil {
				return err
			}
		case xml.CharData:
			if text != nil {
				text(t)
			}
		case xml.EndElement:
			return nil
		}
	}
}

func (p *junitReader) skip(xml.StartElement) error { return p.children(p.skip, nil) }

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
	res := Result{ID: testID(attribute(start, "classname"), attribute(start, "name")), Status: Passed, Duration: seconds(attribute(start, "time"))}
	for _, attr := range []string{"status", "result"} {
		res.Status = worse(res.Status, attributeStatus[strings.ToLower(attribute(start, attr))])
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

// testID joins the two names of a test as SWE-bench's and Codeset's tools do.
func testID(classname, name string) string {
	if classname == "" || name == "" {
		return classname + name
	}
	return classname + "::" + name
}

// attribute returns an attribute's value; dialects differ in case.
func attribute(start xml.StartElement, name string) string {
	for _, a := range start.Attr {
		if strings.EqualFold(a.Name.Local, name) {
			return a.Value
		}
	}
	return ""
}

func totals(start xml.StartElement) *Totals {
	number := func(name string) int {
		n, err := strconv.Atoi(attribute(start, name))
		if err != nil || n < 0 || n > 1<<30 {
			return 0
		}
		return n
	}
	if attribute(start, "tests") == "" {
		return nil
	}
	return &Totals{Tests: number("tests"), Failed: number("failures"), Errored: number("errors"), Skipped: number("skipped")}
}

// seconds reads a time attribute; surefire writes thousands with a comma.
func seconds(s string) time.Duration {
	f, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
	if err != nil {
		return 0
	}
	return duration(f)
}
