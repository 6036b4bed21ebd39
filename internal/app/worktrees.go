package app

import (
	"archive/tar"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"assay"
	"assay/internal/image"
)

// worktrees reads work trees out of images.
type worktrees struct {
	images *image.Store
	dir    string // for mounts, which last as long as a reader
}

// leasePrefix begins the owners of the leases that are held while a tree is read.
const leasePrefix = "worktree-"

// digest names the content of an image.
func (w *worktrees) digest(ctx context.Context, ref string) (string, error) {
	img, err := w.images.Resolve(ctx, ref)
	return img.ManifestDigest, unavailable(err)
}

// unavailable tells the user of a sample whose image is missing that it is.
func unavailable(err error) error {
	if errors.Is(err, image.ErrNotFound) {
		return assay.Wrap(err, assay.CodeImageUnavailable, "the sample's image is not available on this server; the operator can load it with assay image load or pull")
	}
	return err
}

// open returns a tar of a directory of an image, with names relative to it.
func (w *worktrees) open(ctx context.Context, ref, workdir string) (io.ReadCloser, error) {
	at, free, err := w.show(ctx, ref)
	if err != nil {
		return nil, err
	}
	r, pw := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		pw.CloseWithError(writeTree(pw, at, workdir))
	}()
	return &mounted{Reader: r, free: func() error {
		_ = r.Close() // ends the goroutine, wherever it is
		<-done
		return free()
	}}, nil
}

// ImageDigest implements verification.Images.
func (w *worktrees) ImageDigest(ctx context.Context, ref string) (string, error) {
	return w.digest(ctx, ref)
}

// OpenTree implements verification.Images.
func (w *worktrees) OpenTree(ctx context.Context, ref, dir string) (tree *os.Root, free func() error, err error) {
	at, hide, err := w.show(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	tree, err = openTree(at, dir)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("read the work tree of image %s: %w", ref, err), hide())
	}
	return tree, func() error { return errors.Join(tree.Close(), hide()) }, nil
}

// show makes an image a read-only directory, until hide is called.
func (w *worktrees) show(ctx context.Context, ref string) (at string, hide func() error, err error) {
	img, err := w.images.Resolve(ctx, ref)
	if err != nil {
		return "", nil, unavailable(err)
	}
	owner := leasePrefix + strings.ToLower(rand.Text())
	rootFS, err := w.images.Lease(ctx, img, owner)
	if err != nil {
		return "", nil, unavailable(err)
	}
	at, err = w.mount(rootFS.Lower)
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("read the work tree of image %s: %w", ref, err), w.images.Release(owner))
	}
	return at, func() error { return errors.Join(w.unmount(at), w.images.Release(owner)) }, nil
}

// sweep frees what a process that was killed while it read left behind. Only the
// process that serves may call it.
func (w *worktrees) sweep() error {
	left, err := filepath.Glob(filepath.Join(w.dir, "tree-*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, mount := range left {
		errs = append(errs, w.unmount(mount))
	}
	leases, err := w.images.Leases()
	errs = append(errs, err)
	for _, l := range leases {
		if strings.HasPrefix(l.Owner, leasePrefix) {
			errs = append(errs, w.images.Release(l.Owner))
		}
	}
	return errors.Join(errs...)
}

// mounted reads from a mount that goes when the reader is closed.
type mounted struct {
	io.Reader
	free func() error
}

func (m *mounted) Close() error { return m.free() }

// mount shows the layers of an image, read-only, at a new directory.
func (w *worktrees) mount(lower []string) (string, error) {
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return "", err
	}
	at, err := os.MkdirTemp(w.dir, "tree-")
	if err != nil {
		return "", err
	}
	const flags = unix.MS_RDONLY | unix.MS_NODEV | unix.MS_NOSUID | unix.MS_NOEXEC
	if len(lower) == 1 { // overlayfs wants two
		err = unix.Mount(lower[0], at, "", unix.MS_BIND, "")
		if err == nil {
			err = unix.Mount("", at, "", unix.MS_BIND|unix.MS_REMOUNT|flags, "")
		}
	} else {
		err = mountLayers(lower, at, flags)
	}
	if err != nil {
		return "", errors.Join(err, w.unmount(at))
	}
	return at, nil
}

// mountLayers shows several layers as one tree. mount(2) takes a page of options, which
// the names of forty layers fill; as descriptors, two hundred fit.
func mountLayers(lower []string, at string, flags uintptr) error {
	var names []string
	for _, dir := range lower {
		f, err := os.OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		defer f.Close() // only a name
		names = append(names, fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	}
	return unix.Mount("overlay", at, "overlay", flags, "lowerdir="+strings.Join(names, ":"))
}

// unmount frees a mount and its directory, also when nothing is mounted there.
func (w *worktrees) unmount(at string) error {
	if err := unix.Unmount(at, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("unmount %s: %w", at, err)
	}
	return os.Remove(at)
}

// writeTree writes the directory dir below root as a tar with relative names.
func writeTree(w io.Writer, root, dir string) error {
	tree, err := openTree(root, dir)
	if err != nil {
		return err
	}
	defer tree.Close()
	tw := tar.NewWriter(w)
	if err := tw.AddFS(tree.FS()); err != nil {
		return err
	}
	return tw.Close()
}

// openTree opens the directory dir below root.
func openTree(root, dir string) (*os.Root, error) {
	fsys, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer fsys.Close()
	return fsys.OpenRoot(path.Clean(strings.TrimPrefix(dir, "/")))
}
