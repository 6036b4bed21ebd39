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
	"unicode/utf8"

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

func TestLookupTruncated(t *testing.T) {
	report := &Report{Results: []Result{
		{ID: "t::a[one two]", Status: Passed}, {ID: "t::a[one three]", Status: Passed},
		{ID: "t::b[one two]", Status: Passed}, {ID: "t::b[one three]", Status: Failed}, {ID: "t::b[one four]", Status: Skipped},
		{ID: "t::c[[]", Status: Passed}, {ID: "t::d", Status: Passed}, {ID: "t::d[x]", Status: Failed}, {ID: "t::d[ y]", Status: Passed},
		{ID: "t::e[1 2]", Status: Passed}, {ID: "t::e[10 2]", Status: Failed}, {ID: "t::e[1::2]", Status: Skipped}, {ID: "t::f[\u3000]", Status: Passed},
	}}
	for _, tt := range []struct {
		id   string
		want Status // "": not seen
	}{
		{"t::a[one", Passed}, {"t::a[one t", ""}, {"t::a[one two]", Passed}, {"t::a[two", ""},
		{"t::b[one", Failed}, {"t::b[one two]", Passed}, {"t::b[one tw", ""}, {"t::b[", ""},
		{"t::c[[]", Passed}, {"t::c[[", ""}, {"t::c", ""}, {"t::d", Passed}, {"t::d[", Passed},
		{"t::e[1", Passed}, {"t::e[10", Failed}, {"t::e[1::2", ""}, {"t::e[1::2]", Skipped}, {"t::f[", Passed},
		{"t::", ""}, {"", ""}, {"[", ""}, {"z[", ""},
	} {
		if got, seen := report.LookupTruncated(tt.id); got != tt.want || seen != (tt.want != "") {
			t.Errorf("LookupTruncated(%q) = %q, %v; want %q", tt.id, got, seen, tt.want)
		}
	}
}

func TestMergeTakesTheWorstVerdict(t *testing.T) {
	parse := func(format Format, text string) *Report {
		report, err := Parse(format, strings.NewReader(text), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	yes := parse(AssayJSON, `{"schema":1,"solved":true,"reason":"yes"}`)
	no := parse(AssayJSON, `{"schema":1,"solved":false,"reason":"no"}`)
	full, half := parse(Reward, "1"), parse(Reward, "0.5")
	for _, parts := range [][]*Report{{yes, no, full}, {full, no, yes}, {no, yes, full}} {
		if whole := Merge(parts...); *whole.Solved || whole.Reason != "no" || *whole.Reward != 1 {
			t.Errorf("solved %v because %s, reward %v", *whole.Solved, whole.Reason, *whole.Reward)
		}
	}
	if whole := Merge(full, half, yes); *whole.Solved || *whole.Reward != 0.5 || whole.Reason != half.Reason {
		t.Errorf("solved %v because %s, reward %v", *whole.Solved, whole.Reason, *whole.Reward)
	}
	if whole := Merge(&Report{Complete: true}, yes); whole.Solved == nil || !*whole.Solved {
		t.Error("a report without a verdict takes it from one that has one")
	}
	if whole := Merge(&Report{Complete: true}); whole.Solved != nil || whole.Reward != nil {
		t.Error("a verdict from nowhere")
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
	_, err := ParseFormat("xunit")
	for _, format := range Formats() {
		if known, parseErr := ParseFormat(string(format)); known != format || parseErr != nil || format.About() == "" || format.IDs() == "" {
			t.Errorf("%s: %q, %v, %q, %q", format, known, parseErr, format.About(), format.IDs())
		}
		if err == nil || !strings.Contains(err.Error(), string(format)) {
			t.Errorf("the error of an unknown format does not name %s: %v", format, err)
		}
	}
	if report, err := Parse("xunit", strings.NewReader(""), Limits{}); report != nil || err == nil {
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
		"tests in pytest": {PytestText, repeat("=== short test summary info ===\n", "PASSED a.py::test_%d\n"), Limits{MaxTests: 5}, 5, ErrTooLarge},
		"skipped at once": {PytestText, strings.NewReader("=== short test summary info ===\nSKIPPED [1000000] a.py:1: all\n"), Limits{MaxTests: 5}, 5, ErrTooLarge},
		"many ids in one": {PytestText, strings.NewReader("=== short test summary info ===\nERROR a.py::test" + strings.Repeat(" - ", 1000) + "\n"), Limits{MaxBytes: 10_000}, 1, ErrTooLarge},
		"tests in TAP":    {TAP, repeat("", "ok\n"), Limits{MaxTests: 5}, 5, ErrTooLarge},
		"subtests in TAP": {TAP, repeat("", "    ok\n"), Limits{MaxTests: 5}, 0, ErrTooLarge},
		"depth of TAP":    {TAP, strings.NewReader(strings.Repeat("    ", 65) + "ok\n"), Limits{}, 0, nil},
		"names in TAP":    {TAP, strings.NewReader(strings.Repeat("    ok\n", 100) + "ok " + strings.Repeat("x", 1000) + "\n"), Limits{MaxBytes: 10_000}, 9, ErrTooLarge},
		"tests in cargo":  {CargoTest, repeat("running 1000000 tests\n", "test t%d ... ok\n"), Limits{MaxTests: 5}, 5, ErrTooLarge},
		"findings":        {SARIF, repeat(`{"runs":[{"results":[{}`, `,{"ruleId":"r"}`), Limits{MaxTests: 5}, 4, ErrTooLarge},
		"depth of JSON":   {SARIF, repeat(`{"x":`, `[`), Limits{}, 0, nil},
		"errors":          {Checkstyle, repeat(`<checkstyle><file>`, `<error source="s%d"/>`), Limits{MaxTests: 5}, 5, ErrTooLarge},
		"tests in JSON":   {AssayJSON, repeat(`{"tests":[{"name":"a","status":"passed"}`, `,{"name":"b%d","status":"passed"}`), Limits{MaxTests: 5}, 5, ErrTooLarge},
		"one string":      {AssayJSON, repeat(`{"reason":"`, "x"), Limits{MaxBytes: 1 << 20}, 0, ErrTooLarge},
		"spaces":          {Reward, repeat("", " "), Limits{}, 0, ErrTooLarge},
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

func TestClipKeepsToItsLimit(t *testing.T) {
	for _, s := range []string{"", "abc", "日本語", strings.Repeat("\xff", 9), "\xffabcdefg", strings.Repeat("\x00", 9), "abcdefg\xe6\x97"} {
		for limit := range 12 {
			if got := clip(s, limit); len(got) > limit || !utf8.ValidString(got) {
				t.Errorf("clip(%q, %d) = %q", s, limit, got)
			}
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
	for format, start := range map[Format]string{
		JUnitXML:   `<testsuite><testcase name="a"/>`,
		GoTestJSON: `{"Action":"run","Package":"p","Test":"T"}` + "\n",
		PytestText: "=== short test summary info ===\nPASSED a\n",
		TAP:        "ok 1 - a\n",
		CargoTest:  "running 1 test\ntest a ... ok\n",
		SARIF:      `{"version":"2.1.0","runs":[{"results":[{"ruleId":"a"}]}`,
		Checkstyle: `<checkstyle><file><error source="a"/>`,
		AssayJSON:  `{"tests":[{"name":"a","status":"passed"}`,
	} {
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
