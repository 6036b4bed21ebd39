package image

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

const (
	maxArchiveEntries = 100_000
	maxArchiveBytes   = 256 << 30 // of a compressed archive, uncompressed
	maxArchiveLinks   = 8         // from one file to the next
)

// archive is a set of files to load images from.
type archive interface {
	// open opens a regular file; fs.ErrNotExist.
	open(name string) (io.ReadCloser, int64, error)
	Close() error
}

// openArchive opens a directory, or a tar that may be compressed.
func (s *Store) openArchive(ctx context.Context, name string) (archive, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		root, err := os.OpenRoot(name)
		return dirArchive{root}, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("neither a directory nor a file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if f, err = s.inflate(ctx, f); err != nil {
		return nil, err
	}
	files, err := indexTar(ctx, f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &tarArchive{f: f, files: files}, nil
}

// inflate replaces a compressed file by an uncompressed one, which has no name
// and goes when it is closed: parts of an archive are read in any order.
func (s *Store) inflate(ctx context.Context, f *os.File) (*os.File, error) {
	magic, err := bufio.NewReaderSize(f, 16).Peek(len(magicZstd))
	if err != nil && !errors.Is(err, io.EOF) {
		f.Close()
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil || !isCompressed(magic) {
		return f, err
	}
	defer f.Close()
	plain, err := decompress(readerContext{ctx, f})
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	tmp, err := os.CreateTemp(s.path("tmp"), "archive-*")
	if err != nil {
		return nil, err
	}
	n, err := io.Copy(tmp, io.LimitReader(plain, maxArchiveBytes+1))
	if err == nil && n > maxArchiveBytes {
		err = fmt.Errorf("%w: archive of more than %d bytes", ErrLimit, int64(maxArchiveBytes))
	}
	if err == nil {
		_, err = tmp.Seek(0, io.SeekStart)
	}
	if err = errors.Join(err, os.Remove(tmp.Name())); err != nil {
		tmp.Close()
		return nil, err
	}
	return tmp, nil
}

// readerContext is a reader that ends with its context.
type readerContext struct {
	ctx context.Context
	r   io.Reader
}

func (r readerContext) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}

// dirArchive is a directory. Its links lead nowhere outside of it.
type dirArchive struct{ root *os.Root }

func (d dirArchive) Close() error { return d.root.Close() }

func (d dirArchive) open(name string) (io.ReadCloser, int64, error) {
	info, err := d.root.Stat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not a file", name)
	}
	f, err := d.root.Open(name)
	if err != nil {
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// tarArchive is a tar, its files found by offset.
type tarArchive struct {
	f     *os.File
	files map[string]span
}

// span is where a file lies in a tar; or, with a link, under which name.
type span struct {
	offset, size int64
	link         string
}

func (t *tarArchive) Close() error { return t.f.Close() }

func (t *tarArchive) open(name string) (io.ReadCloser, int64, error) {
	name = path.Clean(name)
	for range maxArchiveLinks {
		at, ok := t.files[name]
		if !ok {
			break
		}
		if at.link == "" {
			return io.NopCloser(io.NewSectionReader(t.f, at.offset, at.size)), at.size, nil
		}
		name = at.link
	}
	return nil, 0, fmt.Errorf("%s: %w in the archive", name, fs.ErrNotExist)
}

func indexTar(ctx context.Context, f *os.File) (map[string]span, error) {
	files := map[string]span{}
	// Being a Seeker lets the tar reader jump over contents, and tells where it is.
	tr := tar.NewReader(struct {
		io.Reader
		io.Seeker
	}{readerContext{ctx, f}, f})
	for {
		hdr, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read tar: %w", err)
		}
		if len(files) >= maxArchiveEntries {
			return nil, fmt.Errorf("%w: archive of more than %d files", ErrLimit, maxArchiveEntries)
		}
		name := path.Clean(strings.TrimPrefix(hdr.Name, "/"))
		switch hdr.Typeflag {
		case tar.TypeReg:
			offset, err := f.Seek(0, io.SeekCurrent)
			if err != nil {
				return nil, err
			}
			files[name] = span{offset: offset, size: hdr.Size}
		case tar.TypeSymlink: // older docker save links layers that are the same
			files[name] = span{link: path.Join(path.Dir(name), hdr.Linkname)}
		}
	}
}

// readDocument reads a manifest, index or config.
func readDocument(a archive, name string) ([]byte, error) {
	rc, size, err := a.open(name)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	if size > maxDocument {
		return nil, fmt.Errorf("%w: %s has %d bytes", ErrLimit, name, size)
	}
	return io.ReadAll(io.LimitReader(rc, maxDocument))
}
