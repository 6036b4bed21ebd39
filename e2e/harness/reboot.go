package harness

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// rebootBound is how long processes may take to die, and mounts to be let go.
const rebootBound = 20 * time.Second

// Reboot does to the sandboxes of a data directory what a reboot of the host does:
// their processes die, and their mounts and cgroups are gone. Files stay. No server may run.
func (p Program) Reboot() error {
	h, err := p.host()
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(rebootBound); ; {
		h.killAll()
		unmounted := h.unmountAll()
		groups, err := h.cgroups()
		for _, g := range groups {
			unix.Rmdir(strings.TrimPrefix(g, "cgroup ")) //nolint:errcheck // looked for again
		}
		left, lerr := h.processes()
		loops, oerr := h.loops()
		if err := errors.Join(err, lerr, oerr); err != nil {
			return fmt.Errorf("reboot: %w", err)
		}
		left = slices.Concat(left, groups, loops)
		if unmounted == nil && len(left) == 0 {
			return ignoreAbsent(os.Remove(h.runDir()))
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("reboot: left: %s", strings.Join(left, ", ")), unmounted)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// killAll kills the processes of sandboxes and of the runtime. What is frozen dies
// when it is thawed.
func (h host) killAll() {
	h.thaw()
	kill := func(pid int, cgroup []byte) {
		if strings.Contains(string(cgroup), h.cgroup()) {
			unix.Kill(pid, unix.SIGKILL) //nolint:errcheck // looked for again
		}
	}
	_ = eachProcess(kill) // looked for again
	pids, _ := Program{DataDir: h.dir}.Runtimes()
	for _, pid := range pids {
		unix.Kill(pid, unix.SIGKILL) //nolint:errcheck // as above
	}
}

// thaw lets frozen sandboxes go on: of either version of cgroups.
func (h host) thaw() {
	for pattern, value := range map[string]string{
		"/sys/fs/cgroup/freezer" + h.cgroup() + "*/freezer.state": "THAWED",
		"/sys/fs/cgroup" + h.cgroup() + "*/cgroup.freeze":         "0",
	} {
		files, _ := filepath.Glob(pattern)
		for _, f := range files {
			_ = os.WriteFile(f, []byte(value), 0) // looked for again
		}
	}
}

// unmountAll unmounts what is mounted for sandboxes, the last first, and the place of
// their mounts.
func (h host) unmountAll() error {
	all, err := mounts()
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range slices.Backward(all) {
		if m.at == h.runDir() || strings.HasPrefix(m.at, h.runDir()+"/") || strings.HasPrefix(m.at, h.dir+"/") {
			errs = append(errs, unix.Unmount(m.at, unix.UMOUNT_NOFOLLOW))
		}
	}
	return errors.Join(errs...)
}
