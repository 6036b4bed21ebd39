package testreport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLookupTakesTheWorstOccurrence(t *testing.T) {
	all := []Status{Passed, Skipped, Failed, Errored}
	for i, better := range all {
		for _, status := range all[i:] {
			for _, results := range [][]Result{{{ID: "a", Status: better}, {ID: "a", Status: status}}, {{ID: "a", Status: status}, {ID: "a", Status: better}}} {
				report := &Report{Results: results}
				if got, seen := report.Lookup("a"); !seen || got != status {
					t.Errorf("Lookup of %s and %s = %q, %v; want %q", results[0].Status, results[1].Status, got, seen, status)
				}
			}
		}
	}
	if status, seen := (&Report{}).Lookup("absent"); seen || status == Passed {
		t.Errorf("Lookup of an absent test = %q, %v", status, seen)
	}
}

func TestMerge(t *testing.T) {
	first := &Report{Results: []Result{{ID: "a", Status: Passed}}, Announced: &Totals{Tests: 1}, Complete: true, Noise: 1}
	second := &Report{Results: []Result{{ID: "a", Status: Failed}, {ID: "b", Status: Passed}}, Announced: &Totals{Tests: 2, Failed: 1}, Complete: true, Problems: []string{"p"}}
	cut := &Report{Results: []Result{{ID: "c", Status: Passed}}}

	whole := Merge(first, nil, second)
	if !whole.Complete || whole.Noise != 1 || len(whole.Problems) != 1 {
		t.Errorf("Merge of two complete reports: %+v", whole)
	}
	if diff := cmp.Diff(&Totals{Tests: 3, Failed: 1}, whole.Announced); diff != "" {
		t.Errorf("announced (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Totals{Tests: 3, Passed: 2, Failed: 1}, whole.Counts()); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	if status, _ := whole.Lookup("a"); status != Failed {
		t.Errorf("a test that failed in one of two reports is %q", status)
	}
	if m := Merge(first, cut); m.Complete || m.Announced != nil {
		t.Errorf("Merge with a report that was cut short: %+v", m)
	}
	if Merge().Complete || Merge(nil).Complete {
		t.Error("no report at all is complete")
	}
}

func TestParseFormat(t *testing.T) {
	if _, err := ParseFormat("sarif"); err == nil || !strings.Contains(err.Error(), "junit-xml") {
		t.Errorf("ParseFormat of an unknown format: %v", err)
	}
	if report, err := Parse("sarif", strings.NewReader(""), Limits{}); report != nil || err == nil {
		t.Errorf("Parse of an unknown format = %v, %v", report, err)
	}
}

// Reports that grow without bound end in an error, and what was read before is kept.
func TestLimits(t *testing.T) {
	testcase := `<testcase classname="a" name="%d"/>`
	event := `{"Action":"run","Package":"p","Test":"T%d"}` + "\n"
	for name, tc := range map[string]struct {
		format Format
		report io.Reader
		limits Limits
		kept   int
		err    error // nil: any
	}{
		"bytes of XML":    {JUnitXML, repeat("<testsuite>", testcase), Limits{MaxBytes: 1000}, 28, ErrTooLarge},
		"bytes of events": {GoTestJSON, repeat("", event), Limits{MaxBytes: 1000}, 22, ErrTooLarge},
		"tests in XML":    {JUnitXML, repeat("<testsuite>", testcase), Limits{MaxTests: 5}, 5, ErrTooLarge},
		"tests in events": {GoTestJSON, repeat("", event), Limits{MaxTests: 5}, 5, ErrTooLarge},
		"packages":        {GoTestJSON, repeat("", `{"Action":"start","Package":"p%d"}`+"\n"), Limits{MaxTests: 5}, 0, ErrTooLarge},
		"builds":          {GoTestJSON, repeat("", `{"Action":"build-output","ImportPath":"p%d"}`+"\n"), Limits{MaxTests: 5}, 0, ErrTooLarge},
		"depth":           {JUnitXML, repeat("", "<testsuite>"), Limits{}, 0, nil},
		"depth elsewhere": {JUnitXML, repeat("<testsuite>", "<a>"), Limits{}, 0, nil},
		"attributes":      {JUnitXML, repeat("<testsuite ", ` a%d="" `), Limits{}, 0, ErrTooLarge},
		"one text":        {JUnitXML, repeat("<testsuite><system-out>", "x"), Limits{MaxBytes: 1 << 20}, 0, ErrTooLarge},
		"one line":        {GoTestJSON, repeat("{", "x"), Limits{MaxBytes: 1 << 20, MaxLine: 100}, 0, ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := Parse(tc.format, tc.report, tc.limits)
			if err == nil || tc.err != nil && !errors.Is(err, tc.err) {
				t.Errorf("error = %v, want %v", err, tc.err)
			}
			if err != nil && !strings.Contains(err.Error(), "at byte ") {
				t.Errorf("error names no place: %v", err)
			}
			if report.Complete || len(report.Results) != tc.kept {
				t.Errorf("kept %d tests, complete %v; want %d tests", len(report.Results), report.Complete, tc.kept)
			}
		})
	}
}

func TestTextsAreCut(t *testing.T) {
	long := strings.Repeat("日", 1000)
	limits := Limits{MaxText: 100, MaxName: 50}
	for format, text := range map[Format]string{
		JUnitXML: `<testsuite><testcase name="a"><failure message="` + long + `">begin` + long + `end</failure></testcase><testcase name="` + long + `"/></testsuite>`,
		GoTestJSON: `{"Action":"run","Package":"p","Test":"T"}
			{"Action":"output","Package":"p","Test":"T","Output":"begin` + long + `end\n"}
			{"Action":"fail","Package":"p","Test":"T"}
			{"Action":"run","Package":"p","Test":"` + long + `"}
			{"Action":"output","Package":"p","Test":"` + long + `","Output":"--- PASS: ` + long + ` (0s)\n"}
			{"Action":"pass","Package":"p","Test":"` + long + `"}
			{"Action":"fail","Package":"p"}`,
	} {
		report, err := Parse(format, strings.NewReader(text), limits)
		if err != nil || len(report.Results) != 1 || len(report.Problems) != 1 {
			t.Fatalf("%s: %v, %+v", format, err, report)
		}
		res := report.Results[0]
		if len(res.Message) > 100 || len(res.Details) > 100 || !strings.HasPrefix(res.Details, "begin") || !strings.HasSuffix(strings.TrimSpace(res.Details), "end") {
			t.Errorf("%s: message of %d and details of %d bytes: %q", format, len(res.Message), len(res.Details), res.Details)
		}
	}
}

func TestProblemsAreBounded(t *testing.T) {
	report, err := Parse(JUnitXML, strings.NewReader("<testsuite>"+strings.Repeat("<testcase/>", 150)+"</testsuite>"), Limits{})
	if err != nil || len(report.Problems) != maxProblems+1 || report.Problems[maxProblems] != "and 50 more" {
		t.Errorf("%v, %d problems, the last: %s", err, len(report.Problems), report.Problems[len(report.Problems)-1])
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{"0.25": 250 * time.Millisecond, "1,001.5": 1001500 * time.Millisecond, "": 0, "-1": 0, "NaN": 0, "+Inf": 0, "1e300": 0, "soon": 0} {
		if got := seconds(text); got != want {
			t.Errorf("seconds(%q) = %v, want %v", text, got, want)
		}
	}
}

func TestReadErrorsAreReported(t *testing.T) {
	broken := errors.New("the line went dead")
	for format, start := range map[Format]string{JUnitXML: `<testsuite><testcase name="a"/>`, GoTestJSON: `{"Action":"run","Package":"p","Test":"T"}` + "\n"} {
		report, err := Parse(format, io.MultiReader(strings.NewReader(start), iotest.ErrReader(broken)), Limits{})
		if !errors.Is(err, broken) || len(report.Results) != 1 || report.Complete {
			t.Errorf("%s: %v, %+v", format, err, report)
		}
	}
}

// What stands between a report and the decoder must not depend on how it is read.
func TestReadInSmallPieces(t *testing.T) {
	const text = "<testsuite><!-- <a --> <![CDATA[ ]] ]>\x1b<b ]]><testcase classname='a>b' name=\"日本\x00&#x1F;&#60;\xff\"/><?pi <c ?></testsuite>"
	for name, wrap := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "by bytes": iotest.OneByteReader, "by halves": iotest.HalfReader} {
		report, err := Parse(JUnitXML, wrap(strings.NewReader(text)), Limits{})
		if err != nil || len(report.Results) != 1 || report.Results[0].ID != "a>b::日本\uFFFD\uFFFD<\uFFFD" {
			t.Errorf("%s: %v, %+v", name, err, report.Results)
		}
	}
}

// repeat is an endless text: start, then format again and again with a number.
func repeat(start, format string) io.Reader {
	return &endless{rest: *bytes.NewBufferString(start), format: format}
}

type endless struct {
	rest   bytes.Buffer
	format string
	n      int
}

func (e *endless) Read(p []byte) (int, error) {
	for ; e.rest.Len() < len(p); e.n++ {
		if strings.Contains(e.format, "%d") {
			fmt.Fprintf(&e.rest, e.format, e.n)
		} else {
			e.rest.WriteString(e.format)
		}
	}
	return e.rest.Read(p)
}
