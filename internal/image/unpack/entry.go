package unpack

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// entry applies one entry of the tar.
func (u *unpacker) entry(hdr *tar.Header, content io.Reader) error {
	if hdr.Typeflag == tar.TypeXGlobalHeader {
		return nil // git archive writes its commit there
	}
	parts, err := u.components(hdr.Name)
	if err != nil {
		return err
	}
	if len(parts) == 0 {
		return u.rootEntry(hdr)
	}
	above, base := parts[:len(parts)-1], parts[len(parts)-1]
	for _, part := range above {
		if strings.HasPrefix(part, whiteoutPrefix) {
			return fmt.Errorf("%w: a whiteout is not a directory", ErrUnsafe)
		}
	}
	parent, err := u.tree.open(above, u.implyDir)
	if err != nil {
		return err
	}
	if strings.HasPrefix(base, whiteoutPrefix) {
		return u.whiteout(parent, base)
	}
	attrs, err := u.attributes(hdr)
	if err != nil {
		return err
	}
	switch hdr.Typeflag {
	case tar.TypeDir:
		return u.directory(parent, base, attrs)
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		return u.file(parent, base, attrs, hdr.Size, content)
	case tar.TypeSymlink:
		return u.symlink(parent, base, attrs, hdr.Linkname)
	case tar.TypeLink:
		return u.hardLink(above, base, hdr.Linkname)
	case tar.TypeFifo:
		return u.fifo(parent, base, attrs)
	case tar.TypeChar, tar.TypeBlock:
		u.result.Devices++
		u.devices[path.Join(parent.path, base)] = true
		return nil
	}
	return fmt.Errorf("%w: entry type %q", ErrUnsafe, hdr.Typeflag)
}

// rootEntry applies an entry that names the layer's root: "./".
func (u *unpacker) rootEntry(hdr *tar.Header) error {
	if hdr.Typeflag != tar.TypeDir {
		return fmt.Errorf("%w: the root is not a directory", ErrUnsafe)
	}
	attrs, err := u.attributes(hdr)
	if err != nil {
		return err
	}
	return u.apply(u.tree.root, attrs)
}

// implyDir makes a parent directory that the tar has not named (yet). A whiteout
// in its place becomes an opaque directory: what was below stays hidden.
func (u *unpacker) implyDir(parent dir, base string) error {
	kind, err := kindOf(parent, base)
	if err != nil {
		return err
	}
	if kind != kindNone && kind != kindWhiteout {
		return fmt.Errorf("%w: %w", ErrUnsafe, unix.ENOTDIR)
	}
	if err := u.count(); err != nil {
		return err
	}
	attrs, err := u.impliedAttributes()
	if err != nil {
		return err
	}
	u.implied[path.Join(parent.path, base)] = true
	return u.makeDirectory(parent, base, attrs, kind)
}

// impliedAttributes are those of a directory that no entry speaks of.
func (u *unpacker) impliedAttributes() (attributes, error) {
	owner, err := u.shift.owner(0, 0)
	return attributes{owner: owner, mode: 0o755, mtime: time.Unix(0, 0)}, err
}

func (u *unpacker) directory(parent dir, base string, attrs attributes) error {
	kind, err := kindOf(parent, base)
	if err != nil {
		return err
	}
	delete(u.implied, path.Join(parent.path, base))
	if kind != kindDir {
		return u.makeDirectory(parent, base, attrs, kind)
	}
	fd, err := openDir(parent.fd, base)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return u.apply(dir{fd: fd, path: path.Join(parent.path, base)}, attrs)
}

// makeDirectory makes a directory in the place of what is there, which is not a
// directory. Whatever was there hid the lower layers' directory of that name, so
// the new one has to hide it too.
func (u *unpacker) makeDirectory(parent dir, base string, attrs attributes, was kind) error {
	if was != kindNone {
		if err := u.clear(parent, base); err != nil {
			return err
		}
	}
	if err := unix.Mkdirat(parent.fd, base, 0o700); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	fd, err := openDir(parent.fd, base)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if was != kindNone {
		if err := setOpaque(fd); err != nil {
			return err
		}
	}
	return u.apply(dir{fd: fd, path: path.Join(parent.path, base)}, attrs)
}

func (u *unpacker) file(parent dir, base string, attrs attributes, size int64, content io.Reader) error {
	// Checked before anything is written: a sparse file of exabytes is a few
	// bytes of tar.
	if size < 0 || size > u.limits.Bytes-u.result.Bytes {
		return fmt.Errorf("%w: files of more than %d bytes", ErrLimit, u.limits.Bytes)
	}
	u.result.Bytes += size
	if err := u.clear(parent, base); err != nil {
		return err
	}
	fd, err := unix.Openat(parent.fd, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("create file: %w", err)
	}
	f := os.NewFile(uintptr(fd), base)
	err = u.writeFile(f, attrs, size, content)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return u.setTimes(parent, base, attrs.mtime)
}

func (u *unpacker) writeFile(f *os.File, attrs attributes, size int64, content io.Reader) error {
	// The wrapper hides ReadFrom, which would bring a buffer of its own.
	n, err := io.CopyBuffer(struct{ io.Writer }{f}, content, u.buffer)
	if err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	if n != size {
		return fmt.Errorf("write file: %d bytes of %d", n, size)
	}
	return setAttributes(int(f.Fd()), attrs)
}

func (u *unpacker) symlink(parent dir, base string, attrs attributes, target string) error {
	if target == "" {
		return fmt.Errorf("%w: link to nothing", ErrUnsafe)
	}
	if len(target) > u.limits.LinkBytes {
		return fmt.Errorf("%w: link target of %d bytes", ErrLimit, len(target))
	}
	if err := u.clear(parent, base); err != nil {
		return err
	}
	if err := unix.Symlinkat(target, parent.fd, base); err != nil {
		return fmt.Errorf("make link: %w", err)
	}
	if err := unix.Fchownat(parent.fd, base, attrs.owner.uid, attrs.owner.gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fmt.Errorf("set owner: %w", err)
	}
	return u.setTimes(parent, base, attrs.mtime)
}

// hardLink makes another name of something this layer holds; the link's own
// attributes are those of its target. The last component is never followed.
func (u *unpacker) hardLink(above []string, base, target string) error {
	parts, err := u.components(target)
	if err != nil {
		return fmt.Errorf("hard link target %s: %w", quote(target), err)
	}
	if len(parts) == 0 {
		return fmt.Errorf("%w: hard link to the root", ErrUnsafe)
	}
	from, err := u.tree.walk(parts[:len(parts)-1], nil)
	if err != nil {
		return fmt.Errorf("hard link target %s: %w", quote(target), err)
	}
	if from.fd != u.tree.root.fd {
		defer unix.Close(from.fd)
	}
	name := parts[len(parts)-1]
	parent, err := u.tree.open(above, u.implyDir)
	if err != nil {
		return err
	}
	fromPath, toPath := path.Join(from.path, name), path.Join(parent.path, base)
	if fromPath == toPath {
		return nil
	}
	kind, err := kindOf(from, name)
	switch {
	case err != nil:
		return err
	case kind == kindNone && u.devices[fromPath]:
		u.result.Devices++
		u.devices[toPath] = true
		return nil
	case kind == kindNone, kind == kindWhiteout:
		return fmt.Errorf("%w: hard link to %s, which is not in the layer", ErrUnsafe, quote(target))
	case kind == kindDir:
		return fmt.Errorf("%w: hard link to the directory %s", ErrUnsafe, quote(target))
	}
	if err := u.clear(parent, base); err != nil {
		return err
	}
	if err := unix.Linkat(from.fd, name, parent.fd, base, 0); err != nil {
		return fmt.Errorf("link to %s: %w", quote(target), err)
	}
	return nil
}

func (u *unpacker) fifo(parent dir, base string, attrs attributes) error {
	if err := u.clear(parent, base); err != nil {
		return err
	}
	if err := unix.Mknodat(parent.fd, base, unix.S_IFIFO|0o600, 0); err != nil {
		return fmt.Errorf("make fifo: %w", err)
	}
	if err := unix.Fchownat(parent.fd, base, attrs.owner.uid, attrs.owner.gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fmt.Errorf("set owner: %w", err)
	}
	if err := unix.Fchmodat(parent.fd, base, attrs.mode, 0); err != nil {
		return fmt.Errorf("set mode: %w", err)
	}
	return u.setTimes(parent, base, attrs.mtime)
}

// clear removes what is at a name, with all that is in it: a later entry of the
// same name wins.
func (u *unpacker) clear(parent dir, base string) error {
	err := unix.Unlinkat(parent.fd, base, 0)
	if err == nil || errors.Is(err, unix.ENOENT) {
		return nil
	}
	if !errors.Is(err, unix.EISDIR) {
		return fmt.Errorf("replace: %w", err)
	}
	name := path.Join(parent.path, base)
	delete(u.implied, name)
	delete(u.times, name)
	return u.root.RemoveAll(name)
}
