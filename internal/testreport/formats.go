package testreport

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Format is a format of test reports.
type Format string

// The formats that Parse reads. For Go, the events are the better witness: when a
// test ends its process with status 0 (syscall.Exit), gotestsum's XML shows it as
// passed, and the events show that its end is missing. Of two formats that a runner
// writes, the one in a file is the better: what is on standard output may be a test's.
const (
	JUnitXML   Format = "junit-xml"
	GoTestJSON Format = "go-test-json"
	PytestText Format = "pytest-text"
	TAP        Format = "tap"
	CargoTest  Format = "cargo-test"
	Unittest   Format = "unittest-text"
	GoTestText Format = "go-test-text"
	SympyText  Format = "sympy-text"
	JestText   Format = "jest-text"
	SARIF      Format = "sarif"
	Checkstyle Format = "checkstyle"
	AssayJSON  Format = "assay-json"
	Reward     Format = "reward"
)

// formatInfo is what is known of a format.
type formatInfo struct {
	format   Format
	about    string // what it is
	ids      string // what a test, or a finding, is called
	findings bool
	read     func(io.Reader, Limits, *Report) error
}

var formats = []formatInfo{
	{JUnitXML, "a JUnit XML document: pytest, JUnit, mocha, jest, node:test and many others write it", "`classname::name`, or whichever of the two there is", false, readJUnit},
	{GoTestJSON, "the output of `go test -json`", "`package::TestName/subtest`", false, readGoTest},
	{PytestText, "the output of `pytest -rA`", "the node id, as `tests/test_a.py::test_x[param]`; skipped tests have none and are called by their place, `tests/test_a.py:10`", false, readPytest},
	{TAP, "the Test Anything Protocol, 12 to 14, as node-tap, tape, node:test and `prove -v` write it", "the description, without `- ` before it; a subtest's is `parent > child`; a test without a description is called by its number", false, readTAP},
	{CargoTest, "the output of `cargo test`", "`module::test`; a doc test's is `src/lib.rs - item (line 3)`", false, readCargo},
	{Unittest, "the output of `python -m unittest -v`, and of Django's test runner with `-v 2`", "`test_x (module.Class)`, as Python writes it before ` ... `; a test with a docstring is called by its first line", false, readUnittest},
	{GoTestText, "the output of `go test -v`; prefer `go-test-json`, which knows packages", "`TestName/subtest`", false, readGoText},
	{SympyText, "the output of SymPy's `bin/test --verbose`", "the name of the function", false, readSympy},
	{JestText, "the output of `jest --verbose`; prefer `junit-xml`, which knows files", "the title of the test, without those of its blocks", false, readJest},
	{SARIF, "a SARIF 2.1.0 document: findings", "`RULE::path::message`, without what is missing", true, readSARIF},
	{Checkstyle, "a Checkstyle XML document: findings", "`RULE::path::message`, without what is missing", true, readCheckstyle},
	{AssayJSON, "a verdict of a verifier of its own, in JSON; see below", "`name`", false, readAssayJSON},
	{Reward, "a number alone, or `{\"reward\": 1.0}`: solved from 1 on", "none", false, readReward},
}

// Formats returns the formats that Parse reads.
func Formats() []Format {
	all := make([]Format, len(formats))
	for i, f := range formats {
		all[i] = f.format
	}
	return all
}

func (f Format) info() (formatInfo, bool) {
	i := slices.IndexFunc(formats, func(info formatInfo) bool { return info.format == f })
	if i < 0 {
		return formatInfo{}, false
	}
	return formats[i], true
}

// About says what the format is, in a phrase for people; "" if it is not known.
func (f Format) About() string {
	info, _ := f.info()
	return info.about
}

// IDs says what a test, or a finding, is called in Result.ID, in a phrase for people.
func (f Format) IDs() string {
	info, _ := f.info()
	return info.ids
}

// Findings tells whether the results are findings of a linter, each of them Failed,
// and not tests. A report without any is as good as can be.
func (f Format) Findings() bool {
	info, _ := f.info()
	return info.findings
}

// ParseFormat returns the format called name. The error names all that there are.
func ParseFormat(name string) (Format, error) {
	if info, known := Format(name).info(); known {
		return info.format, nil
	}
	var names []string
	for _, f := range formats {
		names = append(names, string(f.format))
	}
	last := len(names) - 1
	return "", fmt.Errorf("test report format %q is not known: it is %s or %s", name, strings.Join(names[:last], ", "), names[last])
}
