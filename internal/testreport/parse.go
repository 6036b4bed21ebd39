package testreport

import (
	"cmp"
	"errors"
	"fmt"
	"io"
)

// Limits bound what a report may hold. Zero values are the defaults. Memory is
// bounded by a small multiple of MaxBytes.
type Limits struct {
	MaxBytes int64 // of the report; beyond it, ErrTooLarge. Defaults to 64 MiB
	MaxTests int   // occurrences of tests, and packages; beyond it, ErrTooLarge. Defaults to 200,000
	MaxDepth int   // of nested XML elements, JSON values and TAP subtests; beyond it, an error. Defaults to 64
	MaxLine  int   // bytes of a line of text or of go test -json; a longer one is noise. Defaults to 1 MiB
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
	// ErrAmbiguous says that a report can be read in more than one way: it has two
	// ends, or goes on after its end.
	ErrAmbiguous = errors.New("the report can be read in more than one way")
)

// Parse reads one report to its end. An error names the place in the report; the
// report that comes with it holds what was read up to there and is not Complete.
// Only an unknown format yields no report.
//
// A go test -json stream that ends between two packages cannot be told from a whole
// one: the format announces neither packages nor an end.
func Parse(format Format, r io.Reader, limits Limits) (*Report, error) {
	info, known := format.info()
	if !known {
		_, err := ParseFormat(string(format))
		return nil, err
	}
	limits = limits.withDefaults()
	r = &boundedReader{r: r, left: limits.MaxBytes}
	report := &Report{}
	err := info.read(r, limits, report)
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
	if r.idBytes += int64(len(res.ID)); r.idBytes > limits.MaxBytes { // formats that join names repeat them
		return -1, fmt.Errorf("%w: the names of its tests have more than %d bytes", ErrTooLarge, limits.MaxBytes)
	}
	res.ID = clean(res.ID)
	res.Message, res.Details = clip(res.Message, limits.MaxText), clip(res.Details, limits.MaxText)
	r.Results = append(r.Results, res)
	return len(r.Results) - 1, nil
}
