package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"regexp"
	"strings"

	"assay"
)

// naiveOutcomes is what a judge without suspicion takes from reports: of each test the
// last thing that was said of it, true for passed. It is what Assay is not, and shares
// nothing with it.
type naiveOutcomes map[string]bool

// solve tells whether every expected test passed.
func (o naiveOutcomes) solve(sample *assay.Sample) bool {
	for _, list := range [][]string{sample.FailToPass, sample.PassToPass} {
		for _, name := range list {
			if !o[name] {
				return false
			}
		}
	}
	return true
}

// read takes in one report.
func (o naiveOutcomes) read(format string, text []byte) {
	switch format {
	case "go-test-json":
		o.readGo(text)
	case "junit-xml":
		o.readXML(text)
	case "pytest-text":
		o.readLines(text, regexp.MustCompile(`(?m)^(PASSED|FAILED|ERROR|SKIPPED) (\S.*?)(?: - .*)?$`), "PASSED")
	case "go-test-text":
		o.readLines(text, regexp.MustCompile(`(?m)^\s*--- (PASS|FAIL|SKIP): (\S+) \(`), "PASS")
	case "tap":
		o.readLines(text, regexp.MustCompile(`(?m)^(ok|not ok) \d+(?: -)? (.*?)(?: # .*)?$`), "ok")
	}
}

// readGo reads the events of go test -json, and the lines of its tests: harnesses look
// for either.
func (o naiveOutcomes) readGo(text []byte) {
	said := regexp.MustCompile(`^\x16?\s*--- (PASS|FAIL|SKIP): (\S+)`)
	for line := range bytes.Lines(text) {
		var e struct{ Action, Package, Test, Output string }
		if json.Unmarshal(line, &e) != nil {
			continue
		}
		if m := said.FindStringSubmatch(e.Output); m != nil {
			o[e.Package+"::"+m[2]] = m[1] == "PASS"
		}
		if e.Test != "" && (e.Action == "pass" || e.Action == "fail" || e.Action == "skip") {
			o[e.Package+"::"+e.Test] = e.Action == "pass"
		}
	}
}

func (o naiveOutcomes) readXML(text []byte) {
	d := xml.NewDecoder(bytes.NewReader(text))
	d.Strict = false
	for {
		token, err := d.Token()
		if err != nil {
			return // the end, or as far as it goes
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "testcase" {
			continue
		}
		var c struct {
			Class   string    `xml:"classname,attr"`
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
			Error   *struct{} `xml:"error"`
			Skipped *struct{} `xml:"skipped"`
		}
		if d.DecodeElement(&c, &start) != nil {
			return
		}
		name := strings.TrimPrefix(c.Class+"::"+c.Name, "::")
		o[name] = c.Failure == nil && c.Error == nil && c.Skipped == nil
	}
}

func (o naiveOutcomes) readLines(text []byte, line *regexp.Regexp, passed string) {
	for _, m := range line.FindAllSubmatch(text, -1) {
		o[string(m[2])] = string(m[1]) == passed
	}
}
