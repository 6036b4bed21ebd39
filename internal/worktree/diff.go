package worktree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"assay/internal/patch"
	"assay/internal/sandbox"
)

// Limits of a diff.
const (
	maxDiffBytes  = 512 << 20 // of the diff
	maxBeforeSize = 1 << 30   // bytes of the image's files that are read for it
	maxBefore     = 200_000   // the image's files that it is about
)

// Diff writes what an OCI layer of changes makes of a work tree as a unified diff that
// git apply takes (patch.WriteDiff), sorted by path, and returns a fingerprint of the
// changes in hex. The layer is read from its beginning; pristine is the work tree that
// it is laid on, which must not change meanwhile.
//
// The diff tells what git can: the content of files, whether their owner may execute
// them, links. The fingerprint is of what a layer tells beside: all permissions, empty
// directories, and names that no patch may have. Times and owners are in neither, nor is
// the repository's own data. The same layer and tree make the same bytes. More than 512
// MiB of diff, or too much that goes, is an error that wraps sandbox.ErrTooLarge.
func Diff(ctx context.Context, dst io.Writer, layer io.ReadSeeker, pristine *os.Root) (fingerprint string, err error) {
	d := &differ{ctx: ctx, layer: layer, before: newTree(ctx, pristine)}
	defer func() {
		if errors.Is(err, patch.ErrTooLarge) {
			err = fmt.Errorf("%w: %w", err, sandbox.ErrTooLarge)
		}
		if err != nil {
			err = fmt.Errorf("make a diff of the work tree: %w", err)
		}
	}()
	if d.after, err = indexLayer(layer); err != nil {
		return "", err
	}
	paths, err := d.paths()
	if err != nil {
		return "", err
	}
	out := &limitedWriter{w: dst, left: maxDiffBytes}
	for _, path := range paths {
		if err := d.write(out, path); err != nil {
			return "", err
		}
	}
	return d.fingerprint()
}

// differ compares a layer with the tree that it is laid on.
type differ struct {
	ctx    context.Context
	layer  io.ReadSeeker
	before *tree
	after  *layerIndex
}

// paths are those of all files that the layer makes or takes away, sorted.
func (d *differ) paths() ([]string, error) {
	paths := map[string]bool{}
	for name, e := range d.after.entries {
		if !e.mode.IsDir() {
			paths[name] = true
		}
		// What is made takes the place of what was there.
		if err := d.gone(name, e.mode.IsDir(), paths); err != nil {
			return nil, err
		}
	}
	for name := range d.after.deleted {
		if err := d.gone(name, false, paths); err != nil {
			return nil, err
		}
	}
	for name := range d.after.emptied {
		if d.cleared(name) {
			continue // with what is above it
		}
		if err := d.before.files(name, paths); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(paths)), func(p string) bool { return !patch.CanName(p) }), nil
}

// cleared tells whether a directory above name was emptied or deleted.
func (d *differ) cleared(name string) bool {
	for name != "." {
		name = parent(name)
		if d.after.emptied[name] || d.after.deleted[name] {
			return true
		}
	}
	return false
}

// gone adds the files of the tree that what the layer says of name takes away: itself,
// and all below it unless a directory stays one.
func (d *differ) gone(name string, directory bool, paths map[string]bool) error {
	info, err := d.before.lstat(name)
	switch {
	case err != nil || info == nil:
		return err
	case !info.IsDir():
		paths[name] = true
		return nil
	case directory:
		return nil
	}
	return d.before.files(name, paths)
}

// write writes the diff of one path.
func (d *differ) write(w io.Writer, path string) error {
	if err := d.ctx.Err(); err != nil {
		return err
	}
	before, err := d.before.version(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return patch.WriteDiff(w, path, before, d.versionAfter(path))
}

// versionAfter is the file or link that the layer has at path; nil for none.
func (d *differ) versionAfter(path string) *patch.Version {
	e, made := d.after.entries[path]
	if !made || e.mode.IsDir() {
		return nil
	}
	return &patch.Version{Mode: e.mode, Size: e.size, Open: func() (io.ReadCloser, error) { return e.open(d.layer) }}
}

// tree is the work tree that the layer is laid on. Of a path, only the last component may be
// a link: what is below a link is not in the tree.
type tree struct {
	ctx         context.Context
	root        *os.Root
	directories map[string]bool // whether a path is one, as far as was asked
	listed      int             // files
	bytes       int64           // that were opened
}

func newTree(ctx context.Context, root *os.Root) *tree {
	return &tree{ctx: ctx, root: root, directories: map[string]bool{".": true}}
}

// lstat returns nil for what is not there.
func (t *tree) lstat(name string) (fs.FileInfo, error) {
	if inside, err := t.isDirectory(parent(name)); err != nil || !inside {
		return nil, err
	}
	info, err := t.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENAMETOOLONG) {
		return nil, nil
	}
	return info, err
}

func (t *tree) isDirectory(name string) (bool, error) {
	if is, known := t.directories[name]; known {
		return is, nil
	}
	info, err := t.lstat(name)
	if err != nil {
		return false, err
	}
	t.directories[name] = info != nil && info.IsDir()
	return t.directories[name], nil
}

func parent(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i]
	}
	return "."
}

// files adds the files and links below a directory to paths.
func (t *tree) files(name string, paths map[string]bool) error {
	if is, err := t.isDirectory(name); err != nil || !is {
		return err
	}
	if err := t.ctx.Err(); err != nil {
		return err
	}
	d, err := t.root.Open(name)
	if err != nil {
		return err
	}
	entries, err := d.ReadDir(-1)
	if err := errors.Join(err, d.Close()); err != nil {
		return err
	}
	for _, e := range entries {
		path := e.Name()
		if name != "." {
			path = name + "/" + path
		}
		if t.listed++; t.listed > maxBefore {
			return fmt.Errorf("more than %d files go: %w", maxBefore, sandbox.ErrTooLarge)
		}
		switch {
		case repositoryData(path):
		case e.IsDir():
			if err := t.files(path, paths); err != nil {
				return err
			}
		default:
			paths[path] = true
		}
	}
	return nil
}

// version is the file or link at path; nil where there is none.
func (t *tree) version(path string) (*patch.Version, error) {
	info, err := t.lstat(path)
	if err != nil || info == nil {
		return nil, err
	}
	v := &patch.Version{Mode: info.Mode(), Size: info.Size()}
	switch {
	case info.Mode().IsRegular():
		if t.bytes += info.Size(); t.bytes > maxBeforeSize {
			return nil, fmt.Errorf("more than %d bytes of the image's files change: %w", maxBeforeSize, sandbox.ErrTooLarge)
		}
		v.Open = func() (io.ReadCloser, error) {
			return t.root.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
		}
	case info.Mode().Type() == fs.ModeSymlink:
		target, err := t.root.Readlink(path)
		if err != nil {
			return nil, err
		}
		v.Size = int64(len(target))
		v.Open = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(target)), nil }
	default:
		return nil, nil // git knows no others
	}
	return v, nil
}

// equal tells whether two versions have the same content.
func equal(a, b *patch.Version) (same bool, err error) {
	if a.Size != b.Size {
		return false, nil
	}
	ra, err := a.Open()
	if err != nil {
		return false, err
	}
	defer ra.Close()
	rb, err := b.Open()
	if err != nil {
		return false, err
	}
	defer rb.Close()
	bufA, bufB := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, errA := io.ReadFull(ra, bufA)
		m, errB := io.ReadFull(rb, bufB)
		switch ended := errors.Is(errA, io.EOF) || errors.Is(errA, io.ErrUnexpectedEOF); {
		case !bytes.Equal(bufA[:n], bufB[:m]):
			return false, nil
		case ended:
			return true, nil
		case errA != nil || errB != nil:
			return false, errors.Join(errA, errB)
		}
	}
}

// limitedWriter fails when more is written than it has left.
type limitedWriter struct {
	w    io.Writer
	left int64
}

func (l *limitedWriter) Write(p []byte) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 {
		return 0, fmt.Errorf("the diff has more than %d bytes: %w", maxDiffBytes, sandbox.ErrTooLarge)
	}
	return l.w.Write(p)
}
