package testreport

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// Checkstyle's XML (com.puppycrawl.tools.checkstyle.XMLLogger), which many linters
// write: a root checkstyle, a file element for each file, an error element for each
// finding. An exception element says that a file could not be checked.

type checkstyleReader struct {
	*xmlReader
	limits Limits
	report *Report
	broken string // the first exception
}

func readCheckstyle(r io.Reader, limits Limits, report *Report) error {
	c := &checkstyleReader{limits: limits, report: report}
	err := readXML(r, limits, []string{"checkstyle"}, func(x *xmlReader, _ xml.StartElement) error {
		c.xmlReader = x
		return x.children(c.element, nil)
	})
	if err == nil && c.broken != "" {
		err = fmt.Errorf("%w: %s", ErrTruncated, c.broken)
	}
	report.Complete = err == nil
	return err
}

// element reads a child of the root.
func (c *checkstyleReader) element(start xml.StartElement) error {
	switch strings.ToLower(start.Name.Local) {
	case "file":
		file := attribute(start, "name")
		return c.children(func(child xml.StartElement) error { return c.inFile(file, child) }, nil)
	case "exception":
		return c.exception("", start)
	}
	return c.skip(start)
}

// inFile reads a child of a file.
func (c *checkstyleReader) inFile(file string, start xml.StartElement) error {
	switch strings.ToLower(start.Name.Local) {
	case "error":
		if err := c.skip(start); err != nil {
			return err // one that was cut short says nothing
		}
		return c.finding(file, start)
	case "exception":
		return c.exception(file, start)
	}
	return c.skip(start)
}

func (c *checkstyleReader) finding(file string, start xml.StartElement) error {
	if strings.EqualFold(attribute(start, "severity"), "ignore") {
		return nil
	}
	message := attribute(start, "message")
	_, err := c.report.addTest(Result{
		ID:      findingID(attribute(start, "source"), file, message),
		Status:  Failed,
		Message: message,
		Details: place(file, attribute(start, "line"), attribute(start, "column")),
	}, c.limits)
	return err
}

func (c *checkstyleReader) exception(file string, start xml.StartElement) error {
	said := excerpt{limit: maxProblemText}
	err := c.children(c.skip, func(text []byte) { said.add(string(text)) })
	what := fmt.Sprintf("%s could not be checked: %s", clip(file, 200), strings.TrimSpace(said.String()))
	c.report.problem(what)
	if c.broken == "" {
		c.broken = clip(firstLine(what), 200)
	}
	return err
}

// place writes down where a finding is, as compilers do.
func place(file, line, column string) string {
	for _, n := range []string{line, column} {
		if n == "" || n == "0" {
			break
		}
		file += ":" + n
	}
	return file
}
