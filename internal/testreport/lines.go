package testreport

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// eachLine calls each for every line of a report, with its line end, and returns how
// far it came. last is set for the bytes after the last line end, which may be none
// or a part of a line. A line longer than MaxLine is noise; each sees it as nil.
func eachLine(in io.Reader, limits Limits, report *Report, each func(line []byte, last bool) error) (offset int64, err error) {
	r := bufio.NewReaderSize(in, limits.MaxLine)
	for {
		line, err := r.ReadSlice('\n')
		length := int64(len(line))
		if errors.Is(err, bufio.ErrBufferFull) {
			report.Noise++
			var rest int64
			rest, err = skipLine(r)
			length += rest
			line = nil
		}
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return offset, err
		}
		if err := each(line, last); err != nil {
			return offset, err
		}
		offset += length
		if last {
			return offset, nil
		}
	}
}

// skipLine drops the rest of a line and returns its length.
func skipLine(r *bufio.Reader) (int64, error) {
	var n int64
	for {
		rest, err := r.ReadSlice('\n')
		n += int64(len(rest))
		if !errors.Is(err, bufio.ErrBufferFull) {
			return n, err
		}
	}
}

// textReader reads a format that is written for people, line by line.
type textReader interface {
	// line reads a line without its end, spaces at its end and colours. last is set if
	// it has no line end: what it says may have been cut.
	line(line string, last bool) error
	// end settles what is open after the last line.
	end() error
}

func readText(in io.Reader, limits Limits, report *Report, t textReader) error {
	offset, err := eachLine(in, limits, report, func(line []byte, last bool) error {
		if last && len(line) == 0 {
			return nil
		}
		return t.line(plainLine(line), last)
	})
	if unfinished := t.end(); err == nil {
		err = unfinished
	}
	if err != nil {
		return fmt.Errorf("at byte %d: %w", offset, err)
	}
	report.Complete = true
	return nil
}

// colours are the escape sequences by which runners paint.
var colours = regexp.MustCompile("\x1b\\[[0-9;]*[mK]")

func plainLine(line []byte) string {
	if bytes.IndexByte(line, '\x1b') >= 0 {
		line = colours.ReplaceAll(line, nil)
	}
	return string(bytes.TrimRight(line, " \t\r\n"))
}

// number reads a count that a runner wrote; nonsense is -1.
func number(s string) int {
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' || n > 1<<28 {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	if s == "" {
		return -1
	}
	return n
}

// firstLine returns the first line of s that is not blank.
func firstLine(s string) string {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}
