package testreport

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// The Test Anything Protocol, testanything.org/tap-version-14-specification.html. A
// document is a plan, "1..N", before or after N test points, "ok 1 - description".
// Each four spaces of indentation lead into the document of a subtest, which belongs
// to the test point that follows it, or that opened it with "{". prove -v writes the
// documents of several programs behind each other and a result at the end.
//
// Whatever a test prints may look like a test point. So a document must have as many
// of them as its plan says, numbered in order.

var (
	tapPlan = regexp.MustCompile(`^1\.\.(\d+)(?:\s*#.*)?$`)
	// tapFile is how prove announces a program, tapFileEnd how it judges one.
	tapFile    = regexp.MustCompile(`^(\S+) \.{2,}(?: (skipped: .*))?$`)
	tapFileEnd = regexp.MustCompile(`^(?:ok|Dubious, test returned .*|Failed \d+/\d+ subtests.*|All \d+ subtests passed.*|No subtests run.*)$`)
)

// tapNode is a test point with the subtests that belong to it.
type tapNode struct {
	res      Result
	output   excerpt // its diagnostic block
	children []*tapNode
}

// tapDocument is a document that is being read.
type tapDocument struct {
	points   int
	plan     int        // -1: not seen
	opener   *tapNode   // the test point that opened it with "{"
	children []*tapNode // its points; none at the top
}

type tapReader struct {
	limits Limits
	report *Report
	open   []*tapDocument // the first is the top, each of the others a subtest of the one before
	ready  *tapNode       // a point of the top, with its subtests, that a block may follow
	last   *tapNode       // the point that was read with the last line
	indent int            // of that point
	block  int            // indentation of the diagnostic block that is being read; 0: none
	told   *tapNode       // whose block it is
	nodes  int
	begun  bool
	prove  bool
	result bool  // prove's result was seen
	fault  error // the first thing that keeps the report from being whole
}

func readTAP(r io.Reader, limits Limits, report *Report) error {
	p := &tapReader{limits: limits, report: report}
	p.open = []*tapDocument{{plan: -1}}
	return readText(r, limits, report, p)
}

func (p *tapReader) line(line string, last bool) error {
	text := strings.TrimLeft(line, " ")
	indent := len(line) - len(text)
	before := p.last
	switch {
	case p.block > 0:
		if p.last = nil; indent == p.block && text == "..." {
			p.block = 0
		} else if p.told.res.Status != Passed {
			p.told.output.add(line[min(p.block, indent):] + "\n")
		}
		return nil
	case text == "":
		return nil
	case text == "---" && before != nil && (indent == p.indent+2 || indent == p.indent+4): // 4: vitest
		p.block, p.told = indent, before
		return nil
	}
	p.last = nil
	if err := p.flush(); err != nil {
		return err
	}
	if indent%4 != 0 {
		p.report.Noise++
		return nil
	}
	return p.statement(text, indent/4, last)
}

// statement reads a line that is in no block, of the document at a level of subtests.
func (p *tapReader) statement(text string, level int, last bool) error {
	first := !p.begun
	p.begun = true
	if level == 0 && p.fromProve(text, first) {
		return nil
	}
	if text == "}" && level == len(p.open)-2 && p.open[level+1].opener != nil {
		return p.closeOpened(level)
	}
	if point, ok := parseTAPPoint(text); ok && !last {
		return p.point(point, level)
	}
	if plan := tapPlan.FindStringSubmatch(text); plan != nil {
		return p.plan(number(plan[1]), level)
	}
	switch {
	case strings.HasPrefix(text, "Bail out!"):
		p.fail(ErrTruncated, text)
	case strings.HasPrefix(text, "TAP version ") && level == 0:
		p.again()
	case !strings.HasPrefix(text, "#") && !strings.HasPrefix(text, "pragma "):
		p.report.Noise++
	}
	return nil
}

// fail notes what keeps the report from being whole. Reading goes on.
func (p *tapReader) fail(kind error, what string) {
	p.report.problem(what)
	p.fault = cmp.Or(p.fault, fmt.Errorf("%w: %s", kind, clip(what, 200)))
}

// enter goes to a document that is open, or opens it and those that it is in: what is
// innermost is written first.
func (p *tapReader) enter(level int) (*tapDocument, error) {
	if level > p.limits.MaxDepth {
		return nil, fmt.Errorf("subtests are nested deeper than %d", p.limits.MaxDepth)
	}
	for level >= len(p.open) {
		p.open = append(p.open, &tapDocument{plan: -1})
	}
	return p.open[level], nil
}

func (p *tapReader) point(point tapPoint, level int) error {
	if p.nodes++; p.nodes > p.limits.MaxTests {
		return fmt.Errorf("%w: more than %d tests", ErrTooLarge, p.limits.MaxTests)
	}
	doc, err := p.enter(level)
	if err != nil {
		return err
	}
	node := &tapNode{res: point.result(), output: excerpt{limit: p.limits.MaxText}}
	if doc.points++; point.number != "" && number(point.number) != doc.points {
		p.fail(ErrAmbiguous, fmt.Sprintf("test %d has the number %s", doc.points, clip(point.number, 20)))
	}
	if node.res.ID == "" {
		node.res.ID = fmt.Sprint(doc.points)
	}
	p.close(level, node)
	if level > 0 {
		doc.children = append(doc.children, node)
	}
	p.last, p.indent = node, 4*level
	if point.opens {
		p.open = append(p.open, &tapDocument{plan: -1, opener: node})
	} else if level == 0 {
		p.ready = node
	}
	return nil
}

// close ends the documents below a level. The first of them belongs to the point
// that was just read there; those below it belong to none.
func (p *tapReader) close(level int, parent *tapNode) {
	for len(p.open) > level+1 {
		doc := p.open[len(p.open)-1]
		p.open = p.open[:len(p.open)-1]
		p.settle(doc)
		if len(p.open) > level+1 || doc.opener != nil || parent == nil {
			p.fail(ErrTruncated, "subtests whose test did not end")
			continue
		}
		parent.children = doc.children
	}
}

// closeOpened ends a document at its "}".
func (p *tapReader) closeOpened(level int) error {
	doc := p.open[level+1]
	p.open = p.open[:level+1]
	p.settle(doc)
	doc.opener.children = doc.children
	if level > 0 {
		return nil
	}
	p.ready = doc.opener
	return p.flush()
}

func (p *tapReader) plan(n, level int) error {
	doc, err := p.enter(level)
	if err != nil {
		return err
	}
	if doc.plan >= 0 || n < 0 {
		p.fail(ErrAmbiguous, fmt.Sprintf("a second plan, 1..%d", n))
		return nil
	}
	doc.plan = n
	return nil
}

// settle holds a document that ended against its plan.
func (p *tapReader) settle(doc *tapDocument) {
	switch {
	case doc.plan < 0 && doc.points == 0: // nobody said anything
		p.fault = cmp.Or(p.fault, fmt.Errorf("%w: it has neither plan nor tests", ErrTruncated))
		return
	case doc.plan < 0:
		p.fail(ErrTruncated, fmt.Sprintf("no plan for %d tests", doc.points))
		return
	case doc.plan != doc.points:
		p.fail(ErrTruncated, fmt.Sprintf("%d tests were planned and %d are there", doc.plan, doc.points))
	}
	if p.report.Announced == nil {
		p.report.Announced = &Totals{}
	}
	p.report.Announced.Tests += doc.plan
}

// again begins another document at the top, as where several programs are run.
func (p *tapReader) again() {
	p.close(0, nil)
	if top := p.open[0]; top.points > 0 || top.plan >= 0 {
		p.settle(top)
		p.open[0] = &tapDocument{plan: -1}
	}
}

// fromProve reads what prove itself writes.
func (p *tapReader) fromProve(text string, first bool) bool {
	file := tapFile.FindStringSubmatch(text)
	p.prove = p.prove || first && file != nil
	top := p.open[0]
	switch {
	case !p.prove:
		return false
	case file != nil:
		p.again()
	case text == "ok" && top.plan != top.points:
		return false // a test point
	case tapFileEnd.MatchString(text):
		if text != "ok" {
			p.report.problem(text)
		}
		if top.points > 0 || top.plan >= 0 { // else it was ended by a line before
			p.again()
		}
	case strings.HasPrefix(text, "Result: "):
		if p.result {
			p.fail(ErrAmbiguous, "a second result of prove")
		}
		p.result = true
	default:
		return false
	}
	return true
}

// flush adds the point that is ready, and its subtests, to the report.
func (p *tapReader) flush() error {
	node := p.ready
	if p.ready = nil; node == nil {
		return nil
	}
	_, err := p.add(node, "")
	return err
}

// add adds the subtests of a test and then it. It tells whether all of them are well.
func (p *tapReader) add(node *tapNode, prefix string) (well bool, err error) {
	node.res.ID = prefix + node.res.ID
	below := true
	for _, child := range node.children {
		if len(node.res.ID) > p.limits.MaxName {
			break // the names of its subtests are longer still
		}
		ok, err := p.add(child, node.res.ID+" > ")
		if err != nil {
			return false, err
		}
		below = below && ok
	}
	if !below && node.res.Status == Passed {
		p.report.problem(fmt.Sprintf("%s is reported to have passed, although a subtest of it failed", clip(node.res.ID, 200)))
	}
	if node.res.Status != Passed && node.res.Message == "" {
		node.res.Details = node.output.String()
		node.res.Message = tapMessage(node.res.Details)
	}
	_, err = p.report.addTest(node.res, p.limits)
	return node.res.Status == Passed || node.res.Status == Skipped, err
}

func (p *tapReader) end() error {
	if err := p.flush(); err != nil {
		return err
	}
	p.close(0, nil)
	if top := p.open[0]; !p.prove || top.points > 0 || top.plan >= 0 {
		p.settle(top)
	}
	switch {
	case p.block > 0:
		p.fail(ErrTruncated, "a diagnostic block without its end")
	case p.prove && !p.result:
		p.fail(ErrTruncated, "prove's result was not seen")
	}
	return p.fault
}
