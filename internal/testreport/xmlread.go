package testreport

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// xmlReader walks through a document, element by element, and bounds its depth.
type xmlReader struct {
	dec      *xml.Decoder
	maxDepth int
	depth    int
}

// readXML reads a document whose root is one of roots. root reads the element to its
// end.
func readXML(r io.Reader, limits Limits, roots []string, root func(*xmlReader, xml.StartElement) error) error {
	dec := xml.NewDecoder(newXMLScanner(r))
	dec.CharsetReader = acceptCharset
	x := &xmlReader{dec: dec, maxDepth: limits.MaxDepth}
	err := x.document(roots, func(start xml.StartElement) error { return root(x, start) })
	if err == nil {
		return nil
	}
	var syntax *xml.SyntaxError
	if errors.Is(err, io.EOF) || errors.As(err, &syntax) && strings.Contains(syntax.Msg, "unexpected EOF") {
		err = ErrTruncated
	}
	return fmt.Errorf("at byte %d: %w", dec.InputOffset(), err)
}

// document reads the root element and what may follow it.
func (x *xmlReader) document(roots []string, root func(xml.StartElement) error) error {
	for seen := false; ; {
		tok, err := x.next()
		switch {
		case errors.Is(err, io.EOF) && seen:
			return nil
		case err != nil:
			return err
		}
		switch t := tok.(type) {
		case xml.CharData:
			if strings.TrimSpace(string(t)) != "" {
				return errors.New("text outside of the root element")
			}
		case xml.StartElement:
			if seen || !slices.Contains(roots, strings.ToLower(t.Name.Local)) {
				return fmt.Errorf("element %q where %s is expected once", clip(t.Name.Local, 100), strings.Join(roots, " or "))
			}
			seen = true
			if err := root(t); err != nil {
				return err
			}
		}
	}
}

// next returns the next token. io.EOF is returned between elements only.
func (x *xmlReader) next() (xml.Token, error) {
	tok, err := x.dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok.(type) {
	case xml.StartElement:
		x.depth++
		if x.depth > x.maxDepth {
			return nil, fmt.Errorf("elements are nested deeper than %d", x.maxDepth)
		}
	case xml.EndElement:
		x.depth--
	}
	return tok, nil
}

// children calls each for every child element of the one that was just begun, and
// text for its text. each reads its element to the end.
func (x *xmlReader) children(each func(xml.StartElement) error, text func([]byte)) error {
	for {
		tok, err := x.next()
		if err != nil {
			return err
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if err := each(t); err != nil {
				return err
			}
		case xml.CharData:
			if text != nil {
				text(t)
			}
		case xml.EndElement:
			return nil
		}
	}
}

func (x *xmlReader) skip(xml.StartElement) error { return x.children(x.skip, nil) }

// attribute returns an attribute's value; dialects differ in case.
func attribute(start xml.StartElement, name string) string {
	for _, a := range start.Attr {
		if strings.EqualFold(a.Name.Local, name) {
			return a.Value
		}
	}
	return ""
}
