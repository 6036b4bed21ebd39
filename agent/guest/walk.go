package guest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"assay/agent/internal/wire"
	"assay/internal/sandbox"
)

// maxWalkDepth is how many directories walk enters in one another; each is a descriptor.
const maxWalkDepth = 500

// node is what walk found. Its methods follow no link.
type node struct {
	dir  int    // descriptor of the directory that it is in
	base string // in dir
	name string // below the root; "." is the root
	mode fs.FileMode
	uid  uint32
}

// chmod changes the mode of a regular file or directory.
func (n *node) chmod(mode fs.FileMode) error {
	fd, err := openat(n.dir, n.base, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC)
	if err != nil {
		return &fs.PathError{Op: "open", Path: n.name, Err: err}
	}
	f := os.NewFile(uintptr(fd), n.name)
	defer f.Close()
	return f.Chmod(mode)
}

func (n *node) chown(uid, gid int) error {
	if err := unix.Fchownat(n.dir, n.base, uid, gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &fs.PathError{Op: "chown", Path: n.name, Err: err}
	}
	return nil
}

// walk calls fn for everything below a directory and, first and as ".", for itself; for a
// directory before what it holds, which is left out when fn returns fs.SkipDir. It
// follows no link, and stays inside whatever happens meanwhile. With helpers, so many
// more directories than one are read at a time, and fn is called at the same time for
// what they hold; without, all comes sorted.
//
// It goes from descriptor to descriptor: to find 20,000 files by their names from the
// root takes three times as long.
func walk(dir string, helpers int, fn func(*node) error) error {
	root, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	w := walker{fn: fn, helpers: make(chan struct{}, helpers)}
	return w.visit(&node{dir: int(root.Fd()), base: ".", name: "."}, 0)
}

type walker struct {
	fn      func(*node) error
	helpers chan struct{} // holds a token for each that is at work
	visited atomic.Int64
	failed  atomic.Bool // whoever sees it may stop
}

func (w *walker) visit(n *node, depth int) (err error) {
	defer func() {
		if err != nil {
			w.failed.Store(true)
		}
	}()
	if w.visited.Add(1) > wire.MaxListed+1 {
		return fmt.Errorf("%w: more than %d files", sandbox.ErrTooLarge, wire.MaxListed)
	}
	var st unix.Stat_t
	if err := unix.Fstatat(n.dir, n.base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &fs.PathError{Op: "stat", Path: n.name, Err: err}
	}
	n.mode, n.uid = modeOf(st.Mode), st.Uid
	if depth == 0 && !n.mode.IsDir() {
		return &fs.PathError{Op: "walk", Path: n.name, Err: unix.ENOTDIR}
	}
	err = w.fn(n)
	if errors.Is(err, fs.SkipDir) {
		return nil
	}
	if err != nil || !n.mode.IsDir() {
		return err
	}
	return w.enter(n, depth)
}

// enter visits what a directory holds.
func (w *walker) enter(n *node, depth int) error {
	if depth > maxWalkDepth {
		return fmt.Errorf("%w: %.80s... is deeper than %d directories", sandbox.ErrTooLarge, n.name, maxWalkDepth)
	}
	fd, err := openat(n.dir, n.base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC)
	if err != nil {
		return &fs.PathError{Op: "open", Path: n.name, Err: err}
	}
	dir := os.NewFile(uintptr(fd), n.name)
	defer dir.Close()
	names, err := dir.Readdirnames(int(max(wire.MaxListed-w.visited.Load(), 0)) + 2)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	slices.Sort(names)
	var helped errgroup.Group
	defer helped.Wait() //nolint:errcheck // waited for below unless another error came first; they use dir
	for _, base := range names {
		if w.failed.Load() {
			break
		}
		child := &node{dir: fd, base: base, name: base}
		if n.name != "." {
			child.name = n.name + "/" + base
		}
		if err := w.share(&helped, child, depth+1); err != nil {
			return err
		}
	}
	return helped.Wait()
}

// share visits a node, with help if somebody has nothing to do.
func (w *walker) share(helped *errgroup.Group, n *node, depth int) error {
	select {
	case w.helpers <- struct{}{}:
		helped.Go(func() error {
			defer func() { <-w.helpers }()
			return w.visit(n, depth)
		})
		return nil
	default:
		return w.visit(n, depth)
	}
}

// modeOf is the mode of an inode (inode(7)) in Go's terms.
func modeOf(st uint32) fs.FileMode {
	mode := fs.FileMode(st & 0o777)
	switch st & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		mode |= fs.ModeDir
	case unix.S_IFLNK:
		mode |= fs.ModeSymlink
	case unix.S_IFIFO:
		mode |= fs.ModeNamedPipe
	case unix.S_IFSOCK:
		mode |= fs.ModeSocket
	case unix.S_IFCHR:
		mode |= fs.ModeDevice | fs.ModeCharDevice
	case unix.S_IFBLK:
		mode |= fs.ModeDevice
	default:
		mode |= fs.ModeIrregular
	}
	if st&unix.S_ISUID != 0 {
		mode |= fs.ModeSetuid
	}
	if st&unix.S_ISGID != 0 {
		mode |= fs.ModeSetgid
	}
	if st&unix.S_ISVTX != 0 {
		mode |= fs.ModeSticky
	}
	return mode
}

// lstat tells what is at a name below a directory, and where a link there leads;
// fs.ErrNotExist also when a link or a file stands where the name has a directory.
func lstat(dir, name string) (mode fs.FileMode, target []byte, err error) {
	root, err := os.Open(dir)
	if err != nil {
		return 0, nil, err
	}
	defer root.Close()
	at := root
	if parent := path.Dir(name); parent != "." {
		at, err = openBeneath(root, parent, unix.O_DIRECTORY)
		if err != nil {
			return 0, nil, absentIfVanished(name, err)
		}
		defer at.Close()
	}
	var st unix.Stat_t
	if err := unix.Fstatat(int(at.Fd()), path.Base(name), &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return 0, nil, absentIfVanished(name, err)
	}
	if mode = modeOf(st.Mode); mode&fs.ModeSymlink == 0 {
		return mode, nil, nil
	}
	target = make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(at.Fd()), path.Base(name), target)
	if err != nil {
		return 0, nil, absentIfVanished(name, err)
	}
	return mode, target[:n], nil
}

func absentIfVanished(name string, err error) error {
	if isVanished(err) || errors.Is(err, unix.ENAMETOOLONG) {
		err = fs.ErrNotExist
	}
	return &fs.PathError{Op: "stat", Path: name, Err: err}
}
