package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// maxUnpacked bounds what one archive may unpack to.
const maxUnpacked = 512 << 20

// copyTree copies the regular files under from to a new directory. Modes become
// 0644, or 0755 where a file is executable: module caches are read-only.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("copy %s: not a regular file", name)
		}
		return copyFile(name, target, plainMode(info.Mode()))
	})
}

func copyFile(from, to string, mode fs.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return writeTo(func() (*os.File, error) { return os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode) }, in)
}

// writeTo copies all of r into the file that open returns.
func writeTo(open func() (*os.File, error), r io.Reader) error {
	out, err := open()
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, r); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

func plainMode(mode fs.FileMode) fs.FileMode {
	if mode&0o111 != 0 {
		return 0o755
	}
	return 0o644
}

func makeExecutable(dir string) error {
	return filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return os.Chmod(name, 0o755)
	})
}

// unpack unpacks a gzipped tar, less the one directory that sdists and npm packages
// wrap their files in, into a new directory. Anything but files and directories
// under it is an error.
func unpack(archive, dir string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", archive, err)
	}
	if err := unpackTar(tar.NewReader(io.LimitReader(unzipped, maxUnpacked)), root); err != nil {
		return fmt.Errorf("unpack %s: %w", archive, err)
	}
	return nil
}

func unpackTar(files *tar.Reader, root *os.Root) error {
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		whole := strings.TrimSuffix(header.Name, "/")
		if !fs.ValidPath(whole) {
			return fmt.Errorf("%q is not a plain path", header.Name)
		}
		_, name, found := strings.Cut(whole, "/")
		if !found {
			continue
		}
		switch header.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o755)
		case tar.TypeReg:
			if err = root.MkdirAll(path.Dir(name), 0o755); err == nil {
				mode := plainMode(fs.FileMode(header.Mode))
				err = writeTo(func() (*os.File, error) {
					return root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
				}, files)
			}
		case tar.TypeXGlobalHeader:
		default:
			err = fmt.Errorf("%s is neither a file nor a directory", header.Name)
		}
		if err != nil {
			return err
		}
	}
}
