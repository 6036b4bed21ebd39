package dataset

import (
	"os"
	"regexp"
	"testing"

	"assay"
)

// TestDocumentedExample imports the example of the documentation.
func TestDocumentedExample(t *testing.T) {
	text, err := os.ReadFile("../../docs/dataset-format.md")
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
	if want := (assay.Resources{CPUs: 2, MemoryMB: 1024}); sample.Task.Resources != want {
		t.Errorf("the sample's own memory is not laid over the default: %+v", sample.Task.Resources)
	}
}
