package worktree

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"assay/internal/sandbox"
)

// Whiteout names of the OCI image specification (image-spec, layer.md).
const (
	whiteoutPrefix = ".wh."
	whiteoutOpaque = ".wh..wh..opq"
)

// Entry is one entry of a layer, as Filter shows it.
type Entry struct {
	Name     string // slash-separated, relative to the root; of a whiteout, what it deletes
	Type     byte   // a tar type flag
	Size     int64  // of a regular file, in bytes
	Mode     int64  // its permissions
	Target   string // of a symbolic link
	Deletes  bool   // a whiteout
	Replaces bool   // an opaque directory: what the image has in it is gone
}

// Filter copies the entries of an OCI layer tar for which keep returns true. It
// lets through regular files, directories, symbolic links and whiteouts only.
func Filter(dst io.Writer, src io.Reader, keep func(Entry) bool) error {
	out := tar.NewWriter(dst)
	err := each(src, func(hdr *tar.Header, e Entry, content io.Reader) error {
		if !keep(e) {
			return nil
		}
		if err := out.WriteHeader(hdr); err != nil {
			return fmt.Errorf("write a layer: %s: %w", hdr.Name, err)
		}
		if _, err := io.Copy(out, content); err != nil {
			return fmt.Errorf("copy a layer: %s: %w", hdr.Name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return out.Close()
}

// Scan calls fn for each entry of an OCI layer tar that Filter would show to keep.
// content is what a regular file holds, and is valid during the call.
func Scan(src io.Reader, fn func(e Entry, content io.Reader) error) error {
	return each(src, func(_ *tar.Header, e Entry, content io.Reader) error { return fn(e, content) })
}

func each(src io.Reader, fn func(*tar.Header, Entry, io.Reader) error) error {
	for in := tar.NewReader(src); ; {
		hdr, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a layer: %w", err)
		}
		switch hdr.Typeflag {
		case tar.TypeReg, tar.TypeDir, tar.TypeSymlink:
		default:
			continue
		}
		e := entryOf(hdr)
		if !filepath.IsLocal(e.Name) { // a name need not be UTF-8
			continue
		}
		if err := fn(hdr, e, in); err != nil {
			return err
		}
	}
}

func entryOf(hdr *tar.Header) Entry {
	name := path.Clean(hdr.Name)
	dir, base := path.Split(name)
	switch {
	case base == whiteoutOpaque:
		return Entry{Name: path.Clean(dir), Type: hdr.Typeflag, Replaces: true}
	case strings.HasPrefix(base, whiteoutPrefix):
		return Entry{Name: path.Join(dir, strings.TrimPrefix(base, whiteoutPrefix)), Type: hdr.Typeflag, Deletes: true}
	}
	return Entry{Name: name, Type: hdr.Typeflag, Size: hdr.Size, Mode: hdr.Mode, Target: hdr.Linkname}
}

// Within tells whether name is dir or lies below it.
func Within(name, dir string) bool {
	return name == dir || strings.HasPrefix(name, dir+"/")
}

// isAboutTheFile tells errors that say what a file is (absent, a directory, too
// large) from those that say that it could not be looked at.
func isAboutTheFile(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) || errors.Is(err, fs.ErrPermission) || errors.Is(err, sandbox.ErrTooLarge)
}
