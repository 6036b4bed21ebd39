package harness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Disk is an ext4 of its own in a sparse file, mounted on a folder: a disk that can
// be filled, or made read-only, without harm to the host's.
type Disk struct {
	At    string // where it is mounted
	image string // the file
}

// NewDisk makes a disk of size bytes in the file at+".img" and mounts it at a folder.
// What an earlier one, whose process was killed, left at the same place is removed
// first, unless sandboxes still use it.
func NewDisk(ctx context.Context, at string, size int64) (*Disk, error) {
	d := &Disk{At: at, image: at + ".img"}
	if err := d.Close(); err != nil {
		return nil, err
	}
	if err := d.make(ctx, size); err != nil {
		return nil, errors.Join(fmt.Errorf("make a disk at %s: %w", at, err), d.Close())
	}
	return d, nil
}

func (d *Disk) make(ctx context.Context, size int64) error {
	if err := os.MkdirAll(d.At, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(d.image, size); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "mkfs.ext4", "-q", "-F", "-m", "0", d.image).CombinedOutput(); err != nil {
		return fmt.Errorf("mkfs.ext4: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return d.mount()
}

func (d *Disk) mount() error {
	f, err := os.OpenFile(d.image, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	dev, err := attachLoop(f)
	if err != nil {
		return fmt.Errorf("attach %s to a loop device: %w", d.image, err)
	}
	defer dev.Close() // the mount keeps it
	if err := unix.Mount(dev.Name(), d.At, "ext4", unix.MS_NOATIME, "errors=remount-ro"); err != nil {
		return fmt.Errorf("mount %s: %w", d.image, err)
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

// filler names the file that takes the room of a full disk.
func (d *Disk) filler() string { return filepath.Join(d.At, "filler") }

// Fill takes all the room that is left, to the last block. What others free is free:
// call it again to take that, too.
func (d *Disk) Fill() error {
	f, err := os.OpenFile(d.filler(), os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, unix.ENOSPC) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("fill the disk: %w", err)
	}
	defer f.Close()
	const block = 4096
	for step := int64(1 << 30); step >= block; {
		end, err := f.Seek(0, 2)
		if err != nil {
			return fmt.Errorf("fill the disk: %w", err)
		}
		switch err := unix.Fallocate(int(f.Fd()), 0, end, step); {
		case errors.Is(err, unix.ENOSPC):
			step /= 2
		case err != nil && !errors.Is(err, unix.EINTR):
			return fmt.Errorf("fill the disk: %w", err)
		}
	}
	return nil
}

// Empty gives the room back that Fill took.
func (d *Disk) Empty() error {
	if err := os.Remove(d.filler()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("give room back: %w", err)
	}
	return nil
}

// Break makes the disk read-only at once, under whoever has files open for writing,
// as the kernel does when it finds a fault in it. It stays so until Repair. What is
// in memory and not yet written is lost, as with a real fault, so Sync before.
func (d *Disk) Break() error {
	var at unix.Stat_t
	if err := unix.Stat(d.At, &at); err != nil {
		return fmt.Errorf("break the disk: %w", err)
	}
	trigger := fmt.Sprintf("/sys/fs/ext4/loop%d/trigger_fs_error", unix.Minor(at.Dev))
	if err := os.WriteFile(trigger, []byte("a test"), 0); err != nil {
		return fmt.Errorf("break the disk: %w", err)
	}
	return nil
}

// Sync writes what the kernel has in memory of the disk.
func (d *Disk) Sync() error {
	f, err := os.Open(d.At)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}

// Repair checks a disk that is broken and mounts it again. Nobody may use it: see
// Program.Reboot.
func (d *Disk) Repair(ctx context.Context) error {
	if err := d.unmount(); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "e2fsck", "-f", "-y", d.image).CombinedOutput()
	var exit *exec.ExitError
	const repaired = 1 // e2fsck(8)
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() > repaired) {
		return fmt.Errorf("e2fsck: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return d.mount()
}

func (d *Disk) unmount() error {
	err := unix.Unmount(d.At, unix.UMOUNT_NOFOLLOW)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unmount %s: %w", d.At, err)
	}
	return nil
}

// Close unmounts the disk and removes it, also when it is there in part.
func (d *Disk) Close() error {
	if err := d.unmount(); err != nil {
		return err
	}
	for _, name := range []string{d.At, d.image} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
