package testreport

import (
	"fmt"
	"strings"
	"testing"
)

func BenchmarkJUnit(b *testing.B) {
	var s strings.Builder
	s.WriteString("<testsuites><testsuite>")
	for i := range 10_000 {
		fmt.Fprintf(&s, `<testcase classname="tests.test_shelf" name="test_title[%d]" time="0.001"><system-out>some output &amp; more of it</system-out></testcase>`, i)
	}
	s.WriteString("</testsuite></testsuites>")
	benchmark(b, JUnitXML, s.String())
}

func BenchmarkGoTest(b *testing.B) {
	var s strings.Builder
	for i := range 10_000 {
		for _, event := range []string{
			`"Action":"run"`,
			`"Action":"output","Output":"=== RUN   Test%[1]d\n"`,
			`"Action":"output","Output":"--- PASS: Test%[1]d (0.00s)\n"`,
			`"Action":"pass","Elapsed":0`,
		} {
			fmt.Fprintf(&s, `{"Time":"2025-01-01T10:00:00.000000000Z","Package":"example.com/shelf","Test":"Test%[1]d",`+event+"}\n", i)
		}
	}
	s.WriteString(`{"Action":"pass","Package":"example.com/shelf"}` + "\n")
	benchmark(b, GoTestJSON, s.String())
}

// benchmark reads a report of 10,000 tests.
func benchmark(b *testing.B, format Format, text string) {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		report, err := Parse(format, strings.NewReader(text), Limits{})
		if err != nil || report.Counts().Passed != 10_000 {
			b.Fatalf("%v, %+v", err, report.Counts())
		}
	}
}
