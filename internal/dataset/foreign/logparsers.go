package foreign

import (
	"slices"
	"strings"

	"assay"
	"assay/internal/testid"
)

// The formats of package testreport that logs are read with. They are named, not
// imported: one that this version of Assay does not know makes a row unsupported.
const (
	pytestText   = "pytest-text"
	unittestText = "unittest-text"
	sympyText    = "sympy-text"
	jestText     = "jest-text"
	goTestText   = "go-test-text"
	cargoTest    = "cargo-test"
	tapText      = "tap"
	junitXML     = "junit-xml"
	reward       = "reward"
)

// logParser is what is known of a log parser of SWE-bench's harness.
type logParser struct {
	format   string // of package testreport, that finds the same names; "" for none
	language string
}

// logParsers are the log parsers of SWE-bench (swebench/harness/log_parsers), which
// its relatives name as well, without "parse_log_".
var logParsers = map[string]logParser{
	"astroid": {pytestText, "python"}, "astropy": {pytestText, "python"}, "flask": {pytestText, "python"},
	"marshmallow": {pytestText, "python"}, "matplotlib": {pytestText, "python"}, "pvlib": {pytestText, "python"},
	"pydicom": {pytestText, "python"}, "pylint": {pytestText, "python"}, "pytest": {pytestText, "python"},
	"pytest_options": {pytestText, "python"}, "pytest_v2": {pytestText, "python"}, "pyvista": {pytestText, "python"},
	"requests": {pytestText, "python"}, "scikit": {pytestText, "python"}, "seaborn": {pytestText, "python"},
	"sphinx": {pytestText, "python"}, "sqlfluff": {pytestText, "python"}, "xarray": {pytestText, "python"},
	"django": {unittestText, "python"}, "sympy": {sympyText, "python"},

	"cargo": {cargoTest, "rust"}, "gotest": {goTestText, "go"}, "tap": {tapText, "javascript"},

	"ant": {"", "java"}, "gradle_custom": {"", "java"}, "maven": {"", "java"},
	"calypso": {"", "javascript"}, "chart_js": {"", "javascript"}, "immutable_js": {"", "javascript"},
	"jest": {jestText, "javascript"}, "karma": {"", "javascript"}, "marked": {"", "javascript"}, "p5js": {"", "javascript"},
	"react_pdf": {"", "javascript"}, "vitest": {"", "javascript"},
	"doctest": {"", "cpp"}, "googletest": {"", "cpp"}, "jq": {"", "c"}, "micropython_test": {"", "c"}, "redis": {"", "c"},
	"jekyll": {"", "ruby"}, "rspec_transformed_json": {"", "ruby"}, "ruby_unit": {"", "ruby"}, "phpunit": {"", "php"},
}

// logReport reads standard output, where the original runs a log parser over its log.
// A parser that nothing of ours stands for is named as the format, which nobody
// knows: the row is unsupported, unless the user names other reports.
func logReport(parser string) []assay.ReportSpec {
	if parser == "" {
		return nil
	}
	format := logParsers[strings.TrimPrefix(parser, "parse_log_")].format
	if format == "" {
		format = parser
	}
	return []assay.ReportSpec{{Path: "-", Format: format}}
}

// languageOf tells the language by the log parser.
func languageOf(parser string) string {
	return logParsers[strings.TrimPrefix(parser, "parse_log_")].language
}

// truncatesIDs tells whether names of tests were cut at their first space, as parsers
// of pytest's summary do.
func truncatesIDs(lists ...[]string) bool {
	for _, names := range lists {
		if slices.ContainsFunc(names, testid.Truncated) {
			return true
		}
	}
	return false
}
