package unpack

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	// maxLinks is how many links one path may go through, as in Linux.
	maxLinks = 40
	// maxSteps bounds the components walked for one path, links included: each
	// link may add a whole name of them.
	maxSteps = 4096
	// maxDepth bounds how deep directories nest, and so the descriptors a walk
	// holds: links can add to the depth of names.
	maxDepth = 512
)

// tree walks a directory as a process chrooted there would: links are followed
// inside of it, absolute ones start at its root, and ".." at the root stays.
// This is what openat2 calls RESOLVE_IN_ROOT, and like it the tree is never left:
// its only moves are to a child that is not a link, to a directory it came
// through, and to the root. Unlike it, it works on every Linux and makes missing
// parents on the way.
type tree struct {
	root dir
	// last is the directory that was opened last: a tar lists a directory's
	// children in a row. It is found again by its path free of links, which what
	// happens inside of it cannot make untrue.
	last *dir
}

// dir is an open directory of a tree.
type dir struct {
	fd   int
	path string // relative to the root, free of links; "." is the root
}

func openTree(name string) (*tree, error) {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return &tree{root: dir{fd: fd, path: "."}}, nil
}

func (t *tree) close() {
	t.forget()
	unix.Close(t.root.fd)
}

// forget closes the remembered directory.
func (t *tree) forget() {
	if t.last != nil && t.last.fd != t.root.fd {
		unix.Close(t.last.fd)
	}
	t.last = nil
}

// makeDir makes the missing directory base in parent. It is called also where
// something that is neither a directory nor a link is in the way, and answers
// ENOTDIR when that must stay.
type makeDir func(parent dir, base string) error

// open opens the directory of that name. Where a component is missing, mk makes
// it; without mk that is an error. The result stays open until the next call of
// open or forget.
func (t *tree) open(parts []string, mk makeDir) (dir, error) {
	if t.last != nil && t.last.path == path.Join(append([]string{"."}, parts...)...) {
		return *t.last, nil
	}
	t.forget()
	found, err := t.walk(parts, mk)
	if err != nil {
		return dir{}, err
	}
	t.last = &found
	return found, nil
}

// walk is open without its memory: the caller closes the directory, unless it is
// the root.
func (t *tree) walk(parts []string, mk makeDir) (dir, error) {
	w := walker{way: []dir{t.root}, todo: parts}
	err := w.run(mk)
	end := w.way[len(w.way)-1]
	if err == nil {
		w.way = w.way[:max(1, len(w.way)-1)]
	}
	for _, d := range w.way[1:] {
		unix.Close(d.fd)
	}
	return end, err
}

// walker is one walk: the directories it came through and what is left to go.
type walker struct {
	way   []dir
	todo  []string
	links int
	steps int
}

func (w *walker) run(mk makeDir) error {
	for len(w.todo) > 0 {
		if w.steps++; w.steps > maxSteps {
			return fmt.Errorf("%w: path too long to follow", ErrUnsafe)
		}
		part := w.todo[0]
		w.todo = w.todo[1:]
		var err error
		switch part {
		case "", ".":
		case "..":
			w.up()
		default:
			err = w.down(part, mk)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) up() {
	if last := len(w.way) - 1; last > 0 {
		unix.Close(w.way[last].fd)
		w.way = w.way[:last]
	}
}

func (w *walker) down(part string, mk makeDir) error {
	if len(w.way) > maxDepth {
		return fmt.Errorf("%w: directories nested deeper than %d", ErrUnsafe, maxDepth)
	}
	here := w.way[len(w.way)-1]
	fd, err := openDir(here.fd, part)
	if errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		target, linkErr := readlink(here.fd, part)
		if linkErr == nil {
			return w.follow(target)
		}
	}
	if mk != nil && (errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR)) {
		if err := mk(here, part); err != nil {
			return fmt.Errorf("parent %s: %w", quote(path.Join(here.path, part)), err)
		}
		fd, err = openDir(here.fd, part)
	}
	if err != nil {
		return fmt.Errorf("parent %s: %w", quote(path.Join(here.path, part)), err)
	}
	w.way = append(w.way, dir{fd: fd, path: path.Join(here.path, part)})
	return nil
}

func (w *walker) follow(target string) error {
	if w.links++; w.links > maxLinks {
		return fmt.Errorf("%w: too many links in a path", ErrUnsafe)
	}
	if strings.HasPrefix(target, "/") {
		for len(w.way) > 1 {
			w.up()
		}
	}
	w.todo = append(strings.Split(target, "/"), w.todo...)
	return nil
}

func openDir(parent int, base string) (int, error) {
	return unix.Openat(parent, base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
}

func readlink(parent int, base string) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(parent, base, buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}
