package testreport

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestSection(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	for name, tt := range map[string]struct {
		log, begin, end string
		want            string
		err             error
	}{
		"between":                     {"a\nBEGIN\nb\nc\nEND\nd\n", "BEGIN", "END", "b\nc\n", nil},
		"empty":                       {"BEGIN\nEND", "BEGIN", "END", "", nil},
		"CRLF":                        {"BEGIN\r\nb\r\nEND\r\n", "BEGIN", "END", "b\r\n", nil},
		"no begin is asked for":       {"a\nEND\nb\n", "", "END", "a\n", nil},
		"no end is asked for":         {"a\nBEGIN\nb", "BEGIN", "", "b", nil},
		"one line for both":           {"a\n---\nb\n---\n", "---", "---", "b\n", nil},
		"a part of a line":            {"BEGIN\n BEGIN\nEND \nEND.\nEND\n", "BEGIN", "END", " BEGIN\nEND \nEND.\n", nil},
		"long lines":                  {long + "BEGIN\nBEGIN\n" + long + "END\n" + long + "\nEND\n" + long, "BEGIN", "END", long + "END\n" + long + "\n", nil},
		"long markers":                {long + "\nb\nEND\n", long, "END", "b\n", nil},
		"no end":                      {"BEGIN\nb\n", "BEGIN", "END", "b\n", ErrTruncated},
		"an end without its own line": {"BEGIN\nb\nno newlineEND\n", "BEGIN", "END", "b\nno newlineEND\n", ErrTruncated},
		"no begin":                    {"b\n", "BEGIN", "END", "", ErrTruncated},
		"an empty log":                {"", "BEGIN", "END", "", ErrTruncated},
		"the end comes first":         {"END\nBEGIN\nb\n", "BEGIN", "END", "", ErrAmbiguous},
		"two begins":                  {"BEGIN\na\nBEGIN\nb\nEND\n", "BEGIN", "END", "a\n", ErrAmbiguous},
		"two ends":                    {"BEGIN\nforged\nEND\nreal\nEND\n", "BEGIN", "END", "forged\n", ErrAmbiguous},
		"two sections":                {"BEGIN\na\nEND\nBEGIN\nb\nEND\n", "BEGIN", "END", "a\n", ErrAmbiguous},
		"three of one line":           {"---\nb\n---\n---\n", "---", "---", "b\n", ErrAmbiguous},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := io.ReadAll(Section(strings.NewReader(tt.log), tt.begin, tt.end))
			if string(got) != tt.want || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Errorf("got %q, %v; want %q, %v", clip(string(got), 200), err, clip(tt.want, 200), tt.err)
			}
		})
	}
}

// What is bounded is what the report is read from, not what stands around it.
func TestOnlyASectionCounts(t *testing.T) {
	limits := Limits{MaxBytes: 100_000}
	around := strings.Repeat("a line of an installer\n", 50_000)
	report, err := Parse(TAP, Section(strings.NewReader(around+"BEGIN\n1..1\nok 1 - a\nEND\n"+around), "BEGIN", "END"), limits)
	if err != nil || !report.Complete || len(report.Results) != 1 {
		t.Errorf("a report among many other lines: %+v, %v", report, err)
	}
	for name, log := range map[string]io.Reader{
		"lines":   repeat("BEGIN\n", "line %d\n"),
		"no line": repeat("BEGIN\n", "x"),
	} {
		if _, err := Parse(TAP, Section(log, "BEGIN", "END"), limits); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := errors.New("the line went dead")
	if _, err := io.ReadAll(Section(io.MultiReader(strings.NewReader("BEGIN\nEND\n"), iotest.ErrReader(broken)), "BEGIN", "END")); !errors.Is(err, broken) {
		t.Errorf("a log that breaks off: %v", err)
	}
}

// A report in a section that is none is not complete, whatever it says.
func TestReportInASection(t *testing.T) {
	const report = "ok 1 - a\n1..1\n"
	for log, complete := range map[string]bool{
		"BEGIN\n" + report + "END\nnot ok 1 - later\n": true,
		"BEGIN\n" + report:                false,
		"BEGIN\n" + report + "END\nEND\n": false,
	} {
		got, err := Parse(TAP, Section(strings.NewReader(log), "BEGIN", "END"), Limits{})
		if got.Complete != complete || (err == nil) != complete {
			t.Errorf("%q: complete %v, %v", log, got.Complete, err)
		}
		if status, _ := got.Lookup("a"); status != Passed {
			t.Errorf("%q: a is %q", log, status)
		}
	}
}
