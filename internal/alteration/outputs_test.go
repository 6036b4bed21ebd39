package alteration_test

import (
	"strings"
	"testing"

	"assay/internal/alteration"
)

// TestOutputsOfExamples holds that what an example is expected to write is edited, whatever
// stands before it.
func TestOutputsOfExamples(t *testing.T) {
	for name, body := range map[string]string{
		"a call":     "\tfmt.Println(total)\n",
		"a block":    "\tif err != nil {\n\t\tlog.Fatal(err)\n\t} else {\n\t\tfmt.Println(total)\n\t}\n",
		"a loop":     "\tfor _, v := range list {\n\t\tfmt.Println(v)\n\t}\n",
		"a function": "\tfunc() {\n\t\tfmt.Println(total)\n\t}()\n",
	} {
		src := "package p_test\n\nfunc ExampleTotal() {\n" + body + "\n\t// Output: twelve\n}\n\nfunc helper() {}\n"
		edited := false
		for _, e := range alteration.Candidates(alteration.File{Path: "total_test.go", Source: []byte(src)}, alteration.Options{}) {
			edited = edited || strings.HasPrefix(e.Old, "// Output:") && e.Region == "ExampleTotal"
		}
		if !edited {
			t.Errorf("after %s: what the example is expected to write is not edited", name)
		}
	}
}
