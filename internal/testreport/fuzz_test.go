package testreport

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func FuzzJUnit(f *testing.F)      { fuzz(f, JUnitXML) }
func FuzzGoTest(f *testing.F)     { fuzz(f, GoTestJSON) }
func FuzzPytest(f *testing.F)     { fuzz(f, PytestText) }
func FuzzTAP(f *testing.F)        { fuzz(f, TAP) }
func FuzzCargo(f *testing.F)      { fuzz(f, CargoTest) }
func FuzzUnittest(f *testing.F)   { fuzz(f, Unittest) }
func FuzzGoText(f *testing.F)     { fuzz(f, GoTestText) }
func FuzzSympy(f *testing.F)      { fuzz(f, SympyText) }
func FuzzJest(f *testing.F)       { fuzz(f, JestText) }
func FuzzSARIF(f *testing.F)      { fuzz(f, SARIF) }
func FuzzCheckstyle(f *testing.F) { fuzz(f, Checkstyle) }
func FuzzAssayJSON(f *testing.F)  { fuzz(f, AssayJSON) }
func FuzzReward(f *testing.F)     { fuzz(f, Reward) }

// FuzzSection checks that a section is what stands between its lines, or an error.
func FuzzSection(f *testing.F) {
	f.Add([]byte("a\nBEGIN\nb\r\nEND\nc"), uint8(1))
	f.Add([]byte("BEGIN\nEND\nEND\n"), uint8(3))
	f.Fuzz(func(t *testing.T, log []byte, size uint8) {
		got, err := io.ReadAll(iotest.OneByteReader(Section(bytes.NewReader(log), "BEGIN", "END")))
		begins, ends := 0, 0
		for line := range bytes.Lines(log) {
			line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
			if string(line) == "BEGIN" {
				begins++
			}
			if string(line) == "END" {
				ends++
			}
		}
		if err == nil && (begins != 1 || ends != 1 || !bytes.Contains(log, got)) {
			t.Fatalf("%d begins, %d ends, and %q", begins, ends, got)
		}
		again, errAgain := io.ReadAll(Section(&smallReads{log, int(size)}, "BEGIN", "END"))
		if !bytes.Equal(got, again) || (err == nil) != (errAgain == nil) {
			t.Fatalf("read otherwise: %q (%v), then %q (%v)", got, err, again, errAgain)
		}
	})
}

// smallReads reads size bytes at a time.
type smallReads struct {
	rest []byte
	size int
}

func (s *smallReads) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), s.size+1)], s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

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
		checkReport(t, format, whole, err, limits)

		start := content[:cut%uint(len(content)+1)]
		if format == GoTestJSON || format == CargoTest { // a line that is cut may be what the whole line is not
			start = start[:bytes.LastIndexByte(start, '\n')+1]
		}
		part, err := Parse(format, bytes.NewReader(start), limits)
		checkReport(t, format, part, err, limits)
		checkPrefix(t, part, whole)
	})
}

func checkReport(t *testing.T, format Format, r *Report, err error, limits Limits) {
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
	if (r.Solved != nil || r.Reward != nil) && !r.Complete {
		t.Fatal("a report that is not complete has a verdict")
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
		if res.Status == Passed && format.Findings() {
			t.Fatalf("a finding passed: %s", res.ID)
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
