package oci_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"assay/internal/sandbox"
)

// A disk that fails, as one does whose host is full, stays read-only. The commands of
// the sandbox cannot be blamed from then on.
func TestADiskThatFailsLeavesItsMark(t *testing.T) {
	h := newHost(t)
	rt := h.runtime(t)
	box, err := rt.Create(t.Context(), spec("fails"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Destroy(context.Background(), box.Handle()); err != nil {
			t.Error(err)
		}
	})
	write := func(id string) int {
		t.Helper()
		res, err := box.Exec(t.Context(), sandbox.Command{ID: id, Argv: []string{"sh", "-c", "echo " + id + " > /" + id}})
		if err != nil {
			t.Fatal(err)
		}
		return res.Exit.Code
	}
	if code := write("before"); code != 0 {
		t.Fatalf("a write ends with %d", code)
	}
	if err := box.(sandbox.Checker).Check(t.Context()); err != nil {
		t.Errorf("a sandbox that is well: %v", err)
	}
	failDisk(t, filepath.Join(h.run, "fails", "disk"))
	if code := write("after"); code == 0 {
		t.Error("a write to a disk that failed succeeds")
	}
	if err := box.(sandbox.Checker).Check(t.Context()); err == nil {
		t.Error("a sandbox whose disk failed is taken for well")
	}
}

// failDisk makes the kernel find a fault in a mounted disk.
func failDisk(t *testing.T, dir string) {
	t.Helper()
	var at unix.Stat_t
	if err := unix.Stat(dir, &at); err != nil {
		t.Fatal(err)
	}
	trigger := fmt.Sprintf("/sys/fs/ext4/loop%d/trigger_fs_error", unix.Minor(at.Dev))
	if err := os.WriteFile(trigger, []byte("a test"), 0); err != nil {
		t.Fatal(err)
	}
}
