package oci

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// maxCompared bounds the bytes that are compared with the image's, while the sandbox is
// frozen. What lies beyond them is told as it is.
const maxCompared = 2 << 30

// isDirectoryBefore tells whether the image has a directory at a path below the root, reached
// without links if what is above it was.
func (l *layerWriter) isDirectoryBefore(full string) bool {
	if l.limits.Base == nil {
		return false
	}
	info := l.before(full)
	return info != nil && info.IsDir()
}

// before is what the image has at a path below the root; nil for nothing, and for what cannot
// be looked at: it is told as a change.
func (l *layerWriter) before(full string) fs.FileInfo {
	info, err := l.limits.Base.Lstat(full)
	if err != nil {
		return nil
	}
	return info
}

// targetBefore is where a link of the image leads; "" if that is not known.
func (l *layerWriter) targetBefore(full string) string {
	target, err := l.limits.Base.Readlink(full)
	if err != nil {
		return ""
	}
	return target
}

// isAsBefore tells whether a file or a link is as the image has it, but for its owner and its
// times, and may thus be left out: chown -R copies a whole tree into the upper directory.
func (l *layerWriter) isAsBefore(at *os.Root, info fs.FileInfo, name, full string) (bool, error) {
	if l.limits.Base == nil || l.hidden > 0 || !info.Mode().IsRegular() && info.Mode()&fs.ModeSymlink == 0 {
		return false, nil
	}
	before := l.before(full)
	if before == nil || before.Mode() != info.Mode() || before.Size() != info.Size() {
		return false, nil
	}
	if info.Mode().IsRegular() {
		if l.compared += info.Size(); l.compared > maxCompared {
			return false, nil
		}
		if err := l.ctx.Err(); err != nil {
			return false, err
		}
		same, err := sameContent(at, name, l.limits.Base, full)
		if err != nil || !same {
			return false, err
		}
		return true, l.leaveOut()
	}
	target, err := at.Readlink(name)
	if err != nil || target != l.targetBefore(full) {
		return false, err
	}
	return true, l.leaveOut()
}

// sameContent tells whether two regular files hold the same.
func sameContent(a *os.Root, nameA string, b *os.Root, nameB string) (bool, error) {
	const flags = os.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK
	fileA, err := a.OpenFile(nameA, flags|unix.O_NOATIME, 0)
	if err != nil {
		return false, err
	}
	defer fileA.Close()
	fileB, err := b.OpenFile(nameB, flags, 0)
	if err != nil {
		return false, err
	}
	defer fileB.Close()
	bufA, bufB := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, errA := io.ReadFull(fileA, bufA)
		m, errB := io.ReadFull(fileB, bufB)
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
