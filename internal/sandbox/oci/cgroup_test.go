package oci

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Lines of /proc/self/mountinfo on hosts of each layout.
const (
	hybridHost = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:10 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`
	unifiedHost = "30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
)

func TestV1Mounts(t *testing.T) {
	got := v1Mounts([]byte(hybridHost))
	for controller, want := range map[string]string{
		"cpu": "/sys/fs/cgroup/cpu,cpuacct", "cpuacct": "/sys/fs/cgroup/cpu,cpuacct", "memory": "/sys/fs/cgroup/memory",
		"freezer": "/sys/fs/cgroup/freezer", "name=systemd": "/sys/fs/cgroup/systemd", "pids": "", "rw": "",
	} {
		if got[controller] != want {
			t.Errorf("%s: %q, want %q", controller, got[controller], want)
		}
	}
	if got := v1Mounts([]byte(unifiedHost)); len(got) > 0 {
		t.Errorf("a unified host: %v", got)
	}
}

// fake lays out the files of a sandbox's cgroups.
func fake(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func layouts(t *testing.T) map[string]*cgroups {
	unified := fake(t, map[string]string{
		"cgroup.controllers":          "cpuset cpu io memory pids\n",
		"assay/k-box/memory.events":   "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n",
		"assay/k-box/memory.peak":     "4096\n",
		"assay/k-box/cpu.stat":        "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n",
		"assay/k-box/cpu.weight":      "001",
		"assay/k-box/cgroup.freeze":   "0\n",
		"assay/k-box/cgroup.events":   "populated 1\nfrozen 1\n",
		"assay/other-box/memory.peak": "1\n",
	})
	split := fake(t, map[string]string{
		"memory/assay/k-box/memory.oom_control":        "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
		"memory/assay/k-box/memory.max_usage_in_bytes": "4096\n",
		"memory/memory.memsw.limit_in_bytes":           "1\n",
		"cpu/assay/k-box/cpuacct.usage":                "1500000\n",
		"cpu/assay/k-box/cpu.shares":                   "0002",
		"freezer/assay/k-box/freezer.state":            "FROZEN\n",
		"memory/assay/other-box/cgroup.procs":          "",
	})
	v1 := map[string]string{}
	for _, controller := range []string{"memory", "cpu", "freezer"} {
		v1[controller] = filepath.Join(split, controller)
	}
	v1["cpuacct"] = v1["cpu"]
	return map[string]*cgroups{
		"version 2": {root: unified, unified: true, key: "k"},
		"version 1": {root: split, v1: v1, key: "k"},
	}
}

func TestCgroupsOfEachLayout(t *testing.T) {
	for layout, c := range layouts(t) {
		t.Run(layout, func(t *testing.T) {
			if kills, err := c.oomKills("box"); err != nil || kills != 2 {
				t.Errorf("kills for memory: %d, %v", kills, err)
			}
			if used, err := c.cpu("box"); err != nil || used != 1500*time.Microsecond {
				t.Errorf("processor time: %v, %v", used, err)
			}
			if peak, err := c.memoryPeak("box"); err != nil || peak != 4096 {
				t.Errorf("peak: %d, %v", peak, err)
			}
			if ids, err := c.list(); err != nil || !slices.Equal(ids, []string{"box"}) {
				t.Errorf("list: %v, %v", ids, err)
			}
			if err := c.freeze(t.Context(), "box"); err != nil {
				t.Errorf("freeze: %v", err)
			}
			if !c.accountsSwap() {
				t.Error("swap is not accounted for")
			}
			if err := c.thaw("none"); err != nil {
				t.Errorf("thaw what is not there: %v", err)
			}
			name, weight := "cpu.shares", "1024"
			if c.unified {
				name, weight = "cpu.weight", "100"
			}
			c.hurry("box")
			c.hurry("none")
			if got, err := os.ReadFile(filepath.Join(c.dir("cpu", "box"), name)); err != nil || string(got) != weight {
				t.Errorf("%s is %q, %v", name, got, err)
			}
			if err := c.remove(t.Context(), "none"); err != nil {
				t.Errorf("remove what is not there: %v", err)
			}
		})
	}
}

func TestFreezeGivesUpWithItsContext(t *testing.T) {
	c := layouts(t)["version 2"]
	if err := os.WriteFile(filepath.Join(c.root, "assay/k-box/cgroup.events"), []byte("populated 1\nfrozen 0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := c.freeze(ctx, "box"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("freeze: %v", err)
	}
}

func TestUnifiedHostWithoutAController(t *testing.T) {
	c := layouts(t)["version 2"]
	if err := c.checkUnified(); err != nil {
		t.Errorf("all controllers: %v", err)
	}
	if err := os.WriteFile(filepath.Join(c.root, "cgroup.controllers"), []byte("cpu io memory\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.checkUnified(); err == nil || !strings.Contains(err.Error(), `"pids"`) {
		t.Errorf("no pids: %v", err)
	}
}
