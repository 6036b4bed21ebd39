package dataset

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"

	"assay"
	"assay/internal/testreport"
)

const documentation = "../../docs/dataset-format.md"

// TestDocumentedExample imports the example of the documentation.
func TestDocumentedExample(t *testing.T) {
	text, err := os.ReadFile(documentation)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string) string {
		m := regexp.MustCompile("(?s)```" + kind + "\n(.*?)```").FindSubmatch(text)
		if m == nil {
			t.Fatalf("the document has no %s block", kind)
		}
		return string(m[1])
	}
	s, _ := newService(t, Config{})
	got, err := s.Import(t.Context(), folder(t, block("yaml"), block("json")))
	if err != nil {
		t.Fatal(err)
	}
	if got.Dataset != "arithmetic" || got.Added != 1 {
		t.Errorf("got %+v", got)
	}
	sample, err := s.Sample(t.Context(), "arithmetic", "example__sum-1.0.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	if format := sample.Task.Verifier.Reports[0].Format; format != string(testreport.GoTestJSON) {
		t.Errorf("the report's format is %q", format)
	}
	if want := (assay.Resources{CPUs: 2, MemoryMB: 1024}); sample.Task.Resources != want {
		t.Errorf("the sample's own memory is not laid over the default: %+v", sample.Task.Resources)
	}
}

// TestDocumentedKeys: the document names every key that the schemas know.
func TestDocumentedKeys(t *testing.T) {
	text, err := os.ReadFile(documentation)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"schema/dataset.schema.json", "schema/sample.schema.json"} {
		raw, err := schemaFiles.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var schema map[string]any
		if err := json.Unmarshal(raw, &schema); err != nil {
			t.Fatal(err)
		}
		for key := range propertiesOf(schema) {
			quoted := regexp.MustCompile("(?i)`([a-z]+\\.)?" + regexp.QuoteMeta(key) + "`")
			if !quoted.Match(text) {
				t.Errorf("%s: %s is not documented", name, key)
			}
		}
	}
}

// TestDocumentedFormats: the document tells of every format of others that is read.
func TestDocumentedFormats(t *testing.T) {
	text, err := os.ReadFile("../../docs/datasets.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Formats() {
		if !strings.Contains(string(text), "| `"+name+"` |") {
			t.Errorf("%s is not documented", name)
		}
	}
}

// propertiesOf collects the names of all properties of a schema, at any depth.
func propertiesOf(v any) map[string]bool {
	found := map[string]bool{}
	switch v := v.(type) {
	case map[string]any:
		if properties, ok := v["properties"].(map[string]any); ok {
			for name := range properties {
				found[name] = true
			}
		}
		for _, below := range v {
			maps.Copy(found, propertiesOf(below))
		}
	case []any:
		for _, below := range v {
			maps.Copy(found, propertiesOf(below))
		}
	}
	return found
}
