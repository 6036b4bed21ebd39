package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

var files = map[string]func([]string) error{
	"write the agent's program": func([]string) error {
		return anyOf(
			func() error { return writeTo("/.assay/agent") },
			func() error { return os.Chmod("/.assay/agent", 0o777) },
			func() error { return os.Chown("/.assay/agent", 0, 0) },
			func() error { return os.Remove("/.assay/agent") },
			func() error { return os.Rename("/.assay/agent", "/.assay/x") },
			func() error { return unix.Truncate("/.assay/agent", 0) },
			func() error { return unix.Setxattr("/.assay/agent", "user.x", []byte("x"), 0) },
			func() error { return writeTo("/proc/1/exe") },
		)
	},
	// The agent's program runs beside its agent, as a process of the attacker.
	"write the agent's program while it runs": func([]string) error {
		cmd := exec.Command("/.assay/agent")
		if err := cmd.Start(); err != nil {
			return err
		}
		defer cmd.Wait()         //nolint:errcheck // it ends by itself, or was killed
		defer cmd.Process.Kill() //nolint:errcheck // as above
		return writeTo(fmt.Sprintf("/proc/%d/exe", cmd.Process.Pid))
	},
	"move the agent's directory away": func([]string) error {
		if err := os.Rename("/.assay", "/moved"); err != nil {
			return err
		}
		err := anyOf(
			func() error { return writeTo("/moved/agent") },
			func() error { return os.Remove("/moved/agent") },
		)
		return errors.Join(err, os.Rename("/moved", "/.assay"))
	},
	"link the agent's program": func([]string) error {
		return anyOf(
			func() error { return os.Link("/.assay/agent", "/tmp/agent") },
			func() error { return os.Link("/proc/1/exe", "/tmp/exe") },
		)
	},
	// The shocker: a handle of the root's inode opens the file system below.
	"open files by handle": func([]string) error {
		var ways []func() error
		for _, dir := range []string{"/", "/tmp", "/.assay/agent", "/etc"} {
			ways = append(ways, func() error {
				mount, err := unix.Open(dir, unix.O_RDONLY, 0)
				if err != nil {
					return err
				}
				defer unix.Close(mount)
				handle := unix.NewFileHandle(1, []byte{2, 0, 0, 0, 0, 0, 0, 0})
				_, err = unix.OpenByHandleAt(mount, handle, unix.O_RDONLY)
				return err
			})
		}
		return anyOf(ways...)
	},
	// Through a hard link the copy in the sandbox is changed; the caller looks at the
	// layer.
	"write through a hard link into the image": func([]string) error {
		for _, name := range []string{"/bin/busybox", "/etc/passwd", "/src/project/README.md"} {
			link := "/tmp/link-" + filepath.Base(name)
			if err := os.Link(name, link); err != nil {
				return err
			}
			if err := writeTo(link); err != nil {
				return err
			}
			same, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			if !bytes.HasSuffix(same, []byte("x")) {
				return fmt.Errorf("%s did not change with its link", name)
			}
		}
		return errContained
	},
	"write marks of the overlay": func([]string) error {
		if err := os.MkdirAll("/tmp/marked", 0o755); err != nil {
			return err
		}
		var ways []func() error
		for _, name := range []string{"trusted.overlay.opaque", "trusted.overlay.redirect", "trusted.overlay.metacopy", "security.capability", "system.nfs4_acl"} {
			ways = append(ways, func() error { return unix.Setxattr("/tmp/marked", name, []byte("/etc"), 0) })
		}
		return anyOf(ways...)
	},
	"sockets left in the file system": func([]string) error {
		var found []string
		filepath.WalkDir("/", func(name string, d os.DirEntry, err error) error { //nolint:errcheck // what cannot be read is passed over
			if err == nil && d.Type()&os.ModeSocket != 0 {
				found = append(found, name)
			}
			if err == nil && d.IsDir() && (name == "/proc" || name == "/sys") {
				return filepath.SkipDir
			}
			return nil
		})
		if len(found) == 0 {
			return errors.New("none")
		}
		fmt.Println(found)
		return nil
	},
	"files named by the caller": func(args []string) error { return openAny(args...) },
	"write into the agent's door": func([]string) error {
		return anyOf(
			func() error { return os.WriteFile("/.assay/run/x", []byte("x"), 0o600) },
			func() error { return os.Symlink("/etc/shadow", "/.assay/run/agent.sock") },
		)
	},
	"write where the disk's limit does not reach": func([]string) error {
		var ways []func() error
		for _, dir := range []string{"/sys/fs/cgroup", "/sys", "/proc", "/dev/mqueue", "/sys/fs", "/.assay/run"} {
			ways = append(ways, func() error {
				f, err := os.CreateTemp(dir, "big")
				if err != nil {
					return err
				}
				fmt.Println(f.Name())
				_, err = f.Write(make([]byte, 1<<20))
				return err
			})
		}
		return anyOf(ways...)
	},
}

func writeTo(name string) error {
	fd, err := unix.Open(name, unix.O_WRONLY|unix.O_APPEND, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(fd)
	_, err = unix.Write(fd, []byte("x"))
	return err
}
