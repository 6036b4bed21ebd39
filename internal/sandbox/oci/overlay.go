package oci

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// overlayOptions: Changes reads upper by itself, so upper must hold whole files
// (metacopy), under their names (redirect_dir), and nothing else (index). Nothing
// is read again after a crash of the host, so nothing need reach the disk (volatile).
const overlayOptions = "redirect_dir=nofollow,metacopy=off,index=off,xino=off,volatile"

// mountOverlay mounts the root file system of a sandbox on target: the lower
// directories, topmost first, under the upper directory of its disk.
//
// mount(2) takes a page of options. Directories go in as descriptors, because the
// names of two hundred layers would not fit.
func mountOverlay(target string, lowers []string, disk string) error {
	var names []string
	for _, dir := range append([]string{filepath.Join(disk, "upper"), filepath.Join(disk, "work")}, lowers...) {
		fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("mount the root file system: %w", &fs.PathError{Op: "open", Path: dir, Err: err})
		}
		defer unix.Close(fd) // only a name
		names = append(names, fmt.Sprintf("/proc/self/fd/%d", fd))
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s,%s", strings.Join(names[2:], ":"), names[0], names[1], overlayOptions)
	if len(options) >= os.Getpagesize() {
		return fmt.Errorf("mount the root file system: %d layers are more than overlayfs takes", len(lowers))
	}
	if err := unix.Mount("assay", target, "overlay", unix.MS_NODEV|unix.MS_NOSUID|unix.MS_NOATIME, options); err != nil {
		return fmt.Errorf("mount the root file system: %w", err)
	}
	return nil
}

// mountRunDir makes the place of mounts, unless it is there: a shared tmpfs that
// lets the sandboxes' ids pass.
func (rt *Runtime) mountRunDir() error {
	rt.runDir.Lock()
	defer rt.runDir.Unlock()
	dir := rt.cfg.RunDir
	if mounted, err := isMount(dir); err != nil || mounted {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	options := fmt.Sprintf("mode=0710,gid=%d,size=1m", rt.cfg.IDs.GIDBase)
	if err := unix.Mount("assay", dir, "tmpfs", unix.MS_NODEV|unix.MS_NOSUID|unix.MS_NOEXEC, options); err != nil {
		return fmt.Errorf("mount a tmpfs on %s: %w", dir, err)
	}
	if err := unix.Mount("", dir, "", unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("share %s: %w", dir, err)
	}
	return nil
}

// unmountRunDir removes the place of mounts when nothing is mounted there.
func (rt *Runtime) unmountRunDir() error {
	rt.runDir.Lock()
	defer rt.runDir.Unlock()
	dir := rt.cfg.RunDir
	if mounted, err := isMount(dir); err != nil || !mounted {
		return err
	}
	err := unix.Unmount(dir, unix.UMOUNT_NOFOLLOW)
	if errors.Is(err, unix.EBUSY) {
		return nil
	}
	if err == nil {
		err = os.Remove(dir)
	}
	if err != nil {
		return fmt.Errorf("unmount %s: %w", dir, err)
	}
	return nil
}

// furnish puts into a fresh root file system what programs expect and images made
// from scratch lack. Links that lead out of it are left alone.
func (rt *Runtime) furnish(dir string, hostNetwork bool) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("furnish the root file system: %w", err)
	}
	defer root.Close()
	f := furnisher{root: root, uid: int(rt.cfg.IDs.UIDBase), gid: int(rt.cfg.IDs.GIDBase)}
	f.mkdir("tmp", 0o777|fs.ModeSticky)
	if rt.gvisor {
		f.keepTmp()
	}
	f.mkdir("etc", 0o755)
	if info, err := root.Lstat("etc/hosts"); errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		f.write("etc/hosts", []byte("127.0.0.1\tlocalhost sandbox\n::1\tlocalhost\n"))
	}
	if hostNetwork {
		resolv, err := os.ReadFile("/etc/resolv.conf")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("furnish the root file system: %w", err)
		}
		f.write("etc/resolv.conf", resolv)
	}
	if f.err != nil {
		return fmt.Errorf("furnish the root file system: %w", f.err)
	}
	return nil
}

// furnisher keeps the first error.
type furnisher struct {
	root     *os.Root
	uid, gid int
	err      error
}

// mkdir makes a directory unless something has its name.
func (f *furnisher) mkdir(name string, mode fs.FileMode) {
	if f.err != nil {
		return
	}
	if _, err := f.root.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		f.err = err
		return
	}
	f.err = f.root.Mkdir(name, mode.Perm())
	if f.err == nil {
		f.err = f.root.Chmod(name, mode)
	}
	if f.err == nil {
		f.err = f.root.Lchown(name, f.uid, f.gid)
	}
}

// write replaces a file, also where it is a link.
func (f *furnisher) write(name string, content []byte) {
	if f.err != nil {
		return
	}
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.err = err
		return
	}
	f.err = f.root.WriteFile(name, content, 0o644)
	if f.err == nil {
		f.err = f.root.Chmod(name, 0o644) // whatever the umask is
	}
	if f.err == nil {
		f.err = f.root.Lchown(name, f.uid, f.gid)
	}
}
