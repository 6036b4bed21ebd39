package testreport

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Section yields what stands in a log between two lines, without them. Whatever ran
// there may have written the lines too; so each of them must stand in the log exactly
// once, begin before end. Else reading fails before its end: with ErrTruncated when
// one is missing, with ErrAmbiguous when one is there again or comes too early.
//
// A marker is a line of its own: what is printed before it must have ended its line.
// An empty begin stands for the start of the log, an empty end for its end. The log is
// read to its end in a memory that does not grow with it; who reads the section bounds
// that, and who gives the log bounds what stands around it.
func Section(log io.Reader, begin, end string) io.Reader {
	s := &section{
		in:    bufio.NewReaderSize(log, max(4<<10, len(begin)+len("\r\n"), len(end)+len("\r\n"))),
		begin: []byte(begin),
		end:   []byte(end),
		start: true,
	}
	s.inside = begin == ""
	s.begun = s.inside
	return s
}

type section struct {
	in         *bufio.Reader
	begin, end []byte
	rest       []byte // of the section, read and not yet handed out
	start      bool   // a line begins here
	begun      bool   // the first marker was seen
	inside     bool
	ended      bool // the second marker was seen
	err        error
}

func (s *section) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		s.err = s.piece()
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// piece reads a line, or as much of one as fits the buffer: a marker always does.
func (s *section) piece() error {
	line, err := s.in.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, io.EOF) {
		return err
	}
	whole := s.start && !errors.Is(err, bufio.ErrBufferFull)
	s.start = !errors.Is(err, bufio.ErrBufferFull)
	marked := false
	if whole {
		var wrong error
		if marked, wrong = s.marker(line); wrong != nil {
			return wrong
		}
	}
	if s.inside && !marked {
		s.rest = line
	}
	if errors.Is(err, io.EOF) {
		return s.finish()
	}
	return nil
}

// marker tells whether a line is a marker, and goes into the section or out of it.
func (s *section) marker(line []byte) (bool, error) {
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	isBegin := len(s.begin) > 0 && bytes.Equal(line, s.begin)
	isEnd := len(s.end) > 0 && bytes.Equal(line, s.end)
	switch {
	case !isBegin && !isEnd:
		return false, nil
	case isBegin && !s.begun:
		s.begun, s.inside = true, true
	case isEnd && s.inside:
		s.inside, s.ended = false, true
	default:
		return true, fmt.Errorf("%w: the line %q stands where it must not, or once too often", ErrAmbiguous, line)
	}
	return true, nil
}

// finish is what comes of the end of the log.
func (s *section) finish() error {
	switch {
	case !s.begun:
		return fmt.Errorf("%w: the line %q is missing", ErrTruncated, s.begin)
	case len(s.end) > 0 && !s.ended:
		return fmt.Errorf("%w: the line %q is missing", ErrTruncated, s.end)
	}
	return io.EOF
}
