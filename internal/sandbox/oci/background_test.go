package oci_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay/internal/sandbox"
	"assay/internal/sandbox/sandboxtest/rootfs"
)

// weight reads the part of the CPUs that a sandbox gets beside others: shares of version 1
// of cgroups, or the weight of version 2.
func (h host) weight(t *testing.T, id string) string {
	t.Helper()
	for _, name := range []string{"/sys/fs/cgroup/cpu/assay/%s-%s/cpu.shares", "/sys/fs/cgroup/cpu,cpuacct/assay/%s-%s/cpu.shares", "/sys/fs/cgroup/assay/%s-%s/cpu.weight"} {
		name = fmt.Sprintf(name, h.key(), id)
		if text, err := os.ReadFile(name); err == nil {
			return filepath.Base(name) + " " + strings.TrimSpace(string(text))
		}
	}
	t.Fatalf("sandbox %s has no weight", id)
	return ""
}

func TestBackgroundSandboxesYield(t *testing.T) {
	for name, binary := range map[string]func(t testing.TB) string{
		"runc":  func(testing.TB) string { return "runc" },
		"runsc": gvisor,
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			h.binary = binary(t)
			rt := h.runtime(t)
			for id, want := range map[string]struct {
				background bool
				weights    []string
				score      string // of the init for the kernel's choice of whom to kill for memory; "" for any
			}{
				"front": {false, []string{"cpu.shares 1024", "cpu.weight 100"}, ""},
				"back":  {true, []string{"cpu.shares 2", "cpu.weight 1"}, "1000"},
			} {
				box, err := rt.Create(t.Context(), sandbox.Spec{
					ID: id, Image: rootfs.Name, Workdir: "/work", Deadline: time.Now().Add(time.Minute), Background: want.background,
				})
				if err != nil {
					t.Fatal(err)
				}
				if got := h.weight(t, id); got != want.weights[0] && got != want.weights[1] {
					t.Errorf("%s: %s, want one of %q", id, got, want.weights)
				}
				score, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", h.initPID(t, box.Handle())))
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.TrimSpace(string(score)); want.score != "" && got != want.score {
					t.Errorf("%s: oom_score_adj is %s, want %s", id, got, want.score)
				}
				if err := box.Destroy(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
