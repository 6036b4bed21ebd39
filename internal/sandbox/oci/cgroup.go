package oci

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cgroupRoot is where hosts mount cgroups, and where runtimes look for them.
const cgroupRoot = "/sys/fs/cgroup"

// cgroupParent holds the cgroups of all sandboxes, in every hierarchy.
const cgroupParent = "/assay"

// cgroups reads and freezes the cgroups that the runtime binary makes. On a hybrid
// host the controllers are those of version 1, as the runtimes see it.
type cgroups struct {
	root    string // cgroupRoot
	unified bool
	v1      map[string]string // mount points by controller
	key     string            // tells our sandboxes from those of another Dir
}

// findCgroups detects the host's layout. Its error names the remedy.
func findCgroups(key string) (*cgroups, error) {
	c := &cgroups{root: cgroupRoot, key: key}
	var st unix.Statfs_t
	if err := unix.Statfs(cgroupRoot, &st); err != nil {
		return nil, fmt.Errorf("look at %s: %w; mount the host's cgroups there", cgroupRoot, err)
	}
	if c.unified = st.Type == unix.CGROUP2_SUPER_MAGIC; c.unified {
		return c, c.checkUnified()
	}
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	c.v1 = v1Mounts(mountinfo)
	for _, controller := range []string{"memory", "pids", "cpu", "cpuacct", "freezer", "devices"} {
		if c.v1[controller] == "" {
			return nil, fmt.Errorf("the cgroup controller %q is not mounted below %s; mount it, or boot with cgroup version 2", controller, cgroupRoot)
		}
	}
	return c, nil
}

func (c *cgroups) checkUnified() error {
	have, err := os.ReadFile(filepath.Join(c.root, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, controller := range []string{"memory", "pids", "cpu"} {
		if !slices.Contains(strings.Fields(string(have)), controller) {
			return fmt.Errorf("the cgroup controller %q is not available in %s; delegate it to this server", controller, c.root)
		}
	}
	return nil
}

// v1Mounts reads the mount points of version 1 hierarchies from mountinfo (proc(5)).
func v1Mounts(mountinfo []byte) map[string]string {
	mounts := make(map[string]string)
	for line := range strings.Lines(string(mountinfo)) {
		before, after, ok := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 5 || len(right) < 3 || right[0] != "cgroup" {
			continue
		}
		for option := range strings.SplitSeq(right[2], ",") {
			if option != "rw" && option != "ro" {
				mounts[option] = left[4]
			}
		}
	}
	return mounts
}

// path is what the runtime binary is told.
func (c *cgroups) path(id string) string { return path.Join(cgroupParent, c.key+"-"+id) }

// dir is the directory of a sandbox's cgroup with a controller.
func (c *cgroups) dir(controller, id string) string {
	root := c.root
	if !c.unified {
		root = c.v1[controller]
	}
	return filepath.Join(root, c.path(id))
}

// dirs are all directories of a sandbox's cgroup.
func (c *cgroups) dirs(id string) []string {
	if c.unified {
		return []string{filepath.Join(c.root, c.path(id))}
	}
	var all []string
	for _, root := range c.v1 {
		all = append(all, filepath.Join(root, c.path(id)))
	}
	all = append(all, filepath.Join(c.root, "unified", c.path(id))) // of a hybrid host
	slices.Sort(all)
	return slices.Compact(all)
}

// list names the sandboxes that have a cgroup left.
func (c *cgroups) list() ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(c.dir("memory", "any")))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var ids []string
	for _, entry := range entries {
		if id, ours := strings.CutPrefix(entry.Name(), c.key+"-"); ours && entry.IsDir() {
			ids = append(ids, id)
		}
	}
	return ids, err
}

// empty tells whether no process is left in a sandbox's cgroups.
func (c *cgroups) empty(id string) (bool, error) {
	for _, dir := range c.dirs(id) {
		procs, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV): // and there is no such cgroup
		case err != nil:
			return false, fmt.Errorf("look into the cgroup of sandbox %s: %w", id, err)
		case len(procs) > 0:
			return false, nil
		}
	}
	return true, nil
}

// accountsSwap tells whether a limit of memory and swap can be set.
func (c *cgroups) accountsSwap() bool {
	if c.unified {
		return true // runtimes leave it out where the file is missing
	}
	_, err := os.Stat(filepath.Join(c.v1["memory"], "memory.memsw.limit_in_bytes"))
	return err == nil
}

// oomKills counts the processes of a sandbox that were killed for memory.
func (c *cgroups) oomKills(id string) (int64, error) {
	name := "memory.oom_control"
	if c.unified {
		name = "memory.events"
	}
	return readField(filepath.Join(c.dir("memory", id), name), "oom_kill")
}

// cpu is the processor time that a sandbox has used.
func (c *cgroups) cpu(id string) (time.Duration, error) {
	if c.unified {
		us, err := readField(filepath.Join(c.dir("cpu", id), "cpu.stat"), "usage_usec")
		return time.Duration(us) * time.Microsecond, err
	}
	ns, err := readInt(filepath.Join(c.dir("cpuacct", id), "cpuacct.usage"))
	return time.Duration(ns), err
}

// memoryPeak is the most memory that a sandbox has used, in bytes; 0 where the host
// does not tell (version 2 before Linux 5.19).
func (c *cgroups) memoryPeak(id string) (int64, error) {
	name := "memory.max_usage_in_bytes"
	if c.unified {
		name = "memory.peak"
	}
	peak, err := readInt(filepath.Join(c.dir("memory", id), name))
	if c.unified && errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	return peak, err
}

// freezeTime is how long the processes of a sandbox may take to stop: one that waits for
// a disk does not before the disk has answered.
const freezeTime = 30 * time.Second

// freeze stops every process of a sandbox and returns when all have stopped.
func (c *cgroups) freeze(ctx context.Context, id string) error {
	for {
		// Version 1 may not get to the end while processes fork: asking again makes
		// it try again (kernel, cgroup-v1/freezer-subsystem.rst).
		if err := c.setFrozen(id, true); err != nil {
			return fmt.Errorf("freeze: %w", err)
		}
		frozen, err := c.isFrozen(id)
		if err != nil {
			return fmt.Errorf("freeze: %w", err)
		}
		if frozen {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("freeze: %w", ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
}

// thaw lets a sandbox go on; nil when it has no cgroup.
func (c *cgroups) thaw(id string) error {
	if err := c.setFrozen(id, false); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("thaw: %w", err)
	}
	return nil
}

// hurry gives a sandbox the weight of all others: those with the least take long to die. A
// sandbox without a cgroup has none.
func (c *cgroups) hurry(id string) {
	name, value := "cpu.shares", "1024"
	if c.unified {
		name, value = "cpu.weight", "100"
	}
	_ = writeFile(filepath.Join(c.dir("cpu", id), name), value) // it dies without, too
}

func (c *cgroups) setFrozen(id string, frozen bool) error {
	return writeFile(c.freezer(id, frozen))
}

// freezer is the file that freezes and thaws a sandbox, and what to write to it.
func (c *cgroups) freezer(id string, frozen bool) (file, value string) {
	name, value := "freezer.state", "THAWED"
	if frozen {
		value = "FROZEN"
	}
	if c.unified {
		name, value = "cgroup.freeze", "0"
		if frozen {
			value = "1"
		}
	}
	return filepath.Join(c.dir("freezer", id), name), value
}

func (c *cgroups) isFrozen(id string) (bool, error) {
	dir := c.dir("freezer", id)
	if c.unified {
		n, err := readField(filepath.Join(dir, "cgroup.events"), "frozen")
		return n == 1, err
	}
	state, err := os.ReadFile(filepath.Join(dir, "freezer.state"))
	return strings.TrimSpace(string(state)) == "FROZEN", err
}

// killTries bounds the rounds in which what is left in a cgroup is killed.
const killTries = 400

// remove kills what is left in a sandbox's cgroups and removes them.
func (c *cgroups) remove(ctx context.Context, id string) error {
	for _, dir := range c.dirs(id) {
		for try := 1; ; try++ {
			err := unix.Rmdir(dir)
			if err == nil || errors.Is(err, unix.ENOENT) {
				break
			}
			if !errors.Is(err, unix.EBUSY) || try == killTries {
				return fmt.Errorf("remove cgroup %s: %w", dir, err)
			}
			if err := killAllIn(dir); err != nil {
				return fmt.Errorf("kill what is left in cgroup %s: %w", dir, err)
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("remove cgroup %s: %w", dir, ctx.Err())
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
	return nil
}

func killAllIn(dir string) error {
	procs, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) {
			return nil
		}
		return err
	}
	for pid := range strings.FieldsSeq(string(procs)) {
		n, err := strconv.Atoi(pid)
		if err != nil || n <= 0 {
			return fmt.Errorf("process %q", pid)
		}
		if err := unix.Kill(n, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	return nil
}

// readControl reads a control file, which is small. os.ReadFile would let the poller
// watch it, which takes four times as long, before and after each command.
func readControl(name string) ([]byte, error) {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(fd)
	buf := make([]byte, 4<<10)
	n, err := unix.Read(fd, buf)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return buf[:n], nil
}

// readField reads a number from a file of lines "name value".
func readField(name, field string) (int64, error) {
	content, err := readControl(name)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(content)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == field {
			return strconv.ParseInt(f[1], 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no field %q", name, field)
}

func readInt(name string) (int64, error) {
	content, err := readControl(name)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64)
}

// writeFile writes to a file that exists: a control file is not to be made.
func writeFile(name, value string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
