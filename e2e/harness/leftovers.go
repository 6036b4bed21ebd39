package harness

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Leftovers tells what the host still holds for sandboxes of the data directory:
// folders (with sockets in them), mounts, loop devices, cgroups and processes. What
// belongs to a sandbox whose id is in keep is left out. Leases of images are told by
// Leases, because programs may share an image store. It asks the kernel and the
// file system and never the program, which could not know of what it lost.
func (p Program) Leftovers(keep ...string) ([]string, error) {
	h, err := p.host()
	if err != nil {
		return nil, err
	}
	var left []string
	var errs []error
	for _, look := range []func() ([]string, error){h.folders, h.mounts, h.loops, h.cgroups, h.processes, h.runtimes} {
		found, err := look()
		left, errs = append(left, found...), append(errs, err)
	}
	left = slices.DeleteFunc(left, func(what string) bool {
		return slices.ContainsFunc(keep, func(id string) bool { return strings.Contains(what, id) })
	})
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("look for what %s left on this host: %w", p.DataDir, err)
	}
	return left, nil
}

// host looks for traces of the sandboxes of one data directory. The names are those
// that the package comment of internal/sandbox/oci lays down.
type host struct {
	dir string // the data directory
	key string // names what has to live outside of it
}

func (p Program) host() (host, error) {
	dir, err := filepath.Abs(p.DataDir)
	sum := sha256.Sum256([]byte(filepath.Join(dir, "sandboxes")))
	return host{dir: dir, key: hex.EncodeToString(sum[:6])}, err
}

func (h host) runDir() string      { return "/run/assay-" + h.key }
func (h host) cgroup() string      { return "/assay/" + h.key + "-" }
func (h host) runtimeRoot() string { return filepath.Join(h.dir, "sandboxes", "runtime") }

// folders are those of sandboxes, of the runtime and of changes that wait.
func (h host) folders() (left []string, err error) {
	for _, dir := range []string{
		filepath.Join(h.dir, "sandboxes", "sandboxes"),
		h.runtimeRoot(),
		filepath.Join(h.dir, "verifications"),
		filepath.Join(h.dir, "mounts"),
		h.runDir(),
	} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			left = append(left, "folder "+filepath.Join(dir, e.Name()))
		}
	}
	return left, nil
}

// mounts are those of sandboxes. The tmpfs that they lie in stays with the server.
func (h host) mounts() (left []string, err error) {
	all, err := mounts()
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		if strings.HasPrefix(m.at, h.runDir()+"/") || strings.HasPrefix(m.at, h.dir+"/") {
			left = append(left, "mount "+m.at)
		}
	}
	return left, nil
}

// mount is a mount of this process's namespace.
type mount struct{ at, kind string }

// mounts reads mountinfo (proc(5)).
func mounts() (all []mount, err error) {
	content, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(content)) {
		before, after, _ := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if len(left) > 4 && len(right) > 0 {
			all = append(all, mount{left[4], right[0]})
		}
	}
	return all, nil
}

// loops are loop devices on files of the data directory, removed ones too.
func (h host) loops() (left []string, err error) {
	names, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		file, err := os.ReadFile(name)
		if err == nil && strings.HasPrefix(string(file), h.dir+"/") {
			left = append(left, fmt.Sprintf("loop device %s on %s", name, bytes.TrimSpace(file)))
		}
	}
	return left, nil
}

// cgroups looks in every hierarchy: version 1, 2 and hybrid.
func (h host) cgroups() (left []string, err error) {
	for _, pattern := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/*"} {
		found, err := filepath.Glob(pattern + h.cgroup() + "*")
		if err != nil {
			return nil, err
		}
		for _, dir := range found {
			left = append(left, "cgroup "+dir)
		}
	}
	return left, nil
}

// processes are those in cgroups of sandboxes. Guest agents are among them.
func (h host) processes() (left []string, err error) {
	err = eachProcess(func(pid int, cgroup []byte) {
		if _, id, ok := strings.Cut(string(cgroup), h.cgroup()); ok {
			id, _, _ = strings.Cut(id, "\n")
			if strings.HasSuffix(id, "(deleted)") {
				return // a cgroup goes when nothing runs in it: this one is dead, and its parent has not looked yet
			}
			left = append(left, fmt.Sprintf("process %d of sandbox %s", pid, id))
		}
	})
	return left, err
}

// runtimes are processes of the OCI runtime that work for nobody.
func (h host) runtimes() (left []string, err error) {
	pids, err := Program{DataDir: h.dir}.Runtimes()
	for _, pid := range pids {
		left = append(left, fmt.Sprintf("process %d of the runtime", pid))
	}
	return left, err
}

func eachProcess(see func(pid int, cgroup []byte)) error {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if cgroup, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cgroup")); err == nil { // else it is gone
			see(pid, cgroup)
		}
	}
	return nil
}
