package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMountOfManyLayers(t *testing.T) {
	dir := t.TempDir()
	for _, layers := range []int{1, 2, 120} {
		var lower []string
		for i := range layers {
			layer := filepath.Join(dir, fmt.Sprintf("%d-%d-%s", layers, i, strings.Repeat("x", 100)))
			if err := os.Mkdir(layer, 0o755); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"top", fmt.Sprintf("of-%d", i)} {
				if err := os.WriteFile(filepath.Join(layer, name), fmt.Append(nil, i), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			lower = append(lower, layer)
		}
		w := &worktrees{dir: filepath.Join(dir, "mounts")}
		at, err := w.mount(lower)
		if err != nil {
			t.Fatalf("mount %d layers (needs root): %v", layers, err)
		}
		for name, want := range map[string]string{"top": "0", fmt.Sprintf("of-%d", layers-1): fmt.Sprint(layers - 1)} {
			if got, err := os.ReadFile(filepath.Join(at, name)); err != nil || string(got) != want {
				t.Errorf("%d layers: %s is %q, %v; want %s", layers, name, got, err, want)
			}
		}
		if err := os.WriteFile(filepath.Join(at, "top"), nil, 0o600); err == nil {
			t.Errorf("%d layers can be written to", layers)
		}
		if err := w.unmount(at); err != nil {
			t.Error(err)
		}
	}
}
