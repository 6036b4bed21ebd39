package dataset

import (
	"archive/tar"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"assay"
)

// maxTreeEntries bounds the files of a work tree that is packed.
const maxTreeEntries = 1_000_000

// spool holds a work tree on disk so that it can be written in sorted order, whatever
// the order it came in.
type spool struct {
	file    *os.File // the contents, one after the other; unlinked
	entries map[string]*spooled
	size    int64
}

type spooled struct {
	header tar.Header
	offset int64 // of its content in the file
}

// spoolTree reads a tar of a work tree. Devices, sockets and FIFOs are left out; hard
// links become files of their own.
func spoolTree(dir string, r io.Reader, maxBytes int64) (*spool, error) {
	f, err := os.CreateTemp(dir, "tree-*")
	if err != nil {
		return nil, fmt.Errorf("make a temporary file: %w", err)
	}
	s := &spool{file: f, entries: map[string]*spooled{}}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("unlink a temporary file: %w", err), f.Close())
	}
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err == nil {
			err = s.add(h, tr, maxBytes)
		}
		if err != nil {
			s.close()
			return nil, fmt.Errorf("read the work tree: %w", err)
		}
	}
}

func (s *spool) close() { s.file.Close() } // a temporary file that nobody reads any more

// add takes one entry in.
func (s *spool) add(h *tar.Header, content io.Reader, maxBytes int64) error {
	name := path.Clean(strings.TrimPrefix(h.Name, "/"))
	if name == "." {
		return nil
	}
	if !filepath.IsLocal(name) {
		return fmt.Errorf("entry %q leads out of the tree", h.Name)
	}
	if len(s.entries) >= maxTreeEntries {
		return assay.Errorf(assay.CodeTooLarge, "the work tree has more than %d files", maxTreeEntries)
	}
	e := &spooled{offset: s.size, header: tar.Header{
		Typeflag: h.Typeflag,
		Name:     name,
		Mode:     h.Mode & 0o777,
		ModTime:  time.Unix(0, 0),
	}}
	switch h.Typeflag {
	case tar.TypeReg:
		if s.size+h.Size > maxBytes {
			return assay.Errorf(assay.CodeTooLarge, "the work tree is larger than %d MiB", maxBytes>>20)
		}
		n, err := io.Copy(s.file, content)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		e.header.Size = n
		s.size += n
	case tar.TypeLink:
		target, ok := s.entries[path.Clean(strings.TrimPrefix(h.Linkname, "/"))]
		if !ok || target.header.Typeflag != tar.TypeReg {
			return fmt.Errorf("%s is a hard link to %s, which is no file before it", name, h.Linkname)
		}
		*e = *target
		e.header.Name = name
	case tar.TypeSymlink:
		e.header.Linkname = h.Linkname
		e.header.Mode = 0o777
	case tar.TypeDir:
	default:
		return nil
	}
	s.entries[name] = e
	return nil
}

// writeTo writes the tree below prefix, sorted by name.
func (s *spool) writeTo(tw *tar.Writer, prefix string) error {
	sorted := make([]*spooled, 0, len(s.entries))
	for _, e := range s.entries {
		sorted = append(sorted, e)
	}
	slices.SortFunc(sorted, func(a, b *spooled) int { return cmp.Compare(a.header.Name, b.header.Name) })
	top := &tar.Header{Typeflag: tar.TypeDir, Name: prefix, Mode: 0o755, ModTime: time.Unix(0, 0)}
	if err := tw.WriteHeader(top); err != nil {
		return err
	}
	for _, e := range sorted {
		h := e.header
		h.Name = prefix + h.Name
		if h.Typeflag == tar.TypeDir {
			h.Name += "/"
		}
		if err := tw.WriteHeader(&h); err != nil {
			return err
		}
		if _, err := io.Copy(tw, io.NewSectionReader(s.file, e.offset, h.Size)); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
	return nil
}
