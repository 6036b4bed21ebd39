package app

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"assay"
	"assay/internal/identity"
)

func TestKeysAreRotatedOneAtATimeAndTold(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	a, err := Open(t.Context(), Config{DataDir: dir, LogLevel: "warn"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	first, err := a.RotateTokenKeys(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	lock, err := a.dir.lock("rotate.lock", errRotating)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(dir, keyringFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.RotateTokenKeys(t.Context(), false); !errors.Is(err, errRotating) {
		t.Errorf("beside another rotation: %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, keyringFile)); err != nil || string(after) != string(before) {
		t.Errorf("the file was changed: %v", err)
	}
	lock.Close()
	second, err := a.RotateTokenKeys(t.Context(), true)
	if err != nil || second == first {
		t.Errorf("%s after %s: %v", second, first, err)
	}
	events, err := a.Identity.Audit(t.Context(), identity.AuditQuery{Action: assay.AuditKeysRotate})
	if err != nil || len(events) != 2 {
		t.Errorf("told: %+v %v", events, err)
	}
}
