package testreport

import (
	"cmp"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strings"

	"assay/internal/testid"
)

// pytest -rA closes its output with a section that names the tests and a line that
// counts them (short_test_summary and build_summary_stats_line in
// _pytest/terminal.py). What stands before the section is what tests printed.
//
// The section can be forged by what tests say: reasons and, on CI, messages are
// written with their line ends. So passed tests stand in one block, as pytest writes
// them, and their number must be the announced one. Where an id ends cannot be told
// with certainty either: of all that it may be, those that passed did not.

var (
	pytestHeader = regexp.MustCompile(`^=+ short test summary info =+$`)
	// pytestFinal is "=== 3 failed, 5 passed in 1.20s (0:00:01) ===", without its signs
	// under -q, with "seconds" before pytest 5.4.
	pytestFinal  = regexp.MustCompile(`^(?:=+ )?((?:\d+ [a-z][a-z -]*(?:, |,? in ))+|no tests ran in |no tests collected in )\d+\.\d+ ?s(?:econds)?(?: \(.*\))?(?: =+)?$`)
	pytestCount  = regexp.MustCompile(`(\d+) ([a-z][a-z -]*?)(?:,| in )`)
	pytestFolded = regexp.MustCompile(`^\[(\d+)\] (.+?(?::\d+)?): ?(.*)$`)
	pytestPhase  = regexp.MustCompile(`^at (?:setup|call|teardown) of `)
	// pytestWord is the first word of a line of the section. A subtest's is followed by
	// its description in brackets.
	pytestWord = regexp.MustCompile(`^(PASSED|XPASS|FAILED|ERROR|SKIPPED|XFAIL|SUBFAIL|SUBFAILED|SUBSKIP|SUBSKIPPED|SUBXFAIL)(?:[ (\[]|$)`)
)

// pytestWords are the words of the section. A test that is expected to fail and
// passes all the same has passed, as in pytest's JUnit XML. Subtests that pass count
// for nothing: their test is named too.
var pytestWords = map[string]Status{
	"PASSED": Passed, "XPASS": Passed,
	"FAILED": Failed, "SUBFAIL": Failed, "SUBFAILED": Failed,
	"ERROR":   Errored,
	"SKIPPED": Skipped, "XFAIL": Skipped, "SUBSKIP": Skipped, "SUBSKIPPED": Skipped, "SUBXFAIL": Skipped,
}

// pytestCounted are the words of the final line. Other words count no tests.
var pytestCounted = map[string]Status{
	"passed": Passed, "xpassed": Passed,
	"failed": Failed, "subtests failed": Failed,
	"error": Errored, "errors": Errored,
	"skipped": Skipped, "xfailed": Skipped, "subtests skipped": Skipped,
}

type pytestReader struct {
	limits  Limits
	report  *Report
	section bool   // its header was seen
	final   bool   // so was the final line
	word    string // of the last line of the section
	passed  bool   // the block of passed tests was begun
	said    map[Status]int
	doubts  []pytestDoubt
	failed  pytestFailures
}

// pytestDoubt is a line whose test may be called otherwise than it was understood.
type pytestDoubt struct {
	result  int // index in Report.Results
	text    string
	subtest bool // a description stands before the id
}

func readPytest(r io.Reader, limits Limits, report *Report) error {
	return readText(r, limits, report, &pytestReader{limits: limits, report: report, failed: pytestFailures{limit: limits.MaxText}})
}

func (p *pytestReader) line(line string, last bool) error {
	switch {
	case line == "":
		return nil
	case p.final:
		return fmt.Errorf("%w: %q stands after the final line", ErrAmbiguous, clip(line, 200))
	case pytestFinal.MatchString(line):
		p.final = true
		p.announce(line)
		return nil
	case pytestHeader.MatchString(line):
		if p.section {
			return fmt.Errorf("%w: it has two summaries", ErrAmbiguous)
		}
		p.section = true
		return nil
	case !p.section:
		p.failed.line(line)
		return nil
	case strings.HasPrefix(line, "!!!"): // "!!! Interrupted: 1 error during collection !!!"
		p.report.problem(strings.Trim(line, "! "))
		return nil
	case last:
		return nil // an id that may have lost its end
	}
	return p.summary(line)
}

// summary reads a line of the section.
func (p *pytestReader) summary(line string) error {
	m := pytestWord.FindStringSubmatch(line)
	if m == nil {
		p.report.Noise++ // the rest of a message
		return nil
	}
	word := m[1]
	if word == "PASSED" {
		if p.passed && p.word != word {
			return fmt.Errorf("%w: passed tests stand in two places of the summary", ErrAmbiguous)
		}
		p.passed = true
	}
	p.word = word
	return p.add(word, strings.TrimPrefix(line[len(word):], " "))
}

func (p *pytestReader) add(word, rest string) error {
	res := Result{ID: rest, Status: pytestWords[word]}
	if word == "PASSED" { // it has no message
		_, err := p.report.addTest(res, p.limits)
		return err
	}
	if folded := pytestFolded.FindStringSubmatch(rest); word == "SKIPPED" && folded != nil {
		return p.addFolded(Result{ID: folded[2], Status: res.Status, Message: folded[3]}, number(folded[1]))
	}
	rest = pytestPhase.ReplaceAllString(rest, "")
	doubt := pytestDoubt{text: rest, subtest: strings.HasPrefix(word, "SUB")}
	if doubt.subtest {
		rest = withoutDescription(rest)
	}
	res.ID, res.Message = testid.CutMessage(rest)
	i, err := p.report.addTest(res, p.limits)
	if doubt.result = i; i >= 0 && res.Status != Passed && (doubt.subtest || res.Message != "") {
		p.doubts = append(p.doubts, doubt)
	}
	return err
}

// withoutDescription takes off what a subtest is called, in brackets, and what it is
// given, in parentheses. Either may hold anything; where its end is not seen, the id
// begins at the last word before the first "::".
func withoutDescription(s string) string {
	rest := s
	for _, around := range []string{"[]", "()"} {
		if !strings.HasPrefix(rest, around[:1]) {
			continue
		}
		depth, end := 0, -1
		for i := 0; i < len(rest) && end < 0; i++ {
			switch rest[i] {
			case around[0]:
				depth++
			case around[1]:
				if depth--; depth == 0 && strings.HasPrefix(rest[i+1:], " ") {
					end = i
				}
			}
		}
		if end < 0 {
			upTo := strings.Index(s+"::", "::")
			return s[strings.LastIndexByte(s[:upTo], ' ')+1:]
		}
		rest = rest[end+len("] "):]
	}
	return rest
}

// addFolded adds the tests that were skipped at one place.
func (p *pytestReader) addFolded(res Result, n int) error {
	if n < 1 {
		p.report.problem("a number of skipped tests that is none: " + res.ID)
		return nil
	}
	for range n {
		if i, err := p.report.addTest(res, p.limits); err != nil || i < 0 {
			return err
		}
	}
	return nil
}

// announce reads the final line.
func (p *pytestReader) announce(line string) {
	p.said = map[Status]int{}
	for _, m := range pytestCount.FindAllStringSubmatch(line, -1) {
		if status, counted := pytestCounted[m[2]]; counted {
			p.said[status] += max(0, number(m[1]))
		}
	}
	p.report.Announced = &Totals{
		Tests:   p.said[Passed] + p.said[Failed] + p.said[Errored] + p.said[Skipped],
		Skipped: p.said[Skipped], Failed: p.said[Failed], Errored: p.said[Errored],
	}
}

func (p *pytestReader) end() error {
	err := p.settleDoubts()
	for i := range p.report.Results {
		if res := &p.report.Results[i]; res.Status == Failed || res.Status == Errored {
			res.Details = p.failed.of(res.ID)
		}
	}
	if !p.final {
		return cmp.Or(err, fmt.Errorf("%w: it has no final line", ErrTruncated))
	}
	seen := p.report.Counts()
	for _, c := range []struct {
		status Status
		seen   int
	}{{Passed, seen.Passed}, {Failed, seen.Failed}, {Errored, seen.Errored}, {Skipped, seen.Skipped}} {
		if said := p.said[c.status]; said != c.seen {
			p.report.problem(fmt.Sprintf("pytest counts %d %s and its summary names %d: was it run with -rA?", said, c.status, c.seen))
		}
	}
	return err
}

// settleDoubts looks for tests that passed and that a line that says otherwise may
// mean. The first one is what the line meant; the others get its status too.
func (p *pytestReader) settleDoubts() error {
	passed := map[string]bool{}
	for _, res := range p.report.Results {
		if res.Status == Passed {
			passed[res.ID] = true
		}
	}
	var compared int64
	for _, d := range p.doubts {
		res := p.report.Results[d.result]
		renamed := false
		for id := range d.candidates(p.limits.MaxName) {
			if compared += int64(len(id)); compared > p.limits.MaxBytes {
				return fmt.Errorf("%w: its messages may begin in too many places", ErrTooLarge)
			}
			switch id = clean(id); {
			case !passed[id]:
			case !renamed:
				renamed = true
				p.report.Results[d.result].ID = id
			default:
				res.ID = id
				if _, err := p.report.addTest(res, p.limits); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// candidates are the ids that the line may name: what stands before a " - ", or all
// of it, and for a subtest from any word on.
func (d pytestDoubt) candidates(longest int) iter.Seq[string] {
	const sep = " - "
	from := func(text string, yield func(string) bool) bool {
		if len(text) <= longest && !yield(text) {
			return false
		}
		for i := 0; i <= min(longest, len(text)-len(sep)); i++ {
			if text[i:i+len(sep)] == sep && !yield(text[:i]) {
				return false
			}
		}
		return true
	}
	return func(yield func(string) bool) {
		for text, more := d.text, true; more && from(text, yield); {
			_, text, more = strings.Cut(text, " ")
			more = more && d.subtest
		}
	}
}
