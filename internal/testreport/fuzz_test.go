package testreport

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzJUnit(f *testing.F)  { fuzz(f, JUnitXML) }
func FuzzGoTest(f *testing.F) { fuzz(f, GoTestJSON) }

// fuzz checks what holds of every report, whoever wrote it.
func fuzz(f *testing.F, format Format) {
	for _, name := range corpus(f) {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if formatOf(f, name) == format {
			f.Add(content, uint(len(content)/2))
		}
	}
	limits := Limits{MaxBytes: 256 << 10, MaxTests: 1000, MaxLine: 4 << 10, MaxName: 200, MaxText: 300}
	f.Fuzz(func(t *testing.T, content []byte, cut uint) {
		whole, err := Parse(format, bytes.NewReader(content), limits)
		checkReport(t, whole, err, limits)

		start := content[:cut%uint(len(content)+1)]
		if format == GoTestJSON { // a line that is cut may be an event that the whole line is not
			start = start[:bytes.LastIndexByte(start, '\n')+1]
		}
		part, err := Parse(format, bytes.NewReader(start), limits)
		checkReport(t, part, err, limits)
		checkPrefix(t, part, whole)
	})
}

func checkReport(t *testing.T, r *Report, err error, limits Limits) {
	if r.Complete != (err == nil) {
		t.Fatalf("complete %v with error %v", r.Complete, err)
	}
	c := r.Counts()
	if c.Tests != len(r.Results) || c.Tests != c.Passed+c.Skipped+c.Failed+c.Errored || c.Tests > limits.MaxTests {
		t.Fatalf("counts do not add up: %+v", c)
	}
	if len(r.Problems) > maxProblems+1 {
		t.Fatalf("%d problems", len(r.Problems))
	}
	for _, res := range r.Results {
		if res.ID == "" || !utf8.ValidString(res.ID) || strings.Contains(res.ID, "\x00") {
			t.Fatalf("id %q", res.ID)
		}
		if len(res.Message) > limits.MaxText || len(res.Details) > limits.MaxText || !utf8.ValidString(res.Message) || !utf8.ValidString(res.Details) {
			t.Fatalf("message %q, details %q", res.Message, res.Details)
		}
		if res.Duration < 0 {
			t.Fatalf("duration %v", res.Duration)
		}
		if status, seen := r.Lookup(res.ID); !seen || status == Passed && res.Status != Passed {
			t.Fatalf("%s: %s by itself, %s in all", res.ID, res.Status, status)
		}
	}
}

// checkPrefix checks that reading more of a report only adds to it: no occurrence
// that passed in a part is missing from the whole or is something else there.
func checkPrefix(t *testing.T, part, whole *Report) {
	passed := map[string]int{}
	for _, res := range whole.Results {
		if res.Status == Passed {
			passed[res.ID]++
		}
	}
	for _, res := range part.Results {
		if res.Status != Passed {
			continue
		}
		if passed[res.ID]--; passed[res.ID] < 0 {
			t.Fatalf("%q passed in a part of the report and not in the whole", res.ID)
		}
	}
}
