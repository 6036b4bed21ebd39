package sandboxtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/internal/sandbox/sandboxtest/runsc"
)

// What a runtime lacks is said where operators read it, in the same words.
func TestTheSecurityDocumentSaysWhatRuntimesLack(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ToLower(string(content))
	for item, reason := range GVisorLacks {
		for _, words := range []string{string(item), reason} {
			if !strings.Contains(text, strings.ToLower(words)) {
				t.Errorf("docs/security.md does not say: %s", words)
			}
		}
	}
	if !strings.Contains(string(content), "gvisor.dev/gvisor/runsc@"+runsc.Version) {
		t.Errorf("docs/security.md names another version of runsc than the tested one, %s", runsc.Version)
	}
}

func TestLacksAreHeldToTheirWord(t *testing.T) {
	for name, c := range map[string]struct {
		lacking, held, fails bool
	}{
		"held":                       {held: true},
		"not held":                   {fails: true},
		"lacking":                    {lacking: true},
		"said to lack, and does not": {lacking: true, held: true, fails: true},
	} {
		s := &suite{T: new(testing.T)}
		if c.lacking {
			s.Lacks = map[Item]string{InitIsSafe: "reason"}
		}
		s.expectHeld(InitIsSafe, c.held, "detail")
		if s.Failed() != c.fails {
			t.Errorf("%s: failed is %t", name, s.Failed())
		}
	}
}
