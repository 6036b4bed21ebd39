package patch

import (
	"archive/tar"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// WriteLayer writes changes as an uncompressed OCI image layer (image-spec,
// layer.md): relative names, a whiteout for each deletion, no parent directories.
// The same changes make the same bytes: times are zero, owners are root, deletions
// come first, and both parts are sorted by path.
func WriteLayer(w io.Writer, changes []FileChange) error {
	changes = slices.Clone(changes)
	slices.SortFunc(changes, func(a, b FileChange) int {
		switch {
		case a.Delete && !b.Delete:
			return -1
		case b.Delete && !a.Delete:
			return 1
		}
		return byPath(a, b)
	})
	out := tar.NewWriter(w)
	for _, c := range changes {
		if err := writeEntry(out, c); err != nil {
			return fmt.Errorf("write layer: %s: %w", c.Path, err)
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("write layer: %w", err)
	}
	return nil
}

func byPath(a, b FileChange) int { return cmp.Compare(a.Path, b.Path) }

func writeEntry(out *tar.Writer, c FileChange) error {
	if err := checkPath(c.Path); err != nil {
		return err
	}
	hdr := &tar.Header{Name: c.Path, Mode: int64(c.Mode.Perm()), Typeflag: tar.TypeReg, Size: int64(len(c.Content))}
	switch {
	case c.Path == "":
		return fmt.Errorf("a change without a path")
	case c.Delete:
		dir, base := path.Split(c.Path)
		hdr.Name, hdr.Mode, hdr.Size = dir+whiteoutPrefix+base, 0o644, 0
		return out.WriteHeader(hdr)
	case c.Mode.Type() == fs.ModeSymlink:
		hdr.Typeflag, hdr.Size, hdr.Linkname = tar.TypeSymlink, 0, string(c.Content)
		if strings.ContainsRune(hdr.Linkname, 0) {
			return fmt.Errorf("the target of the link holds a NUL")
		}
		return out.WriteHeader(hdr)
	case c.Mode.Type() != 0:
		return fmt.Errorf("%s is neither a regular file nor a symbolic link", c.Mode)
	}
	if err := out.WriteHeader(hdr); err != nil {
		return err
	}
	_, err := out.Write(c.Content)
	return err
}
