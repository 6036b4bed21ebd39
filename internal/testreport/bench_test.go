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

func BenchmarkPytest(b *testing.B) {
	var s strings.Builder
	s.WriteString("=========================== short test summary info ============================\n")
	for i := range 10_000 {
		fmt.Fprintf(&s, "PASSED tests/test_shelf.py::test_title[a title - %d]\n", i)
	}
	s.WriteString("============================ 10000 passed in 12.34s ============================\n")
	benchmark(b, PytestText, s.String())
}

func BenchmarkTAP(b *testing.B) {
	var s strings.Builder
	s.WriteString("TAP version 14\n")
	for i := range 5_000 {
		fmt.Fprintf(&s, "    ok 1 - inner\n      ---\n      duration_ms: 1.05\n      ...\n    1..1\nok %d - holds \\# books # time=1.5ms\n", i+1)
	}
	s.WriteString("1..5000\n")
	benchmark(b, TAP, s.String())
}

func BenchmarkCargo(b *testing.B) {
	var s strings.Builder
	s.WriteString("running 10000 tests\n")
	for i := range 10_000 {
		fmt.Fprintf(&s, "test tests::shelf::holds_%d ... ok\n", i)
	}
	s.WriteString("\ntest result: ok. 10000 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.14s\n")
	benchmark(b, CargoTest, s.String())
}

func BenchmarkSARIF(b *testing.B) {
	var s strings.Builder
	s.WriteString(`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"d","rules":[{"id":"r"}]}},"results":[`)
	for i := range 10_000 {
		fmt.Fprintf(&s, `{"ruleId":"r","ruleIndex":0,"level":"error","message":{"text":"unused variable x%d"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"src/a.c"},"region":{"startLine":%d,"startColumn":5}}}]},`, i, i+1)
	}
	benchmarkFindings(b, SARIF, strings.TrimSuffix(s.String(), ",")+"]}]}")
}

func BenchmarkCheckstyle(b *testing.B) {
	var s strings.Builder
	s.WriteString(`<checkstyle version="4.3"><file name="src/a.js">`)
	for i := range 10_000 {
		fmt.Fprintf(&s, `<error line="%d" column="5" severity="error" message="unused variable x" source="eslint.rules.no-unused-vars"/>`, i+1)
	}
	benchmarkFindings(b, Checkstyle, s.String()+"</file></checkstyle>")
}

func BenchmarkAssayJSON(b *testing.B) {
	var s strings.Builder
	s.WriteString(`{"schema":1,"solved":true,"tests":[`)
	for i := range 10_000 {
		fmt.Fprintf(&s, `{"name":"test %d","status":"passed","duration_seconds":0.5},`, i)
	}
	benchmark(b, AssayJSON, strings.TrimSuffix(s.String(), ",")+"]}")
}

// benchmarkFindings reads a report of 10,000 findings.
func benchmarkFindings(b *testing.B, format Format, text string) {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		report, err := Parse(format, strings.NewReader(text), Limits{})
		if err != nil || report.Counts().Failed != 10_000 {
			b.Fatalf("%v, %+v", err, report.Counts())
		}
	}
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
