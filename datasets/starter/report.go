package starter

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"assay/internal/testid"
)

// ReadReport adds to outcomes what a report tells. Formats are those of
// Report.Format: Go test ids are "import/path::Test/subtest"; JUnit ids are
// "classname::name", or the name alone where there is no classname.
func ReadReport(r io.Reader, format string, outcomes Outcomes) error {
	switch format {
	case "go-test-json":
		return readGoTest(r, outcomes)
	case "junit-xml":
		return readJUnit(r, outcomes)
	default:
		return fmt.Errorf("report format %q is unknown", format)
	}
}

// readGoTest reads the events of go test -json (go doc cmd/test2json). Lines that
// are not events are what a test printed past its framing, and are passed over.
func readGoTest(r io.Reader, outcomes Outcomes) error {
	ends := map[string]Outcome{"pass": Passed, "fail": Failed, "skip": Skipped}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] == '{' {
			var event struct{ Action, Package, Test string }
			if json.Unmarshal(line, &event) == nil && event.Test != "" && ends[event.Action] != "" {
				outcomes.Add(testid.Join(event.Package, event.Test), ends[event.Action])
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// readJUnit reads the testcase elements wherever they are nested.
func readJUnit(r io.Reader, outcomes Outcomes) error {
	type present struct{}
	dec := xml.NewDecoder(r)
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read JUnit report: %w", err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "testcase" {
			continue
		}
		var test struct {
			Class   string   `xml:"classname,attr"`
			Name    string   `xml:"name,attr"`
			Failure *present `xml:"failure"`
			Error   *present `xml:"error"`
			Skipped *present `xml:"skipped"`
		}
		if err := dec.DecodeElement(&test, &start); err != nil {
			return fmt.Errorf("read JUnit report: %w", err)
		}
		outcome := Passed
		switch {
		case test.Failure != nil || test.Error != nil:
			outcome = Failed
		case test.Skipped != nil:
			outcome = Skipped
		}
		outcomes.Add(testid.Join(test.Class, test.Name), outcome)
	}
}
