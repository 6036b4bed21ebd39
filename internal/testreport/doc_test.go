package testreport

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const documentation = "../../docs/dataset-format.md"

func TestEveryFormatIsDocumented(t *testing.T) {
	text, err := os.ReadFile(documentation)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range Formats() {
		row := fmt.Sprintf("| `%s` | %s | %s |\n", format, format.About(), format.IDs())
		if !strings.Contains(string(text), row) {
			t.Errorf("%s lacks this row:\n%s", documentation, row)
		}
	}
}

// TestDocumentedVerdict reads the example of a verifier's own verdict.
func TestDocumentedVerdict(t *testing.T) {
	text, err := os.ReadFile(documentation)
	if err != nil {
		t.Fatal(err)
	}
	start := strings.Index(string(text), "```json\n{\"schema\": 1, \"solved\"")
	if start < 0 {
		t.Fatal("the document has no example")
	}
	example, _, _ := strings.Cut(string(text)[start+len("```json\n"):], "```")
	report, err := Parse(AssayJSON, strings.NewReader(example), Limits{})
	if err != nil || report.Solved == nil || *report.Solved || report.Reason == "" || len(report.Results) != 2 {
		t.Errorf("%v, %+v", err, report)
	}
}

func TestOnlyLintersReportFindings(t *testing.T) {
	for _, format := range Formats() {
		if want := format == SARIF || format == Checkstyle; format.Findings() != want {
			t.Errorf("%s: findings %v", format, format.Findings())
		}
	}
}
