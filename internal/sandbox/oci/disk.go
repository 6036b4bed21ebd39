package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"assay/internal/image"
)

// disks makes the disks of sandboxes: an ext4 in a sparse file, of which only what
// is written takes room on the host. It is formatted once per size and cloned.
//
// A file system of its own is the one limit that holds on every host: project
// quotas take a host file system that was made for them.
type disks struct {
	dir string
	ids image.IDShift
	mu  sync.Mutex // held while a size is formatted
}

func newDisks(dir string, ids image.IDShift) *disks { return &disks{dir: dir, ids: ids} }

// minDisk is the smallest disk that is made, in bytes.
const minDisk = 1 << 20

// create makes a disk of size bytes at path.
func (d *disks) create(ctx context.Context, path string, size int64) error {
	template, err := d.template(ctx, size)
	if err != nil {
		return fmt.Errorf("format a disk of %d bytes: %w", size, err)
	}
	if err := cloneFile(path, template); err != nil {
		return fmt.Errorf("clone a disk of %d bytes: %w", size, err)
	}
	return nil
}

// template returns the formatted disk of a size.
func (d *disks) template(ctx context.Context, size int64) (string, error) {
	size = max(size, minDisk) &^ 4095
	d.mu.Lock()
	defer d.mu.Unlock()
	name := filepath.Join(d.dir, fmt.Sprintf("%d-%d-%d.ext4", size, d.ids.UIDBase, d.ids.GIDBase))
	if _, err := os.Stat(name); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return name, err
	}
	tmp, err := os.MkdirTemp(d.dir, ".new-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp) // a later run may
	if err := d.format(ctx, tmp, size); err != nil {
		return "", err
	}
	return name, os.Rename(filepath.Join(tmp, "disk"), name)
}

// format makes tmp/disk. No journal and no reserve: a disk dies with its sandbox
// and has one user. The inode tables are left to be holes.
func (d *disks) format(ctx context.Context, tmp string, size int64) error {
	content := filepath.Join(tmp, "content")
	for _, dir := range []string{"upper", "work"} {
		if err := os.MkdirAll(filepath.Join(content, dir), 0o700); err != nil {
			return err
		}
	}
	if err := os.Chmod(filepath.Join(content, "upper"), 0o755); err != nil { //nolint:gosec // the root directory that a sandbox sees
		return err
	}
	if err := os.Chown(filepath.Join(content, "upper"), int(d.ids.UIDBase), int(d.ids.GIDBase)); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "mkfs.ext4", "-q", "-F", "-m", "0", "-i", "8192", "-b", "4096",
		"-O", "^has_journal,^resize_inode", "-E", "lazy_itable_init=1,nodiscard,root_owner=0:0",
		"-d", content, filepath.Join(tmp, "disk"), strconv.FormatInt(size>>10, 10)+"k").CombinedOutput()
	if err != nil {
		return fmt.Errorf("mkfs.ext4: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// cloneFile copies a sparse file to a new one: by reference where the file system
// can, else its data and not its holes.
func cloneFile(dst, src string) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := unix.IoctlFileClone(int(out.Fd()), int(in.Fd())); err != nil {
		err = copySparse(out, in)
		if err != nil {
			out.Close()
			return err
		}
	}
	return out.Close()
}

func copySparse(out, in *os.File) error {
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if err := out.Truncate(info.Size()); err != nil {
		return err
	}
	for end := int64(0); ; {
		start, err := in.Seek(end, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil // only a hole is left
		}
		if err != nil {
			return err
		}
		if end, err = in.Seek(start, unix.SEEK_HOLE); err != nil {
			return err
		}
		if _, err := io.Copy(io.NewOffsetWriter(out, start), io.NewSectionReader(in, start, end-start)); err != nil {
			return err
		}
	}
}

// diskOptions: nothing here outlives a crash of the host, so nothing waits for the
// device; the inode tables are not zeroed in the background.
const diskOptions = "noinit_itable,nobarrier,errors=remount-ro"

// mountDisk mounts a disk on dir. The loop device goes away with the mount.
func mountDisk(disk, dir string) error {
	f, err := os.OpenFile(disk, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("mount the disk: %w", err)
	}
	defer f.Close()
	dev, err := attachLoop(f)
	if err != nil {
		return fmt.Errorf("attach the disk to a loop device: %w", err)
	}
	defer dev.Close()
	if err := unix.Mount(dev.Name(), dir, "ext4", unix.MS_NODEV|unix.MS_NOSUID|unix.MS_NOATIME, diskOptions); err != nil {
		return fmt.Errorf("mount the disk: %w", err)
	}
	return nil
}

// attachTries bounds how often somebody else may take the loop device that was free.
const attachTries = 128

// attachLoop gives f a loop device that frees itself when nobody uses it.
func attachLoop(f *os.File) (*os.File, error) {
	ctl, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer ctl.Close()
	for try := 1; ; try++ {
		n, err := unix.IoctlRetInt(int(ctl.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, err
		}
		dev, err := os.OpenFile("/dev/loop"+strconv.Itoa(n), os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		err = unix.IoctlLoopConfigure(int(dev.Fd()), &unix.LoopConfig{
			Fd:   uint32(f.Fd()),
			Size: 4096,
			Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR},
		})
		if err == nil {
			return dev, nil
		}
		dev.Close()
		if !errors.Is(err, unix.EBUSY) || try == attachTries {
			return nil, err
		}
	}
}

// Both from the kernel's include/uapi/linux/ext4.h.
const (
	ext4Shutdown           = 0x8004587d // EXT4_IOC_SHUTDOWN
	ext4ShutdownNoLogFlush = 2          // EXT4_GOING_FLAGS_NOLOGFLUSH
)

// dropDisk unmounts a disk without writing what is still in memory: nobody will
// read it. It is nil when dir is no mount.
func dropDisk(dir string) error {
	if mounted, err := isMount(dir); err != nil || !mounted {
		return err
	}
	if f, err := os.Open(dir); err == nil {
		// Where it fails, unmounting takes longer.
		unix.IoctlSetPointerInt(int(f.Fd()), ext4Shutdown, ext4ShutdownNoLogFlush) //nolint:errcheck // see above
		f.Close()
	}
	return unmount(dir)
}

// diskFaults is how often a mounted disk has failed its users. The kernel makes it
// read-only at the first, and counts (kernel, admin-guide/ext4.rst, errors_count).
func diskFaults(dir string) (int64, error) {
	var at unix.Stat_t
	if err := unix.Stat(dir, &at); err != nil {
		return 0, &fs.PathError{Op: "stat", Path: dir, Err: err}
	}
	return readInt(fmt.Sprintf("/sys/fs/ext4/loop%d/errors_count", unix.Minor(at.Dev)))
}

// isMount tells whether something is mounted on dir, seen by its device.
func isMount(dir string) (bool, error) {
	var at, above unix.Stat_t
	err := unix.Lstat(dir, &at)
	if err == nil {
		err = unix.Lstat(filepath.Dir(dir), &above)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, &fs.PathError{Op: "lstat", Path: dir, Err: err}
	}
	return at.Dev != above.Dev, nil
}

// unmountTries and unmountPause bound the wait for users of a mount that are about
// to let go.
const (
	unmountTries = 20
	unmountPause = 5 * time.Millisecond
)

// unmount unmounts dir, and detaches it when it stays busy. nil when nothing is there.
func unmount(dir string) error {
	for range unmountTries {
		err := unix.Unmount(dir, unix.UMOUNT_NOFOLLOW)
		switch {
		case err == nil, errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOENT):
			return nil
		case !errors.Is(err, unix.EBUSY):
			return fmt.Errorf("unmount %s: %w", dir, err)
		}
		<-time.After(unmountPause)
	}
	if err := unix.Unmount(dir, unix.UMOUNT_NOFOLLOW|unix.MNT_DETACH); err != nil {
		return fmt.Errorf("detach %s: %w", dir, err)
	}
	return nil
}
