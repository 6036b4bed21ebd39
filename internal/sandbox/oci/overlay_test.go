package oci

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"assay/internal/image"
)

// More layers than their names would fit into the page that mount(2) takes.
func TestManyLayers(t *testing.T) {
	dir := t.TempDir()
	var lowers []string
	for i := range 200 {
		lower := filepath.Join(dir, fmt.Sprintf("layer-with-a-name-like-a-digest-%040d", i))
		if err := os.Mkdir(lower, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"every", fmt.Sprint(i)} {
			if err := os.WriteFile(filepath.Join(lower, name), []byte(fmt.Sprint(i)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		lowers = append(lowers, lower)
	}
	img, disk, root := filepath.Join(dir, "img"), filepath.Join(dir, "disk"), filepath.Join(dir, "root")
	for _, name := range []string{disk, root} {
		if err := os.Mkdir(name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := newDisks(dir, image.IDShift{Size: 1}).create(t.Context(), img, 16<<20); err != nil {
		t.Fatal(err)
	}
	if err := mountDisk(img, disk); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dropDisk(disk); err != nil {
			t.Error(err)
		}
	})
	if err := mountOverlay(root, lowers, disk); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unmount(root); err != nil {
			t.Error(err)
		}
	})
	for name, want := range map[string]string{"every": "0", "0": "0", "199": "199"} {
		if got, err := os.ReadFile(filepath.Join(root, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; the topmost layer is the first", name, got, err)
		}
	}
}
