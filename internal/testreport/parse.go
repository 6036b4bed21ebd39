package testreport

import (
	"cmp"
	"errors"
	"fmt"
	"io"
)

// Format is a format of test reports.
type Format string

// The formats that Parse reads. For Go, the events are the better witness: when a
// test ends its process with status 0 (syscall.Exit), gotestsum's XML shows it as
// passed, and the events show that its end is missing.
const (
	JUnitXML   Format = "junit-xml"    // one XML document; the id of a test is "classname::name", or whichever of the two exists
	GoTestJSON Format = "go-test-json" // the standard output of go test -json; the id of a test is "package::TestName/subtest"
)

// ParseFormat returns the format called name.
func ParseFormat(name string) (Format, error) {
	switch f := Format(name); f {
	case JUnitXML, GoTestJSON:
		return f, nil
	}
	return "", fmt.Errorf("test report format %q is not known: it is %s or %s", name, JUnitXML, GoTestJSON)
}

// Limits bound what a report may hold. Zero values are the defaults. Memory is
// bounded by a small multiple of MaxBytes.
type Limits struct {
	MaxBytes int64 // of the report; beyond it, ErrTooLarge. Defaults to 64 MiB
	MaxTests int   // occurrences of tests, and packages; beyond it, ErrTooLarge. Defaults to 200,000
	MaxDepth int   // of nested XML elements; beyond it, an error. Defaults to 64
	MaxLine  int   // bytes of a line of go test -json; a longer one is noise. Defaults to 1 MiB
	MaxName  int   // bytes of a test's id; a test with a longer one becomes a problem. Defaults to 16 KiB
	MaxText  int   // bytes of a message, and of details; more is cut. Defaults to 16 KiB
}

func (l Limits) withDefaults() Limits {
	return Limits{
		MaxBytes: cmp.Or(l.MaxBytes, 64<<20),
		MaxTests: cmp.Or(l.MaxTests, 200_000),
		MaxDepth: cmp.Or(l.MaxDepth, 64),
		MaxLine:  cmp.Or(l.MaxLine, 1<<20),
		MaxName:  cmp.Or(l.MaxName, 16<<10),
		MaxText:  cmp.Or(l.MaxText, 16<<10),
	}
}

var (
	// ErrTruncated says that a report stops before its end.
	ErrTruncated = errors.New("the report is cut short")
	// ErrTooLarge says that a report exceeds a limit.
	ErrTooLarge = errors.New("the report is too large")
)

// Parse reads one report to its end. An error names the place in the report; the
// report that comes with it holds what was read up to there and is not Complete.
// Only an unknown format yields no report.
//
// A go test -json stream that ends between two packages cannot be told from a whole
// one: the format announces neither packages nor an end.
func Parse(format Format, r io.Reader, limits Limits) (*Report, error) {
	limits = limits.withDefaults()
	r = &boundedReader{r: r, left: limits.MaxBytes}
	report := &Report{}
	var err error
	switch format {
	case JUnitXML:
		err = readJUnit(r, limits, report)
	case GoTestJSON:
		err = readGoTest(r, limits, report)
	default:
		_, err = ParseFormat(string(format))
		return nil, err
	}
	if err != nil {
		report.Complete = false
		return report, fmt.Errorf("read %s report: %w", format, err)
	}
	return report, nil
}

// boundedReader fails with ErrTooLarge once more than left bytes were read.
type boundedReader struct {
	r    io.Reader
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if int64(n) > b.left {
		n, err = int(b.left), ErrTooLarge
	}
	b.left -= int64(n)
	return n, err
}

// addTest appends a result, cut to the limits. It returns its index, or -1 if the
// id cannot be taken.
func (r *Report) addTest(res Result, limits Limits) (int, error) {
	switch {
	case res.ID == "":
		r.problem("a test without a name")
		return -1, nil
	case len(res.ID) > limits.MaxName:
		r.problem(fmt.Sprintf("a test whose id has %d bytes, more than %d: %s...", len(res.ID), limits.MaxName, clip(res.ID, 100)))
		return -1, nil
	case len(r.Results) >= limits.MaxTests:
		return -1, fmt.Errorf("%w: more than %d tests", ErrTooLarge, limits.MaxTests)
	}
	res.ID = clean(res.ID)
	res.Message, res.Details = clip(res.Message, limits.MaxText), clip(res.Details, limits.MaxText)
	r.Results = append(r.Results, res)
	return len(r.Results) - 1, nil
}
