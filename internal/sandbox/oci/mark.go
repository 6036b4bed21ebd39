package oci

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"syscall"

	"golang.org/x/sys/unix"

	"assay/internal/sandbox"
)

// mark is a moment of a sandbox: what the upper directory of its overlay had.
//
// What is written to a file of the upper directory changes its ctime, which nothing in a
// sandbox can set; what is written to a file of the image is copied there first, also where
// it is written what it held. So nobody need look into a file.
type mark struct {
	sb   *Sandbox
	then map[string]stamp // by path below the root
}

// stamp is what a name of an upper directory stands for.
type stamp struct {
	gone   bool        // a whiteout: what the image has is removed
	kind   fs.FileMode // else
	opaque bool        // a directory that hides the one of the image
	inode  uint64      // with ctime, of what is no directory: those change with what is in them
	ctime  syscall.Timespec
}

// Mark notes what is there.
func (sb *Sandbox) Mark(ctx context.Context) (sandbox.Mark, error) {
	m := &mark{sb: sb, then: make(map[string]stamp)}
	err := m.onUpper(func(upper *os.Root) error { return m.note(ctx, upper, "", 0) })
	return m, err
}

// onUpper opens the upper directory. An error of what is done with it says what was done.
func (m *mark) onUpper(do func(upper *os.Root) error) error {
	upper, err := os.OpenRoot(m.sb.places.upper())
	if err == nil {
		defer upper.Close()
		err = do(upper)
	}
	if err != nil && m.sb.places.isDestroyed() {
		err = fmt.Errorf("%w: %w", sandbox.ErrGone, err)
	}
	if err != nil {
		return fmt.Errorf("tell what is written in sandbox %s: %w", m.sb.id(), err)
	}
	return nil
}

// note stamps what is in a directory and below.
func (m *mark) note(ctx context.Context, at *os.Root, prefix string, depth int) error {
	return eachEntry(ctx, at, func(name string, info fs.FileInfo) error {
		full := path.Join(prefix, name)
		if !info.IsDir() {
			m.then[full] = stampOf(info)
			return nil
		}
		return within(at, name, depth, func(sub *os.Root, opaque bool) error {
			m.then[full] = stamp{kind: fs.ModeDir, opaque: opaque}
			return m.note(ctx, sub, full, depth+1)
		})
	})
}

// eachEntry hands each entry of a directory to fn.
func eachEntry(ctx context.Context, at *os.Root, fn func(name string, info fs.FileInfo) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	dir, err := at.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		info, err := at.Lstat(name)
		if err == nil {
			err = fn(name, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// within opens a directory of a directory. What lies too deep for that is nothing that was
// there before: it is looked over, as far down as Changes would tell it.
func within(at *os.Root, name string, depth int, do func(sub *os.Root, opaque bool) error) error {
	if depth >= sandbox.MaxChangeDepth {
		return nil
	}
	sub, err := at.OpenRoot(name)
	if err != nil {
		return err
	}
	defer sub.Close()
	opaque, err := isOpaque(sub)
	if err != nil {
		return err
	}
	return do(sub, opaque)
}

func stampOf(info fs.FileInfo) stamp {
	if isWhiteout(info) {
		return stamp{gone: true}
	}
	s := stamp{kind: info.Mode().Type()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode, s.ctime = st.Ino, st.Ctim
	}
	return s
}

func isWhiteout(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode()&fs.ModeCharDevice != 0 && st.Rdev == unix.Mkdev(0, 0)
}

// Written implements sandbox.Mark.
func (m *mark) Written(ctx context.Context, fn func(sandbox.Written) error) error {
	w := &written{mark: m, ctx: ctx, fn: fn, there: make(map[string]bool), told: make(map[string]bool)}
	return m.onUpper(func(upper *os.Root) (err error) {
		image, err := openLayers(m.sb.state.Lowers)
		if err != nil {
			return err
		}
		defer image.close()
		if err := w.dir(upper, image, "", false, 0); err != nil {
			return err
		}
		for name, was := range m.then {
			if !was.gone && !was.kind.IsDir() && !w.there[name] {
				if err := w.tellGone(name); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// written holds an upper directory against a mark, and against the image.
type written struct {
	*mark
	ctx         context.Context
	fn          func(sandbox.Written) error
	there, told map[string]bool
}

func (w *written) tell(name string, what sandbox.Written) error {
	if w.told[name] {
		return nil
	}
	w.told[name] = true
	what.Name = "/" + name
	return w.fn(what)
}

func (w *written) tellGone(name string) error {
	return w.tell(name, sandbox.Written{Had: true, Gone: true})
}

// dir looks at a directory of upper, in whose place the image has some. Since the mark it
// hides what the image has in it, or does not.
func (w *written) dir(at *os.Root, image layers, prefix string, hides bool, depth int) error {
	here := make(map[string]bool)
	err := eachEntry(w.ctx, at, func(name string, info fs.FileInfo) error {
		here[name] = true
		return w.entry(at, image, name, path.Join(prefix, name), info, hides, depth)
	})
	if err != nil || !hides {
		return err
	}
	return w.lost(image, prefix, here)
}

func (w *written) entry(at *os.Root, image layers, name, full string, info fs.FileInfo, hides bool, depth int) error {
	w.there[full] = true
	was, had := w.then[full]
	if had && !info.IsDir() && was == stampOf(info) {
		return nil
	}
	kind, below, err := image.below(name)
	if err != nil {
		return err
	}
	defer below.close()
	if was.gone || was.opaque { // nothing of it was seen
		kind, below = 0, below.none()
	}
	before := had && !was.gone || kind != 0
	wasDir := had && was.kind.IsDir() || !had && kind == inImage|fs.ModeDir
	switch {
	case info.IsDir():
		if before && !wasDir {
			if err := w.tell(full, sandbox.Written{Had: true, Type: fs.ModeDir}); err != nil {
				return err
			}
		}
		return within(at, name, depth, func(sub *os.Root, opaque bool) error {
			return w.dir(sub, below, full, hides || opaque, depth+1)
		})
	case !isWhiteout(info):
		err = w.tell(full, sandbox.Written{Had: before, Type: info.Mode().Type()})
	case before && !wasDir:
		err = w.tellGone(full)
	}
	if err != nil {
		return err
	}
	return w.lost(below, full, nil)
}

// lost tells what the image has in a directory that is not there any more, but for some names.
func (w *written) lost(image layers, prefix string, but map[string]bool) error {
	return image.each(w.ctx, func(name string, info fs.FileInfo, below layers) error {
		full := path.Join(prefix, name)
		was := w.then[full]
		switch {
		case but[name] || was.gone:
			return nil
		case !info.IsDir():
			return w.tellGone(full)
		case was.opaque:
			return nil
		}
		return w.lost(below, full, nil)
	})
}

// layers are the directories of an image's layers that are seen as one, topmost first.
type layers []*os.Root

func openLayers(dirs []string) (layers, error) {
	var all layers
	for _, dir := range dirs {
		root, err := os.OpenRoot(dir)
		if err != nil {
			all.close()
			return nil, err
		}
		all = append(all, root)
	}
	return all, nil
}

func (l layers) close() {
	for _, root := range l {
		root.Close()
	}
}

// none closes layers, and returns none.
func (l layers) none() layers {
	l.close()
	return nil
}

// inImage marks a kind of what an image has.
const inImage = fs.FileMode(1)

// below tells what is seen of a name: its kind with inImage, 0 for nothing, and of a
// directory what is to be closed.
func (l layers) below(name string) (kind fs.FileMode, below layers, err error) {
	for _, root := range l {
		info, err := root.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, below.none(), err
		}
		if isWhiteout(info) || kind != 0 && !info.IsDir() {
			break
		}
		if kind == 0 {
			kind = inImage | info.Mode().Type()
		}
		if !info.IsDir() {
			break
		}
		sub, err := root.OpenRoot(name)
		if err != nil {
			return 0, below.none(), err
		}
		below = append(below, sub)
		opaque, err := isOpaque(sub)
		if err != nil {
			return 0, below.none(), err
		}
		if opaque {
			break
		}
	}
	return kind, below, nil
}

// each hands what is seen in a directory to fn.
func (l layers) each(ctx context.Context, fn func(name string, info fs.FileInfo, below layers) error) error {
	seen := make(map[string]bool)
	for i, root := range l {
		err := eachEntry(ctx, root, func(name string, info fs.FileInfo) error {
			if seen[name] {
				return nil
			}
			seen[name] = true
			if isWhiteout(info) {
				return nil
			}
			_, below, err := l[i:].below(name)
			if err != nil {
				return err
			}
			defer below.close()
			return fn(name, info, below)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
