package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

var devices = map[string]func([]string) error{
	"open devices of the host": func([]string) error {
		names := []string{"/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/dev/loop-control", "/dev/fuse", "/dev/kvm", "/dev/net/tun",
			"/dev/vhost-net", "/dev/vhost-vsock", "/dev/uinput", "/dev/btrfs-control", "/dev/mapper/control", "/dev/snapshot", "/dev/rtc0", "/dev/hpet",
			"/dev/userfaultfd", "/dev/cpu/0/msr", "/dev/watchdog", "/dev/autofs", "/dev/cuse", "/dev/bsg", "/dev/dri/card0", "/dev/console"}
		for _, pattern := range []string{"/dev/sd*", "/dev/vd*", "/dev/nvme*", "/dev/loop*", "/dev/dm-*", "/dev/xvd*", "/dev/ram*", "/dev/tty[0-9]*", "/dev/hugepages"} {
			found, _ := filepath.Glob(pattern)
			names = append(names, found...)
		}
		return openAny(names...)
	},
	"make devices": func([]string) error {
		var ways []func() error
		for _, d := range []struct{ mode, major, minor uint32 }{
			{unix.S_IFBLK, 7, 0}, {unix.S_IFBLK, 8, 0}, {unix.S_IFBLK, 252, 0}, {unix.S_IFBLK, 259, 0}, {unix.S_IFCHR, 1, 1}, {unix.S_IFCHR, 1, 2}, {unix.S_IFCHR, 1, 11}, {unix.S_IFCHR, 10, 237}, {unix.S_IFCHR, 10, 229},
		} {
			for _, dir := range []string{"/tmp", "/dev", "/dev/shm"} {
				ways = append(ways, func() error {
					name := filepath.Join(dir, "device")
					if err := unix.Mknod(name, d.mode|0o666, int(unix.Mkdev(d.major, d.minor))); err != nil {
						return err
					}
					defer os.Remove(name)
					return openAny(name)
				})
			}
		}
		return anyOf(ways...)
	},
	"inject into a terminal": func([]string) error {
		var ways []func() error
		for _, name := range []string{"/dev/console", "/dev/tty", "/dev/tty0", "/dev/tty1", "/dev/pts/0"} {
			ways = append(ways, func() error {
				fd, err := unix.Open(name, unix.O_RDWR|unix.O_NONBLOCK, 0)
				if err != nil {
					return err
				}
				defer unix.Close(fd)
				return unix.IoctlSetInt(fd, unix.TIOCSTI, 0)
			})
		}
		return anyOf(ways...)
	},
	"freeze or shut down the file system": func([]string) error {
		const fifreeze, ext4Shutdown, fitrim = 0xC0045877, 0x8004587d, 0xC0185879
		var ways []func() error
		for _, dir := range []string{"/", "/tmp", "/.assay/agent", "/proc", "/dev/shm"} {
			for _, call := range []uint{fifreeze, ext4Shutdown, fitrim} {
				ways = append(ways, func() error {
					fd, err := unix.Open(dir, unix.O_RDONLY, 0)
					if err != nil {
						return err
					}
					defer unix.Close(fd)
					return unix.IoctlSetPointerInt(fd, call, 1)
				})
			}
		}
		return anyOf(ways...)
	},
	"write below /sys": func([]string) error {
		return anyOf(writableBelow("/sys", func(name string) bool { return true })...)
	},
}

// writableBelow makes ways of opening files below a directory for writing.
func writableBelow(top string, wanted func(name string) bool) []func() error {
	ways := []func() error{func() error {
		f, err := os.CreateTemp(top, "attack")
		if err == nil {
			f.Close()
		}
		return err
	}}
	// Links are not followed, and what cannot be read is passed over.
	filepath.WalkDir(top, func(name string, d os.DirEntry, err error) error { //nolint:errcheck // see above
		if err != nil || len(ways) > 20000 {
			return nil //nolint:nilerr // see above
		}
		switch {
		case d.IsDir():
			ways = append(ways, func() error { return unix.Mkdir(filepath.Join(name, "attack"), 0o700) })
		case d.Type().IsRegular() && wanted(name) && !strings.HasSuffix(name, "/attack"):
			ways = append(ways, func() error {
				fd, err := unix.Open(name, unix.O_WRONLY|unix.O_NONBLOCK, 0)
				if err != nil {
					return err
				}
				unix.Close(fd)
				fmt.Println(name, "can be written")
				return nil
			})
		}
		return nil
	})
	return ways
}
