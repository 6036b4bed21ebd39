package harness

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// RootFS is where the root file system of a running sandbox is mounted on the host.
func (p Program) RootFS(id string) (string, error) {
	h, err := p.host()
	if err != nil {
		return "", err
	}
	all, err := mounts()
	if err != nil {
		return "", err
	}
	place := h.runDir() + "/" + id
	for _, m := range all {
		if m.kind == "overlay" && (m.at == place || strings.HasPrefix(m.at, place+"/")) {
			return m.at, nil
		}
	}
	return "", fmt.Errorf("find the root file system of sandbox %s: nothing is mounted at %s", id, place)
}

// RunDir is the place of the mounts of sandboxes. It goes when the last server stops
// that has none.
func (p Program) RunDir() (string, error) {
	h, err := p.host()
	return h.runDir(), err
}

// Processes are the process ids of a sandbox, seen from the host.
func (p Program) Processes(id string) ([]int, error) {
	h, err := p.host()
	if err != nil {
		return nil, err
	}
	var pids []int
	err = eachProcess(func(pid int, cgroup []byte) {
		if bytes.Contains(cgroup, []byte(h.cgroup()+id)) {
			pids = append(pids, pid)
		}
	})
	return pids, err
}

// Agent is the process id of a sandbox's first process, seen from the host; 0 when
// there is none.
func (p Program) Agent(id string) (int, error) {
	pids, err := p.Processes(id)
	for _, pid := range pids {
		if isInit(pid) {
			return pid, err
		}
	}
	return 0, err
}

// isInit tells whether a process is the first one of a PID namespace below this one:
// the last number of NSpid (proc(5)) is the one inside.
func isInit(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false // it is gone
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "NSpid:"); ok {
			ids := strings.Fields(rest)
			return len(ids) > 1 && ids[len(ids)-1] == "1"
		}
	}
	return false
}

// Runtimes are the process ids of the OCI runtime's program while it works for this
// data directory.
func (p Program) Runtimes() ([]int, error) {
	h, err := p.host()
	if err != nil {
		return nil, err
	}
	var pids []int
	err = eachProcess(func(pid int, _ []byte) {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && slices.ContainsFunc(bytes.Split(line, []byte{0}), func(arg []byte) bool { return string(arg) == h.runtimeRoot() }) {
			pids = append(pids, pid)
		}
	})
	return pids, err
}

// DropLeases drops every lease of the image store: those of programs whose data
// directories are gone.
func (p Program) DropLeases() error {
	names, err := p.Leases()
	for _, name := range names {
		err = errors.Join(err, os.Remove(filepath.Join(p.DataDir, "images", "leases", name)))
	}
	return err
}

// Leases are the names of the leases of images that are held, by sandboxes and by
// readers, in the image store of the data directory.
func (p Program) Leases() (names []string, err error) {
	entries, err := os.ReadDir(filepath.Join(p.DataDir, "images", "leases"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}
