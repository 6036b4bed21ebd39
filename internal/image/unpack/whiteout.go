package unpack

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	whiteoutPrefix = ".wh."
	whiteoutOpaque = ".wh..wh..opq"
	whiteoutMeta   = ".wh..wh." // what AUFS keeps for itself
)

// whiteout hides what lower layers hold, in overlayfs' own way. It never hides
// what this layer holds, whichever of the two comes first.
func (u *unpacker) whiteout(parent dir, base string) error {
	switch {
	case base == whiteoutOpaque && parent.path == ".":
		u.result.OpaqueRoot = true
		return nil
	case base == whiteoutOpaque:
		return setOpaque(parent.fd)
	case strings.HasPrefix(base, whiteoutMeta):
		return nil
	}
	name := strings.TrimPrefix(base, whiteoutPrefix)
	if name == "" || name == "." || name == ".." {
		return fmt.Errorf("%w: whiteout of nothing", ErrUnsafe)
	}
	kind, err := kindOf(parent, name)
	switch {
	case err != nil:
		return err
	case kind == kindNone:
		return u.makeWhiteout(parent, name)
	case kind == kindDir:
		fd, err := openDir(parent.fd, name)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return setOpaque(fd)
	}
	return nil // this layer's own file hides the lower one by being there
}

func (u *unpacker) makeWhiteout(parent dir, name string) error {
	if err := unix.Mknodat(parent.fd, name, unix.S_IFCHR, 0); err != nil {
		return fmt.Errorf("make whiteout %s: %w", quote(path.Join(parent.path, name)), err)
	}
	return nil
}

// setOpaque makes overlayfs hide the directory of that name in lower layers.
func setOpaque(fd int) error {
	if err := unix.Fsetxattr(fd, "trusted.overlay.opaque", []byte("y"), 0); err != nil {
		return fmt.Errorf("make directory opaque: %w", err)
	}
	return nil
}

// kind is what is at a name.
type kind int

const (
	kindNone     kind = iota
	kindDir           //
	kindWhiteout      // the only device there can be
	kindOther         // a file, link or fifo
)

func kindOf(parent dir, base string) (kind, error) {
	var st unix.Stat_t
	err := unix.Fstatat(parent.fd, base, &st, unix.AT_SYMLINK_NOFOLLOW)
	switch {
	case errors.Is(err, unix.ENOENT):
		return kindNone, nil
	case err != nil:
		return kindNone, fmt.Errorf("look at %s: %w", quote(base), err)
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return kindDir, nil
	case unix.S_IFCHR:
		return kindWhiteout, nil
	}
	return kindOther, nil
}
