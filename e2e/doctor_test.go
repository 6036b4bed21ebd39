package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A doctor is asked beside a server that runs, which proves that it must find all well.
func TestDoctorFindsWhatAServerRunsOn(t *testing.T) {
	t.Parallel()
	out, err := world.shared.Run(t.Context(), "doctor", "--json")
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var got struct {
		OK     bool
		Checks []struct{ Name, Status, Text string }
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	status := map[string]string{}
	for _, c := range got.Checks {
		status[c.Name] = c.Status
		if c.Text == "" {
			t.Errorf("nothing is said of %s", c.Name)
		}
		if c.Status == "advice" && !strings.Contains(c.Text, "sysctl -w") && c.Name != "kernel" {
			t.Errorf("the advice names no remedy: %s", c.Text)
		}
	}
	for _, name := range []string{"data directory", "guest agent", "database", "database pages", "root", "runtime", "user namespaces", "cgroups", "seccomp", "disk space", "mkfs.ext4", "loop devices and overlayfs"} {
		if status[name] != "ok" {
			t.Errorf("%s is %q", name, status[name])
		}
	}
	if !got.OK {
		t.Errorf("all is not well: %s", out)
	}
	left, err := filepath.Glob(filepath.Join(world.shared.DataDir, ".assay-doctor-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("the doctor left %q, %v", left, err)
	}
	if mounts, err := os.ReadFile("/proc/self/mounts"); err != nil || strings.Contains(string(mounts), "assay-doctor") {
		t.Errorf("the doctor left a mount, or they cannot be read: %v", err)
	}
}
