package oci

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Who asks at any moment of a Destroy is told that the sandbox was destroyed, and not that it died.
func TestAtNoMomentIsADestroyedSandboxOneThatDied(t *testing.T) {
	for n := range 300 {
		p := places{dir: filepath.Join(t.TempDir(), fmt.Sprint("box_", n))}
		if err := os.Mkdir(p.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{p.state(), p.image(), p.destroyed(), filepath.Join(p.dir, "zz")} {
			if err := os.WriteFile(name, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		done := make(chan error)
		go func() { done <- removeMarkLast(p) }()
		for over := false; !over; {
			select {
			case err := <-done:
				if err != nil {
					t.Fatal(err)
				}
				over = true
			default:
			}
			if !p.wasDestroyed() {
				t.Fatalf("try %d: it counts as dead", n)
			}
		}
	}
}
