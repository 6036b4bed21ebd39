package guest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"assay/internal/sandbox"
)

// maxScanned bounds the directory entries that one collect looks at.
const maxScanned = 1 << 20

// collect hands the regular files below req.Root that match to fn, sorted by name.
// Below the root no link is followed. A file that vanishes meanwhile is left out.
func collect(req sandbox.CollectRequest, fn func(name string, mode fs.FileMode, size int64, r io.Reader) error) error {
	root, err := os.Open(req.Root)
	if err != nil {
		return err
	}
	defer root.Close()
	s := scan{req: req, found: make(map[string]struct{})}
	for _, p := range req.Patterns {
		if err := s.match(root, "", strings.Split(p, "/")); err != nil {
			return err
		}
	}
	names := make([]string, 0, len(s.found))
	for name := range s.found {
		names = append(names, name)
	}
	slices.Sort(names)
	left := req.MaxBytes
	for _, name := range names {
		n, err := handOver(root, name, left, fn)
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}

// scan finds names.
type scan struct {
	req     sandbox.CollectRequest
	found   map[string]struct{}
	scanned int
}

// match finds what matches pattern, a component at a time, in the directory dir
// whose name is prefix.
func (s *scan) match(dir *os.File, prefix string, pattern []string) error {
	if pattern[0] == "" || pattern[0] == "." || pattern[0] == ".." {
		return invalid("pattern component %q", pattern[0])
	}
	entries, err := s.list(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		ok, err := path.Match(pattern[0], e.Name())
		if err != nil {
			return invalid("pattern %q: %v", pattern[0], err)
		}
		if !ok {
			continue
		}
		name := path.Join(prefix, e.Name())
		if len(pattern) == 1 {
			err = s.add(name, e)
		} else if e.IsDir() {
			err = s.descend(dir, e.Name(), name, pattern[1:])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *scan) list(dir *os.File) ([]fs.DirEntry, error) {
	if _, err := dir.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	entries, err := dir.ReadDir(maxScanned - s.scanned + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if s.scanned += len(entries); s.scanned > maxScanned {
		return nil, fmt.Errorf("%w: more than %d directory entries to look at", sandbox.ErrTooLarge, maxScanned)
	}
	return entries, nil
}

func (s *scan) add(name string, e fs.DirEntry) error {
	if !e.Type().IsRegular() {
		return nil
	}
	s.found[name] = struct{}{}
	if len(s.found) > s.req.MaxFiles {
		return fmt.Errorf("%w: more than %d files match", sandbox.ErrTooLarge, s.req.MaxFiles)
	}
	return nil
}

func (s *scan) descend(dir *os.File, base, name string, pattern []string) error {
	sub, err := openBeneath(dir, base, unix.O_DIRECTORY)
	if isVanished(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer sub.Close()
	return s.match(sub, name, pattern)
}

// handOver gives one file to fn and tells its size.
func handOver(root *os.File, name string, left int64, fn func(string, fs.FileMode, int64, io.Reader) error) (int64, error) {
	f, err := openBeneath(root, name, 0)
	if isVanished(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() || onProcfs(f) {
		return 0, nil
	}
	if info.Size() > left {
		return 0, fmt.Errorf("%w: the files have more bytes than were asked for", sandbox.ErrTooLarge)
	}
	return info.Size(), fn(name, info.Mode(), info.Size(), f)
}

// openBeneath opens a name below dir for reading, following no link and waiting
// for no FIFO. Each component is opened from the one before: openat2(2) is not
// everywhere.
func openBeneath(dir *os.File, name string, flags int) (*os.File, error) {
	const safe = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC
	at := int(dir.Fd())
	parts := strings.Split(name, "/")
	for i, part := range parts {
		how := safe | unix.O_DIRECTORY
		if i == len(parts)-1 {
			how = safe | flags
		}
		fd, err := openat(at, part, how)
		if at != int(dir.Fd()) {
			unix.Close(at)
		}
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		at = fd
	}
	return os.NewFile(uintptr(at), name), nil
}

// openat is openat(2), with O_NOFOLLOW in flags. gVisor follows a link all the same when
// O_DIRECTORY is there, too: what was opened must be what is at the name.
func openat(dir int, base string, flags int) (int, error) {
	fd, err := unix.Openat(dir, base, flags, 0)
	if err != nil || flags&unix.O_DIRECTORY == 0 {
		return fd, err
	}
	var opened, named unix.Stat_t
	if err = unix.Fstat(fd, &opened); err == nil {
		err = unix.Fstatat(dir, base, &named, unix.AT_SYMLINK_NOFOLLOW)
	}
	if err == nil && (opened.Dev != named.Dev || opened.Ino != named.Ino) {
		err = unix.ENOTDIR
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// isVanished tells whether a name is no longer what the scan saw.
func isVanished(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENXIO)
}
