package grid

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What an attack learns of a test's text must be what its code sees of it when it runs.
func TestBlocksOfTestsAreLearnt(t *testing.T) {
	for _, c := range []struct {
		language language
		text     string
		blocks   []string
	}{
		{python, "import x\n\n\nclass TestA:\n    def test_a(self):\n        one\n\n        two\n\n    def test_b(self):\n        three\n\n\ndef other():\n    pass\n", []string{
			"    def test_a(self):\n        one\n\n        two\n", "    def test_b(self):\n        three\n",
		}},
		{golang, "package a\n\nfunc TestA(t *testing.T) {\n\tone()\n\n\ttwo()\n}\n\nfunc other() {\n}\n", []string{"func TestA(t *testing.T) {\n\tone()\n\n\ttwo()\n}\n"}},
		{javascript, "suite('s', function () {\n  test('a', function () {\n    one()\n  })\n\n  other()\n  test('b', () => {\n    two()\n  })\n})\n", []string{
			"  test('a', function () {\n    one()\n  })\n", "  test('b', () => {\n    two()\n  })\n",
		}},
	} {
		dir := t.TempDir()
		source, file := filepath.Join(dir, "source"), filepath.Join(dir, "sums")
		if err := os.Mkdir(source, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"empty", "tests"} {
			text := map[string]string{"tests": c.text, "empty": "nothing\n"}[name]
			if err := os.WriteFile(filepath.Join(source, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		script := strings.NewReplacer("/tmp/known/source", source, "/tmp/blocks", filepath.Join(dir, "blocks")).Replace(learn(c.language.testStart, file))
		if out, err := exec.CommandContext(t.Context(), "bash", "-c", "set -e\n"+script).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", c.language.name, err, out)
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, block := range c.blocks {
			sum := sha256.Sum256([]byte(block))
			want = append(want, hex.EncodeToString(sum[:]))
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, strings.Fields(string(got))); diff != "" {
			t.Errorf("%s: %s", c.language.name, diff)
		}
	}
}
