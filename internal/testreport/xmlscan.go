package testreport

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxAttributes bounds the attributes of one element: a decoder holds an element's
// attributes all at once, at some twenty times their length.
const maxAttributes = 256

// xmlScanner stands between a report and encoding/xml. Runners copy what tests
// print: node:test, for one, writes raw escape characters, which no XML may hold.
// The scanner turns such characters and references to them into U+FFFD and Latin-1
// into UTF-8, and it refuses document type declarations and elements with too many
// attributes. It knows just enough of XML to see where it is.
type xmlScanner struct {
	in     *bufio.Reader
	out    []byte // scanned and not yet read
	latin1 bool
	inside region
	quote  byte // within region tag: the quote that was opened, or 0
	equals int  // within region tag: attributes seen
	last   [2]byte
	err    error
}

// region is a part of a document.
type region int

const (
	inText region = iota
	inTag
	inComment
	inCDATA
	inInstruction
)

// declaredLatin1 finds an encoding of one byte a character in the XML declaration.
var declaredLatin1 = regexp.MustCompile(`(?i)^\s*<\?xml[^>]*encoding\s*=\s*["'](iso-8859-1|latin-?1|windows-1252)["']`)

var errDoctype = errors.New("document type declarations are not accepted")

func newXMLScanner(r io.Reader) *xmlScanner {
	s := &xmlScanner{in: bufio.NewReaderSize(r, 64<<10)}
	start, _ := s.in.Peek(512) // what is wrong with it shows when it is read
	if rest, found := bytes.CutPrefix(start, []byte("\xEF\xBB\xBF")); found {
		_, _ = s.in.Discard(len(start) - len(rest))
		start = rest
	}
	s.latin1 = declaredLatin1.Match(start)
	return s
}

// acceptCharset lets the declared encodings pass that the scanner has made UTF-8 of.
func acceptCharset(charset string, input io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "latin-1", "windows-1252":
		return input, nil
	}
	return nil, fmt.Errorf("encoding %q is not read", clip(charset, 100))
}

func (s *xmlScanner) Read(p []byte) (int, error) {
	for len(s.out) < len(p) && s.err == nil {
		s.err = s.step()
	}
	n := copy(p, s.out)
	s.out = s.out[:copy(s.out, s.out[n:])]
	if n == 0 {
		return 0, s.err
	}
	return n, nil
}

// step scans one character.
func (s *xmlScanner) step() error {
	c, err := s.in.ReadByte()
	if err != nil {
		return err
	}
	switch {
	case c >= utf8.RuneSelf:
		s.wide(c)
		s.last = [2]byte{}
		return nil
	case c < ' ' && c != '\t' && c != '\n' && c != '\r':
		s.replace()
		return nil
	case c == '&' && (s.inside == inText || s.inside == inTag) && s.illegalReference():
		s.replace()
		return nil
	}
	s.out = append(s.out, c)
	err = s.track(c)
	s.last = [2]byte{s.last[1], c}
	return err
}

func (s *xmlScanner) replace() {
	s.out = append(s.out, "\uFFFD"...)
	s.last = [2]byte{}
}

// wide scans a character beyond ASCII that begins with c.
func (s *xmlScanner) wide(c byte) {
	if s.latin1 {
		s.out = utf8.AppendRune(s.out, rune(c))
		return
	}
	rest, _ := s.in.Peek(utf8.UTFMax - 1)
	r, size := utf8.DecodeRune(append([]byte{c}, rest...))
	if r == 0xFFFE || r == 0xFFFF {
		r = utf8.RuneError
	}
	s.out = utf8.AppendRune(s.out, r)
	_, _ = s.in.Discard(size - 1) // it was peeked
}

// illegalReference reads a character reference whose '&' was read, if it is one to
// a character that XML does not allow.
func (s *xmlScanner) illegalReference() bool {
	ahead, _ := s.in.Peek(12)
	end := bytes.IndexByte(ahead, ';')
	if end < 2 || ahead[0] != '#' {
		return false
	}
	digits, base := string(ahead[1:end]), 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || legalXML(rune(min(n, utf8.MaxRune+1))) {
		return false
	}
	_, _ = s.in.Discard(end + 1) // it was peeked
	return true
}

// legalXML is the production Char of XML 1.0.
func legalXML(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}

// track follows the document past the byte c.
func (s *xmlScanner) track(c byte) error {
	switch s.inside {
	case inText:
		if c == '<' {
			return s.open()
		}
	case inTag:
		return s.tag(c)
	case inComment:
		s.leave(c, "-->")
	case inCDATA:
		s.leave(c, "]]>")
	case inInstruction:
		s.leave(c, "?>")
	}
	return nil
}

// open sees what a '<' begins.
func (s *xmlScanner) open() error {
	ahead, _ := s.in.Peek(len("![CDATA["))
	switch {
	case bytes.HasPrefix(ahead, []byte("!--")):
		s.inside = inComment
		return s.pass(len("!--"))
	case bytes.HasPrefix(ahead, []byte("![CDATA[")):
		s.inside = inCDATA
		return s.pass(len("![CDATA["))
	case bytes.HasPrefix(ahead, []byte("!")):
		return errDoctype
	case bytes.HasPrefix(ahead, []byte("?")):
		s.inside = inInstruction
		return s.pass(len("?"))
	}
	s.inside, s.quote, s.equals = inTag, 0, 0
	return nil
}

// pass copies n bytes that were peeked. They count for no end: "<!-->" is none.
func (s *xmlScanner) pass(n int) error {
	ahead, err := s.in.Peek(n)
	s.out = append(s.out, ahead...)
	_, _ = s.in.Discard(len(ahead))
	return err
}

func (s *xmlScanner) tag(c byte) error {
	switch {
	case s.quote != 0:
		if c == s.quote {
			s.quote = 0
		}
	case c == '"' || c == '\'':
		s.quote = c
	case c == '>':
		s.inside = inText
	case c == '=':
		if s.equals++; s.equals > maxAttributes {
			return fmt.Errorf("%w: an element with more than %d attributes", ErrTooLarge, maxAttributes)
		}
	}
	return nil
}

// leave goes back to text if c completes end.
func (s *xmlScanner) leave(c byte, end string) {
	seen := string(append(s.last[:], c))
	if strings.HasSuffix(seen, end) {
		s.inside = inText
	}
}
